//! Writing an account, as all requests do that change one without its owner's update rule.

use std::sync::Arc;

use pando_schema::{Record, random_text, validate};
use pando_store::{Tx, WriteError};

use crate::{ApiError, passwords};

/// The length that PocketBase gives passwords which nobody shall know.
const RANDOM_PASSWORD_CHARS: usize = 30;

/// Judges `record` and writes what differs from `original`. Fails with 400 and the words `failed`
/// if it is not valid.
pub(super) async fn save(
    tx: &mut Tx,
    record: Record,
    original: &Record,
    failed: &str,
) -> Result<Arc<Record>, ApiError> {
    judge(tx, &record, original, failed).await?;
    tx.update(record, original).await.map_err(|error| refused(error, failed))
}

/// Fails with 400 and all that is wrong with `record`.
pub(super) async fn judge(
    tx: &mut Tx,
    record: &Record,
    original: &Record,
    failed: &str,
) -> Result<(), ApiError> {
    let (mut problems, checks) = validate(record, Some(original));
    tx.check(record, &checks, &mut problems).await?;
    problems.into_result().map_err(|problems| ApiError::invalid(failed, &problems))
}

pub(super) fn refused(error: WriteError, failed: &str) -> ApiError {
    match error {
        WriteError::Invalid(problems) => ApiError::invalid(failed, &problems),
        WriteError::Required { .. } | WriteError::LastSuperuser => {
            ApiError::bad_request(failed).caused_by(error)
        }
        WriteError::Store(error) => error.into(),
    }
}

/// The hash of a password that nobody knows, for `record`.
pub(super) async fn random_hash(record: &Record) -> Result<String, ApiError> {
    let mut probe = Record::new(Arc::clone(&record.collection));
    let plain = random_text(&mut rand::rng(), RANDOM_PASSWORD_CHARS);
    probe.set("password", &plain.into(), &mut rand::rng());
    hash_pending(&probe).await
}

/// The hash of the password that was set on `record` last.
pub(super) async fn hash_pending(record: &Record) -> Result<String, ApiError> {
    let pending = record.plain_passwords().next();
    let pending =
        pending.ok_or_else(|| ApiError::internal(anyhow::anyhow!("no password to hash")))?;
    let (plain, cost) = (pending.plain.to_owned(), pending.cost);
    passwords::hash(plain, cost).await
}

/// Sets the password of `record` by its hash.
pub(super) fn put_hash(record: &mut Record, hash: String) {
    if let Some(index) = record.collection.field_index("password") {
        record.put_password_hash(index, hash);
    }
}

/// Sets a password that nobody knows, by its hash, and revokes all tokens.
pub(super) fn put_random_hash(record: &mut Record, hash: String) {
    put_hash(record, hash);
    record.refresh_token_key(&mut rand::rng());
}
