//! The body of a request: fields and files, whichever way they were sent.
//!
//! Source: PocketBase `tools/router/event.go` (`BindBody`) and `unmarshal_request_data.go`.

pub(crate) mod multipart;
mod strict_json;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use pando_blob::{Staging, Uploaded};
use serde_json::{Map, Value as Json};

use crate::ApiError;
use crate::arriving::{Arriving, content_length};
use crate::request::Query;

use strict_json::Budget;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// The form field whose value is JSON that is merged into the fields.
const JSON_PAYLOAD: &str = "@jsonPayload";

/// The largest form that is not multipart, as Go's `ParseForm` has it.
const FORM_BYTES_MAX: usize = 10 << 20;

/// What a body said.
#[derive(Debug, Default)]
pub(crate) struct Submission {
    pub fields: Map<String, Json>,
    pub files: Vec<SubmittedFile>,
    /// Whether it was XML, which PocketBase takes and finds nothing in.
    pub xml: bool,
    /// Whether it was announced as multipart and nothing came.
    pub no_parts: bool,
}

/// A file as it came in a multipart body.
#[derive(Debug)]
pub(crate) struct SubmittedFile {
    /// The name of the form field, with its modifier if it has one.
    pub field: String,
    /// The name that the client gave the file.
    pub original_name: String,
    pub content: Uploaded,
}

/// Reads the body according to its content type. No body is no fields. With it comes the body
/// itself, if [`again`] can read it once more.
pub(crate) async fn read(
    headers: &HeaderMap,
    query: &Query,
    body: Arriving,
    staging: &Staging,
    bytes_max: u64,
) -> Result<(Submission, Option<Bytes>), ApiError> {
    let kind = kind_of(headers);
    if body.is_end_stream() {
        let no_parts = kind.starts_with(MULTIPART);
        return Ok((Submission { no_parts, ..Submission::default() }, Some(Bytes::new())));
    }
    if content_length(headers).is_some_and(|length| length > bytes_max) {
        return Err(ApiError::too_large());
    }
    if kind.starts_with(MULTIPART) {
        return Ok((multipart::read(kind, query, body, staging, bytes_max).await?, None));
    }
    if kind.starts_with("application/xml") || kind.starts_with("text/xml") {
        return Ok((Submission { xml: true, ..Submission::default() }, None));
    }
    if !kind.starts_with(JSON) && !kind.starts_with(FORM) {
        return Err(ApiError::bad_request("Unsupported Content-Type."));
    }
    let bytes = collect(body, bytes_max).await?;
    Ok((parse(headers, query, &bytes)?, Some(bytes)))
}

/// Reads a body that was read before.
pub(crate) fn again(
    headers: &HeaderMap,
    query: &Query,
    bytes: &[u8],
) -> Result<Submission, ApiError> {
    if bytes.is_empty() {
        let no_parts = kind_of(headers).starts_with(MULTIPART);
        return Ok(Submission { no_parts, ..Submission::default() });
    }
    parse(headers, query, bytes)
}

/// Reads a body that is there: JSON or a form.
fn parse(headers: &HeaderMap, query: &Query, bytes: &[u8]) -> Result<Submission, ApiError> {
    let fields = match kind_of(headers).starts_with(JSON) {
        true => json_fields(bytes, &mut Budget::default())?,
        false => form_fields(bytes, query)?,
    };
    Ok(Submission { fields, ..Submission::default() })
}

fn kind_of(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

async fn collect(body: Arriving, bytes_max: u64) -> Result<Bytes, ApiError> {
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let collected = Limited::new(body, limit).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::too_large()
        } else {
            ApiError::bad_request("Failed to read the request body.")
        }
    })
}

/// The fields of a JSON object. `null` has none.
fn json_fields(text: &[u8], budget: &mut Budget) -> Result<Map<String, Json>, ApiError> {
    match strict_json::parse(text, budget) {
        Ok(Json::Object(fields)) => Ok(fields),
        Ok(Json::Null) => Ok(Map::new()),
        Ok(_) => Err(ApiError::bad_request("")),
        Err(error) => Err(ApiError::bad_request("").caused_by(error)),
    }
}

