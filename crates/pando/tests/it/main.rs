//! The real program, started as an operator starts it.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod config;
mod process;
mod serve;
mod superuser;
