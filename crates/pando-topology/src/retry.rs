//! Whether a request that failed is tried again.
//!
//! *Invariant*: a request that is not idempotent and may have reached an upstream is never sent
//! again (RFC 9110 9.2.2), so nothing is done twice.

use std::time::Duration;

use rand::Rng;

/// How far a try had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing of it has left: no connection, or a stream that the upstream refused unread.
    NotSent,
    /// On a connection that had been idle, which the upstream closed without a byte of an answer.
    Stale,
    /// The upstream may have done it, and said nothing.
    Sent,
    /// It said that it, or who stands behind it, cannot answer now: 502, 503 or 504.
    Unavailable,
    /// A part of the answer has gone to the client.
    Begun,
}

/// How often and how soon.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Further tries after the first.
    pub retries_max: u32,
    /// The longest pause before the first retry; it doubles.
    pub backoff: Duration,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after that pause.
    Again(Duration),
    /// Try again if the budget allows it.
    IfAffordable(Duration),
    /// Tell the client.
    GiveUp,
}

impl RetryPolicy {
    /// Judges a failed try. `replayable`: the body of the request can be sent once more.
    /// `retries`: those that were made already.
    pub fn judge(
        &self,
        stage: Stage,
        idempotent: bool,
        replayable: bool,
        retries: u32,
        rng: &mut impl Rng,
    ) -> Verdict {
        if retries >= self.retries_max || !replayable {
            return Verdict::GiveUp;
        }
        match stage {
            // The upstreams feel nothing of it, so it needs no budget; the next one is there.
            Stage::NotSent => Verdict::Again(Duration::ZERO),
            Stage::Stale if idempotent => Verdict::Again(Duration::ZERO),
            Stage::Sent | Stage::Unavailable if idempotent => {
                Verdict::IfAffordable(self.pause(retries, rng))
            }
            Stage::Stale | Stage::Sent | Stage::Unavailable | Stage::Begun => Verdict::GiveUp,
        }
    }

    /// Full jitter: anything up to the bound, so that requests that failed together come apart.
    fn pause(&self, retries: u32, rng: &mut impl Rng) -> Duration {
        self.backoff.saturating_mul(1 << retries.min(10)).mul_f64(rng.random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let policy = RetryPolicy { retries_max: 2, backoff: Duration::from_millis(25) };
        let mut rng = StdRng::seed_from_u64(3);
        let stages = [Stage::NotSent, Stage::Stale, Stage::Sent, Stage::Unavailable, Stage::Begun];
        let mut shown = String::new();
        for stage in stages {
            for (name, idempotent, replayable, retries) in [
                ("get", true, true, 0),
                ("post", false, true, 0),
                ("long put", true, false, 0),
                ("third", true, true, 2),
            ] {
                let verdict = match policy.judge(stage, idempotent, replayable, retries, &mut rng) {
                    Verdict::Again(_) => "again",
                    Verdict::IfAffordable(_) => "if affordable",
                    Verdict::GiveUp => "-",
                };
                shown.push_str(&format!("{stage:?} {name}: {verdict}\n"));
            }
        }
        expect![[r#"
            NotSent get: again
            NotSent post: again
            NotSent long put: -
            NotSent third: -
            Stale get: again
            Stale post: -
            Stale long put: -
            Stale third: -
            Sent get: if affordable
            Sent post: -
            Sent long put: -
            Sent third: -
            Unavailable get: if affordable
            Unavailable post: -
            Unavailable long put: -
            Unavailable third: -
            Begun get: -
            Begun post: -
            Begun long put: -
            Begun third: -
        "#]]
        .assert_eq(&shown);
    }

    #[test]
    fn pauses_are_spread_and_double() {
        let policy = RetryPolicy { retries_max: 9, backoff: Duration::from_millis(25) };
        let mut rng = StdRng::seed_from_u64(3);
        for (retries, most) in [(0, 25), (1, 50), (2, 100)] {
            let pauses: Vec<_> = (0..200).map(|_| policy.pause(retries, &mut rng)).collect();
            let longest = pauses.iter().max().unwrap().as_millis();
            assert!((most * 9 / 10..=most).contains(&longest), "{longest}");
            assert!(pauses.iter().min().unwrap().as_millis() < most / 10);
        }
    }
}
