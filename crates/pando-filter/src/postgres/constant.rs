//! Values that are known when the statement is written.

use std::borrow::Cow;

use super::real::real_text;
use crate::SqlValue;
use crate::scalar::{self, Cell};
use crate::sql::Sql;
use crate::term::{Affinity, Term};

/// A value of the filter, the request or a record at hand. Never null.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Constant<'t> {
    pub(crate) cell: Cell<'t>,
    /// It is part of the text: `true`, `false` and counts.
    literal: bool,
}

/// What a term is that needs no look at a row.
pub(crate) enum Known<'t> {
    Null,
    Value(Constant<'t>, Affinity),
}

impl<'t> Constant<'t> {
    /// `None` if the term depends on the row.
    pub(crate) fn of(term: &'t Term) -> Option<Known<'t>> {
        let literal = |number: i64| (Cell::Int(number), true, Affinity::None);
        let (cell, literal, affinity) = match term {
            Term::Null => return Some(Known::Null),
            Term::Integer(number) => literal(*number),
            Term::Truth(flag) => literal((*flag).into()),
            Term::Flag(flag) => (Cell::Int((*flag).into()), false, Affinity::None),
            Term::Value(value) => (Cell::of(value), false, Affinity::None),
            Term::Stored(value, affinity) => (Cell::of(value), false, *affinity),
            Term::Lower(inner) => {
                let Known::Value(inner, _) = Constant::of(inner)? else { return Some(Known::Null) };
                let lower = inner.text().to_ascii_lowercase();
                (Cell::Text(Cow::Owned(lower)), false, Affinity::None)
            }
            Term::Column(_)
            | Term::Json(..)
            | Term::Length(_)
            | Term::Each(..)
            | Term::Matched(..)
            | Term::GeoDistance(_)
            | Term::Strftime(_)
            | Term::Changed(_) => return None,
        };
        Some(match cell {
            Cell::Null => Known::Null,
            cell => Known::Value(Constant { cell, literal }, affinity),
        })
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.cell, Cell::Text(_))
    }

    /// The value as text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match &self.cell {
            Cell::Null => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Int(number) => Cow::Owned(number.to_string()),
            Cell::Real(number) => Cow::Owned(real_text(*number)),
        }
    }

    /// Whether it is a number, or a text that a number could print as.
    pub(crate) fn like_a_number(&self) -> bool {
        match &self.cell {
            Cell::Text(text) => scalar::number(text).is_some() || text.ends_with("Inf"),
            Cell::Null | Cell::Int(_) | Cell::Real(_) => true,
        }
    }

    /// The value as it is compared with numbers: a text that is a number counts as one.
    pub(crate) fn numeric(&mut self) {
        if let Cell::Text(text) = &self.cell
            && let Some(number) = scalar::number(text)
        {
            self.cell = number;
        }
    }

    /// The number as a double that is exactly it, if there is one.
    pub(crate) fn double(&self) -> Option<f64> {
        /// 2^53: up to here doubles hold all integers.
        const EXACT_MAX: u64 = 9_007_199_254_740_992;
        match self.cell {
            Cell::Real(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "small enough to be exact")]
            Cell::Int(number) => (number.unsigned_abs() <= EXACT_MAX).then_some(number as f64),
            Cell::Null | Cell::Text(_) => None,
        }
    }

    /// The truth value that the number is, if it is 0 or 1.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.double() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            Some(_) | None => None,
        }
    }

    pub(crate) fn write_text(&self, sql: &mut Sql) {
        sql.bind(SqlValue::Text(self.text().into_owned()));
    }

    pub(crate) fn write_double(&self, sql: &mut Sql, number: f64) {
        match self.cell {
            Cell::Int(number) if self.literal => sql.integer(number),
            _ => sql.bind(SqlValue::Real(number)),
        };
    }

    /// Appends it as a `pando.value`.
    pub(crate) fn write_value(&self, sql: &mut Sql) {
        match (self.double(), &self.cell) {
            (Some(number), _) => {
                sql.push("pando.n(");
                self.write_double(sql, number);
            }
            (None, Cell::Int(number)) => {
                sql.push("pando.i(").bind(SqlValue::Int(*number));
            }
            (None, _) => {
                sql.push("pando.t(");
                self.write_text(sql);
            }
        }
        sql.push(")");
    }
}
