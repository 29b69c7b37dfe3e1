//! Realtime: opening a stream and saying what it shall bring.
//!
//! Source: PocketBase `apis/realtime.go`.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use pando_schema::{Problem, Problems};
use serde_json::Value as Json;

use crate::ApiError;
use crate::app::SharedApp;
use crate::form::Form;
use crate::real_ip::real_ip;
use crate::realtime::SubscribeError;
use crate::request::Request;
use crate::response::{Body, Response, no_content};

const CLIENT_ID_CHARS_MAX: usize = 255;
const SUBSCRIPTIONS_MAX: usize = 1_000;
const SUBSCRIPTION_CHARS_MAX: usize = 2_500;

/// `GET /api/realtime`
pub(crate) async fn connect(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    if app.life.stopping.is_cancelled() {
        return Err(ApiError::unavailable(anyhow::anyhow!("stopping")));
    }
    let ip = real_ip(request, &app.store.settings());
    let mut response = http::Response::new(Body::Events(app.realtime.connect(ip)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Else nginx holds events back.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    Ok(response)
}

/// `POST /api/realtime`
pub(crate) async fn subscribe(
    app: &SharedApp,
    request: &mut Request,
) -> Result<Response, ApiError> {
    let kind = request.header(CONTENT_TYPE).to_owned();
    let malformed = |error: ApiError| match error.status {
        StatusCode::BAD_REQUEST => ApiError { cause: error.cause, ..ApiError::bad_request("") },
        _ => error,
    };
    let submission = request.submission(&app.staging, app.config.body_max.bytes()).await;
    let submission = submission.map_err(malformed)?;
    let client_id = Form::new(&submission.fields, &kind).text("clientId").map_err(malformed)?;
    let one_allowed = !kind.starts_with("application/json");
    let subscriptions = texts(submission.fields.get("subscriptions"), one_allowed)?;
    check(&client_id, &subscriptions)
        .into_result()
        .map_err(|problems| ApiError::invalid("", &problems))?;
    let ip = real_ip(request, &app.store.settings());
    let auth = request.auth.clone();
    let subscribed = app.realtime.subscribe_anywhere(app, &client_id, ip, auth, subscriptions);
    subscribed.await?.map_err(|error| match error {
        SubscribeError::NoClient => ApiError::not_found("Missing or invalid client id."),
        SubscribeError::OtherAddress => ApiError::bad_request("Invalid realtime client."),
        SubscribeError::OtherAuth => {
            let words = "The current and the previous request authorization don't match.";
            ApiError::new(StatusCode::FORBIDDEN, words)
        }
    })?;
    Ok(no_content())
}

/// A list of texts. A form may have just one.
fn texts(value: Option<&Json>, one_allowed: bool) -> Result<Vec<String>, ApiError> {
    let text = |value: &Json| match value {
        Json::String(text) => Ok(text.clone()),
        Json::Null => Ok(String::new()),
        _ => Err(ApiError::bad_request("")),
    };
    match value {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(values)) => values.iter().map(text).collect(),
        Some(value) if one_allowed => Ok(vec![text(value)?]),
        Some(_) => Err(ApiError::bad_request("")),
    }
}

fn check(client_id: &str, subscriptions: &[String]) -> Problems {
    let mut problems = Problems::default();
    if client_id.is_empty() {
        problems.add("clientId", Problem::new("validation_required", "cannot be blank"));
    } else if client_id.len() > CLIENT_ID_CHARS_MAX {
        problems.add("clientId", length_between(1, CLIENT_ID_CHARS_MAX));
    }
    if subscriptions.len() > SUBSCRIPTIONS_MAX {
        problems.add("subscriptions", too_long(SUBSCRIPTIONS_MAX));
    }
    let mut parts = Problems::default();
    for (index, text) in subscriptions.iter().enumerate() {
        if text.len() > SUBSCRIPTION_CHARS_MAX {
            parts.add(index.to_string(), too_long(SUBSCRIPTION_CHARS_MAX));
        }
    }
    problems.add_parts("subscriptions", parts);
    problems
}

fn length_between(min: usize, max: usize) -> Problem {
    let words = format!("the length must be between {min} and {max}");
    with_limits(Problem::new("validation_length_out_of_range", words), min, max)
}

fn too_long(max: usize) -> Problem {
    let words = format!("the length must be no more than {max}");
    with_limits(Problem::new("validation_length_too_long", words), 0, max)
}

fn with_limits(mut problem: Problem, min: usize, max: usize) -> Problem {
    problem.params.insert("min".to_owned(), min.into());
    problem.params.insert("max".to_owned(), max.into());
    problem
}
