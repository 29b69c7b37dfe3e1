//! Indexes: PocketBase's statements, which are SQLite's, as PostgreSQL's.

use pando_schema::{Collection, Index};

/// Why an index cannot be made in PostgreSQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct IndexRefused(String);

/// The statement that makes an index of a collection.
pub fn create_index(collection: &Collection, statement: &str) -> Result<String, IndexRefused> {
    let _ = (collection, Index::parse(statement));
    Err(IndexRefused(String::new()))
}
