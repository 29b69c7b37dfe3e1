//! Tells what must happen to the table of a collection when the collection changes.
//!
//! Columns follow their field by its id, so that a renamed field keeps its values.
//!
//! Source: PocketBase `core/collection_record_table_sync.go`.

use crate::collection::index::{Index, same_text};
use crate::collection::validate::invalid_expression;
use crate::{Collection, CollectionKind, Field, Problem, ProblemTree, Problems};

/// The steps from one table to the next, in the order of the members.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableChanges {
    /// Names of indexes to drop (`IF EXISTS`) before anything else.
    pub dropped_indexes: Vec<String>,
    /// Old and new name of the table.
    pub renamed_table: Option<(String, String)>,
    /// Names of columns.
    pub dropped_columns: Vec<String>,
    /// New columns and the renamed ones below may swap names with each other: first give all
    /// of them temporary names, then the final ones.
    pub added_columns: Vec<Column>,
    /// Old and new name.
    pub renamed_columns: Vec<(String, String)>,
    /// Columns whose values change between one text and a list.
    pub conversions: Vec<Conversion>,
    pub created_indexes: Vec<NewIndex>,
}

/// A column and its definition in SQLite.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub definition: &'static str,
}

/// A column that must be made anew, its values converted.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    pub column: Column,
    pub to: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The last entry of the list, or empty.
    Single,
    /// A list of the one text, or empty.
    List,
}

/// An index to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewIndex {
    /// Its place in the collection's list, under which a failure is reported.
    pub position: usize,
    pub name: String,
    pub statement: String,
}

impl TableChanges {
    pub fn is_empty(&self) -> bool {
        *self == TableChanges::default()
    }
}

impl Collection {
    /// The columns of a new table, in PocketBase's order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = self.fields.iter().map(column).collect();
        columns.sort_by(|one, other| one.name.cmp(&other.name));
        columns
    }

    /// The indexes of a new table. Fails with the invalid ones.
    pub fn new_indexes(&self) -> Result<Vec<NewIndex>, Problems> {
        if self.kind == CollectionKind::View {
            return Ok(Vec::new());
        }
        let mut indexes = Vec::new();
        let mut invalid = Problems::default();
        for (position, statement) in self.indexes.iter().enumerate() {
            let mut index = Index::parse(statement);
            index.table_name.clone_from(&self.name);
            if index.valid() {
                let statement = index.build();
                indexes.push(NewIndex { position, name: index.index_name, statement });
            } else {
                invalid.add(position.to_string(), invalid_expression());
            }
        }
        let mut problems = Problems::default();
        problems.add_parts("indexes", invalid);
        problems.into_result()?;
        Ok(indexes)
    }

    /// What must happen to the table of `old` to become this collection's. Views have none.
    pub fn changes_from(&self, old: &Collection) -> Result<TableChanges, Problems> {
        let mut changes = TableChanges::default();
        if self.kind == CollectionKind::View {
            return Ok(changes);
        }
        let renamed = !same_text(&old.name, &self.name);
        if renamed {
            changes.renamed_table = Some((old.name.clone(), self.name.clone()));
        }
        if renamed || old.fields != self.fields || old.indexes != self.indexes {
            changes.dropped_indexes = old.index_names();
            changes.created_indexes = self.new_indexes()?;
        }
        let gone = |field: &&Field| self.field_by_id(&field.id).is_none();
        changes.dropped_columns =
            old.fields.iter().filter(gone).map(|field| field.name.clone()).collect();
        for field in &self.fields {
            let before = old.field_by_id(&field.id);
            match before {
                None => changes.added_columns.push(column(field)),
                Some(before) if before.name != field.name => {
                    changes.renamed_columns.push((before.name.clone(), field.name.clone()));
                }
                Some(_) => {}
            }
            // A new column starts empty; its definition is right from the start.
            if let Some(before) = before
                && before.multiple() != field.multiple()
            {
                let to = if field.multiple() { Shape::List } else { Shape::Single };
                changes.conversions.push(Conversion { column: column(field), to });
            }
        }
        Ok(changes)
    }

    fn index_names(&self) -> Vec<String> {
        let names = self.indexes.iter().map(|statement| Index::parse(statement).index_name);
        names.filter(|name| !name.is_empty()).collect()
    }
}

fn column(field: &Field) -> Column {
    Column { name: field.name.clone(), definition: field.column_definition() }
}

/// The problem of an index that the database refused with `message`.
pub fn index_failure(index: &NewIndex, message: &str) -> Problems {
    let problem = Problem::new(
        "validation_invalid_index_expression",
        format!("Failed to create index {} - {message}.", index.name),
    );
    let mut parts = Problems::default();
    parts.add(index.position.to_string(), problem);
    let mut problems = Problems::default();
    problems.add_result("indexes", Err(ProblemTree::Parts(parts)));
    problems
}

#[cfg(test)]
mod tests;
