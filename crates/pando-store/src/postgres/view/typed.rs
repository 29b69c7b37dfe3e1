//! Expressions of PostgreSQL, with what SQLite knows of their values.
//!
//! SQLite asks each value for its type, PostgreSQL each expression. So an expression has a
//! [`Kind`], and where SQLite would see several types it is a `pando.value` (`functions.sql`).

use pando_schema::{CollectionKind, Field, FieldKind};

use super::reading::MARK;
pub(super) use crate::postgres::collate::Collate;

/// What type an expression has in PostgreSQL, and what values it stands for in SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Always NULL: `text`.
    Null,
    Text,
    /// Bytes, which are shown as `text` and are more than any text.
    Bytes,
    /// `bigint`
    Int,
    /// `float8`, never an integer in SQLite.
    Real,
    /// `float8`; what is whole is an integer in SQLite, unless `Typed::whole` says it better.
    Number,
    /// `boolean`, in SQLite 0 or 1.
    Bool,
    /// `json`, in SQLite a text.
    List,
    /// `json`, in SQLite a text or, where it is a number, a number.
    Document,
    /// `json` of any value, made by [`super::output`]: texts are quoted, unless they are JSON.
    Shown,
    /// `pando.value`
    Any,
}

/// What a comparison with an expression converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    None,
    Text,
    Numeric,
    Blob,
}

