//! Which upstream serves a request, when one is left alone, and how many are needed.
//!
//! An *upstream* is one server of a *pool*. The balancer feeds what it sees in here and does what
//! comes out; nothing here knows sockets, clocks or threads.
//!
//! *Units*: `now` is the time since any fixed moment, as a [`Duration`](std::time::Duration).
//! *Invariant*: randomness is an argument ([`rand::Rng`]), so one seed gives one history.

mod breaker;
mod budget;
mod concurrency;
mod hash;
mod health;
mod latency;
mod outlier;
mod pick;
mod rate;
mod retry;
mod roster;
mod scale;
mod shed;
#[cfg(test)]
mod sim;
mod slow_start;
mod turns;

pub use breaker::{Admission, Breaker};
pub use budget::{BudgetPolicy, RetryBudget};
pub use concurrency::{Concurrency, ConcurrencyPolicy, Window};
pub use hash::{Key, hash_pick};
pub use health::{CheckPolicy, Checked, Health, Observation};
pub use latency::Estimate;
pub use outlier::{Outlier, OutlierPolicy, Sums, ejections_max};
pub use pick::{Load, least_loaded, two_choices};
pub use rate::{RateDecision, RatePolicy, RateState};
pub use retry::{RetryPolicy, Stage, Verdict};
pub use roster::{Roster, RosterPolicy, Standing};
pub use scale::{Demand, ScaleAction, ScalePolicy, Scaler};
pub use shed::{Pressure, Shedding};
pub use slow_start::slow_start;
pub use turns::Turns;
