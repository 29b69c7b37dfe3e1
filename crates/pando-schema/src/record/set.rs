//! Setting fields from request keys: plain names and names with a modifier.
//!
//! Source: PocketBase `FindSetter` of `core/field_*.go`.

use rand::Rng;
use serde_json::Value as Json;

use super::Record;
use crate::random::random_by_pattern;
use crate::value::{file_names_of, number_of, strings_of, text_of};
use crate::{Collection, FieldKind, Value};

/// What a key asks to do with the field that it names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Replace,
    /// `field+`
    Append,
    /// `+field`
    Prepend,
    /// `field-`
    Subtract,
    /// `field:autogenerate`
    Generate,
}

/// The field that `key` names, and what to do with it.
pub(super) fn find_setter(collection: &Collection, key: &str) -> Option<(usize, Change)> {
    if let Some(index) = collection.field_index(key) {
        return Some((index, Change::Replace));
    }
    let (name, change) = if let Some(name) = key.strip_suffix('+') {
        (name, Change::Append)
    } else if let Some(name) = key.strip_suffix('-') {
        (name, Change::Subtract)
    } else if let Some(name) = key.strip_prefix('+') {
        (name, Change::Prepend)
    } else {
        (key.strip_suffix(":autogenerate")?, Change::Generate)
    };
    let index = collection.field_index(name)?;
    let supported = match &collection.fields[index].kind {
        FieldKind::Number { .. } => matches!(change, Change::Append | Change::Subtract),
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
            change != Change::Generate
        }
        FieldKind::Text { .. } => change == Change::Generate,
        FieldKind::Editor { .. }
        | FieldKind::Bool { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Json { .. }
        | FieldKind::GeoPoint { .. }
        | FieldKind::Password { .. } => false,
    };
    supported.then_some((index, change))
}

impl Record {
    /// Sets the field that `key` names (with or without modifier) from any input and returns its
    /// index; `None` if there is no such field. A password becomes pending, an autodate stays.
    pub fn set(&mut self, key: &str, input: &Json, rng: &mut (impl Rng + ?Sized)) -> Option<usize> {
        let (index, change) = find_setter(&self.collection, key)?;
        self.change(index, change, input, rng);
        Some(index)
    }

    pub(super) fn change(
        &mut self,
        index: usize,
        change: Change,
        input: &Json,
        rng: &mut (impl Rng + ?Sized),
    ) {
        let field = &self.collection.fields[index];
        self.values[index] = match &field.kind {
            FieldKind::Autodate { .. } => return,
            FieldKind::Password { .. } => {
                self.set_plain_password(index, text_of(input));
                return;
            }
            FieldKind::Text { autogenerate_pattern, .. } if change == Change::Generate => {
                let mut text = text_of(input);
                if !autogenerate_pattern.is_empty() {
                    // A pattern that cannot be generated from adds nothing.
                    text += &random_by_pattern(autogenerate_pattern, rng).unwrap_or_default();
                }
                Value::Text(text)
            }
            FieldKind::Number { .. } if change != Change::Replace => {
                let Value::Number(current) = self.values[index] else { return };
                let operand = number_of(input);
                Value::Number(match change {
                    Change::Subtract => current - operand,
                    Change::Replace | Change::Append | Change::Prepend | Change::Generate => {
                        current + operand
                    }
                })
            }
            FieldKind::File { .. } if change != Change::Replace => {
                let merged = merge(self.values[index].entries(), change, file_names_of(input));
                Value::from_list(field, merged)
            }
            FieldKind::Select { .. } | FieldKind::Relation { .. } if change != Change::Replace => {
                let merged = merge(self.values[index].entries(), change, strings_of(input));
                Value::from_list(field, merged)
            }
            _ => Value::from_json(field, input),
        };
    }

    fn set_plain_password(&mut self, index: usize, plain: String) {
        self.pending_passwords.retain(|(pending, _)| *pending != index);
        self.values[index] = Value::Text(String::new());
        if !plain.is_empty() {
            self.pending_passwords.push((index, plain));
        }
    }
}

/// The entries after the change, without repetitions.
pub(super) fn merge(current: &[String], change: Change, operand: Vec<String>) -> Vec<String> {
    let (first, second) = match change {
        Change::Subtract => {
            return current.iter().filter(|entry| !operand.contains(entry)).cloned().collect();
        }
        Change::Prepend => (operand, current.to_vec()),
        Change::Replace | Change::Append | Change::Generate => (current.to_vec(), operand),
    };
    crate::value::unique(first.into_iter().chain(second).collect())
}
