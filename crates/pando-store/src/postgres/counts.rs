//! Counters and chores that all servers on a database share.

use std::time::Duration;

use pando_schema::SqlValue;

use super::engine::Engine;
use crate::StoreError;

impl Engine {
    /// See [`crate::Store::count`].
    pub(crate) async fn count(
        &self,
        key: &str,
        window: Duration,
    ) -> Result<(u64, Duration), StoreError> {
        let mut conn = self.pool().take().await?;
        let milliseconds = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let mut sql = conn.sql();
        sql.push("INSERT INTO pando.counts AS c (\"key\", \"ends\", \"used\") VALUES (").bind(key);
        sql.push(", now() + ").bind(milliseconds).push(" * interval '1 millisecond', 1)");
        sql.push(
            " ON CONFLICT (\"key\") DO UPDATE SET \"used\" = CASE WHEN c.\"ends\" <= now() THEN 1 \
             ELSE c.\"used\" + 1 END, \"ends\" = CASE WHEN c.\"ends\" <= now() THEN \
             excluded.\"ends\" ELSE c.\"ends\" END RETURNING \"used\", \
             (extract(epoch FROM \"ends\" - now()) * 1000)::int8",
        );
        match conn.rows(&sql).await?.first().map(Vec::as_slice) {
            Some([SqlValue::Int(used), SqlValue::Int(left)]) => {
                let count = |number: i64| u64::try_from(number).unwrap_or_default();
                Ok((count(*used), Duration::from_millis(count(*left))))
            }
            _ => Err(StoreError::Unsuitable("it does not count".to_owned())),
        }
    }

    /// See [`crate::Store::forget_count`].
    pub(crate) async fn forget_count(&self, key: &str) -> Result<(), StoreError> {
        let mut conn = self.pool().take().await?;
        let mut sql = conn.sql();
        sql.push("DELETE FROM pando.counts WHERE \"key\" = ").bind(key);
        conn.execute(&sql).await.map(drop)
    }

    /// Forgets counters whose windows are over.
    pub(super) async fn forget_counts(&self) -> Result<(), StoreError> {
        let mut conn = self.pool().take().await?;
        let mut sql = conn.sql();
        sql.push("DELETE FROM pando.counts WHERE \"ends\" < now()");
        conn.execute(&sql).await.map(drop)
    }

    /// See [`crate::Store::claim`].
    pub(crate) async fn claim(&self, chore: &'static str, due: i64) -> Result<bool, StoreError> {
        let mut conn = self.pool().take().await?;
        let mut sql = conn.sql();
        sql.push("INSERT INTO pando.chores AS c (\"name\", \"done\") VALUES (").bind(chore);
        sql.push(", ").bind(due).push(
            ") ON CONFLICT (\"name\") DO UPDATE SET \"done\" = excluded.\"done\" WHERE \
             c.\"done\" < excluded.\"done\"",
        );
        Ok(conn.execute(&sql).await? > 0)
    }
}
