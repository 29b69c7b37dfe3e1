//! A collection: its fields, indexes, rules and options.
//!
//! Source: PocketBase `core/collection_model.go`, `core/collection_model_auth_options.go`.

pub(crate) mod auth_options;
mod changes;
mod create;
mod derived;
pub(crate) mod draft;
#[cfg(test)]
pub(crate) mod fixture;
mod import;
mod index;
mod json;
mod stored;
mod system;
mod templates;
mod validate;

pub use auth_options::{
    AuthAlert, AuthOptions, EmailTemplate, MappedFields, Mfa, OAuth2, OAuth2Provider, Otp,
    PasswordAuth, TokenOptions, oauth2_provider_known,
};
pub use changes::{Column, Conversion, NewIndex, Shape, TableChanges, index_failure};
pub use create::scaffolds;
pub use derived::Derived;
pub use draft::{Draft, DraftError};
pub use import::{ImportError, ImportPlan, ImportSave, Missing, import_failure, plan_import};
pub use index::{Index, IndexColumn, single_column_unique_index};
pub use stored::{CollectionRow, StoredError};
pub use system::system_collections;
pub use validate::Surroundings;

use crate::record::JsonShape;
use crate::{Field, FieldKind};

/// What kind of records a collection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionKind {
    Base,
    Auth,
    View,
}

impl CollectionKind {
    /// The kind with that name in JSON.
    pub fn parse(name: &str) -> Option<CollectionKind> {
        match name {
            "base" => Some(CollectionKind::Base),
            "auth" => Some(CollectionKind::Auth),
            "view" => Some(CollectionKind::View),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            CollectionKind::Base => "base",
            CollectionKind::Auth => "auth",
            CollectionKind::View => "view",
        }
    }
}

/// Who may do what. `None`: superusers only. Empty: everyone. Else a filter that must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    pub list: Option<String>,
    pub view: Option<String>,
    pub create: Option<String>,
    pub update: Option<String>,
    pub delete: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    pub id: String,
    pub name: String,
    pub kind: CollectionKind,
    pub system: bool,
    pub fields: Vec<Field>,
    /// `CREATE [UNIQUE] INDEX …` statements.
    pub indexes: Vec<String>,
    pub rules: Rules,
    /// `Some` exactly for auth collections.
    pub auth: Option<AuthOptions>,
    /// The SELECT of a view collection, else empty.
    pub view_query: String,
    pub created: String,
    pub updated: String,
    /// How records of this collection look as JSON.
    pub json_shape: Derived<JsonShape>,
}

impl Collection {
    /// Index into `fields` (and into the values of its records) of the field called `name`.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.field_index(name).map(|index| &self.fields[index])
    }

    /// Whether a relation field points to the collection with that id.
    pub fn refers_to(&self, collection_id: &str) -> bool {
        let points_there = |field: &Field| match &field.kind {
            FieldKind::Relation { collection_id: id, .. } => id == collection_id,
            _ => false,
        };
        self.fields.iter().any(points_there)
    }

    pub fn field_by_id(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }
}
