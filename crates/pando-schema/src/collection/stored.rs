//! A collection as a row of the `_collections` table, readable by PocketBase.
//!
//! Source: PocketBase `core/collection_model.go` (`DBExport`, `PostScan`).

use serde_json::{Map, Value};
use thiserror::Error;

use crate::collection::json::{Secrets, load_auth};
use crate::load::{KeyMatch, Loader, Malformed};
use crate::{AuthOptions, Collection, CollectionKind, Derived, Field, Rules};

/// The columns of a row of `_collections`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollectionRow {
    pub id: String,
    pub system: bool,
    pub kind: String,
    pub name: String,
    /// A JSON array.
    pub fields: String,
    /// A JSON array of texts.
    pub indexes: String,
    pub list_rule: Option<String>,
    pub view_rule: Option<String>,
    pub create_rule: Option<String>,
    pub update_rule: Option<String>,
    pub delete_rule: Option<String>,
    /// A JSON object.
    pub options: String,
    pub created: String,
    pub updated: String,
}

/// Why a row is no collection.
#[derive(Debug, Error)]
pub enum StoredError {
    #[error("unknown type {0:?} of a stored collection")]
    Kind(String),
    #[error("invalid JSON in a stored collection")]
    Json(#[from] serde_json::Error),
    #[error("unexpected JSON in a stored collection")]
    Malformed(#[from] Malformed),
}

impl Collection {
    pub fn from_stored(row: CollectionRow) -> Result<Collection, StoredError> {
        let Some(kind) = CollectionKind::parse(&row.kind) else {
            return Err(StoredError::Kind(row.kind));
        };
        let fields: Value = parse(&row.fields, "[]")?;
        let indexes: Option<Vec<String>> = parse(&row.indexes, "[]")?;
        let options: Option<Map<String, Value>> = parse(&row.options, "{}")?;
        let options = options.unwrap_or_default();
        let loader = Loader::new(&options, KeyMatch::Exact);
        let mut view_query = String::new();
        let mut auth = None;
        match kind {
            CollectionKind::Base => {}
            CollectionKind::View => loader.text("viewQuery", &mut view_query)?,
            CollectionKind::Auth => load_auth(&loader, auth.insert(AuthOptions::default()))?,
        }
        Ok(Collection {
            id: row.id,
            name: row.name,
            kind,
            system: row.system,
            fields: Field::list_from_json(&fields, "/fields")?,
            indexes: indexes.unwrap_or_default(),
            rules: Rules {
                list: row.list_rule,
                view: row.view_rule,
                create: row.create_rule,
                update: row.update_rule,
                delete: row.delete_rule,
            },
            auth,
            view_query,
            created: row.created,
            updated: row.updated,
            json_shape: Derived::default(),
        })
    }

    pub fn to_stored(&self) -> CollectionRow {
        let fields: Value = self.fields.iter().map(Field::to_json).collect();
        CollectionRow {
            id: self.id.clone(),
            system: self.system,
            kind: self.kind.name().to_owned(),
            name: self.name.clone(),
            fields: fields.to_string(),
            indexes: Value::from(self.indexes.clone()).to_string(),
            list_rule: self.rules.list.clone(),
            view_rule: self.rules.view.clone(),
            create_rule: self.rules.create.clone(),
            update_rule: self.rules.update.clone(),
            delete_rule: self.rules.delete.clone(),
            options: Value::Object(self.options_json(Secrets::Shown)).to_string(),
            created: self.created.clone(),
            updated: self.updated.clone(),
        }
    }
}

/// Rows written by hand may have empty columns.
fn parse<T: serde::de::DeserializeOwned>(
    text: &str,
    default: &str,
) -> Result<T, serde_json::Error> {
    serde_json::from_str(if text.is_empty() { default } else { text })
}
