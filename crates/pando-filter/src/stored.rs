//! The form in which SQLite keeps the values of a record.
//!
//! Source: PocketBase `core/field_*.go` (`ColumnType`, `DriverValue`).

use pando_schema::{FieldKind, Value};

use crate::SqlValue;
use crate::term::Affinity;

/// The value that a column holds after `value` was stored in it.
pub(crate) fn stored(value: &Value) -> SqlValue {
    match value {
        Value::Number(number) => number_value(*number),
        Value::Bool(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Json(_)
        | Value::GeoPoint { .. } => value.to_sql(),
    }
}

/// A numeric column keeps whole doubles as integers.
pub(crate) fn number_value(number: f64) -> SqlValue {
    /// 2^63: see SQLite's sqlite3VdbeIntegerAffinity.
    const WHOLE_MAX: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    if number == number.trunc() && number.abs() < WHOLE_MAX {
        return SqlValue::Int(number as i64);
    }
    SqlValue::Real(number)
}

/// How SQLite converts values that are compared with the column of such a field.
pub(crate) fn affinity(kind: &FieldKind, multiple: bool) -> Affinity {
    match kind {
        FieldKind::Number { .. } | FieldKind::Bool { .. } => Affinity::Numeric,
        // JSON columns are numeric for SQLite, which changes nothing: a JSON array or object
        // is no number, and sorts after all texts that are.
        FieldKind::Json { .. } | FieldKind::GeoPoint { .. } => Affinity::None,
        _ if multiple => Affinity::None,
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Select { .. }
        | FieldKind::File { .. }
        | FieldKind::Relation { .. }
        | FieldKind::Password { .. } => Affinity::Text,
    }
}
