//! Logging in with a one-time password that comes by mail.
//!
//! Source: PocketBase `apis/record_auth_otp_request.go`, `record_auth_with_otp.go`,
//! `core/otp_model.go`, `mails/record.go` (`SendRecordOTP`).

use std::sync::Arc;

use http::StatusCode;
use pando_filter::Purpose;
use pando_schema::{
    Collection, LOWER_ALPHANUMERIC, Otp, Problems, Record, SqlValue, Value, random_text_of,
};
use pando_store::{Tx, push_owner};
use serde_json::json;
use tracing::warn;

use super::body::{Body, TEXT_BYTES_MAX, check_text, judge, read_recipient};
use super::respond::{Factor, Success, respond};
use super::save::{hash_pending, put_hash, put_random_hash, random_hash, refused, save};
use super::{admit, expired, expired_since, mails, system_collection};
use crate::app::{App, SharedApp};
use crate::mail::send_later;
use crate::real_ip::real_ip;
use crate::request::Request;
use crate::resources::Answer;
use crate::response::{Pick, json as json_response, picked};
use crate::{ApiError, passwords};

const COLLECTION: &str = "_otps";

const DIGITS: &str = "1234567890";

const ID_CHARS: usize = 15;

/// One-time passwords of one account that are valid at once; then the last is used again.
const VALID_MAX: usize = 10;

/// What bcrypt reads, less one.
const PASSWORD_BYTES_MAX: usize = 71;

/// `POST /api/collections/{collection}/request-otp`
///
/// Answers with an id whether or not there is such an account, and takes as long.
pub(crate) async fn request(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "requestOTP").await?;
    let options = enabled(&collection)?;
    let account = read_recipient(app, request, &collection).await?;
    let length = usize::try_from(options.length).unwrap_or(0);
    let password = random_text_of(&mut rand::rng(), length, DIGITS);
    let otp = new_otp(system_collection(&app.store.schema(), COLLECTION)?, &password).await?;
    let id = match account {
        None => random_text_of(&mut rand::rng(), ID_CHARS, LOWER_ALPHANUMERIC),
        Some(account) => create(app, account, otp, password).await?,
    };
    Ok(picked(request, json_response(StatusCode::OK, &json!({ "otpId": id })), Pick::Answer))
}

fn enabled(collection: &Collection) -> Result<&Otp, ApiError> {
    let options = collection.auth.as_ref().map(|auth| &auth.otp);
    options.filter(|otp| otp.enabled).ok_or_else(|| {
        let words = "The collection is not configured to allow OTP authentication.";
        ApiError::forbidden(words)
    })
}

async fn new_otp(collection: Arc<Collection>, password: &str) -> Result<Record, ApiError> {
    let mut otp = Record::new(collection);
    otp.set("password", &password.into(), &mut rand::rng());
    let hash = hash_pending(&otp).await?;
    put_hash(&mut otp, hash);
    otp.fill_new(&mut rand::rng());
    Ok(otp)
}

/// Stores `otp` for `account` and sends its password, or finds the last one when there are many.
async fn create(
    app: &SharedApp,
    account: Record,
    mut otp: Record,
    password: String,
) -> Result<String, ApiError> {
    otp.put("collectionRef", Value::Text(account.collection.id.clone()));
    otp.put("recordRef", Value::Text(account.id().to_owned()));
    let (id, owner) = (otp.id().to_owned(), account.clone());
    let written = app.store.write(move |tx| {
        Box::pin(async move {
            if let Some(last) = last_of_many(tx, &owner).await? {
                return Ok(Some(last));
            }
            let failed = "Failed to create the one-time password.";
            tx.insert(otp).await.map_err(|error| refused(error, failed))?;
            Ok::<_, ApiError>(None)
        })
    });
    if let Some(last) = written.await? {
        warn!(record.id = account.id(), "too many one-time passwords, the last is used again");
        return Ok(last);
    }
    let mail = mails::otp(&app.store.settings(), &account, &id, &password)?;
    let (otp_id, sent_to) = (id.clone(), mail.to.clone());
    send_later(app, mail, "one-time password", move |app, sent| async move {
        let noted = app.store.write(move |tx| {
            Box::pin(async move { note_sent(tx, &otp_id, sent.then_some(sent_to)).await })
        });
        if let Err(error) = noted.await {
            let error = format!("{:?}", error.cause);
            warn!(error, "failed to note that a one-time password was sent");
        }
    });
    Ok(id)
}

/// The newest one-time password of `account`, if it has as many as may be.
async fn last_of_many(tx: &mut Tx, account: &Record) -> Result<Option<String>, ApiError> {
    let mut sql = tx.sql();
    sql.push("SELECT ").quoted("id").push(", ").quoted("created");
    sql.push(" FROM ").quoted(COLLECTION).push(" WHERE ");
    push_owner(&mut sql, account);
    sql.push(" ORDER BY ").quoted("created").push(" DESC");
    let rows = tx.rows(&sql).await?;
    let seconds = enabled(&account.collection)?.duration;
    let valid = rows.iter().filter(|row| match row.get(1) {
        Some(SqlValue::Text(created)) => !expired_since(created, seconds),
        _ => false,
    });
    if valid.count() < VALID_MAX {
        return Ok(None);
    }
    Ok(match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Text(id)) => Some(id.clone()),
        _ => None,
    })
}

