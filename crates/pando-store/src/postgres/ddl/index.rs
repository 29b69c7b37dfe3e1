//! Indexes: PocketBase's statements, which are SQLite's, as PostgreSQL's.
//!
//! Columns without regard to case become `lower(column)`, which under `COLLATE "C"` is about ASCII
//! letters only, as SQLite's `NOCASE` is.

use pando_schema::{Collection, Index, IndexColumn};

use super::expression::{self, Kind, Typed};
use super::quoted;

/// Why an index cannot be made in PostgreSQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{part:?} cannot be translated for PostgreSQL: {reason}")]
pub struct IndexRefused {
    /// The part of the statement.
    pub part: String,
    pub reason: String,
}

/// The statement that makes an index of a collection.
pub fn create_index(collection: &Collection, statement: &str) -> Result<String, IndexRefused> {
    let index = Index::parse(statement);
    if !index.valid() {
        let reason = "it is no statement that creates an index".to_owned();
        return Err(IndexRefused { part: statement.to_owned(), reason });
    }
    let columns: Result<Vec<String>, IndexRefused> =
        index.columns.iter().map(|column| element(collection, column)).collect();
    let mut columns = columns?;
    if !index.unique {
        // As SQLite's indexes end with the rowid: a sort that falls back on it needs no sorting.
        columns.push("\"_n\"".to_owned());
    }
    let mut text = format!(
        "CREATE {}INDEX {}{} ON {} ({})",
        if index.unique { "UNIQUE " } else { "" },
        if index.optional { "IF NOT EXISTS " } else { "" },
        quoted(&index.index_name),
        quoted(&collection.name),
        columns.join(", ")
    );
    if !index.condition.is_empty() {
        let condition = expression::condition(collection, &index.condition)
            .map_err(|reason| IndexRefused { part: index.condition.clone(), reason })?;
        text.push_str(" WHERE ");
        text.push_str(&condition);
    }
    Ok(text)
}

/// One column or expression of an index.
fn element(collection: &Collection, column: &IndexColumn) -> Result<String, IndexRefused> {
    let refused = |reason| IndexRefused { part: column.name.clone(), reason };
    let mut value = match expression::column(collection, &column.name) {
        Some(found) => found,
        None => expression::value(collection, &column.name).map_err(refused)?,
    };
    if !column.collate.is_empty() {
        value.collate = expression::collate(&column.collate).map_err(refused)?;
    }
    let Typed { sql, kind, .. } = value.collated();
    let plain = sql.starts_with('"') && sql.ends_with('"');
    // Expressions have the collation of the database unless they are told another.
    let bytes = if kind == Kind::Text && !plain { " COLLATE \"C\"" } else { "" };
    let sign = if column.sort == "DESC" { " DESC" } else { "" };
    Ok(if plain { format!("{sql}{sign}") } else { format!("({sql}){bytes}{sign}") })
}
