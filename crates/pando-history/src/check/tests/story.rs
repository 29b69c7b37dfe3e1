//! Histories in a few words. *Units*: seconds.

use crate::{
    Change, Counter, Event, History, Key, LastState, Moment, Outcome, Read, Seen, SessionId, Step,
    Stream, Version, Write,
};

pub(super) struct Story(History);

impl Story {
    pub(super) fn new() -> Story {
        Story(History::default())
    }

    pub(super) fn history(self) -> History {
        self.0
    }

    /// `create 1.1`, `set 1.1 2`, `delete 1.1`, `add 7 3`; with `?` unknown, with `!` refused.
    pub(super) fn write(mut self, session: u32, begin: u64, end: u64, text: &str) -> Story {
        let mut words: Vec<&str> = text.split(' ').collect();
        let outcome = match words.last() {
            Some(&"?") => Outcome::Unknown,
            Some(&"!") => Outcome::Refused,
            _ => Outcome::Done,
        };
        if outcome != Outcome::Done {
            words.pop();
        }
        let change = match words.as_slice() {
            ["create", k] => Change::Create(key(k)),
            ["set", k, version] => Change::Set(key(k), version.parse().unwrap()),
            ["delete", k] => Change::Delete(key(k)),
            ["add", counter] => Change::Increment(Counter(counter.parse().unwrap()), None),
            ["add", counter, shown] => {
                Change::Increment(Counter(counter.parse().unwrap()), Some(shown.parse().unwrap()))
            }
            other => panic!("{other:?}"),
        };
        let session = SessionId(session);
        let (begin, end) = (seconds(begin), seconds(end));
        self.0.writes.push(Write { session, begin, end, change, outcome });
        self
    }

    /// `1.1 2`, `1.1 -`, `#7 3`, `list 1: 1.1 2, 1.2 1`.
    pub(super) fn read(mut self, session: u32, begin: u64, end: u64, text: &str) -> Story {
        let seen = if let Some(list) = text.strip_prefix("list ") {
            let (owner, list) = list.split_once(':').unwrap();
            Seen::Records(owner.parse().unwrap(), records(list))
        } else {
            let (what, value) = text.split_once(' ').unwrap();
            match what.strip_prefix('#') {
                Some(counter) => {
                    Seen::Counter(Counter(counter.parse().unwrap()), value.parse().unwrap())
                }
                None => Seen::Record(key(what), value.parse().ok()),
            }
        };
        let (begin, end) = (seconds(begin), seconds(end));
        self.0.reads.push(Read { session: SessionId(session), begin, end, seen });
        self
    }

    /// `15 subscribed, 16 fetched 1.1 1, 20 put 1.1 2, 21 deleted 1.1, 22 cut`. A fetch has one
    /// record or none, and takes half a second.
    pub(super) fn stream(mut self, session: u32, _begin: u64, text: &str) -> Story {
        let steps = text.split(", ").map(step).collect();
        self.0.streams.push(Stream { session: SessionId(session), steps });
        self
    }

    /// `1.1 2, 1.2 1, #7 3`; read within a second.
    pub(super) fn last(mut self, begin: u64, text: &str) -> Story {
        let (counters, list): (Vec<&str>, Vec<&str>) = text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .partition(|text| text.starts_with('#'));
        let counter = |text: &str| {
            let (counter, value) = text[1..].split_once(' ').unwrap();
            (Counter(counter.parse().unwrap()), value.parse().unwrap())
        };
        self.0.last = Some(LastState {
            begin: seconds(begin),
            end: seconds(begin + 1),
            records: records(&list.join(",")),
            counters: counters.into_iter().map(counter).collect(),
        });
        self
    }
}

fn step(text: &str) -> Step {
    let words: Vec<&str> = text.split(' ').collect();
    let at = seconds(words[0].parse().unwrap());
    match &words[1..] {
        ["subscribed"] => Step::Subscribed(at),
        ["fetched", rest @ ..] => {
            let end = Moment(at.0 + 500_000_000);
            Step::Fetched { begin: at, end, seen: records(&rest.join(" ")) }
        }
        ["put", k, version] => Step::Event(at, Event::Put(key(k), version.parse().unwrap())),
        ["deleted", k] => Step::Event(at, Event::Deleted(key(k))),
        ["cut"] => Step::Cut(at),
        other => panic!("{other:?}"),
    }
}

fn records(list: &str) -> Vec<(Key, Version)> {
    let parts = list.split(',').map(str::trim).filter(|text| !text.is_empty());
    let record = |text: &str| {
        let (k, version) = text.split_once(' ').unwrap();
        (key(k), version.parse().unwrap())
    };
    parts.map(record).collect()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn seconds(seconds: u64) -> Moment {
    Moment(seconds * 1_000_000_000)
}
