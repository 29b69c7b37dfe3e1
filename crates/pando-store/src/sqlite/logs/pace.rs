//! How much of its time the thread of the logs may work on rows.
//!
//! After each piece of work it rests, so that work is a certain share of the whole. The share is
//! small while much comes in, larger when little does, and grows with what is put aside.

use std::time::{Duration, Instant};

/// What may be put aside at most: about a minute of what one machine can log at all.
pub(super) const ASIDE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Of one processor, while requests come in and little is aside.
const SHARE_BUSY: f64 = 0.02;

/// The same while few come in.
const SHARE_IDLE: f64 = 0.25;

/// Entries a second that are few.
const FEW_PER_SECOND: f64 = 500.0;

/// No rest is longer.
const REST_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) struct Pace {
    rest_until: Instant,
    /// When entries came last.
    came_at: Instant,
    per_second: f64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { rest_until: now, came_at: now, per_second: 0.0 }
    }

    /// Notes that entries came in.
    pub(super) fn came(&mut self, count: u64, now: Instant) {
        // Of less than a millisecond nothing follows.
        let since = now.duration_since(self.came_at).as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
        let per_second = count as f64 / since;
        self.per_second = per_second;
        self.came_at = now;
    }

    /// Notes a piece of work, after which so many bytes are still aside.
    pub(super) fn worked(&mut self, begun: Instant, ended: Instant, aside_bytes: u64) {
        let share = self.share(ended, aside_bytes);
        let work = ended.duration_since(begun);
        self.rest_until = ended + work.mul_f64(1.0 / share - 1.0).min(REST_MAX);
    }

    /// How long the thread still rests.
    pub(super) fn rest(&self, now: Instant) -> Duration {
        self.rest_until.saturating_duration_since(now)
    }

    fn share(&self, now: Instant, aside_bytes: u64) -> f64 {
        // What comes in every second says nothing of the time since.
        let quiet = now.duration_since(self.came_at) > Duration::from_secs(10);
        let few = quiet || self.per_second < FEW_PER_SECOND;
        #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
        let full = aside_bytes as f64 / ASIDE_BYTES_MAX as f64;
        let share = if few { SHARE_IDLE } else { SHARE_BUSY };
        (share + full * full).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WORK: Duration = Duration::from_millis(10);

    /// How long it rests after a piece of work, while that much comes in and is aside.
    fn rest(per_second: u64, aside_bytes: u64) -> Duration {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        pace.came(per_second, begun + SECOND);
        pace.worked(begun + SECOND, begun + SECOND + WORK, aside_bytes);
        pace.rest(begun + SECOND + WORK)
    }

    #[test]
    fn the_more_is_aside_the_shorter_the_rest() {
        let half = ASIDE_BYTES_MAX / 2;
        assert_eq!(rest(100, 0), WORK * 3);
        let busy = [0, half, ASIDE_BYTES_MAX].map(|aside| rest(40_000, aside));
        assert_eq!(busy[0].as_millis(), 490);
        assert_eq!(busy[1].as_millis(), 27);
        assert_eq!(busy[2], Duration::ZERO);
    }

    #[test]
    fn it_does_not_rest_before_it_worked() {
        let now = Instant::now();
        assert_eq!(Pace::new(now).rest(now), Duration::ZERO);
    }
}
