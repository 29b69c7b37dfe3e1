//! Checks the indexes of a collection.

use std::collections::BTreeSet;

use super::Check;
use crate::check::naming;
use crate::collection::index::{Index, same_text, single_column_unique_index};
use crate::{Collection, CollectionKind, Problem, ProblemTree, Problems};

type Found = Result<(), ProblemTree>;

/// Stands for names that do not matter when definitions are compared.
const ANY_NAME: &str = "validator";

impl Check<'_> {
    pub(super) fn indexes(&self) -> Found {
        if self.new.kind == CollectionKind::View && !self.new.indexes.is_empty() {
            let message = "View collections don't support indexes.";
            return Err(Problem::new("validation_indexes_not_supported", message).into());
        }
        self.each_index()?;
        if let Some(original) = self.original {
            self.kept_unique_indexes(original)?;
        }
        if self.new.kind == CollectionKind::Auth {
            for name in ["tokenKey", "email"] {
                if single_column_unique_index(&self.new.indexes, name).is_none() {
                    return Err(naming(
                        "validation_missing_required_unique_index",
                        format!(r#"Missing required unique index for field "{name}"."#),
                        "fieldName",
                        name,
                    )
                    .into());
                }
            }
        }
        Ok(())
    }

    fn each_index(&self) -> Found {
        let mut names = BTreeSet::new();
        let mut definitions = BTreeSet::new();
        for (position, statement) in self.new.indexes.iter().enumerate() {
            let mut index = Index::parse(statement);
            // The table follows from the collection, whatever the statement says.
            ANY_NAME.clone_into(&mut index.table_name);
            let problem = if !index.valid() {
                invalid_expression()
            } else if !names.insert(index.index_name.to_lowercase()) {
                Problem::new("validation_duplicated_index_name", "The index name already exists.")
            } else if let Some(table) = self.foreign_table(&index.index_name) {
                naming(
                    "validation_existing_index_name",
                    format!("The index name is already used in {table} collection."),
                    "usedTableName",
                    table,
                )
            } else {
                ANY_NAME.clone_into(&mut index.schema_name);
                ANY_NAME.clone_into(&mut index.index_name);
                if definitions.insert(index.build()) {
                    continue;
                }
                Problem::new(
                    "validation_duplicated_index_definition",
                    "The index definition already exists.",
                )
            };
            let mut parts = Problems::default();
            parts.add(position.to_string(), problem);
            return Err(parts.into());
        }
        Ok(())
    }

    fn foreign_table(&self, index_name: &str) -> Option<String> {
        (self.around.index_table)(index_name).filter(|table| !self.own_table(table))
    }

    /// What makes values of a system field unique must stay.
    fn kept_unique_indexes(&self, original: &Collection) -> Found {
        for statement in &original.indexes {
            let old = Index::parse(statement);
            let system_field = old.columns.iter().find_map(|column| {
                original
                    .fields
                    .iter()
                    .find(|field| field.system && same_text(&field.name, &column.name))
            });
            let Some(field) = system_field.filter(|_| old.unique) else { continue };
            let wanted = comparable(old);
            let kept = |statement: &String| comparable(Index::parse(statement)) == wanted;
            if !self.new.indexes.iter().any(kept) {
                return Err(naming(
                    "validation_invalid_unique_system_field_index",
                    format!(
                        "Unique index definition on system fields ({}) is invalid or missing.",
                        field.name
                    ),
                    "fieldName",
                    field.name.as_str(),
                )
                .into());
            }
        }
        Ok(())
    }
}

/// The index without what does not matter for uniqueness: names, order, condition.
fn comparable(mut index: Index) -> String {
    for column in &mut index.columns {
        column.collate.clear();
        column.sort.clear();
    }
    ANY_NAME.clone_into(&mut index.schema_name);
    ANY_NAME.clone_into(&mut index.index_name);
    ANY_NAME.clone_into(&mut index.table_name);
    index.condition.clear();
    index.build()
}

pub(crate) fn invalid_expression() -> Problem {
    Problem::new("validation_invalid_index_expression", "Invalid CREATE INDEX expression.")
}
