//! Several writes in one transaction: all of them, or none.
//!
//! Source: PocketBase `apis/batch.go`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use pando_blob::unique_name;
use pando_filter::Purpose;
use pando_schema::{Problem, Problems};
use pando_store::Tx;
use serde_json::{Map, Value as Json, json};

use super::records::{
    Obsolete, Prepared, Stored, Target, enrich_one, files, prepare, record_response,
};
use crate::ApiError;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{Body, Pick, Response, json as json_response, picked};
use crate::submission::{Submission, SubmittedFile};

const BODY_BYTES_DEFAULT: u64 = 128 << 20;
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// One write of a batch, as submitted.
struct Item {
    method: String,
    url: String,
    headers: Map<String, Json>,
    submission: Submission,
}

/// A write that is ready to run.
struct Ready {
    request: Request,
    write: Prepared,
}

/// `POST /api/batch`
pub(crate) async fn run(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let settings = app.store.settings();
    let Ok(items_max @ 1..) = usize::try_from(settings.batch.max_requests) else {
        return Err(ApiError::forbidden("Batch requests are not allowed."));
    };
    if !settings.batch.enabled {
        return Err(ApiError::forbidden("Batch requests are not allowed."));
    }
    let bytes_max = match u64::try_from(settings.batch.max_body_size) {
        Ok(bytes @ 1..) => bytes,
        Ok(0) | Err(_) => BODY_BYTES_DEFAULT,
    };
    let timeout = match u64::try_from(settings.batch.timeout) {
        Ok(seconds @ 1..) => Duration::from_secs(seconds),
        Ok(0) | Err(_) => TIMEOUT_DEFAULT,
    };
    let items = read(app, request, bytes_max).await?;
    check(&items, items_max)?;

    let mut ready = Vec::with_capacity(items.len());
    let (mut stored, mut unready) = (Vec::new(), None);
    for (index, item) in items.into_iter().enumerate() {
        match get_ready(app, request, item).await {
            Ok((item, files)) => {
                ready.push(item);
                stored.extend(files);
            }
            Err(error) => {
                // Those before it run all the same: one of them may be the first to fail.
                unready = Some((index, error));
                break;
            }
        }
    }
    let deadline = Instant::now() + timeout;
    let work = Arc::new(Work { ready, unready, deadline });
    let results =
        files::write(app, stored, move |tx| Box::pin(async move { work.run(tx).await })).await?;
    Ok(picked(request, json_response(StatusCode::OK, &results), Pick::Answer))
}

/// What one transaction does.
struct Work {
    ready: Vec<Ready>,
    /// The first item that is bound to fail.
    unready: Option<(usize, ApiError)>,
    deadline: Instant,
}

impl Work {
    async fn run(&self, tx: &mut Tx) -> Result<(Json, Vec<Obsolete>), ApiError> {
        let mut results = Vec::with_capacity(self.ready.len());
        let mut obsolete = Vec::new();
        for (index, item) in self.ready.iter().enumerate() {
            if Instant::now() > self.deadline {
                let cause = anyhow::anyhow!("batch transaction timeout");
                return Err(ApiError::bad_request("Batch transaction failed.").caused_by(cause));
            }
            let (result, files) = run_item(tx, item).await.map_err(|error| failed(index, error))?;
            results.push(result);
            obsolete.extend(files);
        }
        match &self.unready {
            Some((index, error)) => Err(failed(*index, error.again())),
            None => Ok((Json::Array(results), obsolete)),
        }
    }
}

async fn run_item(tx: &mut Tx, item: &Ready) -> Result<(Json, Vec<Obsolete>), ApiError> {
    let written = item.write.clone().run(tx).await?;
    let Some(record) = written.record else {
        return Ok((json!({ "body": null, "status": 204 }), written.obsolete));
    };
    let schema = tx.schema().clone();
    let record = enrich_one(tx, &schema, &item.request, record).await?;
    let response = record_response(&item.request, &record);
    let status = response.status().as_u16();
    let body = match response.into_body() {
        Body::Full(text) => serde_json::from_slice(&text).map_err(ApiError::internal)?,
        _ => Json::Null,
    };
    Ok((json!({ "body": body, "status": status }), written.obsolete))
}

