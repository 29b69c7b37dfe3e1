//! The faults that the simulated system can be given.

use crate::FaultKind;

/// A fault of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    WriteForgotten,
    RolledBackInTheEnd,
    CreatedTwice,
    IncrementedTwice,
    IncrementForgotten,
    OldStateForAnybody,
    OldStateForItsWriter,
    RefusedAndDone,
    ReadFromNowhere,
    EventDropped,
    EventTwice,
    OldEventAgain,
    LastEventDropped,
}

impl Plant {
    pub(super) const ALL: [Plant; 13] = [
        Plant::WriteForgotten,
        Plant::RolledBackInTheEnd,
        Plant::CreatedTwice,
        Plant::IncrementedTwice,
        Plant::IncrementForgotten,
        Plant::OldStateForAnybody,
        Plant::OldStateForItsWriter,
        Plant::RefusedAndDone,
        Plant::ReadFromNowhere,
        Plant::EventDropped,
        Plant::EventTwice,
        Plant::OldEventAgain,
        Plant::LastEventDropped,
    ];

    /// One of these is found.
    pub(super) fn found_as(self) -> &'static [FaultKind] {
        match self {
            Plant::WriteForgotten => &[FaultKind::Lost, FaultKind::Stale, FaultKind::EventLost],
            Plant::RolledBackInTheEnd => &[FaultKind::Lost],
            // One without an answer that was done may make up for it in the end.
            Plant::IncrementForgotten => &[FaultKind::Lost, FaultKind::Stale],
            // One that is deleted leaves the other behind.
            Plant::CreatedTwice => &[FaultKind::Doubled, FaultKind::Lost],
            Plant::IncrementedTwice => &[FaultKind::Doubled],
            Plant::OldStateForAnybody | Plant::OldStateForItsWriter => &[FaultKind::Stale],
            Plant::RefusedAndDone | Plant::ReadFromNowhere => &[FaultKind::Phantom],
            Plant::EventDropped => &[FaultKind::EventLost],
            Plant::EventTwice => &[FaultKind::EventDoubled],
            Plant::OldEventAgain => &[FaultKind::EventReordered],
            Plant::LastEventDropped => &[FaultKind::ViewWrong],
        }
    }
}
