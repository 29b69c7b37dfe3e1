//! A record: the values of one row of a collection, and everything about them that is pure.
//!
//! The life of a write: [`Upsert`] loads a request into a record, `Upsert::check` and
//! [`validate()`] judge it, `Record::fill_new` and `Record::fill_dates` complete it, the caller
//! hashes `Record::plain_passwords`, and the store runs the [`StoreCheck`]s and writes the row.
//!
//! Source: PocketBase `core/record_model.go`, `forms/record_upsert.go`.

mod fill;
mod json;
mod set;
mod upsert;
mod validate;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::{Collection, FieldKind, Value};

pub use json::JsonShape;
pub use upsert::{Access, Upsert};
pub(crate) use validate::url_host;
pub use validate::{StoreCheck, check_text, email_valid, unique_problems, validate};

/// A file that a request brought, before it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFile {
    /// The unique name that it will be stored under.
    pub name: String,
    /// The name that the client gave.
    pub original_name: String,
    pub size_bytes: u64,
    /// The MIME type found by looking at the content.
    pub mime: String,
}

/// One record. `values` has one entry per field of the collection, in the same order.
#[derive(Debug, Clone)]
pub struct Record {
    pub collection: Arc<Collection>,
    pub values: Vec<Value>,
    /// Files that came with the request; their names are in the values of their fields.
    pub new_files: Vec<NewFile>,
    /// Related records that the response shows, by expand path segment. `None` if none were asked
    /// for; then the response does not speak of them at all.
    pub expand: Option<IndexMap<String, Expanded>>,
    /// Whether the viewer may see the e-mail address despite `emailVisibility`.
    pub email_shown: bool,
    /// Whether the viewer may see hidden fields (superusers).
    pub hidden_shown: bool,
    /// Passwords that are set but not hashed yet, by index of their field.
    pending_passwords: Vec<(usize, String)>,
}

/// What one expanded relation shows.
#[derive(Debug, Clone)]
pub enum Expanded {
    One(Box<Record>),
    Many(Vec<Record>),
}

/// A password that waits for its hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlainPassword<'a> {
    pub field_index: usize,
    pub plain: &'a str,
    /// The cost for bcrypt.
    pub cost: u32,
}

/// What bcrypt reads of a password.
const PASSWORD_BYTES_MAX: usize = 72;

/// bcrypt's cost where the field names none.
const COST_DEFAULT: u32 = 10;

impl Record {
    /// An empty record: each field holds its zero value.
    pub fn new(collection: Arc<Collection>) -> Record {
        let values = collection.fields.iter().map(Value::zero).collect();
        Record::from_values(collection, values)
    }

    /// A record as it was read from the store. `values` must fit the fields one to one.
    pub fn from_values(collection: Arc<Collection>, values: Vec<Value>) -> Record {
        assert_eq!(values.len(), collection.fields.len(), "one value per field");
        Record {
            collection,
            values,
            new_files: Vec::new(),
            expand: None,
            email_shown: false,
            hidden_shown: false,
            pending_passwords: Vec::new(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.collection.field_index(name).map(|index| &self.values[index])
    }

    /// The text of a text-like field, empty if there is no such field.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The state of a bool field, false if there is no such field.
    pub fn bool(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Replaces a value by one of the same kind, without conversion.
    pub fn put(&mut self, name: &str, value: Value) {
        if let Some(index) = self.collection.field_index(name) {
            self.values[index] = value;
        }
    }

    /// The passwords to hash before this record can be stored.
    pub fn plain_passwords(&self) -> impl Iterator<Item = PlainPassword<'_>> {
        self.pending_passwords.iter().map(|(field_index, plain)| PlainPassword {
            field_index: *field_index,
            plain,
            cost: match &self.collection.fields[*field_index].kind {
                FieldKind::Password { cost, .. } if *cost > 0 => {
                    u32::try_from(*cost).unwrap_or(COST_DEFAULT)
                }
                _ => COST_DEFAULT,
            },
        })
    }

    /// Stores the hash of a pending password, which is then forgotten.
    pub fn put_password_hash(&mut self, field_index: usize, hash: String) {
        self.pending_passwords.retain(|(index, _)| *index != field_index);
        self.values[field_index] = Value::Text(hash);
    }

    /// The password of a field, if it was set and not hashed yet.
    pub fn plain_password(&self, field_index: usize) -> Option<&str> {
        let mut pending = self.pending_passwords.iter();
        pending.find(|(index, _)| *index == field_index).map(|(_, plain)| plain.as_str())
    }

    /// Whether a pending password is longer than bcrypt takes. `validate` reports that too, but
    /// PocketBase fails before that, without naming the field, where a create rule is checked.
    pub fn password_too_long(&self) -> bool {
        self.pending_passwords.iter().any(|(_, plain)| plain.len() > PASSWORD_BYTES_MAX)
    }

    /// The names of all files of this record, for deletion along with it.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        let fields = self.collection.fields.iter().zip(&self.values);
        fields
            .filter(|(field, _)| matches!(field.kind, FieldKind::File { .. }))
            .flat_map(|(_, value)| value.entries().iter().map(String::as_str))
    }
}

/// The stored files that `old` has and `new` no longer does: to delete after the commit.
pub fn files_removed(old: &Record, new: &Record) -> Vec<String> {
    let mut removed = Vec::new();
    let fields = old.collection.fields.iter().zip(&old.values).zip(&new.values);
    for ((field, old_value), new_value) in fields {
        if matches!(field.kind, FieldKind::File { .. }) {
            let kept = new_value.entries();
            removed.extend(old_value.entries().iter().filter(|name| !kept.contains(name)).cloned());
        }
    }
    removed
}

#[cfg(test)]
pub(crate) mod tests;
