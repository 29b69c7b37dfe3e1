//! The PostgreSQL engine: a pool of connections, a transaction for each write.

mod bootstrap;
mod cell;
mod collate;
mod connection;
mod counts;
pub mod ddl;
mod engine;
mod error;
mod facts;
mod hold;
mod journal;
mod link;
mod member;
mod order;
mod pool;
mod room;
pub(crate) mod tables;
mod tls;
pub mod view;

pub(crate) use bootstrap::functions;
pub(crate) use bootstrap::load_within as load;
pub(crate) use connection::{Again, Connection};
pub(crate) use engine::Engine;
pub(crate) use error::{words, words_of_sqlite};
pub(crate) use hold::Hold;
pub(crate) use journal::Draft;
pub use link::{Link, NOTE_BYTES_MAX, Notes};
pub use member::Pulse;
pub(crate) use pool::{Connector, Pool, Pooled};

/// The helper functions, to be run once at every start. Idempotent.
pub const FUNCTIONS: &str =
    concat!(include_str!("postgres/functions.sql"), include_str!("postgres/sqlite_functions.sql"));

/// What servers on one database know of each other. Idempotent, after [`FUNCTIONS`].
const CLUSTER: &str = include_str!("postgres/cluster.sql");

/// The tables beside those of collections, to be made in a new database, after [`FUNCTIONS`].
pub const TABLES: &str = include_str!("postgres/tables.sql");
