//! Latencies of one run, kept exactly (a few million numbers at most).

use std::time::Duration;

/// Sorted on first use of a percentile.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
    }

    pub(super) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The latency that `percent` of all stayed at or below, in milliseconds.
    pub(super) fn percentile_ms(&mut self, percent: usize) -> f64 {
        if self.micros.is_empty() {
            return 0.0;
        }
        self.micros.sort_unstable();
        let rank = (self.micros.len() * percent).div_ceil(100).max(1);
        f64::from(self.micros[rank - 1]) / 1000.0
    }
}
