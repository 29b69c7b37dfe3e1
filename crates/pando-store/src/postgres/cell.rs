//! Values on their way to PostgreSQL and back.

use std::error::Error;

use bytes::BytesMut;
use pando_schema::{Field, FieldKind, SqlValue, Value};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A parameter. Statements cast each one where it stands, so its type follows from its kind.
#[derive(Debug)]
pub(crate) struct Parameter<'a>(pub(crate) &'a SqlValue);

impl Parameter<'_> {
    pub(crate) fn kind(&self) -> Type {
        match self.0 {
            SqlValue::Null | SqlValue::Text(_) => Type::TEXT,
            SqlValue::Int(_) => Type::INT8,
            SqlValue::Real(_) => Type::FLOAT8,
        }
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            SqlValue::Null => Ok(IsNull::Yes),
            SqlValue::Int(number) => number.to_sql(kind, out),
            SqlValue::Real(number) => number.to_sql(kind, out),
            SqlValue::Text(text) => text.as_str().to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TEXT | Type::INT8 | Type::FLOAT8)
    }

    to_sql_checked!();
}

/// What a column of a row holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(&'a str),
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Cell<'a>, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::BOOL => Cell::Bool(bool::from_sql(kind, raw)?),
            Type::INT2 => Cell::Int(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Cell::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Cell::Int(i64::from_sql(kind, raw)?),
            Type::FLOAT4 => Cell::Real(f32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Cell::Real(f64::from_sql(kind, raw)?),
            _ => Cell::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_kind: &Type) -> Result<Cell<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::FLOAT4
                | Type::FLOAT8
                | Type::TEXT
                | Type::VARCHAR
                | Type::BPCHAR
                | Type::NAME
                | Type::JSON
                | Type::UNKNOWN
        )
    }
}

impl Cell<'_> {
    /// The value of `field` in such a column.
    pub(crate) fn value(self, field: &Field) -> Value {
        match self {
            Cell::Null => Value::from_sql_null(field),
            Cell::Bool(on) => match field.kind {
                FieldKind::Bool { .. } => Value::Bool(on),
                _ => Value::from_sql_int(field, on.into()),
            },
            Cell::Int(number) => Value::from_sql_int(field, number),
            Cell::Real(number) => Value::from_sql_real(field, number),
            Cell::Text(text) => Value::from_sql_text(field, text),
        }
    }

    pub(crate) fn sql_value(self) -> SqlValue {
        match self {
            Cell::Null => SqlValue::Null,
            Cell::Bool(on) => SqlValue::Int(on.into()),
            Cell::Int(number) => SqlValue::Int(number),
            Cell::Real(number) => SqlValue::Real(number),
            Cell::Text(text) => SqlValue::Text(text.to_owned()),
        }
    }
}
