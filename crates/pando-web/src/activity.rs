//! What is logged for superusers: each request, and the warnings and errors of the process.
//!
//! A request costs some hundred bytes of memory here; the store does the rest later.
//!
//! Invariants: no token is logged, and no body. Nothing here waits or fails.
//!
//! Source: PocketBase `apis/middlewares.go` (`activityLogger`), `core/base.go` (`initLogger`).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::header::{HeaderName, REFERER, USER_AGENT};
use pando_runtime::log::{Noted, Value, noted};
use pando_runtime::metrics::{Counter, registry};
use pando_schema::{DateTime, Settings};
use pando_store::{MessageEntry, RequestEntry, Store, StoreError};
use serde_json::{Map, Value as Json, json};
use tracing::{Level, debug};

use crate::ApiError;
use crate::app::SharedApp;
use crate::real_ip::real_ip;
use crate::request::Request;
use crate::response::Response;

/// Levels as in Go's `slog`.
const INFO: i64 = 0;
const WARNING: i64 = 4;
const ERROR: i64 = 8;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Marks an answer that is worth no entry: it would say nothing, or too much.
#[derive(Debug, Clone, Copy)]
struct Unlogged;

/// Leaves `response` out of the log. Failures are logged all the same.
pub(crate) fn unlogged(mut response: Response) -> Response {
    response.extensions_mut().insert(Unlogged);
    response
}

/// Keeps an entry about a request that is answered now.
pub(crate) fn log(
    app: &SharedApp,
    request: &Request,
    outcome: Result<&Response, &ApiError>,
    started: Instant,
) {
    let settings = app.store.settings();
    let (level, status) = match outcome {
        Ok(response) if response.extensions().get::<Unlogged>().is_some() => return,
        Ok(response) => (INFO, response.status()),
        Err(error) => (ERROR, error.status),
    };
    if !wanted(&settings, level) {
        return;
    }
    let details = outcome.err().map(details);
    let header = |name: HeaderName| request.headers.get(name).map_or(&b""[..], |it| it.as_bytes());
    let auth = request.auth.as_ref().map(|record| {
        let id = settings.logs.log_auth_id.then(|| record.id());
        (record.collection.name.as_str(), id)
    });
    app.store.logs().push(&RequestEntry {
        at_ms: now_ms(SystemTime::now()),
        took: started.elapsed(),
        method: request.method.as_str(),
        url: request.uri.path_and_query().map_or("/", |url| url.as_str()),
        status: status.as_u16(),
        referer: header(REFERER),
        user_agent: header(USER_AGENT),
        auth,
        addresses: settings.logs.log_ip.then(|| (real_ip(request, &settings), request.remote_ip)),
        failure: outcome.err().zip(details.as_deref()).map(|(error, it)| (&*error.message, it)),
    });
}

fn wanted(settings: &Settings, level: i64) -> bool {
    settings.logs.max_days > 0 && level >= settings.logs.min_level
}