/// The fields of a form, those of the query after them, as Go's `ParseForm` has it: what is left
/// out of a query elsewhere is an error here.
fn form_fields(text: &[u8], query: &Query) -> Result<Map<String, Json>, ApiError> {
    if text.len() > FORM_BYTES_MAX {
        return Err(ApiError::bad_request("").caused_by(anyhow::anyhow!("the form is too large")));
    }
    let form = Query::parse(&String::from_utf8_lossy(text));
    for part in [&form, query] {
        check_complete(part)?;
    }
    typed_fields(form.iter().chain(query.iter()))
}

/// In a form, what cannot be decoded is an error, also in the query beside it.
fn check_complete(query: &Query) -> Result<(), ApiError> {
    match query.complete() {
        true => Ok(()),
        false => Err(ApiError::bad_request("").caused_by(anyhow::anyhow!("a malformed pair"))),
    }
}

/// Groups `pairs` by name and gives their values types: one value stays single, more become a
/// list.
fn typed_fields<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Map<String, Json>, ApiError> {
    let mut fields: Map<String, Json> = Map::new();
    let mut lists: BTreeSet<String> = BTreeSet::new();
    let mut payloads = Vec::new();
    for (name, value) in pairs {
        if name == JSON_PAYLOAD {
            payloads.push(value);
            continue;
        }
        let value = inferred(value);
        match fields.get_mut(name) {
            None => {
                fields.insert(name.to_owned(), value);
            }
            Some(Json::Array(values)) if lists.contains(name) => values.push(value),
            Some(first) => {
                let list = vec![first.take(), value];
                *first = Json::Array(list);
                lists.insert(name.to_owned());
            }
        }
    }
    let mut budget = Budget::default();
    for payload in payloads {
        fields.extend(json_fields(payload.as_bytes(), &mut budget)?);
    }
    Ok(fields)
}

/// The JSON value that a form value stands for: `true`, `false`, a number if it is written the
/// way that number is written shortest, else the text itself.
fn inferred(text: &str) -> Json {
    match text {
        "true" => return Json::Bool(true),
        "false" => return Json::Bool(false),
        _ => {}
    }
    let first = text.as_bytes().first().copied().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    if (first == b'-' || first.is_ascii_digit())
        && text.bytes().all(plain)
        && let Ok(number) = text.parse::<f64>()
        // Rust prints a double as Go's 'f' format with the fewest digits does.
        && number.to_string() == text
    {
        return Json::from(number);
    }
    Json::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn form_values_get_types_only_when_nothing_is_lost() {
        let cases = [
            ("", json!("")),
            ("true", json!(true)),
            ("True", json!("True")),
            ("12", json!(12.0)),
            ("-1.5", json!(-1.5)),
            ("0012", json!("0012")),
            ("1.0", json!("1.0")),
            ("1e3", json!("1e3")),
            ("1-2", json!("1-2")),
        ];
        for (text, expected) in cases {
            assert_eq!(inferred(text), expected, "{text}");
        }
    }

    #[test]
    fn repeated_form_fields_become_lists_and_payloads_win() {
        let form = Query::parse("a=1&a=x&b=[1]&%40jsonPayload=%7B%22b%22%3A2%7D");
        let fields = typed_fields(form.iter()).unwrap();
        assert_eq!(Json::Object(fields), json!({ "a": [1.0, "x"], "b": 2 }));
    }

    #[test]
    fn a_form_is_whole_or_refused_and_so_is_its_query() {
        let damaged = [("a=%zz", ""), ("a=1;b", ""), ("a=1", "x=%"), ("a=1", "x;y")];
        for (form, query) in damaged {
            let outcome = form_fields(form.as_bytes(), &Query::parse(query));
            assert_eq!(outcome.unwrap_err().status, 400, "{form} {query}");
        }
    }
}
