//! Several servers on one PostgreSQL, in one process: what each of them gets to know.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod app;
mod events;
mod losses;
mod nats;
