//! How far a move has come, for who watches it.

use std::ops::ControlFlow;
use std::time::Duration;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Looking at all that is to move.
    Plan,
    /// Changes are being logged from now on.
    Capture,
    Copy,
    /// Bringing over what changed meanwhile.
    CatchUp,
    Index,
    Verify,
    /// Writes are held.
    CutOver,
    /// The other database has taken over.
    Done,
}

impl Step {
    /// A name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Step::Plan => "plan",
            Step::Capture => "capture",
            Step::Copy => "copy",
            Step::CatchUp => "catch-up",
            Step::Index => "index",
            Step::Verify => "verify",
            Step::CutOver => "cut-over",
            Step::Done => "done",
        }
    }
}

/// A moment of a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    /// What is worked on: the name of a collection, or empty.
    pub collection: String,
    /// Of this step.
    pub rows_done: u64,
    pub rows_total: u64,
    pub bytes_done: u64,
    /// Changes that are not over yet.
    pub lag: u64,
    /// How long writes were held, once they were.
    pub gate: Option<Duration>,
}

impl Progress {
    pub(super) fn new() -> Progress {
        Progress {
            step: Step::Plan,
            collection: String::new(),
            rows_done: 0,
            rows_total: 0,
            bytes_done: 0,
            lag: 0,
            gate: None,
        }
    }
}

/// Who watches a move. Told at the end of each piece of work, it may stop the move: nothing is
/// tidied up then, exactly as if the process had died, and the next run goes on from there.
pub trait Watch: Send {
    fn at(&mut self, progress: &Progress) -> ControlFlow<()>;
}

impl<F: FnMut(&Progress) -> ControlFlow<()> + Send> Watch for F {
    fn at(&mut self, progress: &Progress) -> ControlFlow<()> {
        self(progress)
    }
}
