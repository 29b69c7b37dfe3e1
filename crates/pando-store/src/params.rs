//! Further rows of `_params`, beside the settings: PocketBase leaves alone what it does not know.

use pando_schema::SqlValue;

use crate::{Conn, StoreError, Tx};

impl Conn {
    /// The values whose id begins with `start`, with those ids.
    pub async fn params(&mut self, start: &str) -> Result<Vec<(String, String)>, StoreError> {
        let length = i64::try_from(start.len()).unwrap_or(i64::MAX);
        let mut sql = self.sql();
        sql.push("SELECT ").quoted("id").push(", ").quoted("value");
        sql.push(" FROM ").quoted("_params").push(" WHERE substr(").quoted("id");
        sql.push(", 1, CAST(").bind(length).push(" AS integer)) = ").bind(start);
        let rows = self.rows(&sql).await?.into_iter().filter_map(|row| match row.as_slice() {
            [SqlValue::Text(id), SqlValue::Text(value)] => Some((id.clone(), value.clone())),
            _ => None,
        });
        Ok(rows.collect())
    }
}

impl Tx {
    /// Writes a value, in place of what was there.
    pub async fn put_param(&mut self, id: &str, value: &str) -> Result<(), StoreError> {
        let now = crate::now();
        let mut sql = self.sql();
        sql.push("INSERT INTO ").quoted("_params").push(" (");
        for (index, column) in ["id", "value", "created", "updated"].iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).quoted(column);
        }
        sql.push(") VALUES (").bind(id).push(", ").bind(value).push(", ").bind(now.as_str());
        sql.push(", ").bind(now).push(") ON CONFLICT (").quoted("id").push(") DO UPDATE SET ");
        sql.quoted("value").push(" = excluded.").quoted("value").push(", ");
        sql.quoted("updated").push(" = excluded.").quoted("updated");
        self.execute(&sql).await.map(drop)
    }
}
