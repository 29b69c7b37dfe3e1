//! The value of one field of a record: how input becomes one, and how it is written.
//!
//! Source: PocketBase `core/field_*.go` (`PrepareValue`), `tools/types`.

mod cast;
mod float;
mod geo;
mod json;
mod sql;

pub use float::write_number;
use json::write_array;
pub use json::{compact_json, json_of, write_json_text, write_string};
pub use sql::SqlValue;

pub(crate) use cast::{
    file_names_of, number_of, parse_bool, strings_of, strings_of_text, text_of, unique,
};
pub(crate) use float::general_format;
pub(crate) use json::check_json;

use cast::bool_of;
use serde_json::Value as Json;

use crate::datetime::normalize_date;
use crate::{Field, FieldKind};

/// A value in the form in which the store keeps it and the API shows it.
///
/// Which variant a field holds follows from its kind and never changes with the data, so that
/// both databases order and compare alike: text, editor, email, url, date, autodate, password
/// and the single forms of select, file and relation are `Text`; their multiple forms `List`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<String>),
    /// JSON text, as it was sent; `null` when unset. Input that was no valid JSON is found by
    /// `validate`, so the store never holds any.
    Json(String),
    GeoPoint {
        lon: f64,
        lat: f64,
    },
}

impl Value {
    /// What a new record holds in `field`.
    pub fn zero(field: &Field) -> Value {
        match &field.kind {
            FieldKind::Number { .. } => Value::Number(0.0),
            FieldKind::Bool { .. } => Value::Bool(false),
            FieldKind::Json { .. } => Value::Json("null".to_owned()),
            FieldKind::GeoPoint { .. } => Value::GeoPoint { lon: 0.0, lat: 0.0 },
            FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
                if field.multiple() {
                    Value::List(Vec::new())
                } else {
                    Value::Text(String::new())
                }
            }
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Date { .. }
            | FieldKind::Autodate { .. }
            | FieldKind::Password { .. } => Value::Text(String::new()),
        }
    }

    /// Any input as a value of `field`. What cannot be converted becomes the zero value, or part
    /// of it, as PocketBase does; `validate` judges the result. A password is taken as its hash.
    pub fn from_json(field: &Field, input: &Json) -> Value {
        match &field.kind {
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Password { .. } => Value::Text(text_of(input)),
            FieldKind::Number { .. } => Value::Number(number_of(input)),
            FieldKind::Bool { .. } => Value::Bool(bool_of(input)),
            FieldKind::Date { .. } | FieldKind::Autodate { .. } => {
                Value::Text(normalize_date(&text_of(input)))
            }
            FieldKind::Select { .. } | FieldKind::Relation { .. } => {
                Value::from_list(field, strings_of(input))
            }
            FieldKind::File { .. } => Value::from_list(field, file_names_of(input)),
            FieldKind::Json { .. } => Value::Json(json::json_text_of(input)),
            FieldKind::GeoPoint { .. } => geo::point_of(input),
        }
    }

    /// A list as the value of a select, file or relation field: the single form keeps the last.
    pub(crate) fn from_list(field: &Field, mut list: Vec<String>) -> Value {
        if field.multiple() {
            let file = matches!(field.kind, FieldKind::File { .. });
            return Value::List(if file { cast::single_names(list) } else { list });
        }
        let last = list.pop().unwrap_or_default();
        Value::Text(cast::single_of(last))
    }

    /// The entries of a select, file or relation value: non-empty and unique.
    pub fn entries(&self) -> &[String] {
        match self {
            Value::List(list) => list,
            Value::Text(text) if !text.is_empty() => std::slice::from_ref(text),
            Value::Text(_)
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Json(_)
            | Value::GeoPoint { .. } => &[],
        }
    }

    /// Whether this is what an unset field holds (for JSON: `null`, `""`, `[]` or `{}`).
    pub fn zero_like(&self) -> bool {
        match self {
            Value::Bool(on) => !on,
            Value::Number(number) => *number == 0.0,
            Value::Text(text) => text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Json(text) => matches!(text.trim(), "null" | "\"\"" | "[]" | "{}" | ""),
            Value::GeoPoint { lon, lat } => *lon == 0.0 && *lat == 0.0,
        }
    }

    /// Appends this value as JSON, to the byte as PocketBase writes it.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Number(number) => write_number(*number, out),
            Value::Text(text) => write_string(text, out),
            Value::List(list) => write_array(list, out, |item, out| write_string(item, out)),
            Value::Json(text) => compact_json(text, out),
            Value::GeoPoint { lon, lat } => geo::write_point(*lon, *lat, out),
        }
    }

    /// This value as a JSON tree, for rules that look into the request body.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Bool(on) => Json::Bool(*on),
            Value::Number(number) => float::json_number(*number),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(list) => list.iter().map(|item| Json::String(item.clone())).collect(),
            Value::Json(text) => serde_json::from_str(text).unwrap_or(Json::Null),
            Value::GeoPoint { lon, lat } => {
                let mut point = serde_json::Map::new();
                point.insert("lon".to_owned(), float::json_number(*lon));
                point.insert("lat".to_owned(), float::json_number(*lat));
                Json::Object(point)
            }
        }
    }
}

#[cfg(test)]
mod tests;
