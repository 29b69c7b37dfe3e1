//! A connection to SQLite: statements are done when their calls return, within the time that a
//! query may take.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pando_filter::Sql;
use pando_schema::{Collection, Record, SqlValue, Value};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::runtime::RuntimeFlavor;

use crate::StoreError;

/// Virtual machine steps between two looks at the clock: some 0.1 ms of work.
const STEPS_PER_CLOCK_CHECK: i32 = 10_000;

/// How long a statement waits for another process, such as a backup, to let go of the file.
pub(crate) const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long the writer waits for readers of an older state before it writes the log back another
/// time: other writes wait, too.
const OLDER_READERS_WAIT_MAX: Duration = Duration::from_millis(20);
/// How long a query may keep the thread that it began on, which other requests wait for.
const IMPATIENCE: Duration = Duration::from_millis(2);

/// Statements that a connection remembers to be slow.
const SLOW_MAX: usize = 64;

/// One connection, used by one request at a time.
pub(crate) struct Connection {
    db: rusqlite::Connection,
    clock: Arc<QueryClock>,
    query_timeout: Duration,
    /// Whether queries are stopped.
    watched: bool,
    /// Whether the running query may only take [`IMPATIENCE`].
    hurried: bool,
    /// Statements that were slow the last time.
    slow: HashSet<String>,
    /// The version of the schema for which statements are prepared.
    schema_version: u64,
}

/// When the running query must end.
struct QueryClock {
    origin: Instant,
    /// Milliseconds after `origin`; `u64::MAX` for never.
    deadline_ms: AtomicU64,
}

impl Connection {
    /// Wraps `db`; while watched, its queries are stopped after `query_timeout`.
    pub(crate) fn new(db: rusqlite::Connection, query_timeout: Duration) -> Connection {
        let clock =
            Arc::new(QueryClock { origin: Instant::now(), deadline_ms: AtomicU64::new(u64::MAX) });
        Connection {
            db,
            clock,
            query_timeout,
            watched: false,
            hurried: false,
            slow: HashSet::new(),
            schema_version: 0,
        }
    }

    /// Forgets all prepared statements if the schema has another version than at the last call.
    ///
    /// SQLite prepares a statement afresh when a table that it reads has changed. It does not look
    /// if there is no table, as in a view of constants: the view may be another by now.
    pub(crate) fn follow_schema(&mut self, version: u64) {
        if self.schema_version != version {
            self.schema_version = version;
            self.db.flush_prepared_statement_cache();
        }
    }

    /// From now on, queries that run too long fail with `Timeout`.
    pub(crate) fn watch(&mut self) -> Result<(), StoreError> {
        let clock = Arc::clone(&self.clock);
        self.db.progress_handler(STEPS_PER_CLOCK_CHECK, Some(move || clock.expired()))?;
        self.watched = true;
        Ok(())
    }

    /// From now on, queries run for as long as they take.
    pub(crate) fn unwatch(&mut self) -> Result<(), StoreError> {
        self.watched = false;
        Ok(self.db.progress_handler(STEPS_PER_CLOCK_CHECK, None::<fn() -> bool>)?)
    }

