//! One side of a comparison, with what decides how PostgreSQL compares it.

use super::constant::{Constant, Known};
use super::term;
use crate::sql::Sql;
use crate::term::{Affinity, Holds, Items, Term};

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// `double precision`, of which SQLite prints whole numbers as integers.
    Number,
    /// `double precision`, always printed with a point.
    Real,
    /// `integer`.
    Int,
    Bool,
    /// `pando.value`: any type, row by row.
    Any,
}

/// How SQLite converts what is compared with an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pull {
    Text,
    Numeric,
    /// It is a column, but of no type.
    Blob,
    None,
}

/// What a subquery passes on about the value that it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pull: Pull,
}

#[derive(Debug, Clone)]
pub(crate) enum Source<'t> {
    Null,
    Known(Constant<'t>),
    Row(&'t Term, Kind),
}

/// A term, ready to be compared.
#[derive(Debug, Clone)]
pub(crate) struct Operand<'t> {
    pub(crate) source: Source<'t>,
    pub(crate) pull: Pull,
    /// Never null.
    pub(crate) always: bool,
}

impl<'t> Operand<'t> {
    pub(crate) fn of(term: &'t Term) -> Operand<'t> {
        match Constant::of(term) {
            Some(Known::Null) => Operand { source: Source::Null, pull: Pull::None, always: false },
            Some(Known::Value(value, affinity)) => {
                let pull = match affinity {
                    Affinity::Text => Pull::Text,
                    Affinity::Numeric => Pull::Numeric,
                    Affinity::None => Pull::None,
                };
                Operand { source: Source::Known(value), pull, always: true }
            }
            None => Operand::of_row(term),
        }
    }

    fn of_row(term: &'t Term) -> Operand<'t> {
        let (kind, pull, always) = match term {
            Term::Column(column) => {
                let (kind, pull) = match column.holds {
                    Holds::Text => (Kind::Text, Pull::Text),
                    Holds::Number if column.unstored => (Kind::Real, Pull::None),
                    Holds::Number => (Kind::Number, Pull::Numeric),
                    Holds::Bool => (Kind::Bool, Pull::Numeric),
                    // SQLite calls these numeric, but no list or object is a number.
                    Holds::Json => (Kind::Text, Pull::None),
                };
                (kind, if column.unstored { Pull::None } else { pull }, column.always)
            }
            Term::Json(..) => (Kind::Any, Pull::None, false),
            Term::Length(_) => (Kind::Int, Pull::None, true),
            Term::Each(_, Items::Texts) => (Kind::Text, Pull::Blob, false),
            Term::Each(..) => (Kind::Any, Pull::Blob, false),
            Term::Matched(_, shape) => (shape.kind, shape.pull, false),
            Term::Lower(inner) => (Kind::Text, Pull::None, Operand::of(inner).always),
            Term::GeoDistance(_) => (Kind::Real, Pull::None, false),
            Term::Changed(_) => (Kind::Bool, Pull::None, false),
            Term::Strftime(_)
            // These are known without a row.
            | Term::Null
            | Term::Integer(_)
            | Term::Truth(_)
            | Term::Value(_)
            | Term::Flag(_)
            | Term::Stored(..) => (Kind::Text, Pull::None, false),
        };
        Operand { source: Source::Row(term, kind), pull, always }
    }

    /// What a subquery that selects this passes on.
    pub(crate) fn shape(&self) -> Shape {
        let kind = match &self.source {
            Source::Row(_, kind) => *kind,
            Source::Null | Source::Known(_) => Kind::Any,
        };
        Shape { kind, pull: self.pull }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.source, Source::Null)
    }

    pub(crate) fn is_text(&self) -> bool {
        match &self.source {
            Source::Row(_, kind) => *kind == Kind::Text,
            Source::Known(value) => value.is_text(),
            Source::Null => false,
        }
    }

    pub(crate) fn is_any(&self) -> bool {
        matches!(self.source, Source::Row(_, Kind::Any))
    }

    /// Whether it is a value at a path in JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.source, Source::Row(Term::Json(..), _))
    }

    pub(crate) fn is_bool(&self) -> bool {
        matches!(self.source, Source::Row(_, Kind::Bool))
    }

    pub(crate) fn is_number(&self) -> bool {
        !self.is_null() && !self.is_text() && !self.is_any()
    }

    /// The truth value that it is, if it is known to be 0 or 1.
    pub(crate) fn truth(&self) -> Option<bool> {
        self.known().and_then(Constant::truth)
    }

