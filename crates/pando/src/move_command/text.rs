//! What is told of moves.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use pando_store::moving::{Finding, Plan, Report, Status};

use crate::output::{bold_green, green, red, yellow};

/// Findings of a kind that are listed.
const LISTED_MAX: usize = 50;

/// What a move would do, and what is in its way.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    let width = plan.collections.iter().map(|one| one.name.len()).max().unwrap_or(0);
    for one in &plan.collections {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "  {:width$}  {:>12} rows  {:>11}  {} indexes",
            one.name,
            HumanCount(one.rows).to_string(),
            HumanBytes(one.bytes).to_string(),
            one.indexes
        );
    }
    let _ = writeln!(
        text,
        "{} rows, {} in data.db",
        HumanCount(plan.rows),
        HumanBytes(plan.source_bytes)
    );
    if !plan.views.is_empty() {
        let _ = writeln!(text, "Views that are made anew: {}", plan.views.join(", "));
    }
    if !plan.left.is_empty() {
        let left = plan.left.join(", ");
        let _ = writeln!(text, "{} {left}", yellow("Tables that stay in data.db:"));
    }
    findings(
        &mut text,
        &yellow("Stored in another form, in which clients see it already:"),
        &plan.normalised,
    );
    findings(&mut text, &red("Cannot be moved; change these records first:"), &plan.obstacles);
    if !plan.untranslated.is_empty() {
        let _ =
            writeln!(text, "{}", red("Cannot be made in PostgreSQL; change or drop these first:"));
        for (what, why) in &plan.untranslated {
            let _ = writeln!(text, "  {what}: {why}");
        }
    }
    for problem in &plan.target {
        let _ = writeln!(text, "{} {problem}", red("The database cannot be used:"));
    }
    if plan.possible() {
        let _ = writeln!(
            text,
            "The copy takes about {} at {:.0} rows/s, while the server goes on.",
            lasting(plan.copy_takes),
            plan.rows_per_second
        );
    }
    text
}

fn findings(text: &mut String, title: &str, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}");
    for finding in findings.iter().take(LISTED_MAX) {
        let Finding { collection, field, what, count, example_id, before, after } = finding;
        let before = before.escape_debug();
        let _ = write!(
            text,
            "  {collection}.{field}, {} values: {what}; record {example_id} has \"{before}\"",
            HumanCount(*count)
        );
        if !after.is_empty() {
            let _ = write!(text, ", then {after}");
        }
        text.push('\n');
    }
    if findings.len() > LISTED_MAX {
        let _ = writeln!(text, "  and {} more", findings.len() - LISTED_MAX);
    }
}

pub(super) fn moved(report: &Report) -> String {
    let mut text = format!(
        "{} {} rows in {}; writes were held for {:.1} ms.\n",
        bold_green("The records are in PostgreSQL."),
        HumanCount(report.rows),
        lasting(report.took),
        report.gate.as_secs_f64() * 1000.0
    );
    if report.mended > 0 {
        let _ = writeln!(
            text,
            "{} {} rows differed when they were compared, and were written again.",
            yellow("Note:"),
            HumanCount(report.mended)
        );
    }
    text + "Until tomorrow `pando move database --undo` brings them back, with all that is written \
            meanwhile; `--finish` ends that. data.db stays as it is, and says where the records \
            are; database.url in the configuration may say it, too.\n"
}

pub(super) fn undone(report: &Report) -> String {
    if report.took == Duration::ZERO {
        return format!("{}\n", green("The move was given up. The records are in data.db."));
    }
    format!(
        "{} It took {}; writes were held for {:.1} ms. Take database.url out of the configuration, \
         if it is there.\n",
        bold_green("The records are in data.db again."),
        lasting(report.took),
        report.gate.as_secs_f64() * 1000.0
    )
}

pub(super) fn finished() -> String {
    format!("{}\n", green("The move is finished and cannot be undone any more."))
}

pub(super) fn status(status: &Status) -> String {
    match status {
        Status::AtHome => "The records are in data.db.\n".to_owned(),
        Status::Moving { logged } => format!(
            "{}\nThe same command as before goes on with it, `--undo` gives it up. Changes in the \
             log: {logged}.\n",
            yellow("A move has begun and is not over. The records are in data.db.")
        ),
        Status::Moved { undoing: true, .. } => format!(
            "{}\n",
            yellow("The records are in PostgreSQL; an undo has begun and is not over.")
        ),
        Status::Moved { undo_left_s: 0, .. } => {
            "The records are in PostgreSQL. The move cannot be undone any more.\n".to_owned()
        }
        Status::Moved { undo_left_s, .. } => format!(
            "The records are in PostgreSQL. The move can be undone for another {}.\n",
            lasting(Duration::from_secs(*undo_left_s))
        ),
    }
}

/// A duration in the unit that suits it.
pub(crate) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        10.0..100.0 => format!("{seconds:.0} s"),
        100.0..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests;
