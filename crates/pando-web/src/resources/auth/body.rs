//! The small bodies that requests about accounts have, and how they are judged.
//!
//! Source: PocketBase `apis/record_auth*.go`, whose forms these are; ozzo-validation's `Length`.

use std::sync::Arc;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use pando_schema::{Collection, Problem, Problems, Record, email_valid};
use serde_json::{Map, Value as Json};

use super::find_by_email;
use crate::ApiError;
use crate::app::App;
use crate::form::Form;
use crate::request::Request;

/// The limit that PocketBase sets for all bodies.
const BODY_BYTES_MAX: u64 = 32 << 20;

/// The longest text of most members.
pub(super) const TEXT_BYTES_MAX: usize = 255;

/// The one mistake in a body that is told in its own words.
const UNSUPPORTED: &str = "Unsupported Content-Type.";

/// A body as submitted.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) fields: Map<String, Json>,
    pub(super) content_type: String,
}

impl Body {
    pub(super) async fn read(app: &App, request: &mut Request) -> Result<Body, ApiError> {
        Body::read_raw(app, request).await.map_err(|error| match error.status {
            StatusCode::BAD_REQUEST if error.message != UNSUPPORTED => malformed(error),
            _ => error,
        })
    }

    /// Like [`Body::read`], but an unsupported content type is malformed data like any other.
    pub(super) async fn read_strictly(app: &App, request: &mut Request) -> Result<Body, ApiError> {
        Body::read_raw(app, request).await.map_err(|error| match error.status {
            StatusCode::BAD_REQUEST => malformed(error),
            _ => error,
        })
    }

    async fn read_raw(app: &App, request: &mut Request) -> Result<Body, ApiError> {
        let content_type = request.header(CONTENT_TYPE).to_owned();
        let submission = request.submission(&app.staging, BODY_BYTES_MAX).await?;
        Ok(Body { fields: std::mem::take(&mut submission.fields), content_type })
    }

    pub(super) fn form(&self) -> Form<'_> {
        Form::new(&self.fields, &self.content_type)
    }
}

fn malformed(error: ApiError) -> ApiError {
    let words = "An error occurred while loading the submitted data.";
    ApiError { cause: error.cause, ..ApiError::bad_request(words) }
}

/// 400 with what is wrong by field.
fn invalid(problems: &Problems) -> ApiError {
    ApiError::invalid("An error occurred while validating the submitted data.", problems)
}

/// 400 with what is wrong with one member.
pub(super) fn invalid_member(name: &str, problem: Problem) -> ApiError {
    let mut problems = Problems::default();
    problems.add(name, problem);
    invalid(&problems)
}

/// Fails if there are `problems`.
pub(super) fn judge(problems: Problems) -> Result<(), ApiError> {
    problems.into_result().map_err(|problems| invalid(&problems))
}

/// Adds what is wrong with a text that must be there, of `min` to `max` bytes.
pub(super) fn check_text(problems: &mut Problems, name: &str, text: &str, min: usize, max: usize) {
    if text.is_empty() {
        problems.add(name, Problem::required());
    }
    check_length(problems, name, text, min, max);
}

/// Adds what is wrong with the length in bytes of a text that may be empty.
pub(super) fn check_length(
    problems: &mut Problems,
    name: &str,
    text: &str,
    min: usize,
    max: usize,
) {
    if text.is_empty() || (min..=max).contains(&text.len()) {
        return;
    }
    let words = format!("the length must be between {min} and {max}");
    let problem = Problem::new("validation_length_out_of_range", words)
        .with_param("max", max)
        .with_param("min", min);
    problems.add(name, problem);
}

/// Adds what is wrong with an e-mail address that must be there.
pub(super) fn check_email(problems: &mut Problems, name: &str, email: &str) {
    check_text(problems, name, email, 1, TEXT_BYTES_MAX);
    if !email_valid(email) {
        problems.add(name, Problem::new("validation_is_email", "must be a valid email address"));
    }
}

/// The account that a request for a mail is about: the address is the only member.
pub(super) async fn read_recipient(
    app: &App,
    request: &mut Request,
    collection: &Arc<Collection>,
) -> Result<Option<Record>, ApiError> {
    let email = Body::read(app, request).await?.form().text("email")?;
    let mut problems = Problems::default();
    check_email(&mut problems, "email", &email);
    judge(problems)?;
    Ok(find_by_email(&mut *app.store.read().await?, collection, &email).await?)
}
