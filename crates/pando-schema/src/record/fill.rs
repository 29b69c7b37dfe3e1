//! What PocketBase fills in by itself when a record is saved.
//!
//! Source: PocketBase `Intercept` of `core/field_text.go` and `core/field_autodate.go`,
//! `core/record_model.go` (`onRecordSaveExecute`), `core/record_model_superusers.go`.

use rand::Rng;

use super::Record;
use crate::random::random_by_pattern;
use crate::{CollectionKind, FieldKind, Value};

impl Record {
    /// Before the validation of a new record: generates the texts that are empty and have a
    /// pattern for that, among them the id and the token key. `rng` must be cryptographic.
    pub fn fill_new(&mut self, rng: &mut (impl Rng + ?Sized)) {
        for (field, value) in self.collection.fields.iter().zip(&mut self.values) {
            let FieldKind::Text { autogenerate_pattern: pattern, .. } = &field.kind else {
                continue;
            };
            if !pattern.is_empty() && value.zero_like() {
                // The collection's validation has tried the pattern; if it fails all the same,
                // the validation of the record reports the empty text.
                *value = Value::Text(random_by_pattern(pattern, rng).unwrap_or_default());
            }
        }
    }

    /// After the validation: sets the dates of creation or update (`now` in the stored form), and
    /// marks superusers as verified.
    pub fn fill_saved(&mut self, new: bool, now: &str) {
        for (field, value) in self.collection.fields.iter().zip(&mut self.values) {
            if let FieldKind::Autodate { on_create, on_update } = &field.kind
                && (if new { *on_create } else { *on_update })
            {
                *value = Value::Text(now.to_owned());
            }
        }
        if self.collection.name == "_superusers" {
            self.put("verified", Value::Bool(true));
        }
    }

    /// Sets a new token key, which invalidates all tokens of this auth record.
    pub fn refresh_token_key(&mut self, rng: &mut (impl Rng + ?Sized)) {
        self.set("tokenKey:autogenerate", &serde_json::Value::Null, rng);
    }

    /// Before an update: sets a new token key if password or e-mail address differ from the
    /// record as it was last `saved`, unless the key was changed already.
    pub fn renew_token_key(&mut self, saved: &Record, rng: &mut (impl Rng + ?Sized)) {
        if self.collection.kind != CollectionKind::Auth
            || saved.text("tokenKey") != self.text("tokenKey")
        {
            return;
        }
        let password_set = self
            .collection
            .field_index("password")
            .is_some_and(|index| self.plain_password(index).is_some());
        let changed = password_set
            || saved.text("password") != self.text("password")
            || saved.text("email") != self.text("email");
        if changed {
            self.refresh_token_key(rng);
        }
    }
}
