//! The answer to a login.
//!
//! Source: PocketBase `apis/record_helpers.go` (`RecordAuthResponse`).

use std::sync::Arc;

use http::StatusCode;
use pando_filter::RequestContext;
use pando_schema::Record;
use serde_json::{Value as Json, json};

use super::body::Body;
use super::{mfa, origins};
use crate::ApiError;
use crate::access::{self, Verdict, verdict};
use crate::app::SharedApp;
use crate::request::{Request, is_superuser};
use crate::resources::records::enrich_auth;
use crate::response::{Pick, Response, json as json_response, json_text, picked};
use crate::tokens::{self, TokenKind};

/// A login that may be answered, unless the collection asks for more.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) record: Record,
    pub(super) token: String,
    pub(super) context: RequestContext,
    /// `None` when nobody proved anything: a refreshed token, an impersonation.
    pub(super) login: Option<Login>,
}

/// How somebody logged in.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) factor: Factor,
    /// The type of the body whose fields are in the context.
    pub(super) content_type: String,
}

/// A way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Password,
    Otp,
}

impl Factor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Factor::Password => "password",
            Factor::Otp => "otp",
        }
    }
}

impl Success {
    /// A login of `record` by one `factor`, with a new token. Rules see the `body`.
    pub(super) fn login(
        record: Record,
        mut context: RequestContext,
        body: Body,
        factor: Factor,
    ) -> Result<Success, ApiError> {
        let token = tokens::issue(TokenKind::Auth, &record, Some(true), None)?;
        context.body = body.fields;
        let login = Login { factor, content_type: body.content_type };
        Ok(Success { record, token, context, login: Some(login) })
    }
}

/// Answers with record and token, or with 401 and an id when a second factor is needed.
pub(super) async fn respond(
    app: &SharedApp,
    request: &Request,
    success: Success,
) -> Result<Response, ApiError> {
    let Success { mut record, token, mut context, login } = success;
    if is_superuser(&record) && !access::superuser_welcome(app, request) {
        return Err(ApiError::forbidden(""));
    }
    if !allowed(app, &record, &context).await? {
        let words = "The request doesn't satisfy the collection requirements to authenticate.";
        return Err(ApiError::forbidden(words));
    }
    if let Some(login) = &login
        && let Some(id) = mfa::next_factor(app, request, &record, &context, login).await?
    {
        return Ok(json_response(StatusCode::UNAUTHORIZED, &json!({ "mfaId": id })));
    }
    let schema = app.store.schema();
    context.auth = Some(Arc::new(record.clone()));
    let wanted = request.query.first("expand");
    let mut conn = app.store.read().await?;
    enrich_auth(&mut conn, &schema, &context, &mut record, wanted).await;
    drop(conn);
    if login.is_some() {
        origins::note(app, request, &record).await;
    }
    let mut text = b"{\"record\":".to_vec();
    record.write_json(&mut text);
    text.extend_from_slice(format!(",\"token\":{}}}", Json::String(token)).as_bytes());
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Answer))
}

/// Whether the collection lets `record` log in.
async fn allowed(
    app: &SharedApp,
    record: &Record,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    let Some(options) = &record.collection.auth else { return Err(ApiError::not_found("")) };
    match verdict(options.auth_rule.as_deref(), context.superuser()) {
        Verdict::Allowed => Ok(true),
        Verdict::Denied => Ok(false),
        Verdict::Depends(rule) => {
            let schema = app.store.schema();
            let mut conn = app.store.read().await?;
            access::passes(&mut conn, &schema, record, rule, context).await
        }
    }
}
