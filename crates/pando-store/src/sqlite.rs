//! The SQLite engine: one writer thread with group commit, a pool of readers.
//!
//! Source: PocketBase `core/db_connect.go` for the pragmas. `synchronous=FULL` is ours: an
//! acknowledged write survives power loss, and group commit pays for the fsync.

mod readers;
mod writer;

use std::path::Path;

pub(crate) use readers::Readers;
pub use readers::Reader;
pub(crate) use writer::Writer;

use crate::StoreError;

/// Statements that a connection keeps prepared.
const STATEMENTS_CACHED_MAX: usize = 256;

/// Memory for pages that one connection may keep, in KiB (SQLite's negative `cache_size`).
const PAGE_CACHE_KIB: i64 = 8 * 1024;

/// Whether a connection may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Opens a database file the way that PocketBase does, made if it does not exist.
pub(crate) fn connect(path: &Path, access: Access) -> Result<rusqlite::Connection, StoreError> {
    let connection = rusqlite::Connection::open(path)?;
    // First, so that the next statements wait for a lock instead of failing.
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", 200_000_000)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", access == Access::ReadOnly)?;
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    Ok(connection)
}