impl Collate {
    /// A text of which equal ones are the same.
    pub(super) fn applied(self, text: &str) -> String {
        match self {
            Collate::Binary => text.to_owned(),
            Collate::NoCase => format!("lower({text} COLLATE \"C\")"),
            Collate::RightTrim => format!("rtrim({text}, ' ')"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    /// Binds as tight as a call.
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) affinity: Affinity,
    pub(super) collate: Option<Collate>,
    /// What a literal says.
    pub(super) literal: Option<String>,
    /// Whether a [`Kind::Number`] is an integer in SQLite, where that is not plain to see.
    pub(super) whole: Option<String>,
    /// A text that counts as JSON in functions of JSON.
    pub(super) json: bool,
    /// A column that is never null.
    pub(super) always: bool,
}

impl Typed {
    pub(super) fn new(kind: Kind, sql: impl Into<String>) -> Typed {
        let sql = sql.into();
        let (affinity, collate, literal, whole) = (Affinity::None, None, None, None);
        Typed { sql, kind, affinity, collate, literal, whole, json: false, always: false }
    }

    pub(super) fn null() -> Typed {
        Typed::new(Kind::Null, "NULL::text")
    }

    pub(super) fn text_literal(text: &str) -> Typed {
        let literal = Some(text.to_owned());
        Typed { literal, ..Typed::new(Kind::Text, format!("{}::text", literal_text(text))) }
    }

    /// A number as it is written, without a sign.
    pub(super) fn number_literal(number: &str) -> Typed {
        let literal = Some(number.to_owned());
        if let Ok(whole) = number.parse::<i64>() {
            let small = i32::try_from(whole).is_ok();
            let sql = if small { whole.to_string() } else { format!("{whole}::int8") };
            return Typed { literal, ..Typed::new(Kind::Int, sql) };
        }
        let double: f64 = number.parse().unwrap_or(0.0);
        let sql = if double.is_finite() { format!("{double:e}") } else { "Infinity".to_owned() };
        Typed { literal, ..Typed::new(Kind::Real, format!("'{sql}'::float8")) }
    }

    pub(super) fn with_affinity(self, affinity: Affinity) -> Typed {
        Typed { affinity, ..self }
    }

    /// The same as the column of a subquery or table `sql`.
    pub(super) fn column(&self, sql: String, whole: Option<String>) -> Typed {
        Typed {
            sql,
            kind: self.kind,
            affinity: self.affinity,
            collate: self.collate,
            literal: None,
            whole,
            json: false,
            always: false,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Real | Kind::Number | Kind::Bool)
    }

    /// Whether SQLite sees a text, or NULL.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::List)
    }

    /// The text that SQLite makes of the value.
    pub(super) fn text(&self) -> String {
        let sql = &self.sql;
        match self.kind {
            Kind::Null | Kind::Text | Kind::Bytes => sql.clone(),
            Kind::Int => format!("({sql})::int8::text"),
            Kind::Bool => format!("({sql})::int::text"),
            Kind::Real => format!("pando.real_text({sql})"),
            Kind::Number => match &self.whole {
                None => format!("pando.number_text({sql})"),
                Some(whole) => format!(
                    "(CASE WHEN {whole} THEN pando.number_text({sql}) ELSE pando.real_text({sql}) END)"
                ),
            },
            Kind::List => format!("({sql})::text"),
            Kind::Document | Kind::Shown | Kind::Any => {
                format!("pando.value_text({})", self.value())
            }
        }
    }

    /// The value as a `pando.value`.
    pub(super) fn value(&self) -> String {
        let sql = &self.sql;
        match self.kind {
            Kind::Null => "NULL::pando.value".to_owned(),
            Kind::Text | Kind::Bytes | Kind::List => format!("pando.t({})", self.text()),
            Kind::Int if self.literal.is_some() => format!("pando.n({sql})"),
            Kind::Int => format!("pando.i({sql})"),
            Kind::Real | Kind::Number => format!("pando.n({sql})"),
            Kind::Bool => format!("pando.n(({sql})::int)"),
            Kind::Document => format!("pando.json_cell({sql})"),
            Kind::Shown => format!("pando.json_shown({sql})"),
            Kind::Any => sql.clone(),
        }
    }

    /// The value as a number for arithmetic: of kind Int, Real or Number.
    pub(super) fn number(&self) -> Typed {
        match self.kind {
            Kind::Int | Kind::Real | Kind::Number => {
                Typed { affinity: Affinity::None, ..self.clone() }
            }
            Kind::Bool => Typed::new(Kind::Int, format!("({})::int", self.sql)),
            Kind::Null => Typed::new(Kind::Int, "NULL::int8"),
            Kind::Text | Kind::Bytes | Kind::List => {
                let text = self.text();
                let whole = Some(format!("pando.prefix_whole({text})"));
                let sql = format!("pando.prefix_number({text})");
                Typed { whole, ..Typed::new(Kind::Number, sql) }
            }
            Kind::Document | Kind::Shown | Kind::Any => {
                Typed::new(Kind::Number, format!("pando.value_number({})", self.value()))
            }
        }
    }

    /// The value as `float8`.
    pub(super) fn float(&self) -> String {
        let number = self.number();
        match number.kind {
            Kind::Real | Kind::Number => number.sql,
            _ => format!("({})::float8", number.sql),
        }
    }

    /// The value as `bigint`, as CAST converts it.
    pub(super) fn int(&self) -> String {
        match self.kind {
            Kind::Text | Kind::Bytes | Kind::List => format!("pando.prefix_int({})", self.text()),
            Kind::Document | Kind::Shown | Kind::Any => {
                format!("pando.value_int({})", self.value())
            }
            Kind::Real | Kind::Number => format!("pando.to_int({})", self.sql),
            Kind::Int | Kind::Bool | Kind::Null => format!("({})::int8", self.number().sql),
        }
    }

    /// Whether SQLite counts the value as true.
    pub(super) fn truth(&self) -> String {
        match self.kind {
            Kind::Bool => self.sql.clone(),
            Kind::Null => "NULL::boolean".to_owned(),
            Kind::Int | Kind::Real | Kind::Number => format!("({} <> 0)", self.sql),
            _ => format!("pando.truth({})", self.value()),
        }
    }

    /// Whether SQLite has an integer there.
    pub(super) fn is_whole(&self) -> String {
        match (&self.kind, &self.whole) {
            (Kind::Int | Kind::Bool, _) => "TRUE".to_owned(),
            (Kind::Number, Some(whole)) => whole.clone(),
            (Kind::Number, None) => format!("({0} = trunc({0}))", self.sql),
            _ => "FALSE".to_owned(),
        }
    }

    /// The value in a type that PostgreSQL can order, group and make distinct.
    pub(super) fn comparable(&self) -> Typed {
        let made = match self.kind {
            Kind::List => Typed::new(Kind::Text, self.text()),
            Kind::Document | Kind::Shown => Typed::new(Kind::Any, self.value()),
            _ => return self.clone(),
        };
        Typed { affinity: self.affinity, collate: self.collate, ..made }
    }

    /// What equal values have in common, for GROUP BY and ORDER BY.
    pub(super) fn key(&self) -> String {
        let comparable = self.comparable();
        if comparable.kind != Kind::Text {
            return comparable.sql;
        }
        let applied = self.collate.unwrap_or(Collate::Binary).applied(&comparable.sql);
        format!("{applied} COLLATE \"C\"")
    }

    /// The value converted to another kind, or as a `pando.value`, for parts of one whole such as
    /// the results of a CASE.
    pub(super) fn as_kind(&self, kind: Kind) -> String {
        match kind {
            _ if self.kind == kind => self.sql.clone(),
            Kind::Null | Kind::Text | Kind::Bytes => self.text(),
            Kind::Int => format!("({})::int8", self.number().sql),
            Kind::Real | Kind::Number => self.float(),
            Kind::Bool => self.truth(),
            Kind::List | Kind::Document | Kind::Shown => "NULL::json".to_owned(),
            Kind::Any => self.value(),
        }
    }
}

/// The kind that values of all these kinds have in common.
pub(super) fn common(kinds: impl IntoIterator<Item = Kind>) -> Kind {
    let mut common = Kind::Null;
    for kind in kinds {
        common = match (common, kind) {
            (Kind::Null, other) | (other, Kind::Null) => other,
            (one, other) if one == other => one,
            (Kind::Text | Kind::List, Kind::Text | Kind::List) => Kind::Text,
            (Kind::Int | Kind::Bool, Kind::Int | Kind::Bool) => Kind::Int,
            (
                Kind::Int | Kind::Real | Kind::Number | Kind::Bool,
                Kind::Int | Kind::Real | Kind::Number | Kind::Bool,
            ) => Kind::Number,
            _ => Kind::Any,
        };
    }
    common
}

/// Kind and affinity of the column of a field.
pub(super) fn of_field(field: &Field, of: CollectionKind) -> (Kind, Affinity) {
    match &field.kind {
        FieldKind::Number { .. } => (Kind::Number, Affinity::Numeric),
        FieldKind::Bool { .. } => (Kind::Bool, Affinity::Numeric),
        // The size is how PocketBase marks a column that is no field of a collection.
        FieldKind::Json { max_size: 1, .. } if of == CollectionKind::View => {
            (Kind::Shown, Affinity::None)
        }
        FieldKind::Json { .. } => (Kind::Document, Affinity::Numeric),
        FieldKind::GeoPoint { .. } => (Kind::List, Affinity::Numeric),
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
            if field.multiple() {
                (Kind::List, Affinity::Numeric)
            } else {
                (Kind::Text, Affinity::Text)
            }
        }
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Password { .. } => (Kind::Text, Affinity::Text),
    }
}

/// A text as a literal, whatever the server makes of backslashes.
pub(super) fn literal_text(text: &str) -> String {
    // No stored text has a NUL; PostgreSQL would refuse the statement.
    let text = text.replace('\0', "\u{1}").replace('\'', "''");
    if text.contains(MARK) {
        let text = text.replace('\\', "\\\\").replace(MARK, "\\x02");
        return format!("E'{text}'");
    }
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}
