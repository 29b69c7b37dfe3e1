//! What the query of a view collection says about its fields.
//!
//! The text is read the way that PocketBase reads it, which is not the whole of SQL: what a column
//! is called and where it comes from, everything else being left to the database. Clients see the
//! outcome (types, options, error texts), so the limits of that reading are kept as well.
//!
//! Source: PocketBase `core/view.go`.

mod outline;
mod split;
mod statement;

use std::sync::{Arc, LazyLock};

use rand::RngCore;
use regex::Regex;

use crate::field::list::add_field;
use crate::field::validate::FieldCheck;
use crate::random::random_text;
use crate::{Collection, CollectionKind, Field, FieldKind, Schema};
use outline::{Name, Outline};

pub use statement::{quote_names, single_statement, with_text_id};

/// The suffix of a cloned field's id: short, as in PocketBase, so a taken one is drawn again.
const CLONE_ID_CHARS: usize = 4;

/// Views of views that are followed to find the record with a file, as in PocketBase.
const FILE_LEVELS_MAX: usize = 5;

/// Why a query cannot be that of a view.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ViewQueryError {
    #[error("multiple statements are not supported")]
    Multiple,
    #[error(
        "wildcard columns (*) are not supported - manually type the collection field names you \
         want the view query to have"
    )]
    Wildcard,
    #[error(
        "missing required id column (you can use `(ROW_NUMBER() OVER()) as id` if you don't have one)"
    )]
    NoId,
    #[error("unbalanced parenthesis or quoted expression: {0:?}")]
    Unbalanced(String),
    #[error("invalid identifier parts [{}]", .0.join(" "))]
    Parts(Vec<String>),
    #[error("invalid identifier part - expected \"as\", got {0}")]
    NotAs(String),
    /// `{:name}` stands for a bound value, of which a view has none.
    #[error("Named parameter not found: {0}")]
    Parameter(String),
}

/// A column of a query, as far as its text tells.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewColumn {
    pub field: Field,
    /// The collection and the name of its field of which this one is a copy.
    pub source: Option<(Arc<Collection>, String)>,
}

/// The columns that `query` names. `schema` tells what kinds of fields they are.
pub fn view_columns(
    query: &str,
    schema: &Schema,
    rng: &mut dyn RngCore,
) -> Result<Vec<ViewColumn>, ViewQueryError> {
    let outline = Outline::parse(query)?;
    let tables: Vec<(&str, &Arc<Collection>)> = outline
        .tables
        .iter()
        .filter(|table| !table.alias.contains('('))
        .filter_map(|table| {
            let found = schema.by_name(&table.original);
            let found = found.filter(|collection| collection.name == table.original)?;
            Some((table.alias.as_str(), found))
        })
        .collect();
    let main = outline.tables.first().map(|table| table.alias.as_str());
    let reader = Reader { tables, main };
    let mut columns: Vec<ViewColumn> = Vec::with_capacity(outline.columns.len());
    for name in &outline.columns {
        if name.alias == "*" {
            return Err(ViewQueryError::Wildcard);
        }
        let mut column = reader.column(name);
        if column.source.is_some() {
            column.field.id = clone_id(&columns, rng);
        }
        columns.push(column);
    }
    Ok(columns)
}

/// A random id that no other column has: one field may be shown several times.
fn clone_id(columns: &[ViewColumn], rng: &mut dyn RngCore) -> String {
    loop {
        let id = format!("_clone_{}", random_text(rng, CLONE_ID_CHARS));
        if columns.iter().all(|column| column.field.id != id) {
            return id;
        }
    }
}

/// What a query reads.
struct Reader<'a> {
    /// Collections by the name that the query gives them. A later one replaces a namesake.
    tables: Vec<(&'a str, &'a Arc<Collection>)>,
    /// The first table, to which columns without a table belong.
    main: Option<&'a str>,
}

impl Reader<'_> {
    fn column(&self, name: &Name) -> ViewColumn {
        let alias = name.alias.as_str();
        if alias == "id" {
            return own(id_field());
        }
        if let Some(kind) = kind_of_expression(&name.original) {
            return own(Field::new(alias, kind));
        }
        let parts: Vec<&str> = name.original.split('.').collect();
        let (table, column) = match parts.as_slice() {
            [table, column] => (Some(*table), *column),
            [column, ..] => (self.main, *column),
            [] => (None, ""),
        };
        let Some(collection) = table.and_then(|table| self.collection(table)) else {
            return own(unknown_field(alias));
        };
        let same_name = |field: &&Field| field.name.eq_ignore_ascii_case(column);
        let Some(field) = collection.fields.iter().find(same_name) else {
            return own(unknown_field(alias));
        };
        if column.eq_ignore_ascii_case("id") {
            return own(Field::new(alias, reference_to(collection)));
        }
        ViewColumn {
            field: Field { name: alias.to_owned(), ..field.clone() },
            source: Some((Arc::clone(collection), field.name.clone())),
        }
    }

    fn collection(&self, table: &str) -> Option<&Arc<Collection>> {
        let found = self.tables.iter().rev().find(|(alias, _)| *alias == table);
        found.map(|(_, collection)| *collection)
    }
}

