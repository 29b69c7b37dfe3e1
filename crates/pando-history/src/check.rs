//! The check of a whole history. Records, counters and streams are judged each for itself: what is
//! promised is promised for each of them, not for several together.

mod counters;
mod records;
mod sights;
mod streams;
mod timeline;

use std::collections::BTreeMap;

use crate::{Change, History, Outcome, Step, Tally, Verdict, Write};
use timeline::Timelines;

/// What is promised beyond what always is: nothing acknowledged is lost, nothing happens twice,
/// nobody sees less than he himself wrote or saw, and events of a record come in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A read that begins after an acknowledged write sees it, whoever wrote, and nothing older
    /// than what anybody saw before.
    pub linearizable: bool,
    /// A stream is told of every change exactly once while it stays connected. Without this it may
    /// leave out changes that a later one has overtaken, and repeat one.
    pub every_event: bool,
}

/// Finds what no system that keeps its promises could have done.
///
/// # Panics
///
/// If the history was not recorded as the crate's head says.
pub fn check(history: &History, rules: Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let mut timelines = Timelines::of(&history.writes);
    let mut sights = sights::gather(history, &mut timelines);
    for timeline in timelines.iter() {
        let sights = sights.remove(&timeline.key).unwrap_or_default();
        records::check(timeline, sights, rules, &mut verdict);
    }
    counters::check(history, rules, &mut verdict);
    for stream in &history.streams {
        streams::check(stream, &timelines, history.last.as_ref(), rules, &mut verdict);
    }
    records::check_unique(history, &mut verdict);
    tally(history, &timelines, &mut verdict.tally);
    verdict.sort();
    verdict
}

fn tally(history: &History, timelines: &Timelines, tally: &mut Tally) {
    let count = |outcome: Outcome| {
        history.writes.iter().filter(|write| write.outcome == outcome).count() as u64
    };
    tally.writes_done = count(Outcome::Done);
    tally.writes_refused = count(Outcome::Refused);
    tally.writes_unknown = count(Outcome::Unknown);
    tally.unknown_applied = unknown_applied(history);
    tally.reads = history.reads.len() as u64;
    let steps = history.streams.iter().flat_map(|stream| &stream.steps);
    tally.events = steps.filter(|step| matches!(step, Step::Event(..))).count() as u64;
    tally.records = timelines.iter().count() as u64;
    tally.streams = history.streams.len() as u64;
}

/// Unknown writes of records whose effect was there in the end. Those of counters cannot be told
/// apart, so they are counted together.
fn unknown_applied(history: &History) -> u64 {
    let Some(last) = &history.last else { return 0 };
    let records: BTreeMap<_, _> = last.records.iter().copied().collect();
    let unknown = history.writes.iter().filter(|write| write.outcome == Outcome::Unknown);
    let of_records = unknown.filter(|write| match write.change {
        Change::Create(key) => records.contains_key(&key),
        Change::Set(key, version) => records.get(&key) == Some(&version),
        Change::Delete(key) => !records.contains_key(&key),
        Change::Increment(..) => false,
    });
    let done = |write: &&Write| {
        write.outcome == Outcome::Done && matches!(write.change, Change::Increment(..))
    };
    let acknowledged = history.writes.iter().filter(done).count() as u64;
    let values: u64 = last.counters.iter().map(|(_, value)| value).sum();
    of_records.count() as u64 + values.saturating_sub(acknowledged)
}

#[cfg(test)]
mod tests;
