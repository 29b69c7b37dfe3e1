//! Counts and latencies while a load runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It was answered with this status.
    Status(u16),
    /// Nobody took the connection, so nothing was sent.
    NoConnection,
    /// The connection broke before the answer.
    Cut,
    /// No answer in time.
    TimedOut,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Status(status) => write!(f, "{status}"),
            Ending::NoConnection => f.write_str("no connection"),
            Ending::Cut => f.write_str("cut off"),
            Ending::TimedOut => f.write_str("no answer in time"),
        }
    }
}

/// What happened in a span of time.
#[derive(Clone, Debug, Default)]
pub struct Second {
    pub span: Duration,
    /// Requests that ended.
    pub requests: u64,
    /// Those that did not end as they should.
    pub errors: BTreeMap<Ending, u64>,
    pub events: u64,
    pub p50: Duration,
    pub p99: Duration,
}

#[derive(Debug)]
pub(super) struct Figures(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    since: Instant,
    /// Of the current span, in microseconds.
    latencies: Vec<u32>,
    errors: BTreeMap<Ending, u64>,
    events: u64,
    all_latencies: Vec<u32>,
    all_endings: BTreeMap<Ending, u64>,
    all_errors: u64,
    all_read_errors: u64,
    all_events: u64,
}

/// Of the whole load.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) endings: BTreeMap<Ending, u64>,
    pub(super) errors: u64,
    /// Of requests that only read.
    pub(super) read_errors: u64,
    pub(super) events: u64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) longest: Duration,
}

impl Default for Figures {
    fn default() -> Figures {
        Figures(Mutex::new(Inner {
            since: Instant::now(),
            latencies: Vec::new(),
            errors: BTreeMap::new(),
            events: 0,
            all_latencies: Vec::new(),
            all_endings: BTreeMap::new(),
            all_errors: 0,
            all_read_errors: 0,
            all_events: 0,
        }))
    }
}

impl Figures {
    /// Counts a request; `good` if it ended as it should.
    pub(super) fn add(&self, ending: Ending, good: bool, latency: Duration) {
        let mut inner = self.inner();
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        inner.latencies.push(micros);
        *inner.all_endings.entry(ending).or_default() += 1;
        if !good {
            *inner.errors.entry(ending).or_default() += 1;
            inner.all_errors += 1;
        }
    }

    pub(super) fn add_event(&self) {
        let mut inner = self.inner();
        inner.events += 1;
        inner.all_events += 1;
    }

    /// One of the requests that did not end as they should only read.
    pub(super) fn add_read_error(&self) {
        self.inner().all_read_errors += 1;
    }

    pub(super) fn answered(&self) -> u64 {
        self.inner().all_endings.values().sum()
    }

    /// Since the last call.
    pub(super) fn second(&self) -> Second {
        let mut inner = self.inner();
        let mut latencies = std::mem::take(&mut inner.latencies);
        inner.all_latencies.extend(&latencies);
        let second = Second {
            span: inner.since.elapsed(),
            requests: latencies.len() as u64,
            errors: std::mem::take(&mut inner.errors),
            events: std::mem::take(&mut inner.events),
            p50: quantile(&mut latencies, 50),
            p99: quantile(&mut latencies, 99),
        };
        inner.since = Instant::now();
        second
    }

    pub(super) fn totals(&self) -> Totals {
        self.second();
        let inner = self.inner();
        let mut latencies = inner.all_latencies.clone();
        Totals {
            endings: inner.all_endings.clone(),
            errors: inner.all_errors,
            read_errors: inner.all_read_errors,
            events: inner.all_events,
            p50: quantile(&mut latencies, 50),
            p99: quantile(&mut latencies, 99),
            longest: quantile(&mut latencies, 100),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The smallest latency that at least `percent` of 100 do not exceed; zero without any.
fn quantile(micros: &mut [u32], percent: usize) -> Duration {
    if micros.is_empty() {
        return Duration::ZERO;
    }
    let index = (micros.len() * percent).div_ceil(100).saturating_sub(1);
    let (_, value, _) = micros.select_nth_unstable(index);
    Duration::from_micros(u64::from(*value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ending, Figures, quantile};

    #[test]
    fn quantiles_are_values_that_occurred() {
        let of =
            |percent| quantile(&mut (1..=200).rev().collect::<Vec<u32>>(), percent).as_micros();
        assert_eq!([of(50), of(99), of(100)], [100, 198, 200]);
        assert_eq!(quantile(&mut [7], 50), Duration::from_micros(7));
        assert_eq!(quantile(&mut [], 50), Duration::ZERO);
    }

    #[test]
    fn a_second_starts_from_nothing_and_the_whole_keeps_all() {
        let figures = Figures::default();
        figures.add(Ending::Status(200), true, Duration::from_millis(2));
        figures.add(Ending::TimedOut, false, Duration::from_secs(3));
        assert_eq!(figures.second().requests, 2);
        figures.add(Ending::Status(404), true, Duration::from_millis(1));
        let second = figures.second();
        assert_eq!((second.requests, second.errors.len()), (1, 0));
        let totals = figures.totals();
        assert_eq!((totals.errors, totals.endings.len()), (1, 3));
        assert_eq!(totals.longest, Duration::from_secs(3));
        assert_eq!(figures.answered(), 3);
    }
}
