//! A request to create or update a record: who may set what.
//!
//! Source: PocketBase `forms/record_upsert.go`, `apis/record_crud.go` (`recordDataFromRequest`),
//! `core/record_model.go` (`ReplaceModifiers`).

use std::sync::Arc;

use rand::Rng;
use serde_json::{Map, Value as Json, json};

use super::set::{Change, find_setter, merge};
use super::{NewFile, Record};
use crate::value::{strings_of, text_of};
use crate::{Collection, CollectionKind, FieldKind, Problem, Problems, Value};

/// How much the requester may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    User,
    /// Passes the manage rule: may change e-mail, verified and password directly.
    Manager,
    /// May also set hidden fields.
    Superuser,
}

/// A record that a request is being loaded into.
#[derive(Debug, Clone)]
pub struct Upsert {
    pub record: Record,
    /// The record as stored; `None` for a new one.
    pub original: Option<Record>,
    pub access: Access,
    password: String,
    password_confirm: String,
    old_password: String,
}

impl Upsert {
    pub fn create(collection: Arc<Collection>, access: Access) -> Upsert {
        Upsert::with(Record::new(collection), None, access)
    }

    pub fn update(original: Record, access: Access) -> Upsert {
        Upsert::with(original.clone(), Some(original), access)
    }

    fn with(record: Record, original: Option<Record>, access: Access) -> Upsert {
        Upsert {
            record,
            original,
            access,
            password: String::new(),
            password_confirm: String::new(),
            old_password: String::new(),
        }
    }

    /// Sets all fields that `body` and `uploads` (by form key: `docs`, `docs+` or `+docs`) name.
    /// Shorter keys are applied first, so that modifiers work on what the same request sets.
    /// `rng` must be cryptographic.
    pub fn load(
        &mut self,
        body: &Map<String, Json>,
        uploads: Vec<(String, NewFile)>,
        rng: &mut (impl Rng + ?Sized),
    ) {
        if self.record.collection.kind == CollectionKind::Auth {
            let form_text = |name: &str| body.get(name).map(text_of).unwrap_or_default();
            self.password = form_text("password");
            self.password_confirm = form_text("passwordConfirm");
            self.old_password = form_text("oldPassword");
        }
        let mut keys: Vec<(&String, &Json)> = body.iter().collect();
        keys.sort_by_key(|(key, _)| key.len());
        for (key, input) in keys {
            if let Some((index, change)) = find_setter(&self.record.collection, key)
                && self.may_set(index)
            {
                self.record.change(index, change, input, rng);
            }
        }
        self.attach(body, uploads);
    }

    /// Whether the requester may set a field: hidden ones only as superuser, but for the password.
    fn may_set(&self, index: usize) -> bool {
        let collection = &self.record.collection;
        let field = &collection.fields[index];
        let password = collection.kind == CollectionKind::Auth && field.name == "password";
        !field.hidden || password || self.access == Access::Superuser
    }

    /// Adds the uploaded files: without modifier to the names that the body gives, else to those
    /// that the record has.
    fn attach(&mut self, body: &Map<String, Json>, uploads: Vec<(String, NewFile)>) {
        let mut by_key: Vec<(String, Vec<NewFile>)> = Vec::new();
        for (key, file) in uploads {
            match by_key.iter_mut().find(|(known, _)| *known == key) {
                Some((_, files)) => files.push(file),
                None => by_key.push((key, vec![file])),
            }
        }
        by_key.sort_by_key(|(key, _)| key.len());
        for (key, files) in by_key {
            let Some((index, change)) = find_setter(&self.record.collection, &key) else {
                continue;
            };
            let field = &self.record.collection.fields[index];
            if !matches!(field.kind, FieldKind::File { .. })
                || change == Change::Subtract
                || !self.may_set(index)
            {
                continue;
            }
            let base = match change {
                Change::Replace => body.get(&key).map(strings_of).unwrap_or_default(),
                Change::Append | Change::Prepend | Change::Subtract | Change::Generate => {
                    self.record.values[index].entries().to_vec()
                }
            };
            let names = files.iter().map(|file| file.name.clone()).collect();
            self.record.values[index] = Value::from_list(field, merge(&base, change, names));
            self.record.new_files.extend(files);
        }
        let kept: Vec<bool> = {
            let record = &self.record;
            let named = |file: &NewFile| record.file_names().any(|name| name == file.name);
            record.new_files.iter().map(named).collect()
        };
        let mut kept = kept.into_iter();
        // Of several files for a single-valued field only the last one is used.
        self.record.new_files.retain(|_| kept.next().unwrap_or(false));
    }

