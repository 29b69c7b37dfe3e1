//! Logging in with two factors: the first opens a session in `_mfas`, the second closes it.
//!
//! Source: PocketBase `apis/record_helpers.go` (`checkMFA`, `wantsMFA`), `core/mfa_model.go`.

use std::sync::Arc;

use pando_filter::RequestContext;
use pando_schema::{Mfa, Record, Value};
use pando_store::Tx;

use super::respond::Login;
use super::save::refused;
use super::{expired, system_collection};
use crate::app::SharedApp;
use crate::form::Form;
use crate::request::Request;
use crate::{ApiError, access};

const COLLECTION: &str = "_mfas";

/// The id of the session in which `record` must prove itself by another factor; `None` if it has
/// done so, or need not. Fails with 400 if the session that the request names is not its own.
pub(super) async fn next_factor(
    app: &SharedApp,
    request: &Request,
    record: &Record,
    context: &RequestContext,
    login: &Login,
) -> Result<Option<String>, ApiError> {
    let Some(options) = record.collection.auth.as_ref().map(|auth| &auth.mfa) else {
        return Ok(None);
    };
    if !options.enabled || !wanted(app, options, record, context).await? {
        return Ok(None);
    }
    let id = match request.query.first("mfaId") {
        "" => {
            let form = Form::new(&context.body, &login.content_type);
            let unreadable = |_| ApiError::bad_request("Failed to read MFA Id");
            form.text("mfaId").map_err(unreadable)?
        }
        id => id.to_owned(),
    };
    let (record, method) = (record.clone(), login.factor.name());
    let seconds = options.duration;
    let done = app.store.write(move |tx| {
        Box::pin(async move {
            if id.is_empty() {
                return Ok(Ok(Some(open(tx, &record, method).await?)));
            }
            // A refusal must not undo that an expired session was deleted.
            let closed = close(tx, &id, &record, method, seconds).await?;
            Ok::<_, ApiError>(closed.map(|()| None))
        })
    });
    done.await?.map_err(ApiError::bad_request)
}

/// Whether `record` is one of those that need two factors.
async fn wanted(
    app: &SharedApp,
    options: &Mfa,
    record: &Record,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    if options.rule.is_empty() {
        return Ok(true);
    }
    let schema = app.store.schema();
    let mut conn = app.store.read().await?;
    let passes = access::passes(&mut conn, &schema, record, &options.rule, context).await;
    passes.map_err(|error| match error.status.is_server_error() {
        true => error,
        false => {
            ApiError { cause: error.cause, ..ApiError::bad_request("Failed to authenticate.") }
        }
    })
}

async fn open(tx: &mut Tx, record: &Record, method: &str) -> Result<String, ApiError> {
    let collection = system_collection(tx.schema(), COLLECTION)?;
    let mut session = Record::new(collection);
    for (name, text) in [
        ("collectionRef", record.collection.id.as_str()),
        ("recordRef", record.id()),
        ("method", method),
    ] {
        session.put(name, Value::Text(text.to_owned()));
    }
    session.fill_new(&mut rand::rng());
    let written = tx.insert(session).await;
    let session = written.map_err(|error| refused(error, "Failed to create MFA record"))?;
    Ok(session.id().to_owned())
}

/// Ends a session whose other factor was `method`. The inner error says why it cannot be.
async fn close(
    tx: &mut Tx,
    id: &str,
    record: &Record,
    method: &str,
    seconds: i64,
) -> Result<Result<(), &'static str>, ApiError> {
    const INVALID: &str = "Invalid or expired MFA session.";
    let collection = system_collection(tx.schema(), COLLECTION)?;
    let Some(session) = tx.find(&collection, id).await? else { return Ok(Err(INVALID)) };
    let late = expired(&session, seconds);
    if !late {
        let owner = (session.text("collectionRef"), session.text("recordRef"));
        if owner != (record.collection.id.as_str(), record.id()) {
            return Ok(Err("Invalid MFA session."));
        }
        if session.text("method") == method {
            return Ok(Err("A different authentication method is required."));
        }
    }
    tx.delete(Arc::new(session)).await.map_err(|error| refused(error, INVALID))?;
    Ok(if late { Err(INVALID) } else { Ok(()) })
}
