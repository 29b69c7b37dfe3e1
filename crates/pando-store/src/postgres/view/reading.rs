//! The order in which SQLite reads rows, where that shows: in the first rows of a limit, in texts
//! put together, in the row that stands for a group.
//!
//! SQLite promises none; this is what it does with the usual queries: the first table is read in
//! the order of its rows, or along the smallest index that has all columns that are asked for. Rows
//! that are joined to it are read in their own order, unless SQLite finds them by another index
//! than that of ids, of which nothing is known here.
//!
//! Which columns are asked for is known when the whole query is written. Until then a mark stands
//! where the rows of a table must be ordered.
//!
//! Source: `where.c` of SQLite (`whereLoopAddBtree`).

use pando_schema::{Collection, Index};

use super::super::ddl::quoted;

/// On both sides of an alias where its reading order must be written. Nothing else has it: texts are
/// written without it.
pub(super) const MARK: char = '\u{2}';

/// The table of a collection that a query reads first.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) alias: String,
    columns: Vec<String>,
    /// The columns of the indexes of all rows that have nothing but columns.
    indexes: Vec<Vec<String>>,
}

impl Read {
    pub(super) fn of(collection: &Collection, alias: &str) -> Read {
        let sql = |name: &str| format!("{alias}.{}", quoted(name));
        let columns = collection.fields.iter().map(|field| sql(&field.name)).collect();
        let mut indexes = vec![vec![sql("id")]];
        indexes.extend(collection.indexes.iter().filter_map(|statement| {
            let index = Index::parse(statement);
            let columns = index.columns.iter().map(|column| {
                let plain = column.collate.is_empty() && column.sort != "DESC";
                let field = collection.field(&column.name).filter(|_| plain);
                field.map(|field| sql(&field.name))
            });
            let complete = index.valid() && index.condition.is_empty();
            columns.collect::<Option<Vec<String>>>().filter(|_| complete)
        }));
        Read { alias: alias.to_owned(), columns, indexes }
    }

    /// What stands for the order until it is known.
    pub(super) fn mark(&self) -> String {
        format!("{MARK}{}{MARK}", self.alias)
    }

    /// An index that has the rows of equal `keys` next to each other, without these.
    pub(super) fn index_of(&self, keys: &[&String]) -> Option<&[String]> {
        let serves = |index: &&Vec<String>| {
            !keys.is_empty()
                && index.len() >= keys.len()
                && keys.iter().all(|key| index[..keys.len()].contains(key))
        };
        self.indexes.iter().find(serves).map(|index| &index[keys.len()..])
    }

    fn order(&self, written: &str) -> String {
        let used: Vec<&String> =
            self.columns.iter().filter(|name| written.contains(name.as_str())).collect();
        let covers = |index: &&Vec<String>| used.iter().all(|name| index.contains(name));
        let covering = self.indexes.iter().filter(covers).min_by_key(|index| index.len());
        let mut order = covering.cloned().unwrap_or_default();
        order.push(format!("{}.\"_n\"", self.alias));
        order.join(", ")
    }
}

/// The finished query: with orders in the place of their marks.
pub(super) fn resolve(written: &str, tables: &[Read]) -> String {
    let mut parts = written.split(MARK);
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    while let (Some(alias), Some(rest)) = (parts.next(), parts.next()) {
        if let Some(table) = tables.iter().find(|table| table.alias == alias) {
            resolved.push_str(&table.order(written));
        }
        resolved.push_str(rest);
    }
    resolved
}
