//! The resources of the API, a module each.

pub(crate) mod auth;
pub(crate) mod batch;
pub(crate) mod collections;
pub(crate) mod crons;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod public;
pub(crate) mod realtime;
pub(crate) mod records;
pub(crate) mod settings;

use std::sync::Arc;

use http::Method;
use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use pando_blob::FileRequest;
use pando_schema::{Collection, Schema};

use crate::ApiError;
use crate::request::Request;
use crate::response::Response;

/// How a handler ends.
pub(crate) type Answer = Result<Response, ApiError>;

/// The collection that a path names, by name or id.
pub(crate) fn collection<'a>(
    schema: &'a Schema,
    name_or_id: &str,
) -> Result<&'a Arc<Collection>, ApiError> {
    schema.find(name_or_id).ok_or_else(|| ApiError::not_found("Missing collection context."))
}

/// Like [`collection`], in the words of the requests that bring a body.
pub(crate) fn existing<'a>(
    schema: &'a Schema,
    name_or_id: &str,
) -> Result<&'a Arc<Collection>, ApiError> {
    let missing = || ApiError::not_found("Missing or invalid collection context.");
    schema.find(name_or_id).ok_or_else(missing)
}

/// Refuses everyone but superusers.
pub(crate) fn require_superuser(request: &Request) -> Result<(), ApiError> {
    match &request.auth {
        None => {
            Err(ApiError::unauthorized("The request requires valid record authorization token."))
        }
        Some(_) if request.by_superuser() => Ok(()),
        Some(_) => {
            Err(ApiError::forbidden("The authorized record is not allowed to perform this action."))
        }
    }
}

/// What `request` wants of a file: all of it, parts, or only to hear that it has not changed.
fn file_request(request: &Request) -> FileRequest<'_> {
    let header = |name: HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok());
    let head = request.method == Method::HEAD;
    FileRequest {
        method: if head { pando_blob::Method::Head } else { pando_blob::Method::Get },
        range: header(RANGE),
        if_match: header(IF_MATCH),
        if_none_match: header(IF_NONE_MATCH),
        if_modified_since: header(IF_MODIFIED_SINCE),
        if_unmodified_since: header(IF_UNMODIFIED_SINCE),
        if_range: header(IF_RANGE),
        ..FileRequest::default()
    }
}
