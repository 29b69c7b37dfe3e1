//! What a comparison found: agreement per area and every difference in full.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::diff::{diff, shorten};
use super::scenario::{Action, Step};

const BODY_CHARS_MAX: usize = 700;

/// Steps of one area.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub steps: usize,
    pub agreed: usize,
    pub deviations: usize,
    /// Both servers together.
    pub elapsed: Duration,
}

/// One step that the two servers answered differently.
#[derive(Clone, Debug)]
pub struct Difference {
    pub area: &'static str,
    /// The number of the step within the run.
    pub number: usize,
    pub step: Step,
    pub left: Value,
    pub right: Value,
}

/// The result of one run.
#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    pub areas: BTreeMap<&'static str, Count>,
    pub differences: Vec<Difference>,
    /// How often each deliberate deviation was met.
    pub deviations: BTreeMap<&'static str, usize>,
    /// Why the run ended early, if it did.
    pub aborted: Option<String>,
}

impl Report {
    /// Whether every step agreed or is a deliberate deviation, and nothing was left out.
    pub fn agreed(&self) -> bool {
        self.differences.is_empty() && self.aborted.is_none() && self.total().steps > 0
    }

    pub fn total(&self) -> Count {
        self.areas.values().fold(Count::default(), |sum, count| Count {
            steps: sum.steps + count.steps,
            agreed: sum.agreed + count.agreed,
            deviations: sum.deviations + count.deviations,
            elapsed: sum.elapsed + count.elapsed,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        writeln!(
            f,
            "{:<14} {:>6} {:>7} {:>6} {:>9} {:>8}",
            "area", "steps", "agreed", "dev.", "agreement", "seconds"
        )?;
        for (area, count) in &self.areas {
            write_count(f, area, count)?;
        }
        write_count(f, "total", &self.total())?;
        for (name, count) in &self.deviations {
            writeln!(f, "deviation {name:?}: {count} times")?;
        }
        if let Some(reason) = &self.aborted {
            writeln!(f, "ABORTED: {reason}")?;
        }
        write!(f, "seed {}, {} differences", self.seed, self.differences.len())
    }
}

fn write_count(f: &mut fmt::Formatter<'_>, area: &str, count: &Count) -> fmt::Result {
    let same = count.agreed + count.deviations;
    // Rounded down, so that 100% means all.
    let per_mille = same * 1000 / count.steps.max(1);
    writeln!(
        f,
        "{area:<14} {:>6} {:>7} {:>6} {:>7}.{}% {:>8.1}",
        count.steps,
        count.agreed,
        count.deviations,
        per_mille / 10,
        per_mille % 10,
        count.elapsed.as_secs_f64()
    )
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "── {} #{}: {}", self.area, self.number, self.step.title())?;
        if let Action::Send(request) = &self.step.action {
            for (name, value) in &request.headers {
                writeln!(f, "   > {name}: {}", shorten(value, BODY_CHARS_MAX))?;
            }
            if !request.body.is_empty() {
                let body = String::from_utf8_lossy(&request.body);
                writeln!(f, "   > {}", shorten(&body, BODY_CHARS_MAX).replace('\n', "\n     "))?;
            }
        }
        writeln!(f, "   left  {}", answer_line(&self.left))?;
        writeln!(f, "   right {}", answer_line(&self.right))?;
        for line in diff(&self.left, &self.right) {
            writeln!(f, "   ≠ {line}")?;
        }
        Ok(())
    }
}

fn answer_line(seen: &Value) -> String {
    let text = match (&seen["status"], &seen["body"]) {
        (Value::Null, _) => seen.to_string(),
        (status, body) => format!("{status} {body}"),
    };
    shorten(&text, BODY_CHARS_MAX)
}
