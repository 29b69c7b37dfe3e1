//! Where accounts are used from: `_authOrigins`, and a mail about each new place but the first.
//!
//! A place is an address and a browser. A new one is noted only after its mail is out, so that a
//! mail that failed is tried again at the next login from there.
//!
//! Source: PocketBase `apis/record_helpers.go` (`authAlert`), `core/auth_origin_model.go`.

use std::fmt::Write as _;
use std::sync::Arc;

use http::header::USER_AGENT;
use md5::{Digest as _, Md5};
use pando_schema::{Record, SqlValue, Value};
use pando_store::{Conn, StoreError, Tx, push_owner};
use tracing::warn;

use super::save::refused;
use super::{mails, system_collection};
use crate::ApiError;
use crate::app::{App, SharedApp};
use crate::mail::send_later;
use crate::real_ip::{expanded, real_ip};
use crate::request::Request;

const COLLECTION: &str = "_authOrigins";

/// Places that are remembered of one account.
const ORIGINS_MAX: usize = 5;

/// What counts of the name that a browser gives itself.
const USER_AGENT_BYTES_MAX: usize = 200;

/// The place that a request comes from.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    fingerprint: String,
    /// For people to read.
    info: String,
}

/// Notes from where `record` has logged in, if its collection wants to know. The login succeeds
/// whatever happens here.
pub(super) async fn note(app: &SharedApp, request: &Request, record: &Record) {
    let Some(options) = &record.collection.auth else { return };
    if !options.auth_alert.enabled {
        return;
    }
    let settings = app.store.settings();
    let ip = expanded(real_ip(request, &settings));
    let user_agent = request.headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    let origin = Origin::of(&ip, user_agent, &pando_store::now());
    if let Err(error) = note_origin(app, record, origin).await {
        let error = format!("{:?}", error.cause);
        warn!(error, record.id = record.id(), "failed to note where a login came from");
    }
}

impl Origin {
    fn of(ip: &str, user_agent: &[u8], now: &str) -> Origin {
        let mut shown = user_agent.to_vec();
        if shown.len() > USER_AGENT_BYTES_MAX {
            shown.truncate(USER_AGENT_BYTES_MAX);
            shown.extend_from_slice(b"...");
        }
        let digest = Md5::new().chain_update(ip).chain_update(&shown).finalize();
        let mut fingerprint = String::with_capacity(2 * digest.len());
        for byte in digest {
            let _ = write!(fingerprint, "{byte:02x}");
        }
        let info = format!("{now} - {ip} {}", String::from_utf8_lossy(&shown));
        Origin { fingerprint, info }
    }
}

async fn note_origin(app: &SharedApp, record: &Record, origin: Origin) -> Result<(), ApiError> {
    let known = Known::of(&mut *app.store.read().await?, record).await?;
    let new = known.id_of(&origin.fingerprint).is_none();
    if !new || known.0.is_empty() || record.text("email").is_empty() {
        return save(app, record.clone(), origin.fingerprint).await;
    }
    let mail = mails::auth_alert(&app.store.settings(), record, &origin.info)?;
    let record = record.clone();
    send_later(app, mail, "login alert", move |app, sent| async move {
        if !sent {
            return;
        }
        if let Err(error) = save(&app, record, origin.fingerprint).await {
            let error = format!("{:?}", error.cause);
            warn!(error, "failed to note where a login came from");
        }
    });
    Ok(())
}

/// The remembered places of an account as id and fingerprint, the newest first.
struct Known(Vec<(String, String)>);

impl Known {
    async fn of(conn: &mut Conn, record: &Record) -> Result<Known, StoreError> {
        let mut sql = conn.sql();
        sql.push("SELECT ").quoted("id").push(", ").quoted("fingerprint");
        sql.push(" FROM ").quoted(COLLECTION).push(" WHERE ");
        push_owner(&mut sql, record);
        sql.push(" ORDER BY ").quoted("created").push(" DESC");
        let rows = conn.rows(&sql).await?;
        let pairs = rows.into_iter().filter_map(|row| match <[SqlValue; 2]>::try_from(row) {
            Ok([SqlValue::Text(id), SqlValue::Text(fingerprint)]) => Some((id, fingerprint)),
            _ => None,
        });
        Ok(Known(pairs.collect()))
    }

    fn id_of(&self, fingerprint: &str) -> Option<&str> {
        self.0.iter().find(|(_, other)| other == fingerprint).map(|(id, _)| id.as_str())
    }
}

async fn save(app: &App, record: Record, fingerprint: String) -> Result<(), ApiError> {
    let work = app
        .store
        .write(move |tx| Box::pin(async move { save_within(tx, &record, &fingerprint).await }));
    work.await
}

async fn save_within(tx: &mut Tx, record: &Record, fingerprint: &str) -> Result<(), ApiError> {
    const FAILED: &str = "Failed to save the origin of a login.";
    let collection = system_collection(tx.schema(), COLLECTION)?;
    let known = Known::of(tx, record).await?;
    if let Some(id) = known.id_of(fingerprint) {
        if let Some(original) = tx.find(&collection, id).await? {
            let touched = tx.update(original.clone(), &original).await;
            touched.map_err(|error| refused(error, FAILED))?;
        }
        return Ok(());
    }
    // The account may be gone since the login.
    if tx.find(&record.collection, record.id()).await?.is_none() {
        return Ok(());
    }
    for (id, _) in known.0.iter().skip(ORIGINS_MAX - 1) {
        if let Some(oldest) = tx.find(&collection, id).await? {
            let deleted = tx.delete(Arc::new(oldest)).await;
            deleted.map_err(|error| refused(error, FAILED))?;
        }
    }
    let mut origin = Record::new(collection);
    for (name, text) in [
        ("collectionRef", record.collection.id.as_str()),
        ("recordRef", record.id()),
        ("fingerprint", fingerprint),
    ] {
        origin.put(name, Value::Text(text.to_owned()));
    }
    origin.fill_new(&mut rand::rng());
    tx.insert(origin).await.map_err(|error| refused(error, FAILED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_hash_of_address_and_browser() {
        let origin = Origin::of("127.0.0.1", b"curl/8", "now");
        assert_eq!(origin.info, "now - 127.0.0.1 curl/8");
        // `printf 127.0.0.1curl/8 | md5sum`
        assert_eq!(origin.fingerprint, "b13cc138e9f01b7bdbe0c10cda2c1ca4");
    }

    #[test]
    fn long_names_of_browsers_are_cut() {
        let (long, longer) = ([b'x'; 300], [b'x'; 400]);
        assert_eq!(Origin::of("::1", &long, ""), Origin::of("::1", &longer, ""));
        assert!(Origin::of("::1", &long, "").info.ends_with("x..."));
        assert_ne!(Origin::of("::1", &long[..200], ""), Origin::of("::1", &long[..199], ""));
    }
}
