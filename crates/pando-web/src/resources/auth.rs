//! Logging in and staying logged in.
//!
//! Source: PocketBase `apis/record_auth_*.go`, `apis/record_helpers.go` (`RecordAuthResponse`).

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use pando_filter::Purpose;
use pando_schema::{
    Collection, Problem, Problems, Record, Schema, email_valid, single_column_unique_index,
};
use pando_store::Conn;
use serde_json::{Value as Json, json};

use super::records::enrich_auth;
use crate::access::{self, Verdict, verdict};
use crate::app::{App, SharedApp};
use crate::auth::bearer_token;
use crate::form::Form;
use crate::request::{Request, is_superuser};
use crate::response::{Pick, Response, json as json_response, json_text, picked};
use crate::tokens::{self, TokenKind};
use crate::{ApiError, passwords, rate_limit};

/// A login body has a few short texts.
const BODY_BYTES_MAX: u64 = 32 << 20;

const TEXT_CHARS_MAX: usize = 255;

/// The auth collection that a path names.
fn auth_collection<'a>(schema: &'a Schema, name: &str) -> Result<&'a Arc<Collection>, ApiError> {
    let collection = super::existing(schema, name)?;
    match collection.auth {
        Some(_) => Ok(collection),
        None => Err(ApiError::not_found("Missing or invalid auth collection context.")),
    }
}

/// `GET /api/collections/{collection}/auth-methods`
pub async fn methods(app: &SharedApp, request: &mut Request, name: &str) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = auth_collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "listAuthMethods")?;
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

/// `POST /api/collections/{collection}/auth-with-password`
pub async fn with_password(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = auth_collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "authWithPassword")?;
    let Some(options) = &collection.auth else { return Err(ApiError::not_found("")) };
    if !options.password_auth.enabled {
        let words = "The collection is not configured to allow password authentication.";
        return Err(ApiError::forbidden(words));
    }
    let login = Login::read(app, request).await?;
    login.check(&options.password_auth.identity_fields)?;
    let found = login.find(&mut *app.store.read().await?, collection).await?;
    let failed = || ApiError::bad_request("Failed to authenticate.");
    let Some(record) = found else {
        // As slow as a wrong password, so that nobody learns which accounts exist.
        dummy_check(app, collection, login.password).await?;
        return Err(failed());
    };
    let hash = record.text("password").to_owned();
    if !passwords::verify(login.password, hash).await? {
        return Err(failed());
    }
    let context = request.context(Purpose::Password);
    let token = tokens::issue(TokenKind::Auth, &record, Some(true), None)?;
    respond(app, request, Success { record, token, context }).await
}

/// A password login as submitted.
struct Login {
    identity: String,
    password: String,
    identity_field: String,
}

impl Login {
    async fn read(app: &App, request: &mut Request) -> Result<Login, ApiError> {
        let words = "An error occurred while loading the submitted data.";
        let kind = request.header(CONTENT_TYPE).to_owned();
        let submission = request.submission(&app.blob, BODY_BYTES_MAX).await;
        let submission = submission.map_err(|error| match error.status {
            StatusCode::BAD_REQUEST => ApiError { message: words.to_owned(), ..error },
            _ => error,
        })?;
        let form = Form::new(&submission.fields, &kind);
        Ok(Login {
            identity: form.text("identity")?,
            password: form.text("password")?,
            identity_field: form.text("identityField")?,
        })
    }

    fn check(&self, identity_fields: &[String]) -> Result<(), ApiError> {
        let mut problems = Problems::default();
        for (name, text) in [("identity", &self.identity), ("password", &self.password)] {
            if text.is_empty() {
                problems.add(name, Problem::new("validation_required", "cannot be blank"));
            }
        }
        for (name, text) in [
            ("identity", &self.identity),
            ("password", &self.password),
            ("identityField", &self.identity_field),
        ] {
            if text.len() > TEXT_CHARS_MAX {
                problems.add(name, length_problem());
            }
        }
        if !self.identity_field.is_empty() && !identity_fields.contains(&self.identity_field) {
            problems.add("identityField", Problem::new("validation_in_invalid", "must be a valid value"));
        }
        let words = "An error occurred while validating the submitted data.";
        problems.into_result().map_err(|problems| ApiError::invalid(words, &problems))
    }

