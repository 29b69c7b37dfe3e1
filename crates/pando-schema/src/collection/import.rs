//! Plans the import of a list of collections.
//!
//! Source: PocketBase `core/collection_import.go`, `apis/collection_import.go`.

use std::sync::Arc;

use rand::RngCore;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::collection::draft::{Draft, DraftError};
use crate::collection::validate::Surroundings;
use crate::field::list::add_field;
use crate::load::Malformed;
use crate::value::text_of;
use crate::{Collection, CollectionKind, Field, Problem, Problems, Schema};

/// What an import does, in this order: delete, save, then check what was saved.
#[derive(Debug, Clone)]
pub struct ImportPlan {
    pub deletes: Vec<Arc<Collection>>,
    pub saves: Vec<ImportSave>,
}

/// A collection to save. It is checked afterwards, since collections may refer to each other.
#[derive(Debug, Clone)]
pub struct ImportSave {
    pub draft: Draft,
    /// What the save changes; `None` for a new collection.
    pub original: Option<Arc<Collection>>,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum ImportError {
    #[error("no collections to import")]
    Empty,
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// An entry renames the id of a collection that it found by name.
    #[error("sql: no rows in result set")]
    NoSuchId,
}

impl ImportError {
    /// The error response's data.
    pub fn problems(&self) -> Problems {
        import_failure(&self.to_string())
    }
}

/// The error response's data for an import that the database refused.
pub fn import_failure(raw_error: &str) -> Problems {
    failure(format!("Failed to import the collections configuration. Raw error:\n{raw_error}"))
}

fn failure(message: String) -> Problems {
    let mut problems = Problems::default();
    problems.add("collections", Problem::new("validation_collections_import_failure", message));
    problems
}

/// Plans to import `input` on top of `schema`. With `delete_missing`, collections and fields that
/// `input` does not have go, except for those of the system. `now` is in PocketBase's date format.
pub fn plan_import(
    schema: &Schema,
    input: Vec<Map<String, Value>>,
    missing: Missing,
    now: &str,
    rng: &mut dyn RngCore,
) -> Result<ImportPlan, ImportError> {
    if input.is_empty() {
        return Err(ImportError::Empty);
    }
    let mut saves = Vec::with_capacity(input.len());
    for entry in input {
        saves.push(load(schema, entry, missing, rng)?);
    }
    let deletes = match missing {
        Missing::Keep => Vec::new(),
        Missing::Delete => deletes(schema, &saves),
    };
    // Views come last: their queries may need the others.
    saves.sort_by(|one, other| order(&one.draft.collection).cmp(&order(&other.draft.collection)));

    let mut working: Vec<Arc<Collection>> = schema
        .iter()
        .filter(|kept| !deletes.iter().any(|gone| gone.id == kept.id))
        .cloned()
        .collect();
    for save in &mut saves {
        let around = Schema::new(working.iter().cloned());
        save.draft.prepare(save.original.as_deref(), &around, now).map_err(
            |error| match error {
                DraftError::Kind(malformed) | DraftError::Body(malformed) => malformed.into(),
                DraftError::NoSuchId => ImportError::NoSuchId,
            },
        )?;
        save.draft.collection.settle(save.original.as_deref(), rng);
        let saved = &save.draft.collection;
        working.retain(|other| other.id != saved.id);
        working.push(Arc::new(saved.clone()));
    }
    Ok(ImportPlan { deletes, saves })
}

/// What becomes of collections and fields that an import does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Keep,
    Delete,
}

fn order(collection: &Collection) -> (bool, &str, &str) {
    (collection.kind == CollectionKind::View, &collection.created, &collection.updated)
}

fn deletes(schema: &Schema, saves: &[ImportSave]) -> Vec<Arc<Collection>> {
    let imported = |id: &str| saves.iter().any(|save| save.draft.collection.id == id);
    let mut deletes: Vec<_> =
        schema.iter().filter(|old| !old.system && !imported(&old.id)).cloned().collect();
    deletes.sort_by(|one, other| one.updated.cmp(&other.updated));
    deletes
}

fn load(
    schema: &Schema,
    mut entry: Map<String, Value>,
    missing: Missing,
    rng: &mut dyn RngCore,
) -> Result<ImportSave, ImportError> {
    let text = |key: &str| entry.get(key).map(text_of).unwrap_or_default();
    let mut identifier = text("id");
    if identifier.is_empty() {
        identifier = text("name");
    }
    let Some(existing) = schema.find(&identifier) else {
        return Ok(ImportSave { draft: Draft::imported(&entry, rng)?, original: None });
    };
    if missing == Missing::Delete && entry.get("fields").is_none_or(Value::is_null) {
        entry.insert("fields".to_owned(), Value::Array(Vec::new()));
    }
    let mut draft = Draft::update(existing, &entry).map_err(|error| match error {
        DraftError::Kind(malformed) | DraftError::Body(malformed) => {
            ImportError::Malformed(malformed)
        }
        DraftError::NoSuchId => ImportError::NoSuchId,
    })?;
    for field in &existing.fields {
        if field.system || missing == Missing::Keep {
            keep_field(&mut draft.collection, field);
        }
    }
    Ok(ImportSave { draft, original: Some(Arc::clone(existing)) })
}

/// Makes sure that an existing field stays. An imported one of its name and kind but another id
/// gives way to it, so that the column is not taken for a new one.
fn keep_field(collection: &mut Collection, field: &Field) {
    if collection.field_by_id(&field.id).is_some() {
        return;
    }
    let namesake = collection.fields.iter_mut().find(|other| other.name == field.name);
    if let Some(namesake) = namesake
        && namesake.kind.type_name() == field.kind.type_name()
    {
        namesake.id.clone_from(&field.id);
    }
    add_field(&mut collection.fields, field.clone());
}

impl ImportSave {
    /// Checks the collection after all of the import were saved; `around` must know them all.
    /// Fails with the error response's data.
    pub fn check(&self, around: &Surroundings<'_>, rng: &mut dyn RngCore) -> Result<(), Problems> {
        let collection = &self.draft.collection;
        let original = self.original.as_deref().unwrap_or(collection);
        let problems = self.draft.problems(Some(original), Some(collection), around, rng);
        if problems.is_empty() {
            return Ok(());
        }
        let messages = Value::Object(problems.messages());
        let messages = format!("{messages:#}");
        let (name, id) = (&collection.name, &collection.id);
        Err(failure(format!("Data validations failed for collection {name:?} ({id}):\n{messages}")))
    }
}

#[cfg(test)]
mod tests;
