//! Everything that anybody saw of each record, from reads, lists, streams and the end.

use std::collections::BTreeMap;

use super::timeline::Timelines;
use crate::{History, Key, Moment, Read, Seen, SessionId, Step, Version};

/// One record as it was seen by somebody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) session: SessionId,
    /// It was so at some time between `begin` and `end`.
    pub(super) begin: Moment,
    pub(super) end: Moment,
    /// `None`: it was not there.
    pub(super) seen: Option<Version>,
    pub(super) by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// What is there when it is asked for.
    Read,
    /// What was there at some time before `end`.
    Event,
    /// As a read, when all is over.
    Last,
}

/// Stands for whoever reads the last state; it knows what all know.
const NOBODY: SessionId = SessionId(u32::MAX);

/// The sights of each record. Records that were seen but never written get empty timelines.
pub(super) fn gather(history: &History, timelines: &mut Timelines) -> BTreeMap<Key, Vec<Sight>> {
    let mut sights = Sights::default();
    for read in &history.reads {
        sights.add_read(read, timelines);
    }
    for stream in &history.streams {
        for step in &stream.steps {
            sights.add_step(stream.session, step, timelines);
        }
    }
    if let Some(last) = &history.last {
        let found = newest(&last.records);
        let absent: Vec<Key> = timelines.iter().map(|timeline| timeline.key).collect();
        let absent = absent.into_iter().filter(|key| !found.contains_key(key));
        let there = found.iter().map(|(key, version)| (*key, Some(*version)));
        for (key, seen) in there.chain(absent.map(|key| (key, None))) {
            let (begin, end) = (last.begin, last.end);
            sights.add(key, Sight { session: NOBODY, begin, end, seen, by: By::Last });
        }
    }
    for key in sights.0.keys() {
        timelines.expect(*key);
    }
    sights.0
}

#[derive(Default)]
struct Sights(BTreeMap<Key, Vec<Sight>>);

impl Sights {
    fn add(&mut self, key: Key, sight: Sight) {
        self.0.entry(key).or_default().push(sight);
    }

    fn add_read(&mut self, read: &Read, timelines: &Timelines) {
        let Read { session, begin, end, ref seen } = *read;
        match seen {
            Seen::Record(key, version) => {
                self.add(*key, Sight { session, begin, end, seen: *version, by: By::Read });
            }
            Seen::Records(owner, found) => {
                let expected = timelines.of_owner(*owner);
                let absent = expected.filter(|one| !one.may_be_absent(begin, end));
                let absent: Vec<Key> = absent.map(|one| one.key).collect();
                self.add_list(session, (begin, end), found, absent);
            }
            Seen::Counter(..) => {}
        }
    }

    fn add_step(&mut self, session: SessionId, step: &Step, timelines: &Timelines) {
        match step {
            Step::Fetched { begin, end, seen } => {
                let expected = timelines.iter();
                let absent = expected.filter(|one| !one.may_be_absent(*begin, *end));
                let absent: Vec<Key> = absent.map(|one| one.key).collect();
                self.add_list(session, (*begin, *end), seen, absent);
            }
            Step::Event(at, event) => {
                let sight =
                    Sight { session, begin: *at, end: *at, seen: event.seen(), by: By::Event };
                self.add(event.key(), sight);
            }
            Step::Subscribed(_) | Step::Cut(_) => {}
        }
    }

    /// `expected` are the records that cannot be missing; what is missing all the same is a sight.
    fn add_list(
        &mut self,
        session: SessionId,
        (begin, end): (Moment, Moment),
        found: &[(Key, Version)],
        expected: Vec<Key>,
    ) {
        let sight = |seen| Sight { session, begin, end, seen, by: By::Read };
        let found = newest(found);
        for key in expected.into_iter().filter(|key| !found.contains_key(key)) {
            self.add(key, sight(None));
        }
        for (key, version) in found {
            self.add(key, sight(Some(version)));
        }
    }
}

/// Of records that are there twice, which is a fault of its own, the newer one.
fn newest(found: &[(Key, Version)]) -> BTreeMap<Key, Version> {
    let mut newest = BTreeMap::new();
    for (key, version) in found {
        let known = newest.entry(*key).or_insert(*version);
        *known = (*known).max(*version);
    }
    newest
}
