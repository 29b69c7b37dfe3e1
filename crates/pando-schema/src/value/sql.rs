//! Values as the database holds them: what a column says, and what is bound to a statement.
//!
//! Units: numbers are doubles; SQLite hands out integers for whole ones (NUMERIC affinity).
//! Source: PocketBase `core/field_*.go` (`ColumnType`, `DriverValue`).

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Value, cast, float, geo, json};
use crate::datetime::{normalize_date, stored_form};
use crate::{Field, FieldKind};

/// A parameter of a statement or the content of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> SqlValue {
        SqlValue::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> SqlValue {
        SqlValue::Text(text)
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> SqlValue {
        SqlValue::Int(number)
    }
}

impl Value {
    /// The value of `field` in a column that holds text.
    pub fn from_sql_text<'a>(field: &Field, text: impl Into<Cow<'a, str>>) -> Value {
        let text = text.into();
        match &field.kind {
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Password { .. } => Value::Text(text.into_owned()),
            FieldKind::Number { .. } => Value::Number(float::parse_float(&text).unwrap_or(0.0)),
            FieldKind::Bool { .. } => Value::Bool(cast::parse_bool(&text)),
            FieldKind::Date { .. } | FieldKind::Autodate { .. } => {
                if stored_form(&text) {
                    Value::Text(text.into_owned())
                } else {
                    Value::Text(normalize_date(&text))
                }
            }
            FieldKind::Select { .. } | FieldKind::Relation { .. } | FieldKind::File { .. } => {
                if !field.multiple() && !text.contains('[') {
                    return Value::Text(text.into_owned());
                }
                Value::from_list(field, cast::strings_of_text(&text))
            }
            FieldKind::Json { .. } => Value::Json(json::json_text_of_text(text)),
            FieldKind::GeoPoint { .. } => geo::point_of_text(&text),
        }
    }

    /// The value of `field` in a column that holds an integer.
    pub fn from_sql_int(field: &Field, number: i64) -> Value {
        match &field.kind {
            #[expect(clippy::cast_precision_loss, reason = "numbers are doubles")]
            FieldKind::Number { .. } => Value::Number(number as f64),
            // PocketBase reads it as a text, of which only `1` means true.
            FieldKind::Bool { .. } => Value::Bool(number == 1),
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Date { .. }
            | FieldKind::Autodate { .. }
            | FieldKind::Select { .. }
            | FieldKind::File { .. }
            | FieldKind::Relation { .. }
            | FieldKind::Json { .. }
            | FieldKind::GeoPoint { .. }
            | FieldKind::Password { .. } => Value::from_sql_text(field, number.to_string()),
        }
    }

    /// The value of `field` in a column that holds a floating-point number.
    pub fn from_sql_real(field: &Field, number: f64) -> Value {
        match &field.kind {
            FieldKind::Number { .. } => Value::Number(number),
            FieldKind::Bool { .. } => Value::Bool(number.total_cmp(&1.0).is_eq()),
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Date { .. }
            | FieldKind::Autodate { .. }
            | FieldKind::Select { .. }
            | FieldKind::File { .. }
            | FieldKind::Relation { .. }
            | FieldKind::Json { .. }
            | FieldKind::GeoPoint { .. }
            | FieldKind::Password { .. } => {
                Value::from_sql_text(field, float::general_format(number))
            }
        }
    }

    /// The value of `field` in a column that holds NULL, as rows older than the field do.
    pub fn from_sql_null(field: &Field) -> Value {
        Value::zero(field)
    }

    /// What to bind to store this value.
    pub fn to_sql(&self) -> SqlValue {
        match self {
            Value::Bool(on) => SqlValue::Int(i64::from(*on)),
            Value::Number(number) => SqlValue::Real(*number),
            Value::Text(text) => SqlValue::Text(text.clone()),
            Value::Json(text) if text == "null" || text.is_empty() => SqlValue::Null,
            Value::Json(text) => SqlValue::Text(text.clone()),
            Value::List(_) | Value::GeoPoint { .. } => {
                let mut out = Vec::with_capacity(32);
                self.write_json(&mut out);
                SqlValue::Text(String::from_utf8(out).unwrap_or_default())
            }
        }
    }
}

impl SqlValue {
    /// A JSON scalar as parameter; lists and objects as their JSON text.
    pub fn from_json(input: &Json) -> SqlValue {
        match input {
            Json::Null => SqlValue::Null,
            Json::Bool(on) => SqlValue::Int(i64::from(*on)),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => SqlValue::Int(whole),
                None => SqlValue::Real(number.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => SqlValue::Text(text.clone()),
            Json::Array(_) | Json::Object(_) => SqlValue::Text(json::json_of(input)),
        }
    }
}