    /// Turns a known text that is a number into that number.
    pub(crate) fn numeric(&mut self) {
        if let Source::Known(value) = &mut self.source {
            value.numeric();
        }
    }

    pub(crate) fn known(&self) -> Option<&Constant<'t>> {
        match &self.source {
            Source::Known(value) => Some(value),
            Source::Null | Source::Row(..) => None,
        }
    }

    /// Whether its comparisons order by bytes without being told to.
    fn ordered(&self) -> bool {
        match &self.source {
            Source::Row(Term::Column(column), Kind::Text) => column.holds == Holds::Text,
            Source::Row(Term::Matched(..), Kind::Text) => true,
            _ => false,
        }
    }

    /// Appends it as text: numbers as SQLite prints them.
    pub(crate) fn write_text(&self, sql: &mut Sql) {
        match &self.source {
            Source::Null => {
                sql.push("NULL::text");
            }
            Source::Known(value) => value.write_text(sql),
            Source::Row(term, kind) => {
                let (start, end) = match kind {
                    Kind::Text if self.ordered() => ("", ""),
                    Kind::Text | Kind::Any => ("", " COLLATE \"C\""),
                    Kind::Number => ("pando.number_text(", ") COLLATE \"C\""),
                    Kind::Real => ("pando.real_text(", ") COLLATE \"C\""),
                    Kind::Int => ("(", ")::text COLLATE \"C\""),
                    Kind::Bool => ("(", ")::int::text COLLATE \"C\""),
                };
                sql.push(start);
                if *kind == Kind::Any {
                    term::write_text_of_any(sql, term);
                } else {
                    term.write(sql);
                }
                sql.push(end);
            }
        }
    }

    /// Appends it as a number or truth value, or as NULL where it is no number.
    pub(crate) fn write_float(&self, sql: &mut Sql) {
        match &self.source {
            Source::Null => {
                sql.push("NULL::float8");
            }
            Source::Known(value) => match value.double() {
                Some(number) => value.write_double(sql, number),
                None => {
                    sql.push("pando.float(");
                    value.write_text(sql);
                    sql.push(")");
                }
            },
            Source::Row(term, Kind::Number | Kind::Real | Kind::Int) => term.write(sql),
            Source::Row(term, Kind::Bool) => {
                sql.push("(");
                term.write(sql);
                sql.push(")::int");
            }
            Source::Row(term, Kind::Text | Kind::Any) => {
                sql.push("pando.float(");
                term.write(sql);
                sql.push(")");
            }
        }
    }

    /// Appends it as a truth value: only where it is one.
    pub(crate) fn write_truth(&self, sql: &mut Sql) {
        match (&self.source, self.truth()) {
            (Source::Row(term, Kind::Bool), _) => term.write(sql),
            (_, Some(true)) => {
                sql.push("TRUE");
            }
            (_, Some(false) | None) => {
                sql.push("FALSE");
            }
        }
    }

    /// Appends it as a `pando.value`.
    pub(crate) fn write_value(&self, sql: &mut Sql) {
        match &self.source {
            Source::Null => {
                sql.push("NULL::pando.value");
            }
            Source::Known(value) => value.write_value(sql),
            Source::Row(term, Kind::Any) => term.write(sql),
            Source::Row(term, Kind::Text) => {
                sql.push("pando.t(");
                term.write(sql);
                sql.push(")");
            }
            Source::Row(_, Kind::Number | Kind::Real | Kind::Int | Kind::Bool) => {
                sql.push("pando.n(");
                self.write_float(sql);
                sql.push(")");
            }
        }
    }

    /// Appends whether it is null.
    pub(crate) fn write_null(&self, sql: &mut Sql, null: bool) {
        match &self.source {
            Source::Null => {
                sql.push(if null { "TRUE" } else { "FALSE" });
            }
            Source::Row(term, kind) if !self.always => {
                if *kind == Kind::Any {
                    term::write_text_of_any(sql, term);
                } else {
                    term.write(sql);
                }
                sql.push(if null { " IS NULL" } else { " IS NOT NULL" });
            }
            Source::Known(_) | Source::Row(..) => {
                sql.push(if null { "FALSE" } else { "TRUE" });
            }
        }
    }

    /// Appends the collation that a comparison with `other` by order needs, if any.
    pub(crate) fn write_collation(&self, other: &Operand<'_>, sql: &mut Sql) {
        if self.known().is_some() && other.known().is_some() {
            sql.push(" COLLATE \"C\"");
        }
    }
}
