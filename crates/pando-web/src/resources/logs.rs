//! The logs, of all servers: pages of entries, one of them, how many there were by the hour. For
//! superusers only.
//!
//! Source: PocketBase `apis/logs.go`, `core/log_query.go`, `tools/search/simple_field_resolver.go`.

use http::StatusCode;
use pando_filter::{Expr, FilterError, Item, Operand, Query};
use pando_schema::{DateTime, Schema};
use pando_store::{LogReader, LogRow, StoreError, log_table};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use time::OffsetDateTime;

use super::records::page::Page;
use super::require_superuser;
use crate::ApiError;
use crate::access::unusable;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{self, Pick, Response, json_text, no_content, picked};

/// What entries can be searched and sorted by, beside what is in `data`.
const FIELDS: [&str; 5] = ["id", "created", "level", "message", "data"];

/// `GET /api/logs`
pub(crate) async fn list(app: &SharedApp, request: &Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let schema = Schema::new(Vec::new());
    let page = Page::of(&request.query)?;
    let mut query = query(&schema)?;
    let filter = request.query.first("filter");
    if !filter.is_empty() {
        let expr = pando_filter::parse_search(filter);
        narrow(&mut query, &expr.map_err(|error| unusable(FilterError::Parse(error)))?)?;
    }
    let sort = request.query.first("sort");
    if !sort.is_empty() {
        order(&mut query, sort)?;
    }
    let mut reader = app.store.read_logs().await?;
    let (rows, total) = read(&mut reader, query, page).await.map_err(refused)?;
    let mut text = b"{\"items\":[".to_vec();
    for (index, row) in rows.iter().enumerate() {
        text.extend_from_slice(if index == 0 { b"" } else { b"," });
        text.extend_from_slice(shown(row).as_bytes());
    }
    text.push(b']');
    page.write_end(&mut text, total);
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Items))
}

async fn read(
    reader: &mut LogReader,
    mut query: Query<'_>,
    page: Page,
) -> Result<(Vec<LogRow>, Option<i64>), StoreError> {
    query.speak(reader.dialect());
    let rows = reader.page(&query, page.size, page.offset()).await?;
    let total = if page.counted { Some(reader.count(&query).await?) } else { None };
    Ok((rows, total))
}

/// `GET /api/logs/stats`
pub(crate) async fn stats(app: &SharedApp, request: &Request) -> Result<Response, ApiError> {
    const INVALID: &str = "Invalid filter format.";
    require_superuser(request)?;
    let schema = Schema::new(Vec::new());
    let mut query = query(&schema)?;
    let filter = request.query.first("filter");
    if !filter.is_empty() {
        let told = |error: ApiError| ApiError { message: INVALID.to_owned(), ..error };
        let expr = pando_filter::parse(filter);
        let expr = expr.map_err(|error| told(unusable(FilterError::Parse(error))))?;
        narrow(&mut query, &expr).map_err(told)?;
    }
    let mut reader = app.store.read_logs().await?;
    query.speak(reader.dialect());
    let told = |error: ApiError| match error.status {
        StatusCode::BAD_REQUEST => {
            ApiError { message: "Failed to generate logs stats.".to_owned(), ..error }
        }
        _ => error,
    };
    let hours = reader.hours(&query).await.map_err(|error| told(refused(error)))?;
    let shown: Vec<Json> = hours
        .into_iter()
        .map(|(hour, total)| {
            let date = DateTime::parse(&hour).map_or(hour, DateTime::stored);
            json!({ "date": date, "total": total })
        })
        .collect();
    Ok(picked(request, response::json(StatusCode::OK, &shown.into()), Pick::Answer))
}

/// `GET /api/logs/{id}`
pub(crate) async fn view(
    app: &SharedApp,
    request: &Request,
    id: &str,
) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let found = app.store.read_logs().await?.find(id).await?;
    let row = found.ok_or_else(|| ApiError::not_found(""))?;
    Ok(picked(request, json_text(StatusCode::OK, shown(&row)), Pick::Answer))
}

/// `DELETE /api/logs`
pub(crate) async fn truncate(app: &SharedApp, request: &Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    app.store.truncate_logs().await?;
    Ok(no_content())
}

fn query(schema: &Schema) -> Result<Query<'_>, ApiError> {
    Query::new(schema, log_table(), None, OffsetDateTime::now_utc()).map_err(unusable)
}

fn narrow(query: &mut Query<'_>, expr: &Expr) -> Result<(), ApiError> {
    check_names(expr)?;
    query.filter(expr).map_err(unusable)
}

fn order(query: &mut Query<'_>, sort: &str) -> Result<(), ApiError> {
    for part in sort.split(',') {
        let part = part.trim();
        let name = part.strip_prefix(['-', '+']).unwrap_or(part);
        if !matches!(name, "@random" | "@rowid") {
            check_name(name)?;
        }
    }
    query.sort(sort).map_err(unusable)
}

/// A filter of logs may name less than one of records.
fn check_names(expr: &Expr) -> Result<(), ApiError> {
    for (_, item) in &expr.items {
        match item {
            Item::Group(group) => check_names(group)?,
            Item::Comparison(comparison) => {
                check_operand(&comparison.left)?;
                check_operand(&comparison.right)?;
            }
        }
    }
    Ok(())
}

fn check_operand(operand: &Operand) -> Result<(), ApiError> {
    match operand {
        Operand::Identifier(name) => check_name(name),
        Operand::Call { arguments, .. } => arguments.iter().try_for_each(check_operand),
        Operand::Text(_) | Operand::Number(_) => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let within_data =
        |path: &str| path.ends_with(word) && path.chars().all(|c| word(c) || c == '.' || c == ':');
    let known = FIELDS.contains(&name)
        || name.strip_prefix("data.").is_some_and(within_data)
        // Macros and keywords: the query knows which there are.
        || name.strip_prefix('@').is_some_and(|rest| rest.chars().all(word))
        || ["null", "true", "false"].iter().any(|keyword| name.eq_ignore_ascii_case(keyword));
    match known {
        true => Ok(()),
        false => Err(unusable(FilterError::Unresolved(name.to_owned()))),
    }
}

/// A query that the database does not take is the client's mistake.
fn refused(error: StoreError) -> ApiError {
    match error.is_refusal() {
        true => ApiError::bad_request("").caused_by(error),
        false => error.into(),
    }
}

fn shown(row: &LogRow) -> String {
    let text = |text: &str| Json::String(text.to_owned()).to_string();
    let LogRow { id, created, data, message, level } = row;
    // Somebody else may have written something else.
    let data = match serde_json::from_str::<&RawValue>(data) {
        Ok(data) if data.get().starts_with('{') => data.get(),
        _ => "{}",
    };
    let (id, created, message) = (text(id), text(created), text(message));
    format!(
        "{{\"id\":{id},\"created\":{created},\"data\":{data},\"message\":{message},\"level\":{level}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn only_what_an_entry_has_can_be_named() {
        for name in ["id", "data", "data.a", "data.a.0.b:c", "data.a..b", "@now", "NULL", "true"] {
            check_name(name).unwrap();
        }
        let others = ["rowid", "message:lower", "data:length", "data.", "data.a.", "data.a-b"];
        for name in others.into_iter().chain(["@request.method", "@collection.a.b", "x", ""]) {
            check_name(name).unwrap_err();
        }
    }
}
