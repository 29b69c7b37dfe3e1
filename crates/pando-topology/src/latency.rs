//! What an upstream's answers have taken lately: an average that rises fast and falls slowly.
//!
//! A sample counts by the time since the one before it, so that a thousand answers a second and
//! one answer a second give the same picture. Plain peak EWMA (Finagle) jumps to every single
//! slow answer and then leaves the upstream alone for tens of seconds; here slow answers must come
//! for a tenth of a second before the whole rise is believed. The simulator compares both.
//!
//! Source: Finagle's `PeakEwma`, <https://linkerd.io/2016/03/16/beyond-round-robin-load-balancing-for-latency/>.

use std::time::Duration;

/// In that time the estimate goes 63% of the way up to slower answers.
const RISE: Duration = Duration::from_millis(100);
/// The same on the way down, and the time in which an idle upstream's estimate is forgotten.
const FALL: Duration = Duration::from_secs(2);
/// A failure counts as an answer that took so many times the usual: a quick failure must not look
/// like a quick answer.
const FAILURE_COST: f64 = 3.0;
/// But as no longer than this by itself: else one who only fails would have no bounds.
const FAILURE_MICROS_MAX: f64 = 1e6;

/// The latency of an upstream, estimated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Microseconds; 0 when nothing is known.
    pub micros: f64,
    /// When the last answer came, or when the first of the requests in flight began.
    pub at: Duration,
}

impl Estimate {
    /// The estimate once an answer has taken `sample`.
    #[must_use]
    pub fn after(self, sample: Duration, now: Duration) -> Estimate {
        let sample = sample.as_secs_f64() * 1e6;
        if self.micros == 0.0 {
            return Estimate { micros: sample, at: now };
        }
        let elapsed = now.saturating_sub(self.at);
        let kept = kept(elapsed, if sample > self.micros { RISE } else { FALL });
        Estimate { micros: self.micros * kept + sample * (1.0 - kept), at: now }
    }

    /// The estimate once a request has failed after `took`.
    #[must_use]
    pub fn after_failure(self, took: Duration, now: Duration) -> Estimate {
        let micros = (self.micros * FAILURE_COST).min(FAILURE_MICROS_MAX);
        self.after(took.max(Duration::from_secs_f64(micros / 1e6)), now)
    }

    /// What a request would have to expect, in microseconds. An upstream that has answered nothing
    /// for a while although it was asked is at least that slow; one that was not asked is forgotten.
    pub fn expected(self, in_flight: u32, now: Duration) -> f64 {
        let silent = now.saturating_sub(self.at);
        match in_flight {
            0 => self.micros * kept(silent, FALL),
            _ => self.micros.max(silent.as_secs_f64() * 1e6),
        }
    }
}

/// The share of the old value that is left after that time.
fn kept(elapsed: Duration, tau: Duration) -> f64 {
    (-elapsed.as_secs_f64() / tau.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn fed(start: Estimate, samples: u32, every: Duration, sample: Duration) -> Estimate {
        (0..samples).fold(start, |estimate, _| estimate.after(sample, estimate.at + every))
    }

    #[test]
    fn the_first_answer_is_believed() {
        assert_eq!(Estimate::default().after(7 * MS, MS).micros, 7_000.0);
    }

    #[test]
    fn one_slow_answer_among_many_changes_little() {
        let steady = fed(Estimate::default(), 100, MS, MS);
        let hiccup = steady.after(50 * MS, steady.at + MS);
        assert!(hiccup.micros < 1_600.0, "{hiccup:?}");
    }

    #[test]
    fn slow_answers_are_believed_soon() {
        let steady = fed(Estimate::default(), 100, MS, MS);
        let slow = fed(steady, 300, MS, 50 * MS);
        assert!(slow.micros > 45_000.0, "{slow:?}");
        // The rate of the answers makes no difference.
        let seldom = fed(steady, 3, 100 * MS, 50 * MS);
        assert!(seldom.micros > 45_000.0, "{seldom:?}");
    }

    #[test]
    fn failures_make_it_slow_and_no_more() {
        let steady = fed(Estimate::default(), 100, MS, MS);
        let failing = |count| {
            let fail = |estimate: Estimate, _| estimate.after_failure(MS, estimate.at + MS);
            (0..count).fold(steady, fail)
        };
        assert!(failing(300).micros > 10.0 * steady.micros);
        assert!(failing(1_000_000).micros <= FAILURE_MICROS_MAX);
    }

    #[test]
    fn an_upstream_that_was_slow_is_tried_again() {
        let slow = fed(Estimate::default(), 10, MS, 500 * MS);
        let later = slow.at + Duration::from_secs(20);
        assert!(slow.expected(0, later) < 1_000.0);
    }

    #[test]
    fn silence_counts_while_something_is_in_flight() {
        let fast = fed(Estimate::default(), 10, MS, MS);
        assert_eq!(fast.expected(3, fast.at + Duration::from_secs(2)), 2e6);
    }
}
