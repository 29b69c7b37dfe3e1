//! How a store is opened, and its limits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pando_schema::{LOWER_ALPHANUMERIC, random_text_of};

/// Enough that no two servers on one database are likely ever to have the same.
const SERVER_ID_LENGTH: usize = 10;

/// What `Store::open` needs to know. `Default` is for a small server.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The data directory; PocketBase's layout. Made if it does not exist.
    pub dir: PathBuf,
    /// Where the records live if not in the data directory.
    pub database: Option<Database>,
    /// Connections to that database at most, or to the one that records were moved to.
    pub connections: usize,
    /// What other servers on the same database call this process.
    pub server_id: Arc<str>,
    /// The key (32 bytes) that the settings are encrypted with, if any.
    pub encryption_key: Option<String>,
    /// Connections that read at the same time.
    pub readers: usize,
    /// Requests that may wait for the writer; one more is refused as busy.
    pub write_queue_max: usize,
    /// Requests whose writes share one commit, and so one fsync.
    pub group_max: usize,
    /// How long a request waits for a read connection.
    pub read_wait_max: Duration,
    /// How long one query may run.
    pub query_timeout: Duration,
    /// How long requests wait for a database server that is away.
    pub hold_max: Duration,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        StoreOptions {
            dir: PathBuf::from("pando_data"),
            database: None,
            // The default of database.connections.
            connections: 20,
            server_id: random_text_of(&mut rand::rng(), SERVER_ID_LENGTH, LOWER_ALPHANUMERIC)
                .into(),
            encryption_key: None,
            // More than run at once, so that a few slow queries leave some for the fast ones.
            readers: (4 * cores).clamp(8, 64),
            write_queue_max: 4096,
            group_max: 256,
            read_wait_max: Duration::from_secs(10),
            // PocketBase's --queryTimeout.
            query_timeout: Duration::from_secs(30),
            // The default of database.hold_timeout.
            hold_max: Duration::from_secs(30),
        }
    }
}

/// A database on a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// `postgres://user:password@host:port/name?sslmode=…`, or libpq's `key=value` form.
    pub url: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password in it.
        f.debug_struct("Database").finish_non_exhaustive()
    }
}
