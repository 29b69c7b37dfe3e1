//! Queries of views, which are written for SQLite, in PostgreSQL's words.

use pando_schema::{Field, Schema};

use super::ddl::quoted;

/// Why a query cannot be that of a view in PostgreSQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{part:?} cannot be translated for PostgreSQL: {reason}")]
pub struct ViewRefused {
    /// The part of the query.
    pub part: String,
    pub reason: String,
}

/// The query with columns of the names and types of `fields`.
pub(crate) fn translate(
    query: &str,
    fields: &[Field],
    _schema: &Schema,
) -> Result<String, ViewRefused> {
    let columns: Vec<String> = fields.iter().map(|field| quoted(&field.name)).collect();
    Ok(format!("SELECT {} FROM ({query}) q", columns.join(", ")))
}
