//! The logs of all servers on a database: one table, which is not that of a collection.

use pando_filter::{Dialect, Sql};

use super::engine::Engine;
use crate::StoreError;
use crate::logs::{Batch, Entries, Entry, Form};

/// Entries of one statement: all that come in a second, unless a server is faster than any we know.
const ENTRIES_PER_WRITE: usize = 30_000;

/// Entries that are made ready at once, in less than a millisecond; then requests have their turn.
const ENTRIES_PER_TURN: usize = 250;

/// Rows that one statement deletes, so that nothing is held for long.
const ROWS_PER_DELETE: i64 = 10_000;

impl Engine {
    /// Writes entries. Those that are there already, as after an answer that got lost, stay. Fails
    /// at once while the server is away: entries can wait by themselves.
    pub(crate) async fn write_logs(&self, batch: &Batch, form: Form<'_>) -> Result<(), StoreError> {
        let mut conn = self.pool().take_now().await?;
        let mut entries = Entries::new(&batch.bytes, form);
        loop {
            let columns = Columns::of(entries.by_ref().take(ENTRIES_PER_WRITE)).await;
            if columns.0[0].is_empty() {
                return Ok(());
            }
            conn.execute(&insert(&columns)).await?;
        }
    }

    /// See [`crate::Store::delete_logs`].
    pub(crate) async fn delete_logs(
        &self,
        until: &str,
        below: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut conn = self.pool().take().await?;
        loop {
            let mut sql = conn.sql();
            sql.push("DELETE FROM pando.logs WHERE \"id\" IN (SELECT \"id\" FROM pando.logs ");
            sql.push("WHERE \"created\" <= ").bind(until);
            if let Some(level) = below {
                sql.push(" OR \"level\" < ").bind(level);
            }
            // Two servers that delete at once do not wait for each other.
            sql.push(" LIMIT ").integer(ROWS_PER_DELETE).push(" FOR UPDATE SKIP LOCKED)");
            if conn.execute(&sql).await? == 0 {
                return Ok(());
            }
        }
    }

    /// See [`crate::Store::truncate_logs`].
    pub(crate) async fn truncate_logs(&self) -> Result<(), StoreError> {
        self.pool().take().await?.batch("TRUNCATE pando.logs").await
    }
}

/// Entries, a column after the other: ids, when they were made, levels, messages, data.
#[derive(Default)]
struct Columns([Vec<String>; 5]);

impl Columns {
    async fn of(mut entries: impl Iterator<Item = Entry>) -> Columns {
        let mut columns = Columns::default();
        loop {
            let before = columns.0[0].len();
            entries.by_ref().take(ENTRIES_PER_TURN).for_each(|entry| columns.push(entry));
            if columns.0[0].len() == before {
                return columns;
            }
            tokio::task::yield_now().await;
        }
    }

    fn push(&mut self, entry: Entry) {
        let Entry { id, created, level, message, data } = entry;
        let values = [id, created, level.to_string(), without_nul(message), without_nul(data)];
        self.0.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
}

/// One statement and transaction, whose commit waits for no disk.
fn insert(columns: &Columns) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(
        "WITH fast AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', TRUE)) \
         INSERT INTO pando.logs (\"id\", \"created\", \"level\", \"message\", \"data\") \
         SELECT e.id, e.created, e.level::float8, e.message, e.data::json FROM fast, unnest(",
    );
    for (index, column) in columns.0.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).bind_texts(column);
    }
    sql.push(") AS e (id, created, level, message, data) ON CONFLICT DO NOTHING");
    sql
}

/// PostgreSQL stores no U+0000.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