fn own(field: Field) -> ViewColumn {
    ViewColumn { field, source: None }
}

/// The kind of a result that its expression alone tells.
fn kind_of_expression(expression: &str) -> Option<FieldKind> {
    static CAST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?s)^cast[\t\n\f\r ]*\(.*[\t\n\f\r ]+as[\t\n\f\r ]+([0-9A-Za-z_]+)[\t\n\f\r ]*\)$",
        )
        .expect("the expression is constant")
    });
    let number = |only_int| FieldKind::Number { min: None, max: None, only_int, required: false };
    let lower = expression.to_lowercase();
    if lower.starts_with("count(") {
        return Some(number(true));
    }
    if lower.starts_with("total(") {
        return Some(number(false));
    }
    match CAST.captures(&lower)?.get(1)?.as_str() {
        "real" | "decimal" | "numeric" => Some(number(false)),
        "int" | "integer" => Some(number(true)),
        "text" => FieldKind::blank("text"),
        "boolean" | "bool" => Some(FieldKind::Bool { required: false }),
        _ => None,
    }
}

fn id_field() -> Field {
    let kind = FieldKind::Text {
        min: 0,
        max: 0,
        pattern: "^[a-z0-9]+$".to_owned(),
        autogenerate_pattern: String::new(),
        primary_key: true,
        required: true,
    };
    Field { system: true, ..Field::new("id", kind) }
}

/// The field of a column of which nothing is known: it may hold anything, null included.
fn unknown_field(name: &str) -> Field {
    match name {
        "id" => id_field(),
        // Nothing is ever stored, so the size does not matter; PocketBase writes 1.
        _ => Field::new(name, FieldKind::Json { max_size: 1, required: false }),
    }
}

fn reference_to(collection: &Collection) -> FieldKind {
    FieldKind::Relation {
        collection_id: collection.id.clone(),
        cascade_delete: false,
        min_select: 0,
        max_select: 1,
        required: false,
    }
}

/// The fields of a view whose query has `columns`, while the database calls them `names`. Without
/// an id the query is refused; the fields are told all the same.
pub fn view_fields<'a>(
    columns: &[ViewColumn],
    names: impl IntoIterator<Item = &'a str>,
) -> (Vec<Field>, Result<(), ViewQueryError>) {
    let mut fields = Vec::new();
    for name in names {
        let column = columns.iter().rev().find(|column| column.field.name == name);
        let field = column.map_or_else(|| unknown_field(name), |column| column.field.clone());
        add_field(&mut fields, field);
    }
    let has_id = fields.iter().any(|field: &Field| field.name == "id");
    (fields, if has_id { Ok(()) } else { Err(ViewQueryError::NoId) })
}

/// What is wrong with the first wrong field of a view, as a sentence.
pub fn view_field_problem(
    view: &Collection,
    schema: &Schema,
    rng: &mut dyn RngCore,
) -> Option<String> {
    view.fields.iter().enumerate().find_map(|(index, field)| {
        let check = FieldCheck { field, collection: view, stored: None, schema };
        let problems = check.problems(rng);
        (!problems.is_empty())
            .then(|| format!("invalid field {:?} ({index}): {problems}", field.name))
    })
}

/// Whether two lists of fields are the same but for their ids, which a view's fields change.
pub fn same_fields(one: &[Field], other: &[Field]) -> bool {
    let text = |field: &Field| {
        let anonymous = Field { id: String::new(), ..field.clone() };
        // PocketBase compares without regard to case.
        anonymous.to_json().to_string().to_lowercase()
    };
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| text(one) == text(other))
}

/// The collection and field that hold the files which `field` of `view` shows.
pub fn view_file_source(
    view: &Arc<Collection>,
    field: &str,
    schema: &Schema,
    rng: &mut dyn RngCore,
) -> Option<(Arc<Collection>, String)> {
    let (mut view, mut field) = (Arc::clone(view), field.to_owned());
    for _ in 0..FILE_LEVELS_MAX {
        let columns = view_columns(&view.view_query, schema, rng).ok()?;
        let column = columns.into_iter().rev().find(|column| column.field.name == field)?;
        (view, field) = column.source?;
        if view.kind != CollectionKind::View {
            return Some((view, field));
        }
    }
    None
}

#[cfg(test)]
mod tests;
