//! What may have happened to each record, in the order in which its writer asked for it.
//!
//! *Units*: a *rank* counts the changes of a record that were not refused; rank 0 is the time
//! before its creation. Ranks only grow as time passes, so "older" is "of a lower rank".

use std::collections::BTreeMap;

use crate::{Change, Key, Moment, Outcome, Version, Write};

/// The timelines of all records.
pub(super) struct Timelines(BTreeMap<Key, Timeline>);

/// One record's.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) key: Key,
    /// The first has rank 1.
    happenings: Vec<Happening>,
    refused: Vec<Version>,
}

/// A change that happened, or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happening {
    /// What the record is after it; `None` if it is gone.
    pub(super) version: Option<Version>,
    pub(super) begin: Moment,
    /// When its answer was there.
    pub(super) acknowledged: Option<Moment>,
}

impl Timelines {
    pub(super) fn of(writes: &[Write]) -> Timelines {
        let mut by_key: BTreeMap<Key, Vec<&Write>> = BTreeMap::new();
        for write in writes {
            if let Some(key) = key_of(write.change) {
                by_key.entry(key).or_default().push(write);
            }
        }
        let timelines = by_key.into_iter().map(|(key, writes)| (key, Timeline::of(key, writes)));
        Timelines(timelines.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Timeline> {
        self.0.values()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Timeline> {
        self.0.get(&key)
    }

    /// The records of one owner, in the order in which they were made.
    pub(super) fn of_owner(&self, owner: u32) -> impl Iterator<Item = &Timeline> {
        let keys = Key { owner, number: 0 }..=Key { owner, number: u32::MAX };
        self.0.range(keys).map(|(_, timeline)| timeline)
    }

    /// Makes sure that there is one, if only to tell that nothing ever happened to that record.
    pub(super) fn expect(&mut self, key: Key) {
        let empty = || Timeline { key, happenings: Vec::new(), refused: Vec::new() };
        self.0.entry(key).or_insert_with(empty);
    }
}

impl Timeline {
    fn of(key: Key, mut writes: Vec<&Write>) -> Timeline {
        writes.sort_by_key(|write| write.begin);
        let mut timeline = Timeline { key, happenings: Vec::new(), refused: Vec::new() };
        let mut before: Option<&Write> = None;
        for write in writes {
            assert_proper(key, before, write);
            let version = match write.change {
                Change::Create(_) => Some(1),
                Change::Set(_, version) => Some(version),
                Change::Delete(_) | Change::Increment(..) => None,
            };
            if write.outcome == Outcome::Refused {
                timeline.refused.extend(version);
            } else {
                let acknowledged = (write.outcome == Outcome::Done).then_some(write.end);
                let begin = write.begin;
                timeline.happenings.push(Happening { version, begin, acknowledged });
            }
            before = Some(write);
        }
        timeline
    }

    /// The ranks and what happened at each, from 1 on.
    pub(super) fn ranks(&self) -> impl DoubleEndedIterator<Item = (usize, &Happening)> {
        self.happenings.iter().enumerate().map(|(index, happening)| (index + 1, happening))
    }

    pub(super) fn happening(&self, rank: usize) -> &Happening {
        &self.happenings[rank - 1]
    }

    /// The rank at which the record has that version.
    pub(super) fn rank_of(&self, version: Version) -> Option<usize> {
        // A deletion has none, and comes last.
        let order = |one: &Happening| one.version.unwrap_or(Version::MAX);
        let index = self.happenings.binary_search_by_key(&version, order).ok()?;
        self.happenings[index].version.map(|_| index + 1)
    }

    /// The rank of the deletion, if one was asked for.
    pub(super) fn rank_of_deletion(&self) -> Option<usize> {
        self.ranks().next_back().filter(|(_, last)| last.version.is_none()).map(|(rank, _)| rank)
    }

    pub(super) fn refused(&self, version: Version) -> bool {
        self.refused.contains(&version)
    }

    /// The highest rank whose acknowledgement was there before `moment`.
    pub(super) fn acknowledged_before(&self, moment: Moment) -> usize {
        // Each is sent after the answer to the one before it.
        self.happenings.partition_point(|one| one.acknowledged.is_some_and(|end| end < moment))
    }

    /// Whether a list that was read from `begin` to `end` may do without this record.
    pub(super) fn may_be_absent(&self, begin: Moment, end: Moment) -> bool {
        let unborn = self.happenings.first().is_none_or(|first| {
            first.begin > end || first.acknowledged.is_some_and(|answered| answered >= begin)
        });
        let deletion = self.happenings.last().filter(|last| last.version.is_none());
        unborn || deletion.is_some_and(|deletion| deletion.begin <= end)
    }
}

fn key_of(change: Change) -> Option<Key> {
    match change {
        Change::Create(key) | Change::Set(key, _) | Change::Delete(key) => Some(key),
        Change::Increment(..) => None,
    }
}

/// What the checks rely on.
fn assert_proper(key: Key, before: Option<&Write>, write: &Write) {
    assert!(write.session.0 == key.owner, "{key} is written by {}", write.session);
    assert!(write.begin <= write.end, "a write of {key} ends before it begins");
    let Some(before) = before else {
        assert!(matches!(write.change, Change::Create(_)), "{key} is written before its creation");
        return;
    };
    assert!(before.end <= write.begin, "two writes of {key} at the same time");
    assert!(before.outcome != Outcome::Unknown, "{key} is written after an unknown outcome");
    let version = |change| match change {
        Change::Create(_) => 1,
        Change::Set(_, version) => version,
        Change::Delete(_) | Change::Increment(..) => Version::MAX,
    };
    let created = !matches!(before.change, Change::Create(_)) || before.outcome == Outcome::Done;
    let deleted = matches!(before.change, Change::Delete(_)) && before.outcome == Outcome::Done;
    assert!(created && !deleted, "{key} is written although it does not exist");
    let again = matches!((before.change, write.change), (Change::Delete(_), Change::Delete(_)));
    let newer = version(before.change) < version(write.change) || again;
    assert!(newer || matches!(before.change, Change::Delete(_)), "{key} is written out of order");
}
