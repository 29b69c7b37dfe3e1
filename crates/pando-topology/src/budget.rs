//! How many requests may be tried again: a share of what comes in, so that retries never turn a
//! bad moment into an avalanche.
//!
//! Source: Envoy's and Finagle's retry budgets; Google's SRE book, "Handling Overload".

use std::time::Duration;

/// How much may be tried again.
#[derive(Debug, Clone, Copy)]
pub struct BudgetPolicy {
    /// Retries as a share of the requests of the last ten seconds.
    pub share: f64,
    /// And that many a second in any case, for pools with few requests.
    pub per_second: f64,
}

/// Seconds that are looked back on.
const WINDOW_SECONDS: usize = 10;

/// Requests and retries of the last ten seconds.
#[derive(Debug, Clone, Default)]
pub struct RetryBudget {
    buckets: [Bucket; WINDOW_SECONDS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    second: u64,
    requests: u32,
    retries: u32,
}

impl RetryBudget {
    /// A request has come in.
    pub fn deposit(&mut self, now: Duration) {
        let bucket = self.bucket(now);
        bucket.requests = bucket.requests.saturating_add(1);
    }

    /// Whether one more retry is within the budget; it then counts.
    pub fn withdraw(&mut self, now: Duration, policy: &BudgetPolicy) -> bool {
        let (requests, retries) = self.sums(now);
        let allowed = requests * policy.share + policy.per_second * WINDOW_SECONDS as f64;
        if retries + 1.0 > allowed {
            return false;
        }
        let bucket = self.bucket(now);
        bucket.retries = bucket.retries.saturating_add(1);
        true
    }

    fn bucket(&mut self, now: Duration) -> &mut Bucket {
        let second = now.as_secs();
        // The remainder is below the number of buckets.
        let bucket = &mut self.buckets[(second % WINDOW_SECONDS as u64) as usize];
        if bucket.second != second {
            *bucket = Bucket { second, requests: 0, retries: 0 };
        }
        bucket
    }

    fn sums(&self, now: Duration) -> (f64, f64) {
        let oldest = now.as_secs().saturating_sub(WINDOW_SECONDS as u64 - 1);
        let fresh = self.buckets.iter().filter(|bucket| bucket.second >= oldest);
        fresh.fold((0.0, 0.0), |(requests, retries), bucket| {
            (requests + f64::from(bucket.requests), retries + f64::from(bucket.retries))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BudgetPolicy = BudgetPolicy { share: 0.2, per_second: 3.0 };

    /// All of `count` requests a second for `seconds` would be retried; how many are.
    fn storm(count: u32, seconds: u64) -> u32 {
        let mut budget = RetryBudget::default();
        let mut retried = 0;
        for second in 0..seconds {
            for request in 0..count {
                let now = Duration::from_secs(second) + Duration::from_secs(1) * request / count;
                budget.deposit(now);
                retried += u32::from(budget.withdraw(now, &POLICY));
            }
        }
        retried
    }

    #[test]
    fn a_storm_is_bounded() {
        // 60 s of 1,000 requests a second: a fifth of them and three a second.
        let retried = storm(1_000, 60);
        assert!((12_000..=12_400).contains(&retried), "{retried}");
    }

    #[test]
    fn a_quiet_pool_may_retry_nearly_everything() {
        assert_eq!(storm(2, 60), 120);
    }

    #[test]
    fn the_past_is_forgotten() {
        let mut budget = RetryBudget::default();
        let first = Duration::from_secs(5);
        (0..1_000).for_each(|_| budget.deposit(first));
        let withdrawn = |budget: &mut RetryBudget, now| {
            (0..1_000).filter(|_| budget.withdraw(now, &POLICY)).count()
        };
        assert_eq!(withdrawn(&mut budget, first), 230);
        assert_eq!(withdrawn(&mut budget, first + Duration::from_secs(9)), 0);
        assert_eq!(withdrawn(&mut budget, first + Duration::from_secs(10)), 30);
    }
}
