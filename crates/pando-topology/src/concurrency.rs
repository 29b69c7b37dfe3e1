//! How many requests an upstream is given at once: as many as it answers without slowing down.
//!
//! The limit follows the gradient of the latency: while answers take what they usually take it
//! grows by a small queue, and when they take longer it shrinks in proportion.
//!
//! Source: Netflix's concurrency-limits, `Gradient2Limit`, whose long-term average of latency here
//! rises slower than it falls.

/// The bounds of the limit.
#[derive(Debug, Clone, Copy)]
pub struct ConcurrencyPolicy {
    pub min: u32,
    pub max: u32,
}

/// What was seen since the last look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    pub answers: u64,
    pub latency_mean_micros: f64,
    /// The most requests in flight at once.
    pub in_flight_peak: u32,
}

/// Fewer answers say nothing.
const ANSWERS_MIN: u64 = 10;
/// How much slower than usual is still usual.
const TOLERANCE: f64 = 2.0;
/// How much of a new limit is taken over at once.
const SMOOTHING: f64 = 0.2;
/// The weight of a window in what is usual, if it was slower. Small, since an overload that lasts
/// must not become usual.
const SLOWER: f64 = 0.002;
/// The same if it was faster.
const FASTER: f64 = 0.1;
/// The share of the limit that must be used for the latency to say something about it.
const USED_MIN: f64 = 0.5;

/// The limit of one upstream.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    limit: f64,
    usual_micros: f64,
}

impl Concurrency {
    pub fn new(policy: ConcurrencyPolicy) -> Concurrency {
        Concurrency { limit: f64::from(policy.max), usual_micros: 0.0 }
    }

    pub fn limit(&self) -> u32 {
        // Bounded by the policy.
        self.limit as u32
    }

    /// Takes in a window.
    pub fn observe(&mut self, window: Window, policy: ConcurrencyPolicy) {
        if window.answers < ANSWERS_MIN || window.latency_mean_micros <= 0.0 {
            return;
        }
        let short = window.latency_mean_micros;
        if self.usual_micros == 0.0 {
            self.usual_micros = short;
        }
        let weight = if short > self.usual_micros { SLOWER } else { FASTER };
        self.usual_micros += (short - self.usual_micros) * weight;
        let gradient = (TOLERANCE * self.usual_micros / short).clamp(0.5, 1.0);
        let idle = f64::from(window.in_flight_peak) < self.limit * USED_MIN;
        if idle && gradient == 1.0 {
            return;
        }
        // An upstream that slows down with little in flight is limited by what it has now.
        let basis = if idle { f64::from(window.in_flight_peak).max(1.0) } else { self.limit };
        let wanted = basis * gradient + basis.sqrt();
        let next = self.limit + (wanted - self.limit) * SMOOTHING;
        self.limit = next.clamp(f64::from(policy.min), f64::from(policy.max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: ConcurrencyPolicy = ConcurrencyPolicy { min: 8, max: 512 };

    /// An upstream that works on `slots` requests at once, each in 10 ms; the others queue.
    fn latency(in_flight: u32, slots: u32) -> f64 {
        10_000.0 * f64::from(in_flight.max(slots)) / f64::from(slots)
    }

    fn run(concurrency: &mut Concurrency, windows: u32, offered: u32, slots: u32) {
        for _ in 0..windows {
            let in_flight = offered.min(concurrency.limit());
            let window = Window {
                answers: 100,
                latency_mean_micros: latency(in_flight, slots),
                in_flight_peak: in_flight,
            };
            concurrency.observe(window, POLICY);
        }
    }

    #[test]
    fn the_limit_follows_what_the_upstream_can_do() {
        let mut concurrency = Concurrency::new(POLICY);
        run(&mut concurrency, 50, 10, 20);
        assert_eq!(concurrency.limit(), 512, "nothing is wrong");
        run(&mut concurrency, 100, 1_000, 20);
        let limit = concurrency.limit();
        assert!((20..120).contains(&limit), "{limit}");
        // It recovers when the upstream does.
        run(&mut concurrency, 400, 1_000, 400);
        assert!(concurrency.limit() > 300, "{}", concurrency.limit());
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let mut concurrency = Concurrency::new(POLICY);
        run(&mut concurrency, 10, 10, 20);
        run(&mut concurrency, 60, 1_000, 1);
        assert!(concurrency.limit() >= 8);
        let silent = Window { answers: 3, latency_mean_micros: 9e9, in_flight_peak: 500 };
        let before = concurrency.limit();
        concurrency.observe(silent, POLICY);
        assert_eq!(concurrency.limit(), before);
    }
}
