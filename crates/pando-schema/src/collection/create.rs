//! New collections: default id, system fields, their indexes, default options.
//!
//! Source: PocketBase `core/collection_model.go` (`NewCollection`, `init…Field`).

use rand::RngCore;

use crate::collection::index::single_column_unique_index;
use crate::field::list::{add_field, collect_fields, crc32};
use crate::random::{LOWER_ALPHANUMERIC, random_text_of};
use crate::{AuthOptions, Collection, CollectionKind, Derived, Field, FieldKind, Rules};

/// What ids of records look like, unless the owner of a collection changes it.
const RECORD_ID_PATTERN: &str = "^[a-z0-9]+$";
const RECORD_ID_LENGTH: i64 = 15;
const INDEX_NAME_LENGTH_MAX: usize = 64;

impl Collection {
    /// A new collection with its system fields and default options. An empty `id` is replaced by
    /// the one that PocketBase makes from kind and name.
    pub fn new(kind: CollectionKind, name: &str, id: &str, rng: &mut dyn RngCore) -> Collection {
        let mut collection = Collection::bare(kind, name, id);
        if id.is_empty() {
            collection.id = default_id(kind, name);
        }
        collection.add_system_fields();
        if kind == CollectionKind::Auth {
            collection.auth = Some(AuthOptions::initial(rng));
        }
        collection
    }

    /// A table that is not a collection, as queries see it: like a collection of the system with
    /// these columns, each a name and a type of field.
    ///
    /// # Panics
    ///
    /// If there is no such type.
    pub fn of_table(name: &str, columns: &[(&str, &str)]) -> Collection {
        let field = |(name, type_name): &(&str, &str)| Field {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            system: true,
            hidden: false,
            presentable: false,
            help: String::new(),
            kind: FieldKind::blank(type_name).expect("a type of field"),
        };
        let fields = columns.iter().map(field).collect();
        Collection { system: true, fields, ..Collection::bare(CollectionKind::Base, name, name) }
    }

    /// One without fields and everything else.
    fn bare(kind: CollectionKind, name: &str, id: &str) -> Collection {
        Collection {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            system: false,
            fields: Vec::new(),
            indexes: Vec::new(),
            rules: Rules::default(),
            auth: None,
            view_query: String::new(),
            created: String::new(),
            updated: String::new(),
            json_shape: Derived::default(),
        }
    }

    /// Adds the fields and indexes that every collection of this kind has, and enforces their
    /// flags where they exist.
    pub(super) fn add_system_fields(&mut self) {
        match self.kind {
            CollectionKind::View => {}
            CollectionKind::Base => self.add_id_field(),
            CollectionKind::Auth => {
                self.add_id_field();
                self.add_password_field();
                self.add_token_key_field();
                self.add_email_field();
                self.add_flag_field("emailVisibility");
                self.add_flag_field("verified");
            }
        }
    }

    fn add_id_field(&mut self) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == "id")
            && let FieldKind::Text { pattern, primary_key, required, .. } = &mut field.kind
        {
            field.system = true;
            field.hidden = false;
            *required = true;
            *primary_key = true;
            if pattern.is_empty() {
                RECORD_ID_PATTERN.clone_into(pattern);
            }
            return;
        }
        let kind = FieldKind::Text {
            min: RECORD_ID_LENGTH,
            max: RECORD_ID_LENGTH,
            pattern: RECORD_ID_PATTERN.to_owned(),
            autogenerate_pattern: "[a-z0-9]{15}".to_owned(),
            primary_key: true,
            required: true,
        };
        let first = Field { system: true, ..Field::new("id", kind) };
        let rest = std::mem::take(&mut self.fields);
        self.fields = collect_fields(std::iter::once(first).chain(rest));
    }

    fn add_password_field(&mut self) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == "password")
            && let FieldKind::Password { required, .. } = &mut field.kind
        {
            *required = true;
            (field.system, field.hidden) = (true, true);
            return;
        }
        let kind =
            FieldKind::Password { pattern: String::new(), min: 8, max: 0, cost: 0, required: true };
        let field = Field { system: true, hidden: true, ..Field::new("password", kind) };
        add_field(&mut self.fields, field);
    }

    fn add_token_key_field(&mut self) {
        let existing = self.fields.iter_mut().find(|field| field.name == "tokenKey");
        if let Some(field) = existing
            && let FieldKind::Text { required, .. } = &mut field.kind
        {
            *required = true;
            (field.system, field.hidden) = (true, true);
        } else {
            let kind = FieldKind::Text {
                min: 30,
                max: 60,
                pattern: String::new(),
                autogenerate_pattern: "[a-zA-Z0-9]{50}".to_owned(),
                primary_key: false,
                required: true,
            };
            let field = Field { system: true, hidden: true, ..Field::new("tokenKey", kind) };
            add_field(&mut self.fields, field);
        }
        self.add_unique_index("tokenKey", "");
    }

    fn add_email_field(&mut self) {
        let existing = self.fields.iter_mut().find(|field| field.name == "email");
        if let Some(field) = existing
            && matches!(field.kind, FieldKind::Email { .. })
        {
            // Who sees an address is up to its owner (`emailVisibility`), not to the field.
            (field.system, field.hidden) = (true, false);
        } else {
            let kind = FieldKind::Email {
                except_domains: Vec::new(),
                only_domains: Vec::new(),
                required: true,
            };
            add_field(&mut self.fields, Field { system: true, ..Field::new("email", kind) });
        }
        self.add_unique_index("email", " WHERE `email` != ''");
    }

    fn add_flag_field(&mut self, name: &str) {
        let existing = self.fields.iter_mut().find(|field| field.name == name);
        if let Some(field) = existing
            && matches!(field.kind, FieldKind::Bool { .. })
        {
            field.system = true;
            return;
        }
        let field = Field { system: true, ..Field::new(name, FieldKind::Bool { required: false }) };
        add_field(&mut self.fields, field);
    }

    fn add_unique_index(&mut self, column: &str, condition: &str) {
        if single_column_unique_index(&self.indexes, column).is_some() {
            return;
        }
        let owner = if self.id.is_empty() { &self.name } else { &self.id };
        let name = truncated(&format!("idx_{column}_{owner}"), INDEX_NAME_LENGTH_MAX).to_owned();
        self.indexes.push(format!(
            "CREATE UNIQUE INDEX `{name}` ON `{}` (`{column}`){condition}",
            self.name
        ));
    }
}

/// The id that a collection gets which brings none.
pub(super) fn default_id(kind: CollectionKind, name: &str) -> String {
    format!("pbc_{}", crc32(&format!("{}{name}", kind.name())))
}

/// The first `length_max` bytes, or fewer to keep the last character whole.
fn truncated(text: &str, length_max: usize) -> &str {
    &text[..text.floor_char_boundary(length_max)]
}

/// Empty collections of each kind, for a form that creates one (auth, base, view).
pub fn scaffolds(rng: &mut dyn RngCore) -> [Collection; 3] {
    // Names of default indexes need an id although a scaffold has none.
    let id = random_text_of(rng, 10, LOWER_ALPHANUMERIC);
    [CollectionKind::Auth, CollectionKind::Base, CollectionKind::View].map(|kind| {
        let mut collection = Collection::new(kind, "", &id, rng);
        collection.id.clear();
        collection
    })
}
