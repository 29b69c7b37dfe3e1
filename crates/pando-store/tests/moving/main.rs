//! The live move from SQLite to PostgreSQL and back: nothing is lost, added or changed, whatever
//! happens meanwhile.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod compared;
mod concurrent;
mod differences;
mod gate;
mod kinds;
mod legacy;
mod oracle;
mod schema_changes;
mod served;
mod stopped;
mod target;
mod undone;
mod world;
mod writer;
