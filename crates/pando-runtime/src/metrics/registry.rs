//! The families of metrics and their series.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

use super::{Buckets, Histogram, process};

/// A bound for programming errors: label values that come from outside.
const SERIES_MAX: usize = 10_000;

/// Names and values of labels.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// A number that only grows. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    pub fn increment(&self) {
        self.add(1);
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    pub fn add(&self, difference: i64) {
        self.0.fetch_add(difference, Relaxed);
    }

    pub fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// All metrics of a process.
#[derive(Debug, Default)]
pub struct Registry {
    families: Mutex<BTreeMap<&'static str, Family>>,
    process: bool,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    kind: &'static str,
    /// By rendered labels: `method="GET",status="200"`.
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Clone)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Registry {
    pub(super) fn with_process() -> Registry {
        Registry { process: true, ..Registry::default() }
    }

    /// The counter of that name and labels; the same one each time. By convention the name ends
    /// in `_total`.
    ///
    /// # Panics
    /// If the name already stands for another kind of metric, or has a wrong letter; so does every
    /// registration. They happen at the start with names from the code, so tests see it.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: Labels<'_>) -> Counter {
        let new = || Series::Counter(Counter::default());
        match self.series(name, help, "counter", labels, new) {
            Series::Counter(counter) => counter,
            _ => panic!("{name} is no counter"),
        }
    }

    /// The gauge of that name and labels; the same one each time.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: Labels<'_>) -> Gauge {
        let new = || Series::Gauge(Gauge::default());
        match self.series(name, help, "gauge", labels, new) {
            Series::Gauge(gauge) => gauge,
            _ => panic!("{name} is no gauge"),
        }
    }

    /// The histogram of that name and labels; the same one each time. By convention the name ends
    /// in the unit that is shown: `_seconds`, `_bytes`.
    ///
    /// # Panics
    /// As [`Registry::counter`].
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        buckets: Buckets,
        labels: Labels<'_>,
    ) -> Histogram {
        let new = || Series::Histogram(Histogram::new(buckets));
        match self.series(name, help, "histogram", labels, new) {
            Series::Histogram(histogram) => histogram,
            _ => panic!("{name} is no histogram"),
        }
    }

    /// All metrics in Prometheus' text format, families and series in the order of their names.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(4096);
        for (name, family) in &*self.lock() {
            write_head(&mut out, name, family.help, family.kind);
            for (labels, series) in &family.series {
                let braced = braced(labels);
                let _ = match series {
                    Series::Counter(counter) => writeln!(out, "{name}{braced} {}", counter.value()),
                    Series::Gauge(gauge) => writeln!(out, "{name}{braced} {}", gauge.value()),
                    Series::Histogram(histogram) => {
                        histogram.render(&mut out, name, labels);
                        Ok(())
                    }
                };
            }
        }
        if self.process {
            process::render(&mut out);
        }
        out
    }

    fn series(
        &self,
        name: &'static str,
        help: &'static str,
        kind: &'static str,
        labels: Labels<'_>,
        new: impl FnOnce() -> Series,
    ) -> Series {
        assert!(valid_name(name), "{name:?} is no name of a metric");
        let mut families = self.lock();
        let family =
            families.entry(name).or_insert_with(|| Family { help, kind, series: BTreeMap::new() });
        assert!(family.series.len() < SERIES_MAX, "{name} has too many series");
        family.series.entry(render_labels(labels)).or_insert_with(new).clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn write_head(out: &mut String, name: &str, help: &str, kind: &str) {
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

pub(super) fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

fn valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn render_labels(labels: Labels<'_>) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        assert!(valid_name(name), "{name:?} is no name of a label");
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let comma = if out.is_empty() { "" } else { "," };
        let _ = write!(out, "{comma}{name}=\"{value}\"");
    }
    out
}