/// The answer for a batch of which the item at `index` failed.
fn failed(index: usize, error: ApiError) -> ApiError {
    if error.status.is_server_error() {
        return error;
    }
    let item = json!({
        "code": "batch_request_failed",
        "message": "Batch request failed.",
        "response": error.body(),
    });
    let mut data = Map::new();
    data.insert("requests".to_owned(), json!({ index.to_string(): item }));
    ApiError { data, cause: error.cause, ..ApiError::bad_request("Batch transaction failed.") }
}

/// Reads the items; files are those whose form fields begin with `requests.N.` or `requests[N].`.
async fn read(
    app: &SharedApp,
    request: &mut Request,
    bytes_max: u64,
) -> Result<Vec<Item>, ApiError> {
    let malformed = || ApiError::bad_request("Failed to read the submitted batch data.");
    let read = request.submission(&app.staging, bytes_max).await;
    let submission = read.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => ApiError { cause: error.cause, ..malformed() },
        _ => error,
    })?;
    let requests = match submission.fields.remove("requests") {
        Some(Json::Array(requests)) => requests,
        None | Some(Json::Null) => Vec::new(),
        Some(_) => return Err(malformed()),
    };
    let items = requests.into_iter().map(|item| read_item(item).ok_or_else(malformed));
    let mut items = items.collect::<Result<Vec<Item>, ApiError>>()?;
    for file in std::mem::take(&mut submission.files) {
        if let Some((index, field)) = item_field(&file.field)
            && let Some(item) = items.get_mut(index)
        {
            // PocketBase names a file twice on this way, once for the batch and once for the item.
            let original_name =
                unique_name(&file.original_name, &file.content.head, &mut rand::rng());
            let file = SubmittedFile { field: field.to_owned(), original_name, ..file };
            item.submission.files.push(file);
        }
    }
    Ok(items)
}

fn read_item(item: Json) -> Option<Item> {
    let mut members = match item {
        Json::Object(members) => members,
        Json::Null => Map::new(),
        _ => return None,
    };
    let mut object = |name: &str| match members.remove(name) {
        None | Some(Json::Null) => Some(Map::new()),
        Some(Json::Object(object)) => Some(object),
        Some(_) => None,
    };
    let (headers, fields) = (object("headers")?, object("body")?);
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Json::Null) => Some(String::new()),
        Some(Json::String(text)) => Some(text),
        Some(_) => None,
    };
    let (method, url) = (text("method")?, text("url")?);
    if headers.values().any(|value| !value.is_string()) {
        return None;
    }
    Some(Item { method, url, headers, submission: Submission { fields, ..Submission::default() } })
}

/// The index and the form field in `requests.N.field` or `requests[N].field`.
fn item_field(name: &str) -> Option<(usize, &str)> {
    let rest = name.strip_prefix("requests")?;
    let (index, field) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_once('.')?,
        None => rest.strip_prefix('[')?.split_once("].")?,
    };
    Some((index.parse().ok()?, field))
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const URL_BYTES_MAX: usize = 2_000;

fn check(items: &[Item], items_max: usize) -> Result<(), ApiError> {
    let mut problems = Problems::default();
    if items.is_empty() {
        problems.add("requests", Problem::new("validation_required", "cannot be blank"));
    } else if items.len() > items_max {
        problems.add("requests", too_long(items_max));
    }
    let mut parts = Problems::default();
    for (index, item) in items.iter().enumerate() {
        parts.add_parts(index.to_string(), item_problems(item));
    }
    problems.add_parts("requests", parts);
    problems
        .into_result()
        .map_err(|problems| ApiError::invalid("Invalid batch request data.", &problems))
}

fn item_problems(item: &Item) -> Problems {
    let mut problems = Problems::default();
    if item.method.is_empty() {
        problems.add("method", Problem::new("validation_required", "cannot be blank"));
    } else if !METHODS.contains(&item.method.as_str()) {
        problems.add("method", Problem::new("validation_in_invalid", "must be a valid value"));
    }
    if item.url.is_empty() {
        problems.add("url", Problem::new("validation_required", "cannot be blank"));
    } else if item.url.len() > URL_BYTES_MAX {
        problems.add("url", too_long(URL_BYTES_MAX));
    }
    problems
}

fn too_long(max: usize) -> Problem {
    let words = format!("the length must be no more than {max}");
    let mut problem = Problem::new("validation_length_too_long", words);
    problem.params.insert("min".to_owned(), 0.into());
    problem.params.insert("max".to_owned(), max.into());
    problem
}