    /// What rules see as `@request.body`, after `load`: fields in their new state, without
    /// modifiers; other keys as they were sent; nothing of what the requester may not set.
    pub fn resolved_body(
        &self,
        body: &Map<String, Json>,
        upload_keys: &[&str],
    ) -> Map<String, Json> {
        let mut resolved = Map::new();
        let keys = body.keys().map(String::as_str).chain(upload_keys.iter().copied());
        for key in keys {
            let Some((index, _)) = find_setter(&self.record.collection, key) else {
                if let Some(input) = body.get(key) {
                    resolved.insert(key.to_owned(), input.clone());
                }
                continue;
            };
            if self.may_set(index) {
                let name = self.record.collection.fields[index].name.clone();
                resolved.insert(name, self.resolved_value(index));
            }
        }
        resolved
    }

    /// A field in its new state, with the plain password and with what is known of uploads.
    fn resolved_value(&self, index: usize) -> Json {
        let record = &self.record;
        if let Some(plain) = record.plain_password(index) {
            return Json::String(plain.to_owned());
        }
        if !matches!(record.collection.fields[index].kind, FieldKind::File { .. }) {
            return record.values[index].to_json();
        }
        let described = |name: Json| {
            let upload = record.new_files.iter().find(|file| name == file.name.as_str());
            upload.map_or(name, |file| {
                json!({
                    "name": file.name,
                    "originalName": file.original_name,
                    "size": file.size_bytes,
                })
            })
        };
        match record.values[index].to_json() {
            Json::Array(names) => names.into_iter().map(described).collect(),
            name => described(name),
        }
    }

    /// The old password as submitted, if it is of interest, and the hash that it must fit.
    pub fn old_password(&self) -> Option<(&str, &str)> {
        let original = self.original.as_ref()?;
        let changes = !self.password.is_empty() || !self.password_confirm.is_empty();
        let of_interest = changes && !self.old_password.is_empty();
        of_interest.then(|| (self.old_password.as_str(), original.text("password")))
    }

    /// The problems of the auth fields that depend on who asks; to be called before `validate`,
    /// which is only of interest if there are none. `verify` tells whether a plain password
    /// (first) fits a hash; it is called at most once, and only if the answer matters.
    pub fn check(&self, verify: impl FnOnce(&str, &str) -> bool) -> Problems {
        let mut problems = Problems::default();
        if self.record.collection.kind != CollectionKind::Auth {
            return problems;
        }
        let managed = self.access >= Access::Manager;
        let old_verified = self.original.as_ref().is_some_and(|record| record.bool("verified"));
        if !managed && self.record.bool("verified") != old_verified {
            problems.add("verified", mismatch());
        }
        if let Some(original) = &self.original
            && !managed
            && self.record.text("email") != original.text("email")
        {
            problems.add("email", mismatch());
        }
        let (password, confirm) = (self.password.as_str(), self.password_confirm.as_str());
        let old = self.old_password.as_str();
        let new = self.original.is_none();
        let given = |text: &str| !text.is_empty();
        if !given(password) && (new || given(confirm) || given(old)) {
            problems.add("password", Problem::required());
        }
        if !given(confirm) && (new || given(password) || given(old)) {
            problems.add("passwordConfirm", Problem::required());
        } else if confirm != password {
            problems.add("passwordConfirm", mismatch());
        }
        if !managed && !new && (given(password) || given(confirm)) {
            match self.old_password() {
                None => problems.add("oldPassword", Problem::required()),
                Some((plain, hash)) if !verify(plain, hash) => {
                    let words = "Missing or invalid old password.";
                    let problem = Problem::new("validation_invalid_old_password", words);
                    problems.add("oldPassword", problem);
                }
                Some(_) => {}
            }
        }
        problems
    }
}

fn mismatch() -> Problem {
    Problem::new("validation_values_mismatch", "Values don't match.")
}
