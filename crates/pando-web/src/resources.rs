//! The resources of the API, a module each.

pub mod auth;
pub mod batch;
pub mod collections;
pub mod files;
pub mod health;
pub mod metrics;
pub mod public;
pub mod realtime;
pub mod records;
pub mod settings;

use std::sync::Arc;

use pando_schema::{Collection, Schema};

use crate::ApiError;
use crate::request::Request;

/// The collection that a path names, by name or id.
pub fn collection<'a>(schema: &'a Schema, name_or_id: &str) -> Result<&'a Arc<Collection>, ApiError> {
    schema.find(name_or_id).ok_or_else(|| ApiError::not_found("Missing collection context."))
}

/// Like [`collection`], in the words of the requests that bring a body.
pub fn existing<'a>(schema: &'a Schema, name_or_id: &str) -> Result<&'a Arc<Collection>, ApiError> {
    let missing = || ApiError::not_found("Missing or invalid collection context.");
    schema.find(name_or_id).ok_or_else(missing)
}

/// Refuses everyone but superusers.
pub fn require_superuser(request: &Request) -> Result<(), ApiError> {
    match &request.auth {
        None => Err(ApiError::unauthorized("The request requires valid record authorization token.")),
        Some(_) if request.by_superuser() => Ok(()),
        Some(_) => {
            Err(ApiError::forbidden("The authorized record is not allowed to perform this action."))
        }
    }
}
