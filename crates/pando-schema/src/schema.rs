//! All collections at one moment: an immutable snapshot that requests share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Collection, Field, FieldKind};

/// All collections, by id and by lower-cased name (PocketBase finds them without regard to case).
#[derive(Debug, Clone, Default)]
pub struct Schema {
    by_id: BTreeMap<String, Arc<Collection>>,
    by_name: BTreeMap<String, Arc<Collection>>,
}

impl Schema {
    pub fn new(collections: impl IntoIterator<Item = Arc<Collection>>) -> Schema {
        let mut schema = Schema::default();
        for collection in collections {
            schema.by_name.insert(collection.name.to_lowercase(), Arc::clone(&collection));
            schema.by_id.insert(collection.id.clone(), collection);
        }
        schema
    }

    /// The collection with that id or else that name.
    pub fn find(&self, name_or_id: &str) -> Option<&Arc<Collection>> {
        self.by_id.get(name_or_id).or_else(|| self.by_name.get(&name_or_id.to_lowercase()))
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Collection>> {
        self.by_id.get(id)
    }

    /// The collection with that name, without regard to case.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Collection>> {
        self.by_name.get(&name.to_lowercase())
    }

    /// The collections with relation fields to the collection with that id, itself included.
    pub fn references(&self, collection_id: &str) -> impl Iterator<Item = &Arc<Collection>> {
        self.iter().filter(move |collection| collection.refers_to(collection_id))
    }

    /// Other collections with a relation field that leads to the collection with `id`.
    pub fn referrers<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Arc<Collection>> {
        let refers = move |field: &Field| matches!(&field.kind, FieldKind::Relation { collection_id, .. } if collection_id == id);
        self.iter().filter(move |other| other.id != id && other.fields.iter().any(refers))
    }

    /// All collections, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Collection>> {
        self.by_id.values()
    }
}

#[cfg(test)]
mod tests;