fn now_ms(at: SystemTime) -> i64 {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// Why a request was refused, beyond its message, as JSON: what is wrong by field, else the cause.
fn details(error: &ApiError) -> String {
    match &error.cause {
        _ if !error.data.is_empty() => messages(&error.data).to_string(),
        Some(cause) => Json::String(format!("{cause:#}")).to_string(),
        None => "null".to_owned(),
    }
}

/// The messages in the data of an error, without their codes.
fn messages(data: &Map<String, Json>) -> Json {
    let message = |value: &Json| match value {
        Json::Object(found) => match found.get("message") {
            Some(message @ Json::String(_)) => message.clone(),
            _ => messages(found),
        },
        other => other.clone(),
    };
    let mut sorted: Vec<_> = data.iter().map(|(name, it)| (name.clone(), message(it))).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(sorted.into_iter().collect())
}

/// Brings entries to the database until the stop. The store writes the last ones when it closes.
pub(crate) async fn keep(app: SharedApp) -> anyhow::Result<()> {
    if let Err(error) = prune(&app.store, &app.store.settings()).await {
        debug!(error = format!("{error:#}"), "failed to delete old logs");
    }
    let (written, dropped) = counters();
    let stopping = app.life.stopping.clone();
    while stopping.run_until_cancelled(app.store.logs().due()).await.is_some() {
        log_noted(&app.store);
        app.store.write_logs().await;
        let (all_written, all_dropped) = app.store.logs().counts();
        written.add(all_written.saturating_sub(written.value()));
        let new = all_dropped.saturating_sub(dropped.value());
        dropped.add(new);
        if new > 0 {
            let data = json!({ "count": new, "total": all_dropped }).to_string();
            let message = "log entries were dropped: more came in than could be written";
            let at_ms = now_ms(SystemTime::now());
            push(&app.store, &MessageEntry { at_ms, level: WARNING, message, data: &data });
        }
    }
    Ok(())
}

fn counters() -> (Counter, Counter) {
    let registry = registry();
    let written = "Log entries given to the database.";
    let dropped = "Log entries dropped since more came in than could be written.";
    (
        registry.counter("pando_log_entries_written_total", written, &[]),
        registry.counter("pando_log_entries_dropped_total", dropped, &[]),
    )
}

/// Keeps entries about what the process has said since the last call.
pub fn log_noted(store: &Store) {
    let (events, more) = noted();
    for event in events {
        let data = data_of(&event).to_string();
        let level = if event.level == Level::ERROR { ERROR } else { WARNING };
        let (at_ms, message) = (now_ms(event.at), event.message.as_str());
        push(store, &MessageEntry { at_ms, level, message, data: &data });
    }
    if more > 0 {
        let data = json!({ "count": more }).to_string();
        let (at_ms, message) = (now_ms(SystemTime::now()), "there were more warnings and errors");
        push(store, &MessageEntry { at_ms, level: WARNING, message, data: &data });
    }
}

fn push(store: &Store, entry: &MessageEntry<'_>) {
    if wanted(&store.settings(), entry.level) {
        store.logs().push_message(entry);
    }
}

fn data_of(event: &Noted) -> Json {
    let value = |value: &Value| match value {
        Value::Int(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Bool(flag) => json!(flag),
        Value::Text(text) => json!(text),
    };
    let mut fields: Vec<_> =
        event.fields.iter().map(|(name, it)| ((*name).to_owned(), value(it))).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(fields.into_iter().collect())
}

/// Deletes what the settings do not keep any more.
pub(crate) async fn prune(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    if settings.logs.max_days <= 0 {
        return store.truncate_logs().await;
    }
    store.delete_logs(&oldest(settings), Some(settings.logs.min_level)).await
}

/// Deletes what is too old.
pub(crate) async fn delete_old(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    store.delete_logs(&oldest(settings), None).await
}

/// When the oldest entries were made that are still kept.
fn oldest(settings: &Settings) -> String {
    let kept_ms = settings.logs.max_days.max(0).saturating_mul(DAY_MS);
    DateTime::from_unix_ms(now_ms(SystemTime::now()).saturating_sub(kept_ms)).stored()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use http::StatusCode;

    use super::*;

    #[test]
    fn details_are_messages_by_field_or_the_cause() {
        let problem = json!({ "code": "validation_required", "message": "Cannot be blank." });
        let nested = json!({ "meta": { "appName": problem }, "b": problem });
        let Json::Object(data) = nested else { unreachable!() };
        let refused = ApiError { data, ..ApiError::bad_request("no") };
        let failed = ApiError::new(StatusCode::NOT_FOUND, "").caused_by(anyhow::anyhow!("gone"));
        let shown = [&refused, &failed, &ApiError::not_found("")].map(details).join("\n");
        expect![[r#"
            {"b":"Cannot be blank.","meta":{"appName":"Cannot be blank."}}
            "gone"
            null"#]]
        .assert_eq(&shown);
    }
}
