//! What connections of all servers have in common: their time-outs and their end.

mod pulse;
mod watched;

pub use pulse::{Busy, Limits, Pulse, Verdict};
pub use watched::Watched;
