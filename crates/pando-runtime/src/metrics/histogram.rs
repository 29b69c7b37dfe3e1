//! Histograms: how many observations fell below each of a few fixed bounds.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds, ascending, in the unit of the observations.
#[derive(Debug, Clone, Copy)]
pub struct Buckets {
    bounds: &'static [u64],
    /// Observed units in a shown unit: 10^9 when nanoseconds are shown as seconds.
    scale: f64,
}

impl Buckets {
    /// For requests: 50 µs to 10 s. Observed in nanoseconds, shown in seconds.
    pub const LATENCY: Buckets = Buckets::seconds(&[
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        1_000_000_000,
        2_500_000_000,
        10_000_000_000,
    ]);

    /// Bounds in nanoseconds, shown in seconds.
    pub const fn seconds(bounds_ns: &'static [u64]) -> Buckets {
        Buckets::ascending(bounds_ns, 1e9)
    }

    /// Bounds of counts or bytes, shown as they are.
    pub const fn plain(bounds: &'static [u64]) -> Buckets {
        Buckets::ascending(bounds, 1.0)
    }

    const fn ascending(bounds: &'static [u64], scale: f64) -> Buckets {
        let mut i = 1;
        while i < bounds.len() {
            assert!(bounds[i - 1] < bounds[i], "bounds must ascend");
            i += 1;
        }
        Buckets { bounds, scale }
    }
}

/// A distribution. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    buckets: Buckets,
    /// One per bound, and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(buckets: Buckets) -> Histogram {
        let counts = (0..=buckets.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram(Arc::new(Inner { buckets, counts, sum: AtomicU64::new(0) }))
    }

    /// Counts `value`, in the unit of the bounds.
    pub fn observe(&self, value: u64) {
        let inner = &*self.0;
        let index = inner.buckets.bounds.partition_point(|&bound| bound < value);
        inner.counts[index].fetch_add(1, Relaxed);
        inner.sum.fetch_add(value, Relaxed);
    }

    /// Counts a duration, for bounds in nanoseconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(super) fn render(&self, out: &mut String, name: &str, labels: &str) {
        let Inner { buckets, counts, sum } = &*self.0;
        let comma = if labels.is_empty() { "" } else { "," };
        let mut below = 0;
        for (bound, count) in buckets.bounds.iter().zip(counts) {
            below += count.load(Relaxed);
            let bound = *bound as f64 / buckets.scale;
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
        }
        let total = below + counts[buckets.bounds.len()].load(Relaxed);
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}");
        let sum = sum.load(Relaxed) as f64 / buckets.scale;
        let braced = super::registry::braced(labels);
        let _ = writeln!(out, "{name}_sum{braced} {sum}");
        let _ = writeln!(out, "{name}_count{braced} {total}");
    }
}
