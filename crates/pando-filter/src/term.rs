//! One side of a comparison: a column, a bound value or something computed from them.

use crate::SqlValue;
use crate::condition::Condition;
use crate::postgres::Shape;
use crate::sql::{Dialect, Ident, Sql};

/// The name that a table has inside one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Alias {
    /// The table that is queried, under its own name.
    Base(Ident),
    /// A joined table, by its number in the query.
    Joined(u32),
}

impl Alias {
    pub(crate) fn write(&self, sql: &mut Sql) {
        match self {
            Alias::Base(name) => {
                sql.ident(name);
            }
            Alias::Joined(number) => {
                sql.push("__t").integer((*number).into());
            }
        }
    }
}

/// A column of one table of the query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) table: Alias,
    pub(crate) name: Ident,
    pub(crate) holds: Holds,
    /// The column has a value in every row of the query.
    pub(crate) always: bool,
    /// The column of a record that is not stored: what is compared with it stays as it is.
    pub(crate) unstored: bool,
}

/// What a column holds in PostgreSQL, where columns are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Number,
    Bool,
    /// JSON text: lists, points and JSON.
    Json,
}

impl Column {
    pub(crate) fn write(&self, sql: &mut Sql) {
        self.table.write(sql);
        sql.push(".").ident(&self.name);
    }
}

/// One step into a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JsonStep {
    Key(Ident),
    Index(u64),
    /// Nothing between two dots: a path that SQLite refuses.
    Empty,
}

/// How SQLite converts a value before it compares it with a plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Text,
    Numeric,
    None,
}

/// What a `json_each` reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Items {
    /// A list of the request.
    Sent(SqlValue),
    /// Such a list in the subquery of all values, where it does not count as the request's.
    Matched,
    /// A column that holds a list of texts.
    Texts,
    /// A column that holds one text, which may happen to be a JSON array.
    One,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Null,
    /// A number that is written into the text: `true`, `false` and counts.
    Integer(i64),
    /// `TRUE` or `FALSE`: what `:isset` answers.
    Truth(bool),
    /// A value of the filter or the request.
    Value(SqlValue),
    /// A truth value of the request: bound as a number, but a pattern of its word.
    Flag(bool),
    /// A value of a record at hand, compared as if it came from its column.
    Stored(SqlValue, Affinity),
    Column(Column),
    /// The value at a path in a JSON column.
    Json(Column, Vec<JsonStep>),
    /// How many items a column holds.
    Length(Column),
    /// The `value` of a joined `json_each`. It carries the list when that came with the request.
    Each(Alias, Items),
    /// The value that one row of a multi-match subquery has.
    Matched(Alias, Shape),
    Lower(Box<Term>),
    /// `geoDistance(lonA, latA, lonB, latB)`.
    GeoDistance(Box<[Term; 4]>),
    /// `strftime(format, time, modifiers…)`.
    Strftime(Vec<Term>),
    /// Whether `@request.body.x:changed`.
    Changed(Box<Condition>),
}

impl Term {
    /// Calls `visit` with every value that the term takes from the filter or the request.
    pub(crate) fn each_value<'t>(&'t self, visit: &mut impl FnMut(&'t SqlValue)) {
        match self {
            Term::Value(value) | Term::Each(_, Items::Sent(value)) => visit(value),
            Term::Flag(_) => visit(&SqlValue::Int(1)),
            Term::Lower(inner) => inner.each_value(visit),
            Term::GeoDistance(arguments) => {
                arguments.iter().for_each(|argument| argument.each_value(visit));
            }
            Term::Strftime(arguments) => {
                arguments.iter().for_each(|argument| argument.each_value(visit));
            }
            Term::Null
            | Term::Integer(_)
            | Term::Truth(_)
            | Term::Stored(..)
            | Term::Column(_)
            | Term::Json(..)
            | Term::Length(_)
            | Term::Each(_, Items::Matched | Items::Texts | Items::One)
            | Term::Matched(..)
            | Term::Changed(_) => {}
        }
    }

    pub(crate) fn has_values(&self) -> bool {
        let mut found = false;
        self.each_value(&mut |_| found = true);
        found
    }

    /// The term with each of its values replaced.
    pub(crate) fn map_values(self, change: &impl Fn(SqlValue) -> SqlValue) -> Term {
        let map = |term: Term| term.map_values(change);
        match self {
            Term::Value(value) => Term::Value(change(value)),
            Term::Flag(flag) => Term::Value(change(SqlValue::Text(flag.to_string()))),
            Term::Lower(inner) => Term::Lower(Box::new(map(*inner))),
            Term::GeoDistance(arguments) => Term::GeoDistance(Box::new(arguments.map(map))),
            Term::Strftime(arguments) => Term::Strftime(arguments.into_iter().map(map).collect()),
            other => other,
        }
    }

