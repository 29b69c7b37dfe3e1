//! Another address for an account, confirmed by a mail to the new one and the password.
//!
//! Source: PocketBase `apis/record_auth_email_change_{request,confirm}.go`.

use std::sync::Arc;

use pando_schema::{Collection, Problem, Problems, Record, Schema, Value};
use pando_store::Conn;

use super::body::{Body, check_email, check_text, judge};
use super::save::save;
use super::{admit, admit_owner, find_by_email, mailed_token, mails, no_superusers};
use crate::app::{App, SharedApp};
use crate::mail::told;
use crate::request::Request;
use crate::resources::Answer;
use crate::response::no_content;
use crate::tokens::{self, TokenKind};
use crate::{ApiError, passwords};

const PASSWORD_BYTES_MAX: usize = 100;

const FOR_SUPERUSERS: &str = "All superusers can change their emails directly.";

/// `POST /api/collections/{collection}/request-email-change`
pub(crate) async fn request(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let account = admit_owner(app, request, name, "requestEmailChange").await?;
    let collection = &account.collection;
    no_superusers(collection, FOR_SUPERUSERS)?;
    let email = Body::read(app, request).await?.form().text("newEmail")?;
    let mut problems = Problems::default();
    check_email(&mut problems, "newEmail", &email);
    if email == account.text("email") {
        let problem = Problem::new("validation_not_in_invalid", "must not be in list");
        problems.add("newEmail", problem);
    }
    if problems.is_empty() {
        let other = find_by_email(&mut *app.store.read().await?, collection, &email).await?;
        if other.is_some_and(|other| other.id() != account.id()) {
            let words = "Invalid new email address.";
            problems.add("newEmail", Problem::new("validation_invalid_new_email", words));
        }
    }
    judge(problems)?;
    let settings = app.store.settings();
    let mail = mails::email_change(&settings, &account, &email)?;
    let sent = app.mailer.send(&settings, &mail).await;
    sent.map_err(|error| {
        tracing::warn!(error = told(&error), "failed to send a mail about a new address");
        ApiError::bad_request("Failed to request email change.").caused_by(error)
    })?;
    Ok(no_content())
}

/// `POST /api/collections/{collection}/confirm-email-change`
pub(crate) async fn confirm(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "confirmEmailChange").await?;
    no_superusers(&collection, FOR_SUPERUSERS)?;
    let body = Body::read(app, request).await?;
    let [token, password] = body.form().texts(["token", "password"])?;
    check(app, &collection, &token, password).await?;
    let collection_id = collection.id.clone();
    let saved = app.store.write(move |tx| {
        Box::pin(async move {
            let schema = Arc::clone(tx.schema());
            let collection = schema.by_id(&collection_id).ok_or_else(invalid_token)?;
            let wanted = wanted(tx, &schema, collection, &token).await?;
            let Wanted { account: original, email } = wanted.map_err(|_problem| invalid_token())?;
            let mut account = original.clone();
            account.put("email", Value::Text(email));
            account.put("verified", Value::Bool(true));
            save(tx, account, &original, "Failed to confirm email change.").await.map(drop)
        })
    });
    saved.await?;
    Ok(no_content())
}

fn invalid_token() -> ApiError {
    ApiError::bad_request("Invalid or expired token.")
}

async fn check(
    app: &App,
    collection: &Arc<Collection>,
    token: &str,
    password: String,
) -> Result<(), ApiError> {
    let mut problems = Problems::default();
    check_text(&mut problems, "password", &password, 1, PASSWORD_BYTES_MAX);
    let schema = app.store.schema();
    let wanted = match token {
        "" => Err(Problem::required()),
        token => wanted(&mut *app.store.read().await?, &schema, collection, token).await?,
    };
    let hash = match wanted {
        Ok(wanted) => wanted.account.text("password").to_owned(),
        Err(problem) => {
            problems.add("token", problem);
            String::new()
        }
    };
    if !problems.0.contains_key("password") && !passwords::verify(password, hash).await? {
        let words = "Missing or invalid auth record password.";
        problems.add("password", Problem::new("validation_invalid_password", words));
    }
    judge(problems)
}

/// What a token asks for.
struct Wanted {
    account: Record,
    email: String,
}

/// What a token asks for, or what is wrong with it.
async fn wanted(
    conn: &mut Conn,
    schema: &Schema,
    collection: &Arc<Collection>,
    token: &str,
) -> Result<Result<Wanted, Problem>, ApiError> {
    let email = tokens::unproven_text(token, "newEmail");
    if email.is_empty() {
        let words = "Invalid token payload - newEmail must be set.";
        return Ok(Err(Problem::new("validation_invalid_token_payload", words)));
    }
    let kind = TokenKind::EmailChange;
    let account = match mailed_token::owner(conn, schema, collection, token, kind).await? {
        Ok(account) => account,
        Err(problem) => return Ok(Err(problem)),
    };
    if find_by_email(conn, collection, &email).await?.is_some() {
        let words = "The new email address is invalid.";
        return Ok(Err(Problem::new("validation_invalid_token_email", words)));
    }
    Ok(Ok(Wanted { account, email }))
}
