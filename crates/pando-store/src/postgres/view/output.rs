//! The columns of a view in the types in which filters expect its fields.
//!
//! What a client sees of a value in SQLite depends on the value and on the kind of the field
//! (`pando-schema`, `value/sql.rs`): an integer in a field of texts is shown as text, a text in a
//! field of JSON is quoted unless it is JSON. Here that is done before the value is stored in a
//! typed column.

use pando_schema::{Field, FieldKind};

use super::super::ddl::quoted;
use super::select::Relation;
use super::typed::{Kind, Typed};

/// Selects the columns of a query under their names and in their types.
pub(super) fn write(relation: &Relation, fields: &[Field]) -> String {
    let list: Vec<String> = relation
        .columns
        .iter()
        .zip(fields)
        .map(|(column, field)| {
            let whole = column.typed.whole.as_ref().map(|whole| format!("q.{whole}"));
            let typed = column.typed.column(format!("q.{}", column.typed.sql), whole);
            format!("{} AS {}", shown(&typed, field), quoted(&field.name))
        })
        .collect();
    format!("SELECT {} FROM ({}) AS q", list.join(", "), relation.sql)
}

fn shown(typed: &Typed, field: &Field) -> String {
    match &field.kind {
        FieldKind::Number { .. } => number(typed),
        FieldKind::Bool { .. } => truth(typed),
        FieldKind::Json { .. } | FieldKind::GeoPoint { .. } => json(typed),
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. }
            if field.multiple() =>
        {
            list(typed)
        }
        // PocketBase casts an id that is no text.
        FieldKind::Text { primary_key: true, .. } => format!("{} COLLATE \"C\"", typed.text()),
        FieldKind::Select { .. }
        | FieldKind::File { .. }
        | FieldKind::Relation { .. }
        | FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Password { .. } => format!("{} COLLATE \"C\"", text(typed)),
    }
}

fn number(typed: &Typed) -> String {
    if typed.is_number() || typed.kind == Kind::Null {
        return typed.float();
    }
    format!("pando.shown_number({})", typed.value())
}

fn truth(typed: &Typed) -> String {
    match typed.kind {
        Kind::Bool => typed.sql.clone(),
        Kind::Null => "NULL::boolean".to_owned(),
        Kind::Int | Kind::Real | Kind::Number => format!("({} = 1)", typed.sql),
        _ => format!("({} IN ('1', 't', 'T', 'true', 'TRUE', 'True'))", typed.text()),
    }
}

/// Numbers print here as in Go.
fn text(typed: &Typed) -> String {
    let sql = &typed.sql;
    match typed.kind {
        Kind::Real => format!("pando.shown_real({sql})"),
        Kind::Number => format!(
            "(CASE WHEN {} THEN pando.number_text({sql}) ELSE pando.shown_real({sql}) END)",
            typed.is_whole()
        ),
        Kind::Document | Kind::Shown | Kind::Any => format!("pando.shown_text({})", typed.value()),
        Kind::Null | Kind::Text | Kind::Bytes | Kind::Int | Kind::Bool | Kind::List => typed.text(),
    }
}

fn json(typed: &Typed) -> String {
    match typed.kind {
        Kind::Null => "NULL::json".to_owned(),
        Kind::List | Kind::Document | Kind::Shown => typed.sql.clone(),
        Kind::Int => format!("to_json(({})::int8)", typed.sql),
        Kind::Bool => format!("to_json(({})::int)", typed.sql),
        Kind::Text | Kind::Bytes | Kind::Real | Kind::Number | Kind::Any => {
            format!("pando.shown_json({})", text(typed))
        }
    }
}

fn list(typed: &Typed) -> String {
    match typed.kind {
        Kind::Null => "NULL::json".to_owned(),
        Kind::List => typed.sql.clone(),
        _ => format!("pando.list_of({})", text(typed)),
    }
}
