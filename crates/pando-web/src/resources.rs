//! The resources of the API, a module each.

pub(crate) mod auth;
pub(crate) mod batch;
pub(crate) mod collections;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod public;
pub(crate) mod realtime;
pub(crate) mod records;
pub(crate) mod settings;

use std::sync::Arc;

use pando_schema::{Collection, Schema};

use crate::ApiError;
use crate::request::Request;

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
