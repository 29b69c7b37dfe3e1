//! The real program, started as an operator starts it.

mod config;
mod process;
mod serve;
mod superuser;
