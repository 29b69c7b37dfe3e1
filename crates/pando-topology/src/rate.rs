//! How often one client may ask: so many requests a second, and a burst.
//!
//! A bucket is a single number, the moment at which it would be full again (the generic cell rate
//! algorithm), so millions of clients fit in memory.
//!
//! Source: ITU-T I.371, annex A; fields of the answer: draft-ietf-httpapi-ratelimit-headers.

use std::time::Duration;

/// How much a client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePolicy {
    /// Requests a second in the long run; above 0.
    pub per_second: u32,
    /// Requests at once; above 0.
    pub burst: u32,
}

/// The bucket of one client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateState {
    full_at: Duration,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateDecision {
    /// So many more may follow at once.
    Allowed { remaining: u32 },
    /// Not before that time has passed.
    Limited { retry_after: Duration },
}

impl RateState {
    /// Takes a request out of the bucket if there is one in it.
    pub fn take(&mut self, now: Duration, policy: RatePolicy) -> RateDecision {
        let interval = Duration::from_secs(1) / policy.per_second;
        let burst = interval * policy.burst;
        let next = self.full_at.max(now) + interval;
        let ahead = next.saturating_sub(now);
        if ahead > burst {
            return RateDecision::Limited { retry_after: ahead - burst };
        }
        self.full_at = next;
        let left = (burst - ahead).as_nanos() / interval.as_nanos().max(1);
        RateDecision::Allowed { remaining: u32::try_from(left).unwrap_or(u32::MAX) }
    }

    /// Whether the bucket is full, so that it need not be kept.
    pub fn full(&self, now: Duration) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RatePolicy = RatePolicy { per_second: 100, burst: 200 };

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut state = RateState::default();
        let start = Duration::from_secs(50);
        let allowed = |state: &mut RateState, now, tries| {
            let taken = (0..tries).map(|_| state.take(now, POLICY));
            taken.filter(|one| matches!(one, RateDecision::Allowed { .. })).count()
        };
        assert_eq!(allowed(&mut state, start, 500), 200);
        assert_eq!(allowed(&mut state, start + Duration::from_millis(500), 500), 50);
        assert!(!state.full(start + Duration::from_secs(2)));
        assert!(state.full(start + Duration::from_secs(3)));
    }

    #[test]
    fn it_says_when_to_come_again() {
        let mut state = RateState::default();
        let policy = RatePolicy { per_second: 2, burst: 2 };
        let now = Duration::from_secs(1);
        assert_eq!(state.take(now, policy), RateDecision::Allowed { remaining: 1 });
        assert_eq!(state.take(now, policy), RateDecision::Allowed { remaining: 0 });
        let retry_after = Duration::from_millis(500);
        assert_eq!(state.take(now, policy), RateDecision::Limited { retry_after });
        assert_eq!(state.take(now + retry_after, policy), RateDecision::Allowed { remaining: 0 });
    }
}
