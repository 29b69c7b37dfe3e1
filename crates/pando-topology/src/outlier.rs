//! Ejects upstreams whose answers are worse than they should be, for a while.
//!
//! Requests are the witnesses here: an upstream may pass its checks and still fail its work. What
//! is ejected comes back by itself, the later the oftener it happened.
//!
//! Source: Envoy's outlier detection (`outlier_detection.proto`), with wider caps for small pools.

use std::collections::VecDeque;
use std::time::Duration;

/// When and for how long.
#[derive(Debug, Clone, Copy)]
pub struct OutlierPolicy {
    /// Failures in a row; 0 switches ejection off.
    pub consecutive: u32,
    /// The time over which the rate of failures is taken.
    pub window: Duration,
    /// Requests in the window below which the rate says nothing.
    pub requests_min: u64,
    /// The share of failures above which an upstream is ejected.
    pub failure_rate: f64,
    /// The first ejection lasts that long, the n-th n times as long.
    pub ejection: Duration,
    pub ejection_max: Duration,
}

/// Counts since the start of the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub requests: u64,
    pub failures: u64,
}

/// What is known about one upstream.
#[derive(Debug, Clone, Default)]
pub struct Outlier {
    samples: VecDeque<(Duration, Sums)>,
    ejections: u32,
    until: Option<Duration>,
    last_ended: Duration,
}

impl Outlier {
    /// Takes in the counts as of `now`; true if the upstream deserves to be ejected.
    ///
    /// The caller decides whether the pool can do without it, and then calls [`Outlier::eject`].
    pub fn observe(
        &mut self,
        sums: Sums,
        consecutive: u32,
        now: Duration,
        policy: &OutlierPolicy,
    ) -> bool {
        self.forgive(now, policy);
        while self.samples.front().is_some_and(|(at, _)| now.saturating_sub(*at) > policy.window) {
            self.samples.pop_front();
        }
        let since = self.samples.front().map_or(sums, |(_, sums)| *sums);
        // The request path may call often; a sample a tenth of the window apart is exact enough.
        let last = self.samples.back().map(|(at, _)| now.saturating_sub(*at));
        if last.is_none_or(|age| age >= policy.window / 10) {
            self.samples.push_back((now, sums));
        }
        if policy.consecutive == 0 || self.ejected(now) {
            return false;
        }
        let requests = sums.requests.saturating_sub(since.requests);
        let failures = sums.failures.saturating_sub(since.failures);
        let rate = failures as f64 / requests.max(1) as f64;
        consecutive >= policy.consecutive
            || (requests >= policy.requests_min && rate > policy.failure_rate)
    }

    /// Leaves the upstream out from now on.
    pub fn eject(&mut self, now: Duration, policy: &OutlierPolicy) {
        self.ejections += 1;
        let time = (policy.ejection * self.ejections).min(policy.ejection_max);
        self.until = Some(now + time);
        // What it did before says nothing about what it does afterwards.
        self.samples.clear();
    }

    pub fn ejected(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When the ejection ends, if there is one.
    pub fn until(&self, now: Duration) -> Option<Duration> {
        self.until.filter(|&until| now < until)
    }

    /// How often it was ejected, less what was forgiven.
    pub fn ejections(&self) -> u32 {
        self.ejections
    }

    /// Forgets one ejection for each such time without another.
    fn forgive(&mut self, now: Duration, policy: &OutlierPolicy) {
        let Some(until) = self.until else { return };
        let since = now.saturating_sub(until.max(self.last_ended));
        if now >= until && self.ejections > 0 && since >= policy.ejection_max {
            self.ejections -= 1;
            self.last_ended = now;
        }
    }
}

/// How many upstreams of a pool may be ejected at once: three of ten at most, a tenth of larger
/// pools, and never so many that fewer than two are left.
pub fn ejections_max(upstreams: usize) -> usize {
    let share = match upstreams {
        0..=10 => (upstreams * 3 / 10).max(1),
        more => (more / 10).max(3),
    };
    share.min(upstreams.saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: OutlierPolicy = OutlierPolicy {
        consecutive: 5,
        window: Duration::from_secs(10),
        requests_min: 20,
        failure_rate: 0.5,
        ejection: Duration::from_secs(30),
        ejection_max: Duration::from_secs(300),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn sums(requests: u64, failures: u64) -> Sums {
        Sums { requests, failures }
    }

    #[test]
    fn failures_in_a_row() {
        let mut outlier = Outlier::default();
        assert!(!outlier.observe(sums(4, 4), 4, at(1), &POLICY));
        assert!(outlier.observe(sums(5, 5), 5, at(1), &POLICY));
        let off = OutlierPolicy { consecutive: 0, ..POLICY };
        assert!(!outlier.observe(sums(5, 5), 5, at(1), &off));
    }

    #[test]
    fn more_than_half_of_enough_requests() {
        let mut outlier = Outlier::default();
        assert!(!outlier.observe(sums(0, 0), 0, at(0), &POLICY));
        assert!(!outlier.observe(sums(19, 19), 0, at(2), &POLICY), "too few");
        assert!(outlier.observe(sums(30, 16), 0, at(3), &POLICY));
        let mut mild = Outlier::default();
        mild.observe(sums(0, 0), 0, at(0), &POLICY);
        assert!(!mild.observe(sums(100, 50), 0, at(5), &POLICY), "half is not more than half");
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut outlier = Outlier::default();
        for second in 0..30 {
            let failures = second.min(10) * 10;
            let deserves = outlier.observe(sums(second * 10, failures), 0, at(second), &POLICY);
            assert_eq!(deserves, (2..15).contains(&second), "second {second}");
        }
    }

    #[test]
    fn ejections_grow_and_are_forgiven() {
        let mut outlier = Outlier::default();
        outlier.eject(at(0), &POLICY);
        assert!(outlier.ejected(at(29)) && !outlier.ejected(at(30)));
        assert!(!outlier.observe(sums(9, 9), 9, at(10), &POLICY), "it is out already");
        outlier.eject(at(40), &POLICY);
        assert_eq!(outlier.until(at(41)), Some(at(100)));
        for _ in 0..20 {
            outlier.eject(at(1_000), &POLICY);
        }
        assert_eq!(outlier.until(at(1_001)), Some(at(1_300)));
        assert_eq!(outlier.ejections(), 22);
        outlier.observe(sums(9, 9), 0, at(1_600), &POLICY);
        outlier.observe(sums(9, 9), 0, at(1_601), &POLICY);
        assert_eq!(outlier.ejections(), 21);
    }

    #[test]
    fn a_pool_keeps_enough() {
        let allowed: Vec<usize> = [0, 1, 2, 3, 4, 7, 10, 11, 30, 50].map(ejections_max).into();
        assert_eq!(allowed, [0, 0, 0, 1, 1, 2, 3, 3, 3, 5]);
    }
}
