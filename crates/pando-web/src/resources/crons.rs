//! Scheduled chores: a list of them, and one run at once. For superusers only.
//!
//! Source: PocketBase `apis/cron.go`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::require_superuser;
use crate::ApiError;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{self, Pick, Response, no_content, picked};
use crate::scheduler::Job;

/// `GET /api/crons`
pub(crate) fn list(app: &SharedApp, request: &Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let settings = app.store.settings();
    let jobs = Job::ALL.into_iter().filter(|job| job.listed(&settings));
    let shown: Vec<Json> =
        jobs.map(|job| json!({ "id": job.id(), "expression": job.expression() })).collect();
    Ok(picked(request, response::json(StatusCode::OK, &shown.into()), Pick::Answer))
}

/// `POST /api/crons/{id}`: on this server, whether or not it is due. Nobody waits for it.
pub(crate) fn run(app: &SharedApp, request: &Request, id: &str) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let settings = app.store.settings();
    let job = Job::ALL.into_iter().find(|job| job.id() == id && job.listed(&settings));
    let job = job.ok_or_else(|| ApiError::not_found("Missing or invalid cron job"))?;
    let own = Arc::clone(app);
    app.life.track(async move { job.run(&own).await });
    Ok(no_content())
}
