//! Whether a stream told what happened, in order, and led its client to what is there.

use std::collections::BTreeMap;

use super::Rules;
use super::timeline::{Timeline, Timelines};
use crate::{Event, FaultKind, Key, LastState, Moment, Step, Stream, Verdict, Version};

/// Judges one client of realtime.
pub(super) fn check(
    stream: &Stream,
    timelines: &Timelines,
    last: Option<&LastState>,
    rules: Rules,
    verdict: &mut Verdict,
) {
    let mut connection: Option<Connection<'_>> = None;
    // What a client shows that does what it is told, in the order in which it is told.
    let mut view: BTreeMap<Key, Version> = BTreeMap::new();
    let mut fetched = false;
    for step in &stream.steps {
        match step {
            Step::Subscribed(at) => {
                connection =
                    Some(Connection { stream, timelines, since: *at, told: BTreeMap::new() });
            }
            Step::Fetched { seen, .. } => {
                fetched = true;
                view = seen.iter().copied().collect();
            }
            Step::Event(at, event) => {
                if let Some(connection) = &mut connection {
                    connection.tell(*at, *event, rules, verdict);
                }
                match event {
                    Event::Put(key, version) => view.insert(*key, *version),
                    Event::Deleted(key) => view.remove(key),
                };
            }
            Step::Cut(_) => connection = None,
        }
    }
    // One that is cut off will fetch when it is back; nothing is expected of it now.
    if let (Some(connection), Some(last)) = (connection, last) {
        if rules.every_event {
            connection.check_end(last.end, verdict);
        }
        if fetched {
            verdict.tally.views_compared += 1;
            check_view(stream, &view, last, verdict);
        }
    }
}

/// A stream while it stays connected.
struct Connection<'a> {
    stream: &'a Stream,
    timelines: &'a Timelines,
    /// What is sent after this must be told.
    since: Moment,
    /// The highest rank that was told of each record.
    told: BTreeMap<Key, usize>,
}

impl Connection<'_> {
    fn tell(&mut self, at: Moment, event: Event, rules: Rules, verdict: &mut Verdict) {
        let key = event.key();
        // What was never written is found among the sights of its record.
        let Some(timeline) = self.timelines.get(key) else { return };
        let rank = match event {
            Event::Put(_, version) => timeline.rank_of(version),
            Event::Deleted(_) => timeline.rank_of_deletion(),
        };
        let Some(rank) = rank else { return };
        let told = self.told.get(&key).copied().unwrap_or_default();
        let session = self.stream.session;
        if rank < told {
            verdict.add(FaultKind::EventReordered, at, || {
                let (older, newer) = (named(timeline, rank), named(timeline, told));
                format!("{session} was told of {older} of record {key} at {at}, after {newer}")
            });
            return;
        }
        if rank == told && rules.every_event {
            verdict.add(FaultKind::EventDoubled, at, || {
                format!("{session} was told twice of {} of record {key}", named(timeline, rank))
            });
        }
        if rules.every_event {
            self.check_gap(timeline, told, rank, at, verdict);
        }
        self.told.insert(key, rank);
    }

    /// Everything between two ranks must have been told, unless it was there before the stream or
    /// never happened.
    fn check_gap(
        &self,
        timeline: &Timeline,
        told: usize,
        rank: usize,
        at: Moment,
        verdict: &mut Verdict,
    ) {
        let due = timeline.ranks().filter(|(between, happening)| {
            // After a rank was told, those that follow are due whenever they were sent.
            let since = told > 0 || happening.begin > self.since;
            *between > told && *between < rank && since && happening.acknowledged.is_some()
        });
        for (missing, _) in due {
            verdict.add(FaultKind::EventLost, at, || {
                let what = named(timeline, missing);
                let session = self.stream.session;
                format!("{session} was not told of {what} of record {}, by {at}", timeline.key)
            });
        }
    }

    /// All acknowledged changes since the beginning have been told by now.
    fn check_end(&self, at: Moment, verdict: &mut Verdict) {
        for timeline in self.timelines.iter() {
            let told = self.told.get(&timeline.key).copied().unwrap_or_default();
            self.check_gap(timeline, told, usize::MAX, at, verdict);
        }
    }
}

fn check_view(
    stream: &Stream,
    view: &BTreeMap<Key, Version>,
    last: &LastState,
    verdict: &mut Verdict,
) {
    let found: BTreeMap<Key, Version> = last.records.iter().copied().collect();
    let mut keys: Vec<Key> = view.keys().chain(found.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let (shown, there) = (view.get(&key), found.get(&key));
        if shown != there {
            verdict.add(FaultKind::ViewWrong, last.end, || {
                let text = |version: Option<&Version>| {
                    version.map_or_else(|| "nothing".to_owned(), |v| format!("version {v}"))
                };
                let (session, shown, there) = (stream.session, text(shown), text(there));
                format!("{session} ends with {shown} of record {key}; there is {there}")
            });
        }
    }
}

fn named(timeline: &Timeline, rank: usize) -> String {
    match timeline.happening(rank).version {
        Some(version) => format!("version {version}"),
        None => "the deletion".to_owned(),
    }
}
