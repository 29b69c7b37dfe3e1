//! Proving that an account's address is its owner's.
//!
//! Source: PocketBase `apis/record_auth_verification_{request,confirm}.go`.

use std::sync::Arc;

use pando_schema::{Collection, Problem, Record, Value};

use super::body::{Body, invalid_member, read_recipient};
use super::limits::Resend;
use super::save::{put_random_hash, random_hash, save};
use super::{admit, mailed_token, mails, no_superusers};
use crate::ApiError;
use crate::app::{App, SharedApp};
use crate::mail::send_later;
use crate::request::Request;
use crate::resources::Answer;
use crate::response::no_content;
use crate::tokens::{self, TokenKind};

const FOR_SUPERUSERS: &str = "All superusers are verified by default.";

/// `POST /api/collections/{collection}/request-verification`
///
/// Answers the same whether or not there is such an account.
pub(crate) async fn request(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "requestVerification").await?;
    no_superusers(&collection, FOR_SUPERUSERS)?;
    let account = read_recipient(app, request, &collection).await?;
    let Some(account) = account else { return Ok(no_content()) };
    if account.bool("verified")
        || !app.login_limits.may_send(&app.store, Resend::Verification, &account).await?
    {
        return Ok(no_content());
    }
    let mail = mails::verification(&app.store.settings(), &account)?;
    send_later(app, mail, "verification", |_, _| async {});
    Ok(no_content())
}

/// `POST /api/collections/{collection}/confirm-verification`
pub(crate) async fn confirm(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "confirmVerification").await?;
    no_superusers(&collection, FOR_SUPERUSERS)?;
    let token = Body::read(app, request).await?.form().text("token")?;
    let account = owner(app, &collection, &token).await?;
    let account = account.map_err(|problem| invalid_member("token", problem))?;
    if !account.bool("verified") {
        verify(app, account.clone(), token).await?;
    }
    app.login_limits.forget_sent(&app.store, Resend::Verification, &account).await?;
    Ok(no_content())
}

/// Whose token it is, or what is wrong with it.
async fn owner(
    app: &App,
    collection: &Collection,
    token: &str,
) -> Result<Result<Record, Problem>, ApiError> {
    if token.is_empty() {
        return Ok(Err(Problem::required()));
    }
    let email = tokens::unproven_text(token, "email");
    if email.is_empty() {
        let words = "Missing email token claim.";
        return Ok(Err(Problem::new("validation_invalid_token_claims", words)));
    }
    let schema = app.store.schema();
    let mut conn = app.store.read().await?;
    let kind = TokenKind::Verification;
    let found = mailed_token::owner(&mut conn, &schema, collection, token, kind).await?;
    Ok(match found {
        Ok(account) if account.text("email") != email => {
            let words = "The record email doesn't match with the requested token claims.";
            Err(Problem::new("validation_token_email_mismatch", words))
        }
        found => found,
    })
}

async fn verify(app: &App, account: Record, token: String) -> Result<(), ApiError> {
    let by_password =
        account.collection.auth.as_ref().is_some_and(|auth| auth.password_auth.enabled);
    let hash = match by_password {
        true => None,
        // A password that whoever made the account knows must not work later on.
        false => Some(random_hash(&account).await?),
    };
    let saved = app.store.write(move |tx| {
        Box::pin(async move {
            let schema = Arc::clone(tx.schema());
            let found = tokens::owner(tx, &schema, &token, TokenKind::Verification).await?;
            let invalid = || ApiError::bad_request("Invalid or expired verification token.");
            let original = found.ok_or_else(invalid)?;
            let mut account = original.clone();
            account.put("verified", Value::Bool(true));
            if let Some(hash) = hash {
                put_random_hash(&mut account, hash);
            }
            let failed = "An error occurred while saving the verified state.";
            save(tx, account, &original, failed).await.map(drop)
        })
    });
    saved.await
}
