//! Records in SQLite or PostgreSQL: reading, writing, and what a data directory holds.
//!
//! Invariants: an acknowledged write is on disk; a write that fails leaves nothing behind; only
//! [`Tx`] changes the database.

mod auth_records;
mod bootstrap;
mod change;
mod cluster;
mod collections;
mod conn;
mod design;
mod error;
mod gate;
pub mod journal;
pub mod moving;
mod options;
mod params;
pub mod postgres;
mod records;
mod settings;
mod sqlite;
mod store;
mod structure;
mod table;
mod tx;
mod views;
mod waiting;

pub use auth_records::push_owner;
pub use change::{Action, Change};
pub use collections::CollectionError;
pub use conn::Conn;
pub use error::StoreError;
pub use options::{Database, StoreOptions};
pub use records::WriteError;
pub use store::{Reader, Store};
pub use tx::{Tx, TxFuture};
pub use views::ViewError;

/// The time as PocketBase stores it: `2006-01-02 15:04:05.000Z`.
pub fn now() -> String {
    let since_epoch =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    pando_schema::DateTime::from_unix_ms(unix_ms).stored()
}
