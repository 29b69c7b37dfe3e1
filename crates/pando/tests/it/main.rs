//! The real program, started as an operator starts it.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod compare;
mod config;
mod crash;
mod process;
mod sdk;
mod serve;
mod superuser;
mod views;
