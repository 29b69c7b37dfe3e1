//! What is told of moves of files.

use std::fmt::Write as _;
use std::path::Path;

use indicatif::{HumanBytes, HumanCount};
use pando_blob::moving::PassOutcome;
use pando_schema::{FilesMove, FilesPhase, S3, Settings};

use super::mover::Report;
use super::plan::Plan;
use crate::move_command::lasting;
use crate::output::{bold_green, green, red, yellow};

/// A place in words.
pub(super) fn named(s3: &S3, dir: &Path) -> String {
    match s3.enabled {
        true => format!("the bucket {} at {}", s3.bucket, s3.endpoint),
        false => format!("the folder {}", dir.display()),
    }
}

/// What a move would do.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    let width = plan.collections.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, count) in &plan.collections {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "  {name:width$}  {:>12} files  {:>11}",
            HumanCount(count.files).to_string(),
            HumanBytes(count.bytes).to_string(),
        );
    }
    let (files, bytes) = (HumanCount(plan.total.files), HumanBytes(plan.total.bytes));
    let _ = writeln!(text, "{files} files, {bytes} in {}", plan.from);
    if let Ok(trial) = &plan.trial {
        let takes = trial.estimate(plan.total.files, plan.total.bytes);
        let _ = writeln!(
            text,
            "To {}: files can be stored, listed, read and deleted there.\n\
             The copy takes about {} ({}/s, {:.1} ms per file), while the server goes on.",
            plan.to,
            lasting(takes),
            HumanBytes(trial.bytes_per_second),
            trial.per_file.as_secs_f64() * 1000.0,
        );
    }
    text
}

/// What is in the way; empty if nothing is.
pub(super) fn obstacles(plan: &Plan) -> String {
    let mut text = String::new();
    if let Err(obstacle) = &plan.trial {
        let (place, title) = (&plan.to, red("cannot be used:"));
        let mut words = obstacle.to_string();
        let mut source = std::error::Error::source(obstacle);
        while let Some(error) = source {
            let _ = write!(words, ": {error}");
            source = error.source();
        }
        let _ = writeln!(text, "{place} {title} {words}");
    }
    if !plan.others.is_empty() {
        let title = red("Another server keeps files in a folder of its own:");
        let _ = writeln!(
            text,
            "{title} {}\nhint: set files.dir of all servers to one folder; a server that is gone is \
             forgotten after 2 h",
            plan.others.join(", ")
        );
    }
    if let Some(free) = plan.free_bytes.filter(|free| *free < plan.total.bytes) {
        let title = red("The disk is too small:");
        let _ = writeln!(text, "{title} {} are free", HumanBytes(free));
    }
    text
}

pub(super) fn moved(report: &Report, settings: &Settings, dir: &Path) -> String {
    let old = settings.files_move.as_ref().map(|moving| named(&moving.other, dir));
    format!(
        "{} {} files, {}, of which {} ({}) were copied, in {}.\nIf one were missing there it would \
         still be found in {}. `pando move files --finish` ends that; after it the old files can be \
         deleted. `--undo` moves back.\n",
        bold_green(&format!("The files are in {}.", named(&settings.s3, dir))),
        HumanCount(report.files),
        HumanBytes(report.bytes),
        HumanCount(report.copied_files),
        HumanBytes(report.copied_bytes),
        lasting(report.took),
        old.unwrap_or_default(),
    )
}

pub(super) fn given_up(settings: &Settings, dir: &Path) -> String {
    let place = named(&settings.s3, dir);
    let what = green(&format!("The move was given up. The files are in {place}."));
    format!("{what} What was copied stays where it is and does no harm.\n")
}

pub(super) fn finished(old: &S3, dir: &Path) -> String {
    let what = green("The move is over.");
    format!("{what} The files in {} are not needed any more.\n", named(old, dir))
}

pub(super) fn failures(outcome: &PassOutcome) -> String {
    let count = outcome.failed_files;
    let listed = outcome.failures.join("\n  ");
    let more = count.saturating_sub(outcome.failures.len() as u64);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    format!(
        "{count} files cannot be copied; all others are:\n  {listed}{more}\nhint: mend or delete \
         these and give the command again"
    )
}

/// Where the files are.
pub(super) fn status(settings: &Settings, dir: &Path) -> String {
    let here = format!("The files are in {}.", named(&settings.s3, dir));
    let Some(FilesMove { other, phase }) = &settings.files_move else { return format!("{here}\n") };
    let other = named(other, dir);
    match phase {
        FilesPhase::Copying | FilesPhase::Mirroring => {
            let what = yellow(&format!("They are being moved to {other}."));
            let uploads = match phase {
                FilesPhase::Mirroring => "Uploads go to both. ",
                FilesPhase::Copying | FilesPhase::Moved => "",
            };
            format!(
                "{here} {what} {uploads}If no command is at work, the same one goes on; --undo \
                 gives it up.\n"
            )
        }
        FilesPhase::Moved => format!(
            "{here} They came from {other}, where they are looked for, too, until --finish. --undo \
             moves them back.\n"
        ),
    }
}
