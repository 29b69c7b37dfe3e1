//! What a check found.

use std::collections::BTreeMap;
use std::fmt;

use crate::Moment;

/// Faults that are told one by one; beyond that they are only counted.
const FAULTS_MAX: usize = 200;

/// The result of a check.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The first faults of all.
    pub faults: Vec<Fault>,
    /// How many there are of each kind.
    pub counts: BTreeMap<FaultKind, u64>,
    /// What was looked at: a verdict on little is worth little.
    pub tally: Tally,
}

/// How much was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub writes_done: u64,
    pub writes_refused: u64,
    pub writes_unknown: u64,
    /// Unknown ones that are there in the end.
    pub unknown_applied: u64,
    pub reads: u64,
    pub events: u64,
    pub records: u64,
    pub counters: u64,
    pub streams: u64,
    /// Streams whose view was compared with what was there in the end.
    pub views_compared: u64,
}

/// One thing that must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// When it was seen.
    pub at: Moment,
    /// What was seen, and what it contradicts.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// An acknowledged write is not there in the end.
    Lost,
    /// One request had its effect twice.
    Doubled,
    /// Older than what the session knew or, where that is promised, than what anybody knew.
    Stale,
    /// Something that nobody wrote, that was refused, or that was sent only later.
    Phantom,
    /// A change was not told on a stream that stayed connected.
    EventLost,
    /// An older change of a record was told after a newer one.
    EventReordered,
    EventDoubled,
    /// Events and fetches led a client to something else than what is there.
    ViewWrong,
}

impl FaultKind {
    pub const ALL: [FaultKind; 8] = [
        FaultKind::Lost,
        FaultKind::Doubled,
        FaultKind::Stale,
        FaultKind::Phantom,
        FaultKind::EventLost,
        FaultKind::EventReordered,
        FaultKind::EventDoubled,
        FaultKind::ViewWrong,
    ];
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FaultKind::Lost => "lost",
            FaultKind::Doubled => "doubled",
            FaultKind::Stale => "stale",
            FaultKind::Phantom => "phantom",
            FaultKind::EventLost => "event lost",
            FaultKind::EventReordered => "event reordered",
            FaultKind::EventDoubled => "event doubled",
            FaultKind::ViewWrong => "view wrong",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.text)
    }
}

impl Verdict {
    /// Whether nothing was found.
    pub fn clean(&self) -> bool {
        self.counts.is_empty()
    }

    pub(crate) fn add(&mut self, kind: FaultKind, at: Moment, text: impl FnOnce() -> String) {
        *self.counts.entry(kind).or_default() += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { kind, at, text: text() });
        }
    }

    /// Earliest first.
    pub(crate) fn sort(&mut self) {
        self.faults.sort_by(|a, b| (a.at, a.kind, &a.text).cmp(&(b.at, b.kind, &b.text)));
    }
}
