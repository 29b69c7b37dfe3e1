//! A collection as a request describes it: loaded, completed, and checked before it is saved.
//!
//! Source: PocketBase `apis/collection.go`, `core/collection_model.go` (`UnmarshalJSON`,
//! `onCollectionSave`).

use rand::RngCore;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::collection::create::default_id;
use crate::collection::index::Index;
use crate::collection::json::load_auth;
use crate::field::list::collect_fields;
use crate::load::{KeyMatch, Loader, Malformed};
use crate::{Collection, CollectionKind, Field, Schema};

/// How many numbered ids are tried for a collection whose default id is taken, as in PocketBase.
const ID_SUFFIX_MAX: u32 = 1000;

/// A collection that is not yet known to be valid.
///
/// Load it with [`Draft::create`] or [`Draft::update`], then call [`Draft::prepare`]; for a view
/// set the fields that its query gives; then [`Draft::check`].
#[derive(Debug, Clone)]
pub struct Draft {
    pub collection: Collection,
    /// A `type` that is none. The collection then counts as a base collection.
    pub(super) kind_known: bool,
    /// The id that was made up, if one was; it follows when kind or name change.
    generated_id: Option<String>,
}

/// Why a request describes no collection.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DraftError {
    /// Name or type of a new collection are no texts.
    #[error("failed to load the collection type")]
    Kind(#[source] Malformed),
    #[error("failed to load the collection")]
    Body(#[from] Malformed),
    /// An update changes the id to one that no collection has.
    #[error("failed to retrieve old cached collection: sql: no rows in result set")]
    NoSuchId,
}

impl Draft {
    /// A new collection with PocketBase's defaults, and `input` on top.
    pub fn create(input: &Map<String, Value>, rng: &mut dyn RngCore) -> Result<Draft, DraftError> {
        let (mut kind, mut name) = (String::new(), String::new());
        let loader = Loader::new(input, KeyMatch::Loose);
        loader.text("type", &mut kind).map_err(DraftError::Kind)?;
        loader.text("name", &mut name).map_err(DraftError::Kind)?;
        let mut draft = Draft::blank(&kind, &name, "", rng);
        draft.load(input)?;
        Ok(draft)
    }

    /// A new collection from an import, which may bring its own id.
    pub(super) fn imported(
        input: &Map<String, Value>,
        rng: &mut dyn RngCore,
    ) -> Result<Draft, Malformed> {
        let (mut kind, mut name, mut id) = (String::new(), String::new(), String::new());
        let loader = Loader::new(input, KeyMatch::Exact);
        loader.text("type", &mut kind)?;
        loader.text("name", &mut name)?;
        loader.text("id", &mut id)?;
        let mut draft = Draft::blank(&kind, &name, &id, rng);
        draft.load(input)?;
        Ok(draft)
    }

    /// `original` with `input` on top.
    pub fn update(original: &Collection, input: &Map<String, Value>) -> Result<Draft, DraftError> {
        let mut draft =
            Draft { collection: original.clone(), kind_known: true, generated_id: None };
        draft.load(input)?;
        Ok(draft)
    }

    fn blank(kind: &str, name: &str, id: &str, rng: &mut dyn RngCore) -> Draft {
        let kind = CollectionKind::parse(kind).unwrap_or(CollectionKind::Base);
        let collection = Collection::new(kind, name, id, rng);
        let generated_id = id.is_empty().then(|| collection.id.clone());
        Draft { collection, kind_known: true, generated_id }
    }

    fn load(&mut self, input: &Map<String, Value>) -> Result<(), Malformed> {
        let loader = Loader::new(input, KeyMatch::Exact);
        let collection = &mut self.collection;
        loader.text("id", &mut collection.id)?;
        loader.optional_text("listRule", &mut collection.rules.list)?;
        loader.optional_text("viewRule", &mut collection.rules.view)?;
        loader.optional_text("createRule", &mut collection.rules.create)?;
        loader.optional_text("updateRule", &mut collection.rules.update)?;
        loader.optional_text("deleteRule", &mut collection.rules.delete)?;
        loader.text("name", &mut collection.name)?;
        let mut kind = collection.kind.name().to_owned();
        loader.text("type", &mut kind)?;
        if let Some(fields) = loader.get("fields") {
            collection.fields = Field::list_from_json(fields, "/fields")?;
        }
        loader.texts("indexes", &mut collection.indexes)?;
        loader.date("created", &mut collection.created)?;
        loader.date("updated", &mut collection.updated)?;
        loader.flag("system", &mut collection.system)?;
        // Options of other kinds are not kept, but must have the right types.
        let mut auth = collection.auth.take().unwrap_or_default();
        load_auth(&loader, &mut auth)?;
        loader.text("viewQuery", &mut collection.view_query)?;

        self.kind_known = kind.is_empty() || CollectionKind::parse(&kind).is_some();
        collection.kind = CollectionKind::parse(&kind).unwrap_or(CollectionKind::Base);
        match collection.kind {
            CollectionKind::Base => collection.view_query.clear(),
            CollectionKind::View => {}
            CollectionKind::Auth => {
                collection.view_query.clear();
                collection.auth = Some(auth);
            }
        }
        Ok(())
    }

    /// Completes the collection: default id, ids of fields, system fields and their indexes,
    /// dates. `original` is the collection that an update changes; `now` is in PocketBase's format.
    ///
    /// Fails with `NoSuchId` if an update changes the id to an unknown one.
    pub fn prepare(
        &mut self,
        original: Option<&Collection>,
        schema: &Schema,
        now: &str,
    ) -> Result<(), DraftError> {
        if original.is_some() {
            if schema.find(&self.collection.id).is_none() {
                return Err(DraftError::NoSuchId);
            }
        } else {
            if self.collection.id.is_empty() {
                self.collection.id = default_id(self.collection.kind, &self.collection.name);
                self.generated_id = Some(self.collection.id.clone());
            }
            now.clone_into(&mut self.collection.created);
        }
        self.complete(original, schema, now);
        Ok(())
    }

    fn complete(&mut self, original: Option<&Collection>, schema: &Schema, now: &str) {
        let collection = &mut self.collection;
        now.clone_into(&mut collection.updated);
        collection.fields = collect_fields(std::mem::take(&mut collection.fields));
        if self.kind_known {
            collection.add_system_fields();
        }
        collection.unset_missing_mapped_fields();
        if original.is_none() && self.generated_id.as_deref() == Some(collection.id.as_str()) {
            collection.renew_id(schema);
            self.generated_id = Some(collection.id.clone());
        }
        collection.own_indexes();
    }
}

impl Collection {
    /// A field that is gone can no longer be filled by an OAuth2 login.
    fn unset_missing_mapped_fields(&mut self) {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        let Some(auth) = &mut self.auth else { return };
        let mapped = &mut auth.oauth2.mapped_fields;
        for name in [&mut mapped.id, &mut mapped.name, &mut mapped.username, &mut mapped.avatar_url]
        {
            if !names.contains(&name.as_str()) {
                name.clear();
            }
        }
    }

    /// Gives the collection a default id that no other has.
    fn renew_id(&mut self, schema: &Schema) {
        let base = default_id(self.kind, &self.name);
        let mut id = base.clone();
        for suffix in 2..ID_SUFFIX_MAX {
            if schema.by_id(&id).is_none() {
                break;
            }
            id = format!("{base}{suffix}");
        }
        if id == self.id {
            return;
        }
        for statement in &mut self.indexes {
            let mut index = Index::parse(statement);
            let name = index.index_name.replace(&self.id, &id);
            if name != index.index_name {
                index.index_name = name;
                *statement = index.build();
            }
        }
        self.id = id;
    }

    /// Makes the indexes be for this collection's table.
    fn own_indexes(&mut self) {
        for statement in &mut self.indexes {
            let mut index = Index::parse(statement);
            if index.table_name == self.name {
                continue;
            }
            index.table_name.clone_from(&self.name);
            let normalized = index.build();
            // An invalid one is left as it is, for the check to report.
            if !normalized.is_empty() {
                *statement = normalized;
            }
        }
    }
}

#[cfg(test)]
mod tests;
