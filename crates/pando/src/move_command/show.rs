//! How far a move is, on a terminal as a bar, elsewhere as a line every ten seconds.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::output;

const LINE_PERIOD: Duration = Duration::from_secs(10);

/// Shown from the first progress on.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    /// What is counted.
    unit: &'static str,
    step: String,
    since: Instant,
    line_at: Instant,
}

impl Bar {
    pub(crate) fn of(unit: &'static str) -> Bar {
        let now = Instant::now();
        Bar { bar: None, unit, step: String::new(), since: now, line_at: now }
    }

    /// Shows what `perform::words` has told.
    pub(super) fn show(&mut self, progress: &[String]) {
        let [step, collection, rows, total, bytes, lag] = progress else { return };
        let number = |text: &String| text.parse::<u64>().unwrap_or(0);
        let (rows, total) = (number(rows), number(total));
        if self.step != *step {
            self.step.clone_from(step);
            self.since = Instant::now();
        }
        let message = self.message(collection, rows, number(bytes), number(lag));
        let bar = self.bar.get_or_insert_with(new_bar);
        if !bar.is_hidden() {
            let known = matches!(step.as_str(), "copy" | "verify" | "check" | "plan") && total > 0;
            bar.set_length(if known { total } else { 1 });
            bar.set_position(if known { rows.min(total) } else { 0 });
            bar.set_message(message);
        } else if self.line_at.elapsed() >= LINE_PERIOD {
            output::failure(&format!("{message}\n"));
            self.line_at = Instant::now();
        }
    }

    fn message(&self, collection: &str, rows: u64, bytes: u64, lag: u64) -> String {
        let label = label(&self.step);
        let mut text = match collection {
            "" => label.to_owned(),
            collection => format!("{label} {collection}"),
        };
        let elapsed_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if rows > 0 && elapsed_ms > 0 {
            let rate = rows.saturating_mul(1000) / elapsed_ms;
            text += &format!(", {} {}, {}/s", HumanCount(rows), self.unit, HumanCount(rate));
        }
        if bytes > 0 {
            text += &format!(", {}", HumanBytes(bytes));
        }
        if lag > 0 {
            text += &format!(", {} changes behind", HumanCount(lag));
        }
        text
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn label(step: &str) -> &'static str {
    match step {
        "plan" => "looking at",
        "capture" => "preparing",
        "copy" => "copying",
        "catch-up" => "catching up",
        "index" => "making indexes",
        "verify" => "comparing",
        "check" => "comparing the last ones",
        "begin" => "preparing",
        "mirror" | "cut-over" => "changing over",
        _ => "done",
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Bar;

    #[test]
    fn numbers_are_shown_where_there_are_any() {
        let mut bar = Bar::of("rows");
        bar.step = "catch-up".to_owned();
        assert_eq!(bar.message("", 0, 0, 0), "catching up");
        assert_eq!(bar.message("", 0, 0, 1234), "catching up, 1,234 changes behind");
        bar.step = "copy".to_owned();
        bar.since = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        assert!(bar.message("posts", 5000, 2048, 0).starts_with("copying posts, 5,000 rows, "));
    }
}
