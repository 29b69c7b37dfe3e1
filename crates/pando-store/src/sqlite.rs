//! The SQLite engine: one writer thread with group commit, a pool of readers.
//!
//! Source: PocketBase `core/db_connect.go` for the pragmas. `synchronous=FULL` is ours: an
//! acknowledged write survives power loss, and group commit pays for the fsync.

mod connection;
mod engine;
mod log;
mod logs;
mod readers;
mod writer;

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

pub(crate) use connection::Connection;
pub(crate) use engine::{Engine, Opened};
use log::LogLength;
use logs::{LogFile, LogThread};
pub(crate) use readers::Reader;
use readers::Readers;
use writer::{Writer, WriterThread};

use crate::StoreError;

/// Statements that a connection keeps prepared.
const STATEMENTS_CACHED_MAX: usize = 256;

/// Memory for pages that one connection may keep, in KiB (SQLite's negative `cache_size`).
const PAGE_CACHE_KIB: i64 = 2 * 1024;

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
    connection.busy_timeout(connection::BUSY_WAIT_MAX)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", 200_000_000)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", access == Access::ReadOnly)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Else each execution with other values would plan the statement anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    add_functions(&connection)?;
    Ok(connection)
}

type Function = fn(f64) -> f64;

/// The functions that `geoDistance` needs and the bundled SQLite is built without.
fn add_functions(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    let functions: [(&str, Function); 4] =
        [("acos", f64::acos), ("cos", f64::cos), ("sin", f64::sin), ("radians", f64::to_radians)];
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, function) in functions {
        connection.create_scalar_function(name, 1, flags, move |context| {
            // Like SQLite's own: what is no number gives NULL, and so does no result.
            Ok(match context.get_raw(0) {
                #[expect(clippy::cast_precision_loss, reason = "SQLite converts alike")]
                ValueRef::Integer(number) => Some(function(number as f64)),
                ValueRef::Real(number) => Some(function(number)),
                ValueRef::Text(text) => number_of(text).map(function),
                ValueRef::Null | ValueRef::Blob(_) => None,
            }
            .filter(|result| !result.is_nan()))
        })?;
    }
    Ok(())
}

/// The number that a whole text is.
fn number_of(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
