//! What a load showed, in numbers and in words.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pando_history::{History, Outcome, Verdict};

use super::figures::Ending;
use super::shared::Shared;

/// Faults that are shown one by one.
const SHOWN_MAX: usize = 20;

/// The result of a load.
#[derive(Debug)]
pub struct Report {
    pub elapsed: Duration,
    pub requests: u64,
    /// Requests that did not end as they should.
    pub errors: u64,
    /// Of those the ones that only read.
    pub read_errors: u64,
    pub endings: BTreeMap<Ending, u64>,
    pub events: u64,
    pub p50: Duration,
    pub p99: Duration,
    pub longest: Duration,
    /// The longest time in which no write was acknowledged.
    pub write_pause: Duration,
    pub history: History,
    pub verdict: Verdict,
}

impl Report {
    pub(super) fn new(
        shared: &Shared,
        elapsed: Duration,
        history: History,
        verdict: Verdict,
    ) -> Report {
        let totals = shared.figures.totals();
        Report {
            elapsed,
            requests: totals.endings.values().sum(),
            errors: totals.errors,
            read_errors: totals.read_errors,
            endings: totals.endings,
            events: totals.events,
            p50: totals.p50,
            p99: totals.p99,
            longest: totals.longest,
            write_pause: write_pause(&history),
            history,
            verdict,
        }
    }

    /// Whether there was no fault, and the end could be looked at.
    pub fn passed(&self) -> bool {
        self.verdict.clean() && self.history.last.is_some()
    }
}

fn write_pause(history: &History) -> Duration {
    let done = history.writes.iter().filter(|write| write.outcome == Outcome::Done);
    let mut ends: Vec<u64> = done.map(|write| write.end.0).collect();
    ends.sort_unstable();
    let pause = ends.windows(2).map(|pair| pair[1] - pair[0]).max();
    Duration::from_nanos(pause.unwrap_or_default())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.requests as f64 / self.elapsed.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{} requests in {:.1} s, {rate:.0}/s; p50 {:.1?}, p99 {:.1?}, longest {:.1?}; {} events",
            self.requests,
            self.elapsed.as_secs_f64(),
            self.p50,
            self.p99,
            self.longest,
            self.events
        )?;
        let endings: Vec<String> =
            self.endings.iter().map(|(ending, count)| format!("{ending}: {count}")).collect();
        writeln!(f, "answers {}; {} errors", endings.join(", "), self.errors)?;
        if self.read_errors > 0 {
            writeln!(f, "{} of the errors were of requests that only read", self.read_errors)?;
        }
        writeln!(f, "longest time without an acknowledged write: {:.1?}", self.write_pause)?;
        let tally = &self.verdict.tally;
        writeln!(
            f,
            "judged: {} writes acknowledged, {} refused, {} without an answer (of which {} were \
             done); {} reads; {} events on {} streams",
            tally.writes_done,
            tally.writes_refused,
            tally.writes_unknown,
            tally.unknown_applied,
            tally.reads,
            tally.events,
            tally.streams
        )?;
        if self.history.last.is_none() {
            writeln!(f, "INCOMPLETE: no server showed what is there in the end")?;
        }
        if self.verdict.clean() {
            return writeln!(
                f,
                "CLEAN: no acknowledged write lost, none doubled, nothing stale, no event missed"
            );
        }
        let counts: Vec<String> =
            self.verdict.counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        writeln!(f, "FAULTS: {}", counts.join(", "))?;
        for fault in self.verdict.faults.iter().take(SHOWN_MAX) {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}
