//! Tries the query of a view without saving anything.
//!
//! Source: PocketBase `apis/collection.go` (`collectionDryRunView`).

use http::StatusCode;
use pando_schema::{Field, Problem, Problems, Record};
use serde_json::Value as Json;

use super::{require_superuser, submission};
use crate::ApiError;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{Pick, Response, json_text, picked};

/// As in PocketBase. A view that is saved may have a longer query.
const QUERY_CHARS_MAX: usize = 5000;

/// `POST /api/collections/meta/dry-run-view`
pub(crate) async fn dry_run(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    const UNREADABLE: &str = "An error occurred while loading the submitted data.";
    require_superuser(request)?;
    let read = submission(app, request, UNREADABLE).await?;
    let query = match read.fields.get("query") {
        Some(Json::String(query)) => query.clone(),
        None | Some(Json::Null) => String::new(),
        Some(_) => return Err(ApiError::bad_request(UNREADABLE)),
    };
    check(&query)?;
    let tried = app.store.write(move |tx| {
        Box::pin(async move {
            let tried = tx.try_view(&query).await;
            tried.map_err(|error| {
                ApiError::bad_request(&format!("Invalid view query. Raw error: \n{error}"))
            })
        })
    });
    let (view, sample) = tried.await?;
    let fields: Vec<Json> = view.fields.iter().map(Field::to_json).collect();
    let mut text = format!("{{\"fields\":{},\"sample\":", Json::Array(fields)).into_bytes();
    Record::write_json_list(&sample, &mut text);
    text.push(b'}');
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Answer))
}

fn check(query: &str) -> Result<(), ApiError> {
    let mut problems = Problems::default();
    if query.is_empty() {
        problems.add("query", Problem::required());
    } else if query.chars().count() > QUERY_CHARS_MAX {
        let message = format!("the length must be no more than {QUERY_CHARS_MAX}");
        let problem = Problem::new("validation_length_too_long", message);
        problems.add("query", problem.with_param("max", QUERY_CHARS_MAX).with_param("min", 0));
    }
    let words = "An error occurred while validating the submitted data.";
    problems.into_result().map_err(|problems| ApiError::invalid(words, &problems))
}
