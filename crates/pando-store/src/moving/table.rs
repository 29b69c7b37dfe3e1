//! The tables that move: those of collections, and the two that describe collections and settings.
//!
//! A row has one form on both sides, its image: the cells of the table at the target, in their
//! binary form and in the order of [`Table::target_columns`]. Rows are equal if their images are.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use pando_schema::{Collection, CollectionKind, SqlValue};

use super::cells::{self, Kind};
use super::error::{MoveError, Obstacle};
use crate::postgres::ddl;

/// What the change log calls the two system tables. No collection has such an id.
pub(super) const PARAMS: &str = ":params";
pub(super) const COLLECTIONS: &str = ":collections";

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    /// What the change log calls it: the id of the collection, which outlives its name.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// `None` for a system table.
    pub(super) collection: Option<Arc<Collection>>,
}

impl Table {
    /// The table of a collection; a view has none.
    pub(super) fn of(collection: &Arc<Collection>) -> Option<Table> {
        let column = |field: &pando_schema::Field| Column {
            name: field.name.clone(),
            kind: Kind::Field(Box::new(field.clone())),
        };
        (collection.kind != CollectionKind::View).then(|| Table {
            key: collection.id.clone(),
            name: collection.name.clone(),
            columns: collection.fields.iter().map(column).collect(),
            collection: Some(Arc::clone(collection)),
        })
    }

    /// The tables of settings and collections.
    pub(super) fn system() -> [Table; 2] {
        let table = |key: &str, name: &str, columns: &[&str]| Table {
            key: key.to_owned(),
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|&name| Column {
                    name: name.to_owned(),
                    kind: if name == "system" { Kind::Bool } else { Kind::Text },
                })
                .collect(),
            collection: None,
        };
        [
            table(PARAMS, "_params", &["id", "value", "created", "updated"]),
            table(COLLECTIONS, "_collections", &crate::collections::COLUMNS),
        ]
    }

    /// Where the id is among the columns.
    pub(super) fn id_index(&self) -> usize {
        self.columns.iter().position(|column| column.name == "id").unwrap_or(0)
    }

    /// Whether rows have a bucket.
    pub(super) fn bucketed(&self) -> bool {
        self.collection.is_some()
    }

    /// Reads the table in SQLite: the rowid, then the columns.
    pub(super) fn source_select(&self) -> String {
        let mut text = "SELECT `_rowid_`".to_owned();
        for column in &self.columns {
            // Writing into a String cannot fail.
            let _ = write!(text, ", {}", lite(&column.name));
        }
        let _ = write!(text, " FROM {}", lite(&self.name));
        text
    }

    /// Names of the columns at the target: those of the image.
    pub(super) fn target_columns(&self) -> String {
        let own = if self.bucketed() { "\"_b\", \"_n\"" } else { "\"_n\"" };
        let columns = self.columns.iter().map(|column| ddl::quoted(&column.name));
        std::iter::once(own.to_owned()).chain(columns).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn target_name(&self) -> String {
        ddl::quoted(&self.name)
    }

    /// Where the first column stands in the image.
    pub(super) fn image_offset(&self) -> usize {
        if self.bucketed() { 2 } else { 1 }
    }

    /// Cells of an image.
    pub(super) fn image_width(&self) -> usize {
        self.image_offset() + self.columns.len()
    }

    /// Appends the image of a row that [`Table::source_select`] read. Returns its id.
    pub(super) fn image(
        &self,
        row: &rusqlite::Row<'_>,
        out: &mut BytesMut,
    ) -> Result<String, MoveError> {
        let id = self.id(row)?;
        if self.bucketed() {
            out.put_i32(2);
            out.put_u16(pando_filter::bucket(&id));
        }
        out.put_i32(8);
        out.put_i64(row.get(0)?);
        for (index, column) in self.columns.iter().enumerate() {
            let stored = column.kind.stored(row.get_ref(index + 1)?);
            let stored = stored.map_err(|obstacle| self.unstorable(column, &id, obstacle))?;
            cells::put(&stored, out);
        }
        Ok(id)
    }

    fn id(&self, row: &rusqlite::Row<'_>) -> Result<String, MoveError> {
        let index = self.id_index();
        match self.columns[index].kind.stored(row.get_ref(index + 1)?) {
            Ok(SqlValue::Text(id)) => Ok(id),
            Ok(_) => Ok(String::new()),
            Err(obstacle) => Err(self.unstorable(&self.columns[index], "?", obstacle)),
        }
    }

    fn unstorable(&self, column: &Column, id: &str, obstacle: Obstacle) -> MoveError {
        MoveError::Unstorable {
            collection: self.name.clone(),
            field: column.name.clone(),
            id: id.to_owned(),
            obstacle,
        }
    }

    /// All that makes the table and its indexes what they are: when it changes, what was copied
    /// does not fit any more. Fails if an index cannot be translated.
    pub(super) fn definition(&self) -> String {
        let Some(collection) = &self.collection else { return String::new() };
        let kinds = collection.fields.iter().map(|field| field.kind.type_name());
        let mut parts = ddl::create_table(collection);
        parts.extend(kinds.map(str::to_owned));
        parts.extend(collection.indexes.iter().cloned());
        parts.join("\n")
    }
}

/// A name in SQLite's quotes.
pub(super) fn lite(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