/// Notes to whom the mail went; deletes the one-time password if it went to nobody.
async fn note_sent(tx: &mut Tx, id: &str, sent_to: Option<String>) -> Result<(), ApiError> {
    const FAILED: &str = "Failed to update the one-time password.";
    let collection = system_collection(tx.schema(), COLLECTION)?;
    // It may have been used already.
    let Some(original) = tx.find(&collection, id).await? else { return Ok(()) };
    match sent_to {
        None => {
            tx.delete(Arc::new(original)).await.map_err(|error| refused(error, FAILED))?;
        }
        Some(sent_to) => {
            let mut otp = original.clone();
            otp.put("sentTo", Value::Text(sent_to));
            tx.update(otp, &original).await.map_err(|error| refused(error, FAILED))?;
        }
    }
    Ok(())
}

/// `POST /api/collections/{collection}/auth-with-otp`
pub(crate) async fn log_in(app: &SharedApp, request: &mut Request, name: &str) -> Answer {
    let collection = admit(app, request, name, "authWithOTP").await?;
    let options = enabled(&collection)?;
    let body = Body::read(app, request).await?;
    let [id, password] = body.form().texts(["otpId", "password"])?;
    let mut problems = Problems::default();
    check_text(&mut problems, "otpId", &id, 1, TEXT_BYTES_MAX);
    check_text(&mut problems, "password", &password, 1, PASSWORD_BYTES_MAX);
    judge(problems)?;
    let (otp, account) = find(app, &collection, options, &id).await?;
    let ip = real_ip(request, &app.store.settings());
    if !app.login_limits.guess_allowed(&app.store, &account, ip).await? {
        let words = "Too many attempts, please try again later with a new OTP.";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, words));
    }
    if !passwords::verify(password, otp.text("password").to_owned()).await? {
        return Err(wrong());
    }
    let account = spend(app, otp, account).await?;
    let context = request.context(Purpose::Otp);
    respond(app, request, Success::login(account, context, body, Factor::Otp)?).await
}

/// The one answer to whatever may be wrong, so that it tells nothing.
fn wrong() -> ApiError {
    ApiError::bad_request("Invalid or expired OTP")
}

/// A one-time password that is still valid, and whose it is.
async fn find(
    app: &App,
    collection: &Arc<Collection>,
    options: &Otp,
    id: &str,
) -> Result<(Record, Record), ApiError> {
    let otps = system_collection(&app.store.schema(), COLLECTION)?;
    let mut conn = app.store.read().await?;
    let otp = conn.find(&otps, id).await?.ok_or_else(wrong)?;
    if otp.text("collectionRef") != collection.id || expired(&otp, options.duration) {
        return Err(wrong());
    }
    let account = conn.find(collection, otp.text("recordRef")).await?.ok_or_else(wrong)?;
    Ok((otp, account))
}

/// Deletes `otp`, which works once, and returns the account as it is then: verified, if the
/// password went to its address.
async fn spend(app: &App, otp: Record, account: Record) -> Result<Record, ApiError> {
    let mfa = account.collection.auth.as_ref().is_some_and(|auth| auth.mfa.enabled);
    let hash = match verifies(&otp, &account) && !mfa {
        // Whoever made the account before the address was proven may know its password.
        true => Some(random_hash(&account).await?),
        false => None,
    };
    let spent = app.store.write(move |tx| {
        Box::pin(async move {
            let otp = tx.find(&otp.collection, otp.id()).await?.ok_or_else(wrong)?;
            let otp = Arc::new(otp);
            tx.delete(Arc::clone(&otp)).await.map_err(|error| refused(error, ""))?;
            let found = tx.find(&account.collection, account.id()).await?;
            let original = found.ok_or_else(wrong)?;
            if !verifies(&otp, &original) {
                return Ok::<_, ApiError>(original);
            }
            let mut account = original.clone();
            account.put("verified", Value::Bool(true));
            if let Some(hash) = hash {
                put_random_hash(&mut account, hash);
            }
            match save(tx, account, &original, "").await {
                Ok(account) => Ok(Arc::unwrap_or_clone(account)),
                Err(error) if error.status.is_server_error() => Err(error),
                Err(error) => {
                    // Other fields may not be valid any more, which is no reason to keep it out.
                    let problems = error.body().to_string();
                    warn!(problems, record.id = original.id(), "failed to mark as verified");
                    Ok(original)
                }
            }
        })
    });
    spent.await
}

/// Whether knowing `otp` proves the address of `account`, which was not proven before.
fn verifies(otp: &Record, account: &Record) -> bool {
    let sent_to = otp.text("sentTo");
    !account.bool("verified") && !sent_to.is_empty() && account.text("email") == sent_to
}
