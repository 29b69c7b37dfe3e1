//! Judges what a system did to its clients: each client records every request, its outcome and
//! what it saw, and [`check()`] finds the effects that no system that keeps its promises has.
//!
//! What is written is chosen so that every effect can be told from every other:
//!
//! - *Records* are versioned registers. One session creates a record under a key of its own and sets
//!   its version to 2, 3, …; the last thing it does may be a deletion. Everybody reads it.
//! - *Counters* are increased by one, by one session or by many. With one session, which leaves a
//!   counter alone once an increment has no answer, nothing can hide; with many, an increment that was
//!   done twice can hide behind one without an answer that was not done.
//! - *Streams* are told of every change of a record, and fetch all records when they connect.
//!
//! A write whose outcome is unknown may have happened, may happen later, or never. So its session
//! leaves that record alone from then on, and nothing is concluded from it but that it happens at
//! most once.
//!
//! Invariants: whoever records keeps to the above (a history that does not is refused by an
//! assertion), and a session does one thing at a time. A fault that is reported is one: where the
//! clocks leave two orders possible, the innocent one is taken.

mod check;
mod history;
mod verdict;

pub use check::{Rules, check};
pub use history::{
    Change, Counter, Event, History, Key, LastState, Moment, Outcome, Read, Seen, SessionId, Step,
    Stream, Version, Write,
};
pub use verdict::{Fault, FaultKind, Tally, Verdict};
