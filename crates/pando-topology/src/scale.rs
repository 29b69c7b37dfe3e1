//! How many instances a load needs: grow at once, shrink slowly, and not at all while things fail.
//!
//! The measure is requests in flight or waiting, as the balancer counts them: it rises before
//! anything is overloaded, and rises too when each request takes longer.
//!
//! Source: Kubernetes' horizontal pod autoscaler (formula, tolerance, limits on steps), Knative
//! (the panic window), Netflix's Scryer (no shrinking during an outage).

use std::collections::VecDeque;
use std::time::Duration;

/// The rules of one pool.
#[derive(Debug, Clone, Copy)]
pub struct ScalePolicy {
    /// Requests in flight that one instance should have.
    pub target: f64,
    pub min: u32,
    pub max: u32,
    /// Instances beyond what the load needs.
    pub spare: u32,
    /// The memory of the average that decides.
    pub window: Duration,
    /// The memory of the short average, which decides in a panic.
    pub panic_window: Duration,
    /// Nothing shrinks for that long after a panic.
    pub panic_hold: Duration,
    /// Shrinking goes by the highest need within that time.
    pub down_window: Duration,
    /// At most half of the instances go in one such time.
    pub down_period: Duration,
    /// At most twice as many, or four more, come in one such time.
    pub up_period: Duration,
    /// With `min` 0, all instances go after that long without a request.
    pub idle: Duration,
}

/// A difference below this share is none.
const TOLERANCE: f64 = 0.1;
/// The need, relative to what there is, that is a panic.
const PANIC_AT: f64 = 2.0;
const UP_FACTOR: u32 = 2;
const UP_STEP: u32 = 4;

/// What is seen at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Requests in flight and waiting.
    pub requests: f64,
    /// Instances that exist, those that start included.
    pub instances: u32,
    /// Too many requests fail, or too many instances are ill: less load is then no sign of less
    /// need.
    pub failing: bool,
}

/// What should be, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleAction {
    /// Instances that should exist now.
    pub desired: u32,
    /// What the load needs, without limits on steps.
    pub needed: u32,
    pub panic: bool,
    /// Fewer would do, but shrinking is stopped.
    pub frozen: bool,
}

/// The state of the controller of one pool.
#[derive(Debug, Clone, Default)]
pub struct Scaler {
    average: Average,
    short: Average,
    needs: VecDeque<(Duration, u32)>,
    panic_since: Option<Duration>,
    busy_at: Option<Duration>,
    /// Where the current period of growing and of shrinking began, and with how many.
    growing: Option<(Duration, u32)>,
    shrinking: Option<(Duration, u32)>,
}

impl Scaler {
    /// Takes in what is seen and says how many instances there should be.
    pub fn observe(&mut self, demand: Demand, now: Duration, policy: &ScalePolicy) -> ScaleAction {
        let average = self.average.take(demand.requests, now, policy.window);
        let short = self.short.take(demand.requests, now, policy.panic_window);
        if demand.requests > 0.0 || self.busy_at.is_none() {
            self.busy_at = Some(now);
        }
        let there = f64::from(demand.instances.max(1));
        if short / policy.target >= PANIC_AT * there && demand.instances > 0 {
            self.panic_since = Some(now);
        }
        let panic = self.panic_since.is_some_and(|at| now.saturating_sub(at) < policy.panic_hold);
        let load = if panic { short.max(average) } else { average };
        let needed = self.needed(load, demand, now, policy);
        let highest = self.highest(needed, now, policy.down_window);
        let idle_long =
            self.busy_at.is_some_and(|at| now.saturating_sub(at) >= policy.idle) && policy.min == 0;
        let wanted = match (needed >= demand.instances, idle_long) {
            (true, _) => needed,
            (false, true) => 0,
            (false, false) => highest.min(demand.instances),
        };
        let shrinks = wanted < demand.instances;
        let frozen = shrinks && (panic || demand.failing);
        let desired = match shrinks {
            true if frozen => demand.instances,
            true if idle_long => wanted,
            true => self.shrink(wanted, demand.instances, now, policy),
            false => self.grow(wanted, demand.instances, now, policy),
        };
        ScaleAction { desired: desired.clamp(policy.min, policy.max), needed, panic, frozen }
    }

    /// The instances that `load` needs, with the spare one, within the bounds.
    fn needed(&self, load: f64, demand: Demand, now: Duration, policy: &ScalePolicy) -> u32 {
        let exact = load / policy.target;
        let there = f64::from(demand.instances.saturating_sub(policy.spare));
        let same = there > 0.0 && (exact / there - 1.0).abs() <= TOLERANCE;
        // No load needs anywhere near four billion.
        let needed = if same { there } else { exact.ceil() } as u32;
        let idle = self.busy_at.is_none_or(|at| now.saturating_sub(at) >= policy.idle);
        let spare = if policy.min == 0 && idle { 0 } else { policy.spare };
        let floor = policy.min.max(u32::from(demand.requests > 0.0));
        (needed + spare).clamp(floor.min(policy.max), policy.max)
    }

    fn highest(&mut self, needed: u32, now: Duration, window: Duration) -> u32 {
        self.needs.push_back((now, needed));
        while self.needs.front().is_some_and(|(at, _)| now.saturating_sub(*at) > window) {
            self.needs.pop_front();
        }
        self.needs.iter().map(|(_, needed)| *needed).max().unwrap_or(needed)
    }

    fn grow(&mut self, wanted: u32, there: u32, now: Duration, policy: &ScalePolicy) -> u32 {
        if wanted == there {
            return there;
        }
        let base = base(&mut self.growing, there, now, policy.up_period);
        wanted.min((base * UP_FACTOR).max(base + UP_STEP)).max(there)
    }

    fn shrink(&mut self, wanted: u32, there: u32, now: Duration, policy: &ScalePolicy) -> u32 {
        let base = base(&mut self.shrinking, there, now, policy.down_period);
        wanted.max(base / 2).min(there)
    }
}

/// With how many the current period began.
fn base(state: &mut Option<(Duration, u32)>, there: u32, now: Duration, period: Duration) -> u32 {
    match *state {
        Some((at, base)) if now.saturating_sub(at) < period => base,
        _ => {
            *state = Some((now, there));
            there
        }
    }
}

/// An average that forgets exponentially.
#[derive(Debug, Clone, Copy, Default)]
struct Average {
    value: f64,
    at: Option<Duration>,
}

impl Average {
    fn take(&mut self, sample: f64, now: Duration, window: Duration) -> f64 {
        let kept = match self.at {
            None => 0.0,
            Some(at) => {
                let elapsed = now.saturating_sub(at).as_secs_f64();
                (-elapsed / window.as_secs_f64().max(f64::EPSILON)).exp()
            }
        };
        self.value = self.value * kept + sample * (1.0 - kept);
        self.at = Some(now);
        self.value
    }
}

#[cfg(test)]
mod tests;
