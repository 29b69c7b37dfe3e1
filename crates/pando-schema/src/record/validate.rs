//! Whether a record may be stored: all that can be said without the database, and what is to be
//! asked there.
//!
//! Source: PocketBase `ValidateValue` of `core/field_*.go`, `core/validators/db.go`.

mod file;
mod format;
mod scalar;
mod text;

use crate::value::strings_of_text;
use crate::{Collection, CollectionKind, Field, FieldKind, Problem, Problems, Record, Value};

pub use format::email_valid;
pub(crate) use format::url_host;
pub use text::check_text;

/// A question that only the database can answer. To be asked inside of the writing transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreCheck {
    /// No record of the collection has this id, without regard to (ASCII) case. New records only.
    IdFree { id: String },
    /// The collection has records with all of these ids, which are distinct.
    RelatedExist { field: String, collection_id: String, ids: Vec<String> },
    /// No record of another auth collection has this id. To be asked last, and only if nothing
    /// else is wrong.
    AuthIdFree { id: String },
}

impl StoreCheck {
    /// Adds the problem that a "no" stands for.
    pub fn fail(&self, problems: &mut Problems) {
        match self {
            StoreCheck::IdFree { .. } => {
                let message = "The record primary key is invalid or already exists.";
                // PocketBase asks this first, so it goes before what is wrong with the text.
                problems.0.remove("id");
                problems.add("id", Problem::new("validation_pk_invalid", message));
            }
            StoreCheck::RelatedExist { field, .. } => {
                let message = "Failed to find all relation records with the provided ids.";
                problems.add(field, Problem::new("validation_missing_rel_records", message));
            }
            StoreCheck::AuthIdFree { .. } => {
                let message = "Invalid or duplicated auth record id.";
                problems.add("id", Problem::new("validation_invalid_auth_id", message));
            }
        }
    }

    /// For `RelatedExist`: adds the problem that the related collection does not exist.
    pub fn fail_without_collection(&self, problems: &mut Problems) {
        if let StoreCheck::RelatedExist { field, .. } = self {
            let message = "Relation connection is missing or cannot be accessed.";
            problems.add(field, Problem::new("validation_missing_rel_collection", message));
        }
    }
}

/// Judges a record that is to be stored. `original` is the stored one, `None` for a new record.
pub fn validate(record: &Record, original: Option<&Record>) -> (Problems, Vec<StoreCheck>) {
    let mut problems = Problems::default();
    let mut checks = Vec::new();
    for (index, field) in record.collection.fields.iter().enumerate() {
        let old = original.map(|original| &original.values[index]);
        if let Some(problem) = field_problem(record, index, field, old, &mut checks) {
            problems.add(&field.name, problem);
        }
    }
    if record.collection.kind == CollectionKind::Auth {
        checks.push(StoreCheck::AuthIdFree { id: record.id().to_owned() });
    }
    (problems, checks)
}

/// What a violated unique index means, given the names of its columns. `None` if none of them is
/// a field, as for an index over an expression.
pub fn unique_problems<'a>(
    collection: &Collection,
    columns: impl IntoIterator<Item = &'a str>,
) -> Option<Problems> {
    let mut problems = Problems::default();
    for column in columns {
        for field in collection.fields.iter().filter(|f| f.name.eq_ignore_ascii_case(column)) {
            let problem = Problem::new("validation_not_unique", "Value must be unique.");
            problems.add(&field.name, problem);
        }
    }
    (!problems.is_empty()).then_some(problems)
}

fn field_problem(
    record: &Record,
    index: usize,
    field: &Field,
    old: Option<&Value>,
    checks: &mut Vec<StoreCheck>,
) -> Option<Problem> {
    let value = &record.values[index];
    // A single-valued field may hold what is half a list, which PocketBase reads as such.
    let half_list = match value {
        Value::Text(text) if text.contains('[') => strings_of_text(text),
        _ => Vec::new(),
    };
    let entries = if half_list.is_empty() { value.entries() } else { &half_list };
    match (&field.kind, value) {
        (FieldKind::Text { .. }, Value::Text(text)) => text::text_problem(field, text, old, checks),
        (FieldKind::Editor { max_size, required, .. }, Value::Text(text)) => {
            text::editor_problem(text, *max_size, *required)
        }
        (FieldKind::Email { except_domains, only_domains, required }, Value::Text(text)) => {
            text::email_problem(text, only_domains, except_domains, *required)
        }
        (FieldKind::Url { except_domains, only_domains, required }, Value::Text(text)) => {
            text::url_problem(text, only_domains, except_domains, *required)
        }
        (FieldKind::Password { .. }, Value::Text(hash)) => {
            text::password_problem(field, hash, record.plain_password(index).unwrap_or(""))
        }
        (FieldKind::Number { .. }, Value::Number(number)) => scalar::number_problem(field, *number),
        (FieldKind::Bool { required: true }, Value::Bool(false)) => Some(Problem::required()),
        (FieldKind::Date { min, max, required }, Value::Text(date)) => {
            scalar::date_problem(date, min, max, *required)
        }
        (FieldKind::Select { values, max_select, required }, _) => {
            list_problem(entries, 0, *max_select, *required)
                .or_else(|| select_problem(entries, values))
        }
        (FieldKind::Relation { collection_id, min_select, max_select, required, .. }, _) => {
            let problem = list_problem(entries, *min_select, *max_select, *required);
            if problem.is_none() && !entries.is_empty() {
                checks.push(StoreCheck::RelatedExist {
                    field: field.name.clone(),
                    collection_id: collection_id.clone(),
                    ids: entries.to_vec(),
                });
            }
            problem
        }
        (FieldKind::File { .. }, _) => {
            let old_names = old.map(Value::entries).unwrap_or_default();
            file::file_problem(field, entries, old_names, &record.new_files)
        }
        (FieldKind::Json { max_size, required }, Value::Json(text)) => {
            scalar::json_problem(text, *max_size, *required)
        }
        (FieldKind::GeoPoint { required }, Value::GeoPoint { lon, lat }) => {
            scalar::point_problem(*lon, *lat, *required)
        }
        (FieldKind::Autodate { .. } | FieldKind::Bool { .. }, _) => None,
        // Only code that puts a value of the wrong kind gets here.
        (
            FieldKind::Text { .. }
            | FieldKind::Editor { .. }
            | FieldKind::Email { .. }
            | FieldKind::Url { .. }
            | FieldKind::Password { .. }
            | FieldKind::Number { .. }
            | FieldKind::Date { .. }
            | FieldKind::Json { .. }
            | FieldKind::GeoPoint { .. },
            _,
        ) => Some(Problem::new(
            "validation_unsupported_value_type",
            "Invalid or unsupported value type.",
        )),
    }
}

/// Emptiness and number of the entries of a select or relation.
fn list_problem(entries: &[String], min: i64, max: i64, blank_bad: bool) -> Option<Problem> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let max = max.max(1);
    if count == 0 {
        blank_bad.then(Problem::required)
    } else if min > 0 && count < min {
        let message = format!("Select at least {min}.");
        Some(Problem::new("validation_not_enough_values", message).with_param("minSelect", min))
    } else if count > max {
        let message = format!("Select no more than {max}.");
        Some(Problem::new("validation_too_many_values", message).with_param("maxSelect", max))
    } else {
        None
    }
}

fn select_problem(entries: &[String], values: &[String]) -> Option<Problem> {
    let unknown = entries.iter().find(|entry| !values.contains(entry))?;
    let message = format!("Invalid value {unknown}");
    Some(Problem::new("validation_invalid_value", message).with_param("value", unknown.as_str()))
}

#[cfg(test)]
mod tests;
