//! What every role of the process stands on: configuration, logs, metrics, tasks, TLS.
//!
//! Invariant: this is the only crate that reads the environment of the process.

pub mod config;
pub mod connection;
pub mod host;
mod lifecycle;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod network;
mod signals;
pub mod tls;

pub use lifecycle::Lifecycle;
pub use signals::watch_signals;