    /// Runs a statement that returns no rows. Returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        self.start_clock();
        let mut statement = self.db.prepare_cached(&sql.text)?;
        bind(&mut statement, &sql.values)?;
        Ok(statement.raw_execute()?)
    }

    /// Runs one statement that takes no values and returns no rows, for as long as it takes: those
    /// that begin and end transactions must not be stopped by the time of an earlier query.
    pub(crate) fn statement(&mut self, text: &str) -> Result<(), StoreError> {
        self.clock.deadline_ms.store(u64::MAX, Ordering::Relaxed);
        self.db.prepare_cached(text)?.raw_execute()?;
        Ok(())
    }

    /// Runs what must be one statement, made of what an operator wrote. Fails, before anything is
    /// done, if another one follows it: that would be run with all rights.
    pub(crate) fn single(&mut self, text: &str) -> Result<(), StoreError> {
        let mut statements = rusqlite::Batch::new(&self.db, text);
        let Some(mut statement) = statements.next()? else { return Ok(()) };
        if statements.next()?.is_some() {
            return Err(rusqlite::Error::MultipleStatement.into());
        }
        statement.raw_execute()?;
        drop((statement, statements));
        // See `follow_schema`: it may have made another view.
        self.db.flush_prepared_statement_cache();
        Ok(())
    }

    /// Runs several statements that take no values.
    pub(crate) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        Ok(self.db.execute_batch(text)?)
    }

    /// The rows of a query that selects the columns of `collection` in the order of its fields.
    pub(crate) fn records(
        &mut self,
        collection: &Arc<Collection>,
        sql: &Sql,
    ) -> Result<Vec<Record>, StoreError> {
        self.patiently(sql, |conn| {
            let mut records = Vec::new();
            conn.each_row(sql, |row| {
                records.push(record(collection, row)?);
                Ok(())
            })?;
            Ok(records)
        })
    }

    /// All rows, as SQLite typed them. For what is not a record.
    pub(crate) fn rows(&mut self, sql: &Sql) -> Result<Vec<Vec<SqlValue>>, StoreError> {
        self.patiently(sql, |conn| {
            let mut rows = Vec::new();
            conn.each_row(sql, |row| {
                let columns = row.as_ref().column_count();
                let cells = (0..columns).map(|i| Ok(sql_value(row.get_ref(i)?)));
                rows.push(cells.collect::<Result<Vec<_>, rusqlite::Error>>()?);
                Ok(())
            })?;
            Ok(rows)
        })
    }

    /// Whether the query has a row.
    pub(crate) fn exists(&mut self, sql: &Sql) -> Result<bool, StoreError> {
        self.patiently(sql, |conn| {
            conn.start_clock();
            let mut statement = conn.db.prepare_cached(&sql.text)?;
            bind(&mut statement, &sql.values)?;
            Ok(statement.raw_query().next()?.is_some())
        })
    }

    /// Runs a query where it is asked for, as long as that is fast: most queries are done sooner
    /// than another thread would begin. One that is not done soon begins again, while another
    /// thread takes over the requests that wait for this one; the next time it does so at once.
    fn patiently<T>(
        &mut self,
        sql: &Sql,
        mut query: impl FnMut(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.watched || self.query_timeout <= IMPATIENCE {
            return query(self);
        }
        if !self.slow.contains(&sql.text) {
            self.hurried = true;
            let outcome = query(self);
            self.hurried = false;
            if !matches!(outcome, Err(StoreError::Timeout)) {
                return outcome;
            }
            if self.slow.len() == SLOW_MAX {
                self.slow.clear();
            }
            self.slow.insert(sql.text.clone());
        }
        let begun = Instant::now();
        let outcome = match on_shared_thread() {
            true => tokio::task::block_in_place(|| query(self)),
            false => query(self),
        };
        if begun.elapsed() < IMPATIENCE {
            self.slow.remove(&sql.text);
        } else {
            // It has been through more pages than are kept, so those are of no use.
            let _ = self.db.release_memory();
        }
        outcome
    }

    fn each_row(
        &mut self,
        sql: &Sql,
        mut take: impl FnMut(&rusqlite::Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), StoreError> {
        self.start_clock();
        let mut statement = self.db.prepare_cached(&sql.text)?;
        bind(&mut statement, &sql.values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }

    /// Copies the write-ahead log into the database, unless somebody reads for long what is older
    /// than the last commit; then false.
    pub(crate) fn write_log_back(&mut self) -> Result<bool, StoreError> {
        self.db.busy_timeout(OLDER_READERS_WAIT_MAX)?;
        let done = self.db.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
            let (busy, pages, copied): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(busy == 0 && pages == copied)
        });
        self.db.busy_timeout(BUSY_WAIT_MAX)?;
        Ok(done?)
    }

    /// Whether a transaction is open. SQLite rolls one back by itself, as on a full disk.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.db.is_autocommit()
    }

    fn start_clock(&self) {
        if self.watched {
            let timeout = if self.hurried { IMPATIENCE } else { self.query_timeout };
            let deadline = self.clock.origin.elapsed() + timeout;
            let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            self.clock.deadline_ms.store(deadline_ms, Ordering::Relaxed);
        }
    }
}

/// Whether tasks wait for this thread that another one could run.
fn on_shared_thread() -> bool {
    let runtime = tokio::runtime::Handle::try_current();
    runtime.is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

impl QueryClock {
    fn expired(&self) -> bool {
        let deadline = Duration::from_millis(self.deadline_ms.load(Ordering::Relaxed));
        self.origin.elapsed() > deadline
    }
}

struct Bound<'a>(&'a SqlValue);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            SqlValue::Null => ValueRef::Null,
            SqlValue::Int(number) => ValueRef::Integer(*number),
            SqlValue::Real(number) => ValueRef::Real(*number),
            SqlValue::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn bind(
    statement: &mut rusqlite::CachedStatement<'_>,
    values: &[SqlValue],
) -> Result<(), StoreError> {
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, Bound(value))?;
    }
    Ok(())
}

fn sql_value(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Int(number),
        ValueRef::Real(number) => SqlValue::Real(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            SqlValue::Text(text_of(bytes).into_owned())
        }
    }
}

/// What SQLite holds as text, which need not be UTF-8. The check before it is several times as
/// fast as the conversion.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// A row of the columns of `collection` as a record.
fn record(collection: &Arc<Collection>, row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    let mut values = Vec::with_capacity(collection.fields.len());
    for (index, field) in collection.fields.iter().enumerate() {
        values.push(match row.get_ref(index)? {
            ValueRef::Null => Value::from_sql_null(field),
            ValueRef::Integer(number) => Value::from_sql_int(field, number),
            ValueRef::Real(number) => Value::from_sql_real(field, number),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                Value::from_sql_text(field, text_of(bytes))
            }
        });
    }
    Ok(Record::from_values(Arc::clone(collection), values))
}

#[cfg(test)]
mod tests;