    /// Appends the term as an SQL expression.
    pub(crate) fn write(&self, sql: &mut Sql) {
        if sql.dialect == Dialect::Postgres {
            return crate::postgres::write_term(sql, self);
        }
        match self {
            Term::Null => {
                sql.push("NULL");
            }
            Term::Integer(number) => {
                sql.integer(*number);
            }
            Term::Truth(true) => {
                sql.push("TRUE");
            }
            Term::Truth(false) => {
                sql.push("FALSE");
            }
            Term::Value(value) | Term::Stored(value, Affinity::None) => {
                sql.bind(value.clone());
            }
            Term::Flag(flag) => {
                sql.bind(SqlValue::Int((*flag).into()));
            }
            Term::Stored(value, Affinity::Text) => {
                sql.push("CAST(").bind(value.clone()).push(" AS TEXT)");
            }
            Term::Stored(value, Affinity::Numeric) => {
                sql.push("CAST(").bind(value.clone()).push(" AS NUMERIC)");
            }
            Term::Column(column) => column.write(sql),
            Term::Json(column, path) => write_json(sql, column, path),
            Term::Length(column) => write_length(sql, column),
            Term::Each(alias, _) => {
                alias.write(sql);
                sql.push(".value");
            }
            Term::Matched(alias, _) => {
                alias.write(sql);
                sql.push(".matched");
            }
            Term::Lower(inner) => {
                sql.push("LOWER(");
                inner.write(sql);
                sql.push(")");
            }
            Term::GeoDistance(arguments) => write_distance(sql, arguments),
            Term::Strftime(arguments) => {
                sql.push("strftime(");
                for (index, argument) in arguments.iter().enumerate() {
                    sql.push(if index == 0 { "" } else { "," });
                    argument.write(sql);
                }
                sql.push(")");
            }
            Term::Changed(condition) => {
                sql.push("(");
                condition.write(sql);
                sql.push(")");
            }
        }
    }
}

/// A JSON value at a path; a column that is no JSON counts as a JSON text.
fn write_json(sql: &mut Sql, column: &Column, path: &[JsonStep]) {
    sql.push("(CASE WHEN json_valid(");
    column.write(sql);
    sql.push(") THEN JSON_EXTRACT(");
    column.write(sql);
    sql.push(", '$");
    write_path(sql, path);
    sql.push("') ELSE JSON_EXTRACT(json_object('pb', ");
    column.write(sql);
    sql.push("), '$.pb");
    write_path(sql, path);
    sql.push("') END)");
}

fn write_path(sql: &mut Sql, path: &[JsonStep]) {
    for step in path {
        match step {
            JsonStep::Key(key) => {
                sql.push(".").name(key);
            }
            JsonStep::Empty => {
                sql.push(".");
            }
            JsonStep::Index(index) => {
                sql.push("[").integer(i64::try_from(*index).unwrap_or(i64::MAX)).push("]");
            }
        }
    }
}

fn write_length(sql: &mut Sql, column: &Column) {
    sql.push("json_array_length(CASE WHEN iif(json_valid(");
    column.write(sql);
    sql.push("), json_type(");
    column.write(sql);
    sql.push(")='array', FALSE) THEN ");
    column.write(sql);
    sql.push(" ELSE (CASE WHEN ");
    column.write(sql);
    sql.push(" = '' OR ");
    column.write(sql);
    sql.push(" IS NULL THEN json_array() ELSE json_array(");
    column.write(sql);
    sql.push(") END) END)");
}

/// `json_each` over a column; a column that is no JSON array counts as an array of one.
pub(crate) fn write_each(sql: &mut Sql, column: &Column) {
    if sql.dialect == Dialect::Postgres {
        return crate::postgres::write_each(sql, column);
    }
    sql.push("json_each(CASE WHEN iif(json_valid(");
    column.write(sql);
    sql.push("), json_type(");
    column.write(sql);
    sql.push(")='array', FALSE) THEN ");
    column.write(sql);
    sql.push(" ELSE json_array(");
    column.write(sql);
    sql.push(") END)");
}

/// The haversine distance in kilometres.
fn write_distance(sql: &mut Sql, [lon_a, lat_a, lon_b, lat_b]: &[Term; 4]) {
    let parts: [(&'static str, &Term); 6] = [
        ("(6371 * acos(cos(radians(", lat_a),
        (")) * cos(radians(", lat_b),
        (")) * cos(radians(", lon_b),
        (") - radians(", lon_a),
        (")) + sin(radians(", lat_a),
        (")) * sin(radians(", lat_b),
    ];
    for (text, term) in parts {
        sql.push(text);
        term.write(sql);
    }
    sql.push("))))");
}
