//! Deletes pending logins and one-time passwords that are no longer valid, every full hour.
//!
//! Source: PocketBase `core/mfa_query.go`, `core/otp_query.go` (`DeleteExpired…`).

use std::sync::Arc;
use std::time::Duration;

use pando_schema::{Collection, DateTime};
use pando_store::Tx;
use tracing::warn;

use super::save::refused;
use super::{now_ms, system_collection};
use crate::ApiError;
use crate::app::SharedApp;

const HOUR_SECONDS: i64 = 3_600;

/// Rows of one transaction, so that other writers need not wait for long.
const ROWS_PER_WRITE: u16 = 500;

/// Runs until the stop.
pub(crate) async fn delete_expired_hourly(app: SharedApp) -> anyhow::Result<()> {
    let stopping = app.life.stopping.clone();
    while stopping
        .run_until_cancelled(tokio::time::sleep(until_next_hour(now_ms())))
        .await
        .is_some()
    {
        let hour = now_ms() / (HOUR_SECONDS * 1000);
        let done = match app.store.claim("expired logins", hour).await {
            Ok(true) => delete_expired(&app, now_ms()).await,
            // Another server does it.
            Ok(false) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = done {
            warn!(error = format!("{:?}", error.cause), "failed to delete expired logins");
        }
    }
    Ok(())
}

fn until_next_hour(now_ms: i64) -> Duration {
    let hour_ms = HOUR_SECONDS * 1000;
    Duration::from_millis((hour_ms - now_ms.rem_euclid(hour_ms)).unsigned_abs())
}

/// Deletes what is older than its collection lets it be, whether or not it is still in use there.
pub(super) async fn delete_expired(app: &SharedApp, now_ms: i64) -> Result<(), ApiError> {
    let schema = app.store.schema();
    for collection in schema.iter() {
        let Some(options) = &collection.auth else { continue };
        for (table, seconds) in [("_mfas", options.mfa.duration), ("_otps", options.otp.duration)] {
            let oldest =
                DateTime::from_unix_ms(now_ms.saturating_sub(seconds.saturating_mul(1000)));
            while delete_some(app, table, collection, oldest.stored()).await? {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_full_hour_is_never_now() {
        assert_eq!(until_next_hour(0), Duration::from_secs(3_600));
        assert_eq!(until_next_hour(3_600_000 * 5 + 1), Duration::from_millis(3_599_999));
        assert_eq!(until_next_hour(3_600_000 * 5 - 1), Duration::from_millis(1));
    }
}
