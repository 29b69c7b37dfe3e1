//! Reads entries: pages of them, one by its id, how many there were by the hour.

use std::sync::{Arc, LazyLock};

use pando_filter::{Columns, Dialect, Query, Sql};
use pando_schema::{Collection, SqlValue};

use crate::{Reader, StoreError};

/// The table as queries see it. That of PostgreSQL has another name, since a collection may be
/// called `_logs`; its ids are in the order in which entries were made.
const TABLE_ON_POSTGRES: &str = "WITH \"_logs\" AS (SELECT \"id\", \"created\", \"data\", \
                                 \"message\", \"level\", \"id\" AS \"_n\" FROM pando.logs) ";

/// The columns of an entry and their types, in the order in which PocketBase shows them.
const COLUMNS: [(&str, &str); 5] = [
    ("id", "text"),
    ("created", "text"),
    ("data", "json"),
    ("message", "text"),
    ("level", "number"),
];

/// An entry as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    pub id: String,
    pub created: String,
    /// A JSON object.
    pub data: String,
    pub message: String,
    pub level: i64,
}

/// The table of logs, to make queries of: it is like a collection of that name.
pub fn log_table() -> &'static Arc<Collection> {
    static TABLE: LazyLock<Arc<Collection>> =
        LazyLock::new(|| Arc::new(Collection::of_table("_logs", &COLUMNS)));
    &TABLE
}

/// A connection to where the logs are.
pub struct LogReader(Reader);

impl LogReader {
    pub(crate) fn over(reader: Reader) -> LogReader {
        LogReader(reader)
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    /// At most `limit` entries that `query` finds after the first `offset`. The query must be of
    /// [`log_table`] and speak the dialect of this connection.
    pub async fn page(
        &mut self,
        query: &Query<'_>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<LogRow>, StoreError> {
        let rows = self.rows(query.list(Columns::All, limit, offset)).await?;
        Ok(rows.into_iter().filter_map(log_row).collect())
    }

    /// How many entries `query` finds.
    pub async fn count(&mut self, query: &Query<'_>) -> Result<i64, StoreError> {
        let rows = self.rows(query.count()).await?;
        Ok(match rows.first().map(Vec::as_slice) {
            Some([SqlValue::Int(count)]) => *count,
            _ => 0,
        })
    }

    /// How many entries that `query` finds there were in each hour that has some. An hour is told
    /// as `2006-01-02 15:00:00`.
    pub async fn hours(&mut self, query: &Query<'_>) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = query.count_by(match self.dialect() {
            // As the index of PocketBase's table has it.
            Dialect::Sqlite => "strftime('%Y-%m-%d %H:00:00', `created`)",
            Dialect::Postgres => "(left(\"created\", 13) || ':00:00') COLLATE \"C\"",
        });
        let rows = self.rows(sql).await?.into_iter().filter_map(|row| match row.as_slice() {
            [SqlValue::Text(hour), SqlValue::Int(count)] => Some((hour.clone(), *count)),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The entry with that id.
    pub async fn find(&mut self, id: &str) -> Result<Option<LogRow>, StoreError> {
        let mut sql = self.0.sql();
        sql.push("SELECT ");
        for (index, (column, _)) in COLUMNS.into_iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).quoted(column);
        }
        sql.push(" FROM ").quoted("_logs").push(" WHERE ").quoted("id").push(" = ").bind(id);
        Ok(self.rows(sql).await?.into_iter().find_map(log_row))
    }

    async fn rows(&mut self, mut sql: Sql) -> Result<Vec<Vec<SqlValue>>, StoreError> {
        if self.dialect() == Dialect::Postgres {
            sql.text.insert_str(0, TABLE_ON_POSTGRES);
        }
        self.0.rows(&sql).await
    }
}

/// `None` for a row that is no entry, as somebody else may have made it.
fn log_row(row: Vec<SqlValue>) -> Option<LogRow> {
    let [id, created, data, message, level] = <[SqlValue; 5]>::try_from(row).ok()?;
    let text = |value| match value {
        SqlValue::Text(text) => text,
        SqlValue::Int(number) => number.to_string(),
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Null => String::new(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "levels are small whole numbers")]
    let level = match level {
        SqlValue::Int(level) => level,
        SqlValue::Real(level) => level as i64,
        SqlValue::Text(_) | SqlValue::Null => 0,
    };
    let [id, created, data, message] = [id, created, data, message].map(text);
    Some(LogRow { id, created, data, message, level })
}
