//! Values on their way from SQLite's columns to PostgreSQL's and back.
//!
//! What is stored in PostgreSQL is what this program reads in SQLite, so clients see no
//! difference, in the form in which a write would store it ([`stored_value`]). A value that
//! PostgreSQL cannot hold, or of which something would be lost, is an obstacle and never changed.
//!
//! The binary form of a cell is the same for `COPY`, for a parameter and in an answer: the length
//! as `int4`, or -1 for NULL, and the bytes.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use pando_filter::postgres::{holds_nul, stored_value};
use pando_schema::{Field, FieldKind, SqlValue, Value};
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use super::error::Obstacle;

/// What a column is for.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Field(Box<Field>),
    /// Of a system table.
    Text,
    Bool,
}

impl Kind {
    /// What PostgreSQL is to hold of a cell of SQLite's.
    pub(super) fn stored(&self, cell: ValueRef<'_>) -> Result<SqlValue, Obstacle> {
        match self {
            Kind::Field(field) => of_field(field, cell),
            Kind::Text => of_text(cell),
            Kind::Bool => Ok(SqlValue::Int(i64::from(matches!(cell, ValueRef::Integer(1..))))),
        }
    }

    /// What SQLite is to hold of a cell of PostgreSQL's, as a write would bind it.
    pub(super) fn restored(&self, cell: &Raw<'_>) -> SqlValue {
        let text = || String::from_utf8_lossy(cell.0.unwrap_or_default()).into_owned();
        match (self, cell.0) {
            (Kind::Text, None) => SqlValue::Null,
            (Kind::Text, Some(_)) => SqlValue::Text(text()),
            (Kind::Bool, bytes) => SqlValue::Int(i64::from(bytes == Some(&[1]))),
            (Kind::Field(field), None) => Value::from_sql_null(field).to_sql(),
            (Kind::Field(field), Some(bytes)) => {
                let value = match (&field.kind, <[u8; 8]>::try_from(bytes)) {
                    (FieldKind::Number { .. }, Ok(bytes)) => {
                        Value::from_sql_real(field, f64::from_be_bytes(bytes))
                    }
                    (FieldKind::Bool { .. }, _) => Value::Bool(bytes == [1]),
                    _ => Value::from_sql_text(field, text()),
                };
                value.to_sql()
            }
        }
    }
}

fn of_field(field: &Field, cell: ValueRef<'_>) -> Result<SqlValue, Obstacle> {
    let value = match cell {
        ValueRef::Null => Value::from_sql_null(field),
        ValueRef::Integer(number) => Value::from_sql_int(field, number),
        ValueRef::Real(number) => Value::from_sql_real(field, number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_invalid| Obstacle::NotUtf8)?;
            let value = Value::from_sql_text(field, text);
            check_kept(field, text, &value)?;
            value
        }
    };
    if holds_nul(&value) {
        return Err(Obstacle::Nul);
    }
    let stored = stored_value(field, &value);
    match (&field.kind, &stored) {
        (FieldKind::Json { .. }, SqlValue::Text(text))
            if serde_json::from_str::<&RawValue>(text).is_err() =>
        {
            Err(Obstacle::NotJson)
        }
        _ => Ok(stored),
    }
}

/// Whether anything is left of a text that the field's kind does not expect.
fn check_kept(field: &Field, text: &str, value: &Value) -> Result<(), Obstacle> {
    match (&field.kind, value) {
        (FieldKind::Number { .. }, Value::Number(number))
            if *number == 0.0 && !text.is_empty() && text.trim().parse::<f64>().is_err() =>
        {
            Err(Obstacle::NotNumber)
        }
        (FieldKind::Date { .. } | FieldKind::Autodate { .. }, Value::Text(date))
            if date.is_empty() && !text.is_empty() =>
        {
            Err(Obstacle::NotDate)
        }
        _ => Ok(()),
    }
}

fn of_text(cell: ValueRef<'_>) -> Result<SqlValue, Obstacle> {
    Ok(match cell {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Text(number.to_string()),
        ValueRef::Real(number) => SqlValue::Text(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_invalid| Obstacle::NotUtf8)?;
            if text.contains('\0') {
                return Err(Obstacle::Nul);
            }
            SqlValue::Text(text.to_owned())
        }
    })
}

/// As a parameter of SQLite's.
pub(super) fn lite_value(value: SqlValue) -> rusqlite::types::Value {
    match value {
        SqlValue::Null => rusqlite::types::Value::Null,
        SqlValue::Int(number) => rusqlite::types::Value::Integer(number),
        SqlValue::Real(number) => rusqlite::types::Value::Real(number),
        SqlValue::Text(text) => rusqlite::types::Value::Text(text),
    }
}

/// Appends a cell. Integers are the bools of [`stored_value`].
pub(super) fn put(stored: &SqlValue, out: &mut BytesMut) {
    match stored {
        SqlValue::Null => out.put_i32(-1),
        SqlValue::Int(number) => put_bytes(&[u8::from(*number != 0)], out),
        SqlValue::Real(number) => put_bytes(&number.to_be_bytes(), out),
        SqlValue::Text(text) => put_bytes(text.as_bytes(), out),
    }
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut BytesMut) {
    // SQLite holds a gigabyte at most.
    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.put_slice(bytes);
}

/// The bytes of a cell, or `None` for NULL: of an answer, or as a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a>(pub(super) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_kind: &Type, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_kind: &Type) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }
}

impl ToSql for Raw<'_> {
    fn to_sql(
        &self,
        _kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(bytes) = self.0 else { return Ok(IsNull::Yes) };
        out.put_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// The cells of a row in their binary form.
pub(super) fn cells(mut row: &[u8]) -> Vec<Raw<'_>> {
    let mut cells = Vec::new();
    while let Some((length, rest)) = row.split_first_chunk::<4>() {
        match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) if length <= rest.len() => {
                let (cell, rest) = rest.split_at(length);
                cells.push(Raw(Some(cell)));
                row = rest;
            }
            _ => {
                cells.push(Raw(None));
                row = rest;
            }
        }
    }
    cells
}
