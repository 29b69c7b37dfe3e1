//! The real program, started as an operator starts it.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod bad_input;
mod balancer;
mod compare;
mod config;
mod crash;
mod files;
mod lab;
mod moving;
mod postgres;
mod process;
mod round_trip;
mod sdk;
mod serve;
mod servers;
mod superuser;
mod views;
