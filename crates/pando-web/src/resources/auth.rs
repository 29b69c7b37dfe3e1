//! Accounts: logging in and staying logged in, proving an address, getting a lost password back.
//!
//! Source: PocketBase `apis/record_auth*.go`.

mod body;
pub(crate) mod email_change;
mod expiry;
mod limits;
mod mailed_token;
mod mails;
mod mfa;
mod origins;
pub(crate) mod otp;
pub(crate) mod password;
pub(crate) mod password_reset;
mod respond;
mod save;
pub(crate) mod test_mail;
pub(crate) mod verification;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pando_filter::Purpose;
use pando_schema::{Collection, DateTime, Problem, Record, Schema, single_column_unique_index};
use pando_store::{Conn, StoreError};
use serde_json::{Value as Json, json};
use time::OffsetDateTime;

use crate::app::{App, SharedApp};
use crate::auth::bearer_token;
use crate::request::{Request, SUPERUSERS};
use crate::resources::Answer;
use crate::response::{Pick, json as json_response, picked};
use crate::tokens::{self, TokenKind};
use crate::{ApiError, passwords, rate_limit};

use body::Body;
use respond::{Success, respond};

pub(crate) use expiry::delete_expired_hourly;
pub(crate) use limits::LoginLimits;

/// The auth collection that a path names.
fn auth_collection<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<Collection>, ApiError> {
    let collection = super::existing(schema, name)?;
    match collection.auth {
        Some(_) => Ok(collection),
        None => Err(ApiError::not_found("Missing or invalid auth collection context.")),
    }
}

/// The auth collection that a path names, after this request counted as `action` on it in rate
/// limits.
async fn admit(
    app: &SharedApp,
    request: &Request,
    name: &str,
    action: &'static str,
) -> Result<Arc<Collection>, ApiError> {
    let schema = app.store.schema();
    let collection = auth_collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, action).await?;
    Ok(Arc::clone(collection))
}

/// The account that a request to a path of a collection comes from, which must be one of that
/// collection, after the request counted as `action` in rate limits.
async fn admit_owner(
    app: &SharedApp,
    request: &Request,
    name: &str,
    action: &'static str,
) -> Result<Arc<Record>, ApiError> {
    let schema = app.store.schema();
    let collection = super::existing(&schema, name)?;
    rate_limit::check_collection(app, request, collection, action).await?;
    let Some(auth) = &request.auth else {
        let words = "The request requires valid record authorization token.";
        return Err(ApiError::unauthorized(words));
    };
    if collection.id != auth.collection.id {
        let words =
            format!("The request requires auth record from {} collection.", auth.collection.name);
        return Err(ApiError::forbidden(&words));
    }
    Ok(Arc::clone(auth))
}

/// Fails with `words` for what superusers have no use for.
fn no_superusers(collection: &Collection, words: &str) -> Result<(), ApiError> {
    match collection.name == SUPERUSERS {
        true => Err(ApiError::bad_request(words)),
        false => Ok(()),
    }
}

/// The account with that address. Letter case counts unless the index on addresses says otherwise.
async fn find_by_email(
    conn: &mut Conn,
    collection: &Arc<Collection>,
    email: &str,
) -> Result<Option<Record>, StoreError> {
    let index = single_column_unique_index(&collection.indexes, "email");
    let column = index.as_ref().and_then(|index| index.columns.first());
    let nocase = column.is_some_and(|column| column.collate.eq_ignore_ascii_case("nocase"));
    conn.find_by(collection, "email", email, nocase).await
}

/// Checks `password` against the hash of some record, for the time that it takes.
async fn dummy_check(
    app: &App,
    collection: &Arc<Collection>,
    password: String,
) -> Result<(), ApiError> {
    let some = app.store.read().await?.find_any(collection).await?;
    if let Some(record) = some {
        passwords::verify(password, record.text("password").to_owned()).await?;
    }
    Ok(())
}

