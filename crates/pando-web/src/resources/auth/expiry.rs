//! Deletes pending logins and one-time passwords that are no longer valid.
//!
//! Source: PocketBase `core/mfa_query.go`, `core/otp_query.go` (`DeleteExpired…`).

use std::sync::Arc;

use pando_schema::{AuthOptions, Collection, DateTime};
use pando_store::Tx;

use super::save::refused;
use super::system_collection;
use crate::ApiError;
use crate::app::SharedApp;

/// Rows of one transaction, so that other writers need not wait for long.
const ROWS_PER_WRITE: u16 = 500;

/// Deletes pending logins that are older than their collection lets them be.
pub(crate) async fn delete_expired_mfas(app: &SharedApp, now_ms: i64) -> Result<(), ApiError> {
    delete_expired(app, "_mfas", |options| options.mfa.duration, now_ms).await
}

/// The same for one-time passwords.
pub(crate) async fn delete_expired_otps(app: &SharedApp, now_ms: i64) -> Result<(), ApiError> {
    delete_expired(app, "_otps", |options| options.otp.duration, now_ms).await
}

/// Deletes what is older than so many seconds, whether or not it is still in use in its collection.
async fn delete_expired(
    app: &SharedApp,
    table: &'static str,
    seconds: fn(&AuthOptions) -> i64,
    now_ms: i64,
) -> Result<(), ApiError> {
    let schema = app.store.schema();
    for collection in schema.iter() {
        let Some(options) = &collection.auth else { continue };
        let kept_ms = seconds(options).saturating_mul(1000);
        let oldest = DateTime::from_unix_ms(now_ms.saturating_sub(kept_ms));
        while delete_some(app, table, collection, oldest.stored()).await? {}
    }
    Ok(())
}

/// Deletes rows of `table` that are about `collection` and older than `oldest`. Returns whether
/// there may be more.
async fn delete_some(
    app: &SharedApp,
    table: &'static str,
    collection: &Collection,
    oldest: String,
) -> Result<bool, ApiError> {
    // Most of the time there is nothing to do, and no reason to disturb the writer.
    let mut conn = app.store.read().await?;
    let mut sql = conn.sql();
    sql.push("SELECT ").quoted("id").push(" FROM ").quoted(table);
    sql.push(" WHERE ").quoted("collectionRef").push(" = ").bind(collection.id.as_str());
    sql.push(" AND ").quoted("created").push(" < ").bind(oldest);
    sql.push(" LIMIT ").integer(ROWS_PER_WRITE.into());
    let ids = conn.texts(&sql).await?;
    drop(conn);
    if ids.is_empty() {
        return Ok(false);
    }
    let more = ids.len() == usize::from(ROWS_PER_WRITE);
    app.store.write(move |tx| Box::pin(delete_rows(tx, table, ids))).await?;
    Ok(more)
}

async fn delete_rows(tx: &mut Tx, table: &'static str, ids: Vec<String>) -> Result<(), ApiError> {
    let collection = system_collection(tx.schema(), table)?;
    for record in tx.find_all(&collection, &ids).await? {
        let deleted = tx.delete(Arc::new(record)).await;
        deleted.map_err(|error| refused(error, "Failed to delete."))?;
    }
    Ok(())
}
