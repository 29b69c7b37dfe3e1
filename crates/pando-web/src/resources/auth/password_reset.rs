//! A new password for who has lost the old one.
//!
//! Source: PocketBase `apis/record_auth_password_reset_{request,confirm}.go`.

use std::sync::Arc;

use pando_schema::{Collection, FieldKind, Problem, Problems, Record, Value};
use tracing::warn;

use super::body::{Body, TEXT_BYTES_MAX, check_text, judge, read_recipient};
use super::limits::Resend;
use super::save::{hash_pending, judge as judge_record, put_hash, refused};
use super::{admit, mailed_token, mails};
use crate::ApiError;
use crate::app::{App, SharedApp};
use crate::mail::send_later;
use crate::request::{Request, SUPERUSERS};
use crate::resources::Answer;
use crate::response::no_content;
use crate::tokens::{self, TokenKind};

/// The account of PocketBase's set-up page, which nobody reads mail for.
const INSTALLER_EMAIL: &str = "__pbinstaller@example.com";

const FAILED: &str = "Failed to set new password.";

/// `POST /api/collections/{collection}/request-password-reset`
///
/// Answers the same whether or not there is such an account.
pub(crate) async fn request(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "requestPasswordReset").await?;
    if !collection.auth.as_ref().is_some_and(|auth| auth.password_auth.enabled) {
        let words = "The collection is not configured to allow password authentication.";
        return Err(ApiError::bad_request(words));
    }
    let account = read_recipient(app, request, &collection).await?;
    let Some(account) = account else { return Ok(no_content()) };
    let installer = collection.name == SUPERUSERS && account.text("email") == INSTALLER_EMAIL;
    if installer || !app.login_limits.may_send(&app.store, Resend::PasswordReset, &account).await? {
        return Ok(no_content());
    }
    let mail = mails::password_reset(&app.store.settings(), &account)?;
    send_later(app, mail, "password reset", move |app, sent| async move {
        if !sent {
            let limits = &app.login_limits;
            if let Err(error) =
                limits.forget_sent(&app.store, Resend::PasswordReset, &account).await
            {
                warn!(error = format!("{error:#}"), "the mail can be asked for again in a while");
            }
        }
    });
    Ok(no_content())
}

/// `POST /api/collections/{collection}/confirm-password-reset`
pub(crate) async fn confirm(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "confirmPasswordReset").await?;
    let form = Reset::read(&Body::read_strictly(app, request).await?)?;
    let account = form.check(app, &collection).await?;
    app.login_limits.forget_sent(&app.store, Resend::PasswordReset, &account).await?;
    form.set_password(app, account).await?;
    Ok(no_content())
}

/// A new password as submitted.
#[derive(Clone)]
struct Reset {
    token: String,
    password: String,
    password_confirm: String,
}

impl Reset {
    fn read(body: &Body) -> Result<Reset, ApiError> {
        let members = ["token", "password", "passwordConfirm"];
        let [token, password, password_confirm] = body.form().texts(members)?;
        Ok(Reset { token, password, password_confirm })
    }

    /// Whose password is to be set. Fails with all that is wrong at first sight.
    async fn check(&self, app: &App, collection: &Collection) -> Result<Record, ApiError> {
        let mut problems = Problems::default();
        let min = password_chars_min(collection);
        check_text(&mut problems, "password", &self.password, min, TEXT_BYTES_MAX);
        if self.password_confirm.is_empty() {
            problems.add("passwordConfirm", Problem::required());
        } else if self.password_confirm != self.password {
            let problem = Problem::new("validation_values_mismatch", "Values don't match.");
            problems.add("passwordConfirm", problem);
        }
        let owner = self.owner(app, collection).await?;
        let account = owner.map_err(|problem| problems.add("token", problem)).ok();
        judge(problems)?;
        account.ok_or_else(invalid_token)
    }

    async fn owner(
        &self,
        app: &App,
        collection: &Collection,
    ) -> Result<Result<Record, Problem>, ApiError> {
        if self.token.is_empty() {
            return Ok(Err(Problem::required()));
        }
        let schema = app.store.schema();
        let mut conn = app.store.read().await?;
        let kind = TokenKind::PasswordReset;
        mailed_token::owner(&mut conn, &schema, collection, &self.token, kind).await
    }

    /// The account with the new password, not hashed yet. It is verified too if the token went to
    /// the address that it still has.
    fn applied(&self, original: &Record) -> Record {
        let mut account = original.clone();
        account.set("password", &self.password.as_str().into(), &mut rand::rng());
        let email = tokens::unproven_text(&self.token, "email");
        if !account.bool("verified") && account.text("email") == email {
            account.put("verified", Value::Bool(true));
        }
        account
    }

    async fn set_password(self, app: &App, account: Record) -> Result<(), ApiError> {
        let trial = self.applied(&account);
        let (problems, _) = pando_schema::validate(&trial, Some(&account));
        problems.into_result().map_err(|problems| ApiError::invalid(FAILED, &problems))?;
        let hash = hash_pending(&trial).await?;
        let saved = app.store.write(move |tx| {
            Box::pin(async move {
                let schema = Arc::clone(tx.schema());
                // Once more, so that of two requests with one token only the first succeeds.
                let kind = TokenKind::PasswordReset;
                let found = tokens::owner(tx, &schema, &self.token, kind).await?;
                let original = found.ok_or_else(invalid_token)?;
                let mut account = self.applied(&original);
                judge_record(tx, &account, &original, FAILED).await?;
                put_hash(&mut account, hash);
                let updated = tx.update(account, &original).await;
                updated.map(drop).map_err(|error| refused(error, FAILED))
            })
        });
        saved.await
    }
}

fn invalid_token() -> ApiError {
    ApiError::bad_request("Invalid or expired password reset token.")
}

fn password_chars_min(collection: &Collection) -> usize {
    match collection.field("password").map(|field| &field.kind) {
        Some(FieldKind::Password { min, .. }) => usize::try_from(*min).unwrap_or(0).max(1),
        _ => 1,
    }
}
