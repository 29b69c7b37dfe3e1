//! PostgreSQL: the tables of collections, and the functions that statements call.

pub mod ddl;

/// The helper functions, to be run once at every start. Idempotent.
pub const FUNCTIONS: &str = include_str!("postgres/functions.sql");

/// The tables beside those of collections, to be made in a new database, after [`FUNCTIONS`].
pub const TABLES: &str = include_str!("postgres/tables.sql");
