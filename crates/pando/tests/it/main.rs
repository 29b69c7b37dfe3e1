//! The real program, started as an operator starts it.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod bad_input;
mod balancer;
mod compare;
mod config;
mod crash;
mod moving;
mod postgres;
mod process;
mod round_trip;
mod sdk;
mod serve;
mod superuser;
mod views;