/// With it come the files that were stored for it.
async fn get_ready(
    app: &SharedApp,
    outer: &Request,
    item: Item,
) -> Result<(Ready, Option<Stored>), ApiError> {
    let unknown =
        || ApiError::bad_request("").caused_by(anyhow::anyhow!("unknown batch request action"));
    let uri = item_uri(&item.url).ok_or_else(unknown)?;
    let path: Vec<&str> = uri.path().split('/').collect();
    let method = item.method.to_uppercase();
    let id_given = || match item.submission.fields.get("id") {
        Some(Json::String(id)) => id.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (method, target) = match (method.as_str(), path.as_slice()) {
        ("POST", ["", "api", "collections", _, "records"]) => (Method::POST, Target::Create),
        ("PUT", ["", "api", "collections", _, "records"]) => match id_given() {
            id if id.is_empty() => (Method::POST, Target::Create),
            id => (Method::PATCH, Target::Upsert { id }),
        },
        ("PATCH", ["", "api", "collections", _, "records", id @ ..]) => match id {
            [id] if !id.is_empty() => (Method::PATCH, Target::Update { id: (*id).to_owned() }),
            _ => return Err(unknown()),
        },
        ("DELETE", ["", "api", "collections", _, "records", id @ ..]) => match id {
            [id] if !id.is_empty() => (Method::DELETE, Target::Delete { id: (*id).to_owned() }),
            _ => return Err(unknown()),
        },
        _ => return Err(unknown()),
    };
    let collection = path[3].to_owned();
    let headers = headers(&outer.headers, &item.headers);
    let mut request = outer.inner(method, uri, headers, item.submission);
    if !request.query.complete() {
        // An item counts as a form, which is refused with such a query.
        return Err(ApiError::bad_request(""));
    }
    let (write, stored) = prepare(app, &mut request, &collection, target, Purpose::Batch).await?;
    Ok((Ready { request, write }, stored))
}

/// The URL of an item, which names a path of this server. What does not belong into a URL is
/// escaped, as Go's `net/url` does; a fragment of the query is never sent.
fn item_uri(url: &str) -> Option<Uri> {
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query.split('#').next().unwrap_or_default())),
        None => (url, None),
    };
    let mut text = String::with_capacity(url.len());
    let misplaced = |c: char| matches!(c, ' ' | '"' | '#' | '<' | '>' | '`');
    let query = query.into_iter().flat_map(|query| "?".chars().chain(query.chars()));
    for c in path.chars().chain(query) {
        if misplaced(c) {
            text.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    Some(text).filter(|text| text.starts_with('/'))?.parse().ok()
}

/// The headers of the batch, with those of the item over them. Who asks stays the same.
fn headers(outer: &HeaderMap, own: &Map<String, Json>) -> HeaderMap {
    let mut headers = outer.clone();
    for (name, value) in own {
        let Json::String(value) = value else { continue };
        let (Ok(name), Ok(value)) =
            (name.parse::<HeaderName>(), HeaderValue::try_from(value.as_str()))
        else {
            continue;
        };
        if name != AUTHORIZATION {
            headers.insert(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data"));
    headers
}

#[cfg(test)]
mod tests {
    use super::{item_field, item_uri};

    #[test]
    fn an_url_is_a_path_with_what_does_not_belong_there_escaped() {
        let cases = [
            ("/a/b", Some("/a/b")),
            ("/a b?x=<\"1`>", Some("/a%20b?x=%3C%221%60%3E")),
            ("/a#b?x=1#y", Some("/a%23b?x=1")),
            ("/a?", Some("/a?")),
            ("/a?x=\n", None),
            ("http://localhost/a", None),
            ("a", None),
            ("*", None),
            ("", None),
        ];
        for (url, expected) in cases {
            let found = item_uri(url).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{url:?}");
        }
    }

    #[test]
    fn file_fields_name_their_item_in_two_ways() {
        assert_eq!(item_field("requests.2.docs+"), Some((2, "docs+")));
        assert_eq!(item_field("requests[10].a.b"), Some((10, "a.b")));
        assert_eq!(item_field("requests.x.docs"), None);
        assert_eq!(item_field("docs"), None);
    }
}