    async fn find(&self, conn: &mut Conn, collection: &Arc<Collection>) -> Result<Option<Record>, ApiError> {
        let Some(options) = &collection.auth else { return Ok(None) };
        if !self.identity_field.is_empty() {
            return find_by(conn, collection, &self.identity_field, &self.identity).await;
        }
        // The address first, whatever the order of the list.
        let mut fields: Vec<&String> = options.password_auth.identity_fields.iter().collect();
        fields.sort_by_key(|field| *field != "email");
        for field in fields {
            if field == "email" && !email_valid(&self.identity) {
                continue;
            }
            if let Some(record) = find_by(conn, collection, field, &self.identity).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }
}

fn length_problem() -> Problem {
    let mut problem =
        Problem::new("validation_length_out_of_range", "the length must be between 1 and 255");
    problem.params.insert("min".to_owned(), 1.into());
    problem.params.insert("max".to_owned(), TEXT_CHARS_MAX.into());
    problem
}

/// The record whose unique `field` is `identity`.
async fn find_by(
    conn: &mut Conn,
    collection: &Arc<Collection>,
    field: &str,
    identity: &str,
) -> Result<Option<Record>, ApiError> {
    let index = single_column_unique_index(&collection.indexes, field);
    let Some(index) = index.filter(|_| collection.field(field).is_some()) else {
        return Err(ApiError::internal(anyhow::anyhow!("{field:?} has no unique index")));
    };
    let nocase = index.columns.first().is_some_and(|c| c.collate.eq_ignore_ascii_case("nocase"));
    Ok(conn.find_by(collection, field, identity, nocase).await?)
}

/// Checks `password` against the hash of some record, for the time that it takes.
async fn dummy_check(app: &App, collection: &Arc<Collection>, password: String) -> Result<(), ApiError> {
    let some = app.store.read().await?.find_any(collection).await?;
    if let Some(record) = some {
        passwords::verify(password, record.text("password").to_owned()).await?;
    }
    Ok(())
}

/// `POST /api/collections/{collection}/auth-refresh`
pub async fn refresh(app: &SharedApp, request: &mut Request, name: &str) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = super::existing(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "authRefresh")?;
    let Some(auth) = request.auth.clone() else {
        return Err(ApiError::unauthorized("The request requires valid record authorization token."));
    };
    if collection.id != auth.collection.id {
        let words =
            format!("The request requires auth record from {} collection.", auth.collection.name);
        return Err(ApiError::forbidden(&words));
    }
    let token = bearer_token(request).to_owned();
    // Tokens made for somebody else to use end when they end.
    let refreshable = tokens::unproven(&token).and_then(|claims| claims.refreshable) == Some(true);
    let token = match refreshable {
        true => tokens::issue(TokenKind::Auth, &auth, Some(true), None)?,
        false => token,
    };
    let context = request.context(Purpose::Default);
    let record = Record::clone(&auth);
    respond(app, request, Success { record, token, context }).await
}

/// `POST /api/collections/{collection}/impersonate/{id}`
pub async fn impersonate(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    id: &str,
) -> Result<Response, ApiError> {
    super::require_superuser(request)?;
    let schema = app.store.schema();
    let collection = auth_collection(&schema, name)?;
    let found = app.store.read().await?.find(collection, id).await?;
    let record = found.ok_or_else(|| ApiError::not_found(""))?;
    let kind = request.header(CONTENT_TYPE).to_owned();
    let submission = request.submission(&app.blob, BODY_BYTES_MAX).await;
    let submission = submission.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => ApiError {
            message: "An error occurred while loading the submitted data.".to_owned(),
            ..error
        },
        _ => error,
    })?;
    let seconds = Form::new(&submission.fields, &kind).integer("duration")?;
    let Ok(seconds) = u64::try_from(seconds) else {
        let mut problems = Problems::default();
        let mut problem =
            Problem::new("validation_min_greater_equal_than_required", "must be no less than 0");
        problem.params.insert("threshold".to_owned(), 0.into());
        problems.add("duration", problem);
        let words = "An error occurred while validating the submitted data.";
        return Err(ApiError::invalid(words, &problems));
    };
    let duration = (seconds > 0).then(|| Duration::from_secs(seconds));
    let token = tokens::issue(TokenKind::Auth, &record, Some(false), duration)?;
    let context = request.context(Purpose::Default);
    respond(app, request, Success { record, token, context }).await
}

/// A login that may be answered, unless the collection asks for more.
struct Success {
    record: Record,
    token: String,
    context: pando_filter::RequestContext,
}

async fn respond(app: &SharedApp, request: &Request, success: Success) -> Result<Response, ApiError> {
    let Success { mut record, token, context } = success;
    if is_superuser(&record) && !access::superuser_welcome(app, request) {
        return Err(ApiError::forbidden(""));
    }
    let schema = app.store.schema();
    let collection = Arc::clone(&record.collection);
    let Some(options) = &collection.auth else { return Err(ApiError::not_found("")) };
    let mut conn = app.store.read().await?;
    let allowed = match verdict(options.auth_rule.as_deref(), context.superuser()) {
        Verdict::Allowed => true,
        Verdict::Denied => false,
        Verdict::Depends(rule) => {
            access::passes(&mut conn, &schema, &record, rule, &context).await?
        }
    };
    if !allowed {
        let words = "The request doesn't satisfy the collection requirements to authenticate.";
        return Err(ApiError::forbidden(words));
    }
    let mut context = context;
    context.auth = Some(Arc::new(record.clone()));
    enrich_auth(&mut conn, &schema, &context, &mut record, request.query.first("expand")).await;
    drop(conn);
    let mut text = b"{\"record\":".to_vec();
    record.write_json(&mut text);
    text.extend_from_slice(format!(",\"token\":{}}}", Json::String(token)).as_bytes());
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Answer))
}
