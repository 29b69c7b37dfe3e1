//! Metrics: counted without locks, read as Prometheus text.
//!
//! A series (name and label values) is registered once, which takes a lock and allocates;
//! observing it afterwards is one or two relaxed atomic additions.
//!
//! Invariant: the label values of a family are a small fixed set, never text from outside.
//! Source: the Prometheus text exposition format, version 0.0.4.

mod histogram;
mod process;
mod registry;

pub use histogram::{Buckets, Histogram};
pub use registry::{Counter, Gauge, Labels, Registry};

/// The media type of [`Registry::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The registry of this process. It also shows the metrics of the process itself.
pub fn registry() -> &'static Registry {
    static REGISTRY: std::sync::OnceLock<Registry> = std::sync::OnceLock::new();
    REGISTRY.get_or_init(Registry::with_process)
}

#[cfg(test)]
mod tests;
