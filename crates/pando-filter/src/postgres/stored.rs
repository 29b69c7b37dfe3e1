//! What the columns keep of the values of a record.

use pando_schema::{Field, Value};
use serde_json::value::RawValue;

use crate::SqlValue;
use crate::scalar::{self, Cell};
use crate::sql::Sql;
use crate::stored::number_value;

/// Whether a value has a NUL, which PostgreSQL cannot store and SQLite can.
pub fn holds_nul(value: &Value) -> bool {
    match value {
        Value::Text(text) | Value::Json(text) => text.contains('\0'),
        Value::List(items) => items.iter().any(|item| item.contains('\0')),
        Value::Bool(_) | Value::Number(_) | Value::GeoPoint { .. } => false,
    }
}

/// What the column of `field` keeps of `value`: a bool as 0 or 1, a number as a double, the text
/// of all else.
pub fn stored_value(field: &Field, value: &Value) -> SqlValue {
    match value {
        Value::Bool(on) => SqlValue::Int((*on).into()),
        // SQLite has no negative zero where it has integers.
        Value::Number(number) => SqlValue::Real(number + 0.0),
        Value::Text(text) => SqlValue::Text(text.clone()),
        Value::Json(_) => json_text(field, value),
        Value::List(_) | Value::GeoPoint { .. } => value.to_sql(),
    }
}

/// Appends what the column of `field` keeps of `value`.
pub(crate) fn bind_stored<'s>(sql: &'s mut Sql, field: &Field, value: &Value) -> &'s mut Sql {
    let stored = stored_value(field, value);
    match value {
        // Not TRUE or FALSE, so that the text stays the same.
        Value::Bool(_) => sql.push("(").bind(stored).push(" <> 0)"),
        Value::Number(_) | Value::Text(_) => sql.bind(stored),
        Value::Json(_) | Value::List(_) | Value::GeoPoint { .. } => sql.bind(stored).push("::json"),
    }
}

/// The text of a JSON column. SQLite's columns of that kind turn texts that are numbers into
/// numbers, which then read differently: `1.50` as `1.5`.
fn json_text(field: &Field, value: &Value) -> SqlValue {
    let stored = value.to_sql();
    let SqlValue::Text(text) = &stored else { return stored };
    let read = match scalar::number(text) {
        Some(Cell::Int(number)) => Value::from_sql_int(field, number),
        Some(Cell::Real(number)) => match number_value(number) {
            SqlValue::Int(number) => Value::from_sql_int(field, number),
            _ => Value::from_sql_real(field, number),
        },
        Some(Cell::Null | Cell::Text(_)) | None => return stored,
    };
    read.to_sql()
}

/// Appends a value of a record that a query looks at instead of the table.
pub(crate) fn bind_given(sql: &mut Sql, field: &Field, value: &Value) {
    match (value.to_sql(), value) {
        // What is not valid will be refused later; until then it is a text like any other.
        (SqlValue::Text(text), Value::Json(_))
            if serde_json::from_str::<&RawValue>(&text).is_err() =>
        {
            let quoted = serde_json::Value::String(text).to_string();
            sql.bind(SqlValue::Text(quoted)).push("::json");
        }
        (given, Value::Json(_)) => {
            sql.bind(given).push("::json");
        }
        (given @ SqlValue::Text(_), Value::Text(_)) => {
            sql.bind(given).push(" COLLATE \"C\"");
        }
        _ => {
            bind_stored(sql, field, value);
        }
    }
}
