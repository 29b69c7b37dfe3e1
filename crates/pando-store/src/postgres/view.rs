//! The queries of views, which superusers write in SQLite's language, for PostgreSQL.
//!
//! SQLite has judged a query before it comes here (see `design.rs`): what is translated is correct
//! there, and the fields of its columns are known. A query is read, each of its
//! expressions gets a type, and it is written anew. Tables and columns inside of it have names of
//! our own, so that no name of the query can collide with PostgreSQL's.
//!
//! What cannot be said in PostgreSQL with the same outcome is refused with the part that must be
//! written differently.

use std::cell::{Cell, RefCell};

use pando_schema::{Field, Schema, quote_names, single_statement};

mod aggregate;
mod call;
mod compare;
mod expression;
mod from;
mod group;
mod json;
mod output;
mod parse;
mod reading;
mod scan;
mod scope;
mod select;
mod tree;
mod typed;

#[cfg(test)]
mod tests;

use scope::refused;

/// Tables and queries that a translation reads at most: named queries are repeated wherever they
/// are read.
const SOURCES_MAX: usize = 100;

/// Bytes of a translation at most. Queries have 5,000 characters, most translations twice as many.
const BYTES_MAX: usize = 256 * 1024;

/// Why a query cannot be that of a view in PostgreSQL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{part:?} must be rewritten for PostgreSQL: {reason}")]
pub struct ViewRefused {
    /// The part of the query.
    pub part: String,
    pub reason: String,
}

/// Which order the rows of a view get if the query tells none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// Any, if it costs nothing to leave it open.
    Free,
    /// That in which SQLite mostly reads them: for a sample of the first rows.
    Read,
}

/// The query after `CREATE VIEW … AS` that has a column for each of `fields`, which are those of
/// the view of `query` in their order, in the type in which filters expect such a field.
pub fn translate(
    query: &str,
    fields: &[Field],
    schema: &Schema,
    order: RowOrder,
) -> Result<String, ViewRefused> {
    let malformed = |error: pando_schema::ViewQueryError| refused(query, error.to_string());
    let query = quote_names(single_statement(query).map_err(malformed)?).map_err(malformed)?;
    let read = parse::parse(&query)?;
    let translator = Translator {
        schema,
        text: &query,
        names: Cell::new(0),
        sources: Cell::new(0),
        named: RefCell::default(),
        reads: RefCell::default(),
    };
    let rows = match order {
        RowOrder::Free => select::Rows::Listed,
        RowOrder::Read => select::Rows::Read,
    };
    let relation = translator.query(&read, None, rows)?;
    if relation.columns.len() != fields.len() {
        let reason = format!(
            "{} columns are understood, where SQLite sees {}",
            relation.columns.len(),
            fields.len()
        );
        return Err(refused(query.as_str(), reason));
    }
    let written = output::write(&relation, fields);
    let written = reading::resolve(&written, &translator.reads.borrow());
    if written.len() > BYTES_MAX {
        return Err(refused(query.as_str(), "it would become too long"));
    }
    Ok(written)
}

/// What is the same everywhere in one query.
struct Translator<'t> {
    schema: &'t Schema,
    /// The query, to tell parts of it.
    text: &'t str,
    /// How many names were given.
    names: Cell<usize>,
    /// How many tables and queries were read.
    sources: Cell<usize>,
    /// The named queries that can be read at the moment.
    named: RefCell<Vec<tree::Named>>,
    /// The tables of collections that are read.
    reads: RefCell<Vec<reading::Read>>,
}

impl Translator<'_> {
    /// A name that nothing else has.
    fn fresh(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("t{}", self.names.get())
    }

    fn part(&self, span: &std::ops::Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or(self.text).to_owned()
    }

    fn refuse<T>(&self, expr: &tree::Expr, reason: impl Into<String>) -> Result<T, ViewRefused> {
        Err(refused(self.part(&expr.span), reason))
    }
}
