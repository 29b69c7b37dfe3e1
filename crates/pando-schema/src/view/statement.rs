//! Prepares the query of a view for the database.
//!
//! Source: PocketBase `core/view.go`, `core/collection_query.go` (`normalizeViewQueryId`), and
//! its query builder `dbx` for `[[column]]`, `{{table}}` and `{:parameter}`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::ViewQueryError;
use super::outline::Outline;
use super::split::{Separator, split};

/// `query` without semicolons around it. Fails if it has several statements.
///
/// That is for a helpful message only; the database must be asked to run one statement.
pub fn single_statement(query: &str) -> Result<&str, ViewQueryError> {
    let query = trimmed(query);
    // A quote left open is found, and told, when the columns are read.
    let several = split(query, &[';'], Separator::Drop).is_ok_and(|parts| parts.len() > 1);
    if several { Err(ViewQueryError::Multiple) } else { Ok(query) }
}

/// `query`, wrapped so that its id is a text. `types` are names and types of its columns as the
/// database tells them: where the id is a text already, the query stays as it is.
pub fn with_text_id(query: &str, types: &[(String, String)]) -> Result<String, ViewQueryError> {
    let query = trimmed(query);
    let text_id = |(name, kind): &(String, String)| {
        name.eq_ignore_ascii_case("id") && kind.eq_ignore_ascii_case("text")
    };
    if types.iter().any(text_id) {
        return Ok(query.to_owned());
    }
    let columns = Outline::parse(query)?.columns;
    let columns: Vec<String> = columns
        .iter()
        .map(|column| match column.alias.as_str() {
            "id" => "CAST([[id]] as TEXT) [[id]]".to_owned(),
            alias => format!("[[{alias}]]"),
        })
        .collect();
    Ok(format!("SELECT {} FROM ({query})", columns.join(",")))
}

/// `text` with `[[column]]` and `{{table}}` as names in quotes.
pub fn quote_names(text: &str) -> Result<String, ViewQueryError> {
    static PARAMETER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\{:([0-9A-Za-z_]+)\}").expect("the expression is constant"));
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\{\{([0-9A-Za-z_. -]+)\}\}|\[\[([0-9A-Za-z_. -]+)\]\]")
            .expect("the expression is constant")
    });
    if let Some(parameter) = PARAMETER.captures(text) {
        return Err(ViewQueryError::Parameter(parameter[1].to_owned()));
    }
    let quoted = NAME.replace_all(text, |found: &Captures<'_>| {
        let name = found.get(1).or_else(|| found.get(2)).map_or("", |name| name.as_str());
        let parts: Vec<String> = name.split('.').map(|part| format!("`{part}`")).collect();
        parts.join(".")
    });
    Ok(quoted.into_owned())
}

fn trimmed(query: &str) -> &str {
    query.trim().trim_matches(';')
}
