//! What was recorded: plain values, in any order.

use std::fmt;
use std::time::Duration;

/// Nanoseconds since the recording began, by one clock for all sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", Duration::from_nanos(self.0).as_secs_f64())
    }
}

/// Who did or saw something, one thing after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// A record, by the name that its writer gave it; the writer never uses it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The session that writes the record.
    pub owner: u32,
    pub number: u32,
}

impl Key {
    /// Reads what [`Key`] prints.
    pub fn parse(text: &str) -> Option<Key> {
        let (owner, number) = text.split_once('.')?;
        Some(Key { owner: owner.parse().ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner, self.number)
    }
}

/// 1 is the creation. Each write has a higher one than the write before it.
pub type Version = u64;

/// A number that is only ever increased, by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter(pub u32);

/// Everything that was recorded in one run.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub writes: Vec<Write>,
    /// Reads that were answered; one that failed says nothing.
    pub reads: Vec<Read>,
    pub streams: Vec<Stream>,
    /// What was there after all sessions had ended; `None` if it could not be read.
    pub last: Option<LastState>,
}

/// A request that changes something.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    pub session: SessionId,
    /// Before the request was sent.
    pub begin: Moment,
    /// After its answer was read, or nothing more was expected.
    pub end: Moment,
    pub change: Change,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes the record, with version 1.
    Create(Key),
    Set(Key, Version),
    Delete(Key),
    /// Adds one; the value that the answer showed, if it was answered.
    Increment(Counter, Option<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged: it must stay.
    Done,
    /// It cannot have happened: the system said so, or the request was never sent.
    Refused,
    /// No answer, or one that leaves it open.
    Unknown,
}

/// A request that changes nothing.
#[derive(Clone, Debug)]
pub struct Read {
    pub session: SessionId,
    pub begin: Moment,
    pub end: Moment,
    pub seen: Seen,
}

#[derive(Clone, Debug)]
pub enum Seen {
    /// One record; `None` if it was not there.
    Record(Key, Option<Version>),
    /// All records of an owner that were there.
    Records(u32, Vec<(Key, Version)>),
    Counter(Counter, u64),
}

/// What one client of realtime lived through, in its order.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What it reads beside the stream is in [`History::reads`], under the same session.
    pub session: SessionId,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// A new connection: the answer to its subscription had come. It watches all records.
    Subscribed(Moment),
    /// All records were read anew, once or in parts.
    Fetched {
        begin: Moment,
        end: Moment,
        seen: Vec<(Key, Version)>,
    },
    Event(Moment, Event),
    /// The connection had ended.
    Cut(Moment),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The record was created or changed.
    Put(Key, Version),
    Deleted(Key),
}

impl Event {
    pub(crate) fn key(self) -> Key {
        match self {
            Event::Put(key, _) | Event::Deleted(key) => key,
        }
    }

    /// What the record is after it.
    pub(crate) fn seen(self) -> Option<Version> {
        match self {
            Event::Put(_, version) => Some(version),
            Event::Deleted(_) => None,
        }
    }
}

/// What was there in the end. Nothing was written any more, but for requests without an answer.
#[derive(Clone, Debug)]
pub struct LastState {
    pub begin: Moment,
    pub end: Moment,
    /// A record that was created twice stands here twice.
    pub records: Vec<(Key, Version)>,
    pub counters: Vec<(Counter, u64)>,
}