/// A collection of PocketBase's own, which every data directory has.
fn system_collection(schema: &Schema, name: &'static str) -> Result<Arc<Collection>, ApiError> {
    let missing = || ApiError::internal(anyhow::anyhow!("there is no collection {name:?}"));
    schema.by_name(name).cloned().ok_or_else(missing)
}

/// Whether more than `seconds` have passed since `record` was made.
fn expired(record: &Record, seconds: i64) -> bool {
    expired_since(record.text("created"), seconds)
}

fn expired_since(created: &str, seconds: i64) -> bool {
    let Some(created) = DateTime::parse(created) else { return true };
    now_ms().saturating_sub(created.unix_ms()) > seconds.saturating_mul(1000)
}

fn now_ms() -> i64 {
    let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX)
}

/// `GET /api/collections/{collection}/auth-methods`
pub(crate) async fn methods(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "listAuthMethods").await?;
    let Some(options) = &collection.auth else { return Err(ApiError::not_found("")) };
    let password = &options.password_auth;
    let identities: &[String] = if password.enabled { &password.identity_fields } else { &[] };
    let by = |field: &str| password.enabled && identities.iter().any(|name| name == field);
    let seconds = |enabled: bool, duration: i64| if enabled { duration } else { 0 };
    let answer = json!({
        "password": { "identityFields": identities, "enabled": password.enabled },
        // Logging in with OAuth2 is not offered yet.
        "oauth2": { "providers": [], "enabled": false },
        "mfa": {
            "enabled": options.mfa.enabled,
            "duration": seconds(options.mfa.enabled, options.mfa.duration),
        },
        "otp": {
            "enabled": options.otp.enabled,
            "duration": seconds(options.otp.enabled, options.otp.duration),
        },
        "authProviders": [],
        "usernamePassword": by("username"),
        "emailPassword": by("email"),
    });
    Ok(picked(request, json_response(StatusCode::OK, &answer), Pick::Answer))
}

/// `POST /api/collections/{collection}/auth-refresh`
pub(crate) async fn refresh(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let auth = admit_owner(app, request, name, "authRefresh").await?;
    let token = bearer_token(request).to_owned();
    // Tokens made for somebody else to use end when they end.
    let refreshable = tokens::unproven(&token).and_then(|claims| claims.refreshable) == Some(true);
    let token = match refreshable {
        true => tokens::issue(TokenKind::Auth, &auth, Some(true), None)?,
        false => token,
    };
    let context = request.context(Purpose::Default);
    let record = Record::clone(&auth);
    respond(app, request, Success { record, token, context, login: None }).await
}

/// `POST /api/collections/{collection}/impersonate/{id}`
pub(crate) async fn impersonate(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    id: &str,
) -> Answer {
    super::require_superuser(request)?;
    let schema = app.store.schema();
    // In other words than its neighbours, as PocketBase has it.
    let missing = || ApiError::not_found("Missing or invalid auth collection context.");
    let collection = schema.find(name).filter(|c| c.auth.is_some()).ok_or_else(missing)?;
    let found = app.store.read().await?.find(collection, id).await?;
    let record = found.ok_or_else(|| ApiError::not_found(""))?;
    let body = Body::read_strictly(app, request).await?;
    let seconds = body.form().integer("duration")?;
    let Ok(seconds) = u64::try_from(seconds) else {
        let problem =
            Problem::new("validation_min_greater_equal_than_required", "must be no less than 0")
                .with_param("threshold", Json::from(0));
        return Err(body::invalid_member("duration", problem));
    };
    let duration = (seconds > 0).then(|| Duration::from_secs(seconds));
    let token = tokens::issue(TokenKind::Auth, &record, Some(false), duration)?;
    let context = request.context(Purpose::Default);
    respond(app, request, Success { record, token, context, login: None }).await
}

#[cfg(test)]
mod tests;
