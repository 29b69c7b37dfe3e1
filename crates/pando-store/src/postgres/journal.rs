//! The journal in the database: writing, reading and shortening it.

use std::sync::Arc;

use pando_filter::{Dialect, Sql};
use pando_schema::SqlValue;

use crate::journal::Entry;
use crate::{Conn, StoreError};

/// Entries that are read at once.
const ENTRIES_PER_READ: u16 = 500;

/// The query of the number that was given last.
pub(super) const HEAD: &str =
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM pando.journal_number_seq";

/// An entry without a number yet.
pub(crate) struct Draft {
    pub(crate) server: Arc<str>,
    /// Tells tries to commit of one server apart; 0 if nobody needs to.
    pub(crate) attempt: i64,
    pub(crate) version: u64,
    pub(crate) text: Arc<str>,
}

impl Draft {
    /// The statement that writes it and returns its number.
    pub(crate) fn insert(&self) -> Sql {
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push(
            "INSERT INTO pando.journal (\"server\", \"attempt\", \"version\", \"body\") VALUES (",
        );
        sql.bind(&*self.server).push(", ").bind(self.attempt).push(", ");
        sql.bind(int(self.version)).push(", ").bind(&*self.text).push(") RETURNING \"number\"");
        sql
    }

    pub(crate) fn entry(self, number: u64) -> Entry {
        let Draft { server, version, text, .. } = self;
        Entry { number, server, version, text }
    }
}

/// The entries from `first` to `last`, as far as they are there and not too many.
pub(super) async fn read(conn: &mut Conn, first: u64, last: u64) -> Result<Vec<Entry>, StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT \"number\", \"server\", \"version\", \"body\" FROM pando.journal WHERE ");
    sql.push("\"number\" >= ").bind(int(first)).push(" AND \"number\" <= ").bind(int(last));
    sql.push(" ORDER BY \"number\" LIMIT ").integer(ENTRIES_PER_READ.into());
    let rows = conn.rows(&sql).await?;
    Ok(rows.into_iter().filter_map(entry).collect())
}

fn entry(row: Vec<SqlValue>) -> Option<Entry> {
    let [
        SqlValue::Int(number),
        SqlValue::Text(server),
        SqlValue::Int(version),
        SqlValue::Text(body),
    ] = row.as_slice()
    else {
        return None;
    };
    Some(Entry {
        number: count(*number),
        server: server.as_str().into(),
        version: count(*version),
        text: body.as_str().into(),
    })
}

/// The number of the entry that a try to commit has left after the entry `after`, if it has.
pub(super) async fn find(
    conn: &mut Conn,
    draft: &Draft,
    after: u64,
) -> Result<Option<u64>, StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT \"number\" FROM pando.journal WHERE \"number\" > ").bind(int(after));
    sql.push(" AND \"server\" = ").bind(&*draft.server);
    sql.push(" AND \"attempt\" = ").bind(draft.attempt);
    Ok(conn.integer(&sql).await?.map(count))
}

/// The number that was given last, and up to which one entries are gone.
pub(super) async fn ends(conn: &mut Conn) -> Result<(u64, u64), StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT (").push(HEAD).push("), \"gone\" FROM pando.cluster");
    match conn.rows(&sql).await?.first().map(Vec::as_slice) {
        Some([SqlValue::Int(head), SqlValue::Int(gone)]) => Ok((count(*head), count(*gone))),
        _ => Err(StoreError::Unsuitable("pando.cluster is empty".to_owned())),
    }
}

/// The name of the servers on this database.
pub(super) async fn cluster(conn: &mut Conn) -> Result<String, StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT \"id\" FROM pando.cluster");
    Ok(conn.texts(&sql).await?.pop().unwrap_or_default())
}

/// Deletes the entries up to `last`.
pub(super) async fn shorten(conn: &mut Conn, last: u64) -> Result<(), StoreError> {
    let mut sql = conn.sql();
    sql.push("WITH gone AS (UPDATE pando.cluster SET \"gone\" = ").bind(int(last));
    sql.push(" WHERE \"gone\" < ").bind(int(last)).push(" RETURNING 1) ");
    sql.push("DELETE FROM pando.journal USING gone WHERE \"number\" <= ").bind(int(last));
    conn.execute(&sql).await?;
    Ok(())
}

/// The transactions that run now: the first that was not given yet, and the oldest that runs.
pub(super) async fn running(conn: &mut Conn) -> Result<(u64, u64), StoreError> {
    let mut sql = conn.sql();
    sql.push(
        "SELECT pg_snapshot_xmax(s)::text::int8, pg_snapshot_xmin(s)::text::int8 FROM \
         pg_current_snapshot() AS s",
    );
    match conn.rows(&sql).await?.first().map(Vec::as_slice) {
        Some([SqlValue::Int(next), SqlValue::Int(oldest)]) => Ok((count(*next), count(*oldest))),
        _ => Err(StoreError::Unsuitable("it tells nothing of its transactions".to_owned())),
    }
}

/// Writes an entry that belongs to no transaction. Returns its number.
pub(super) async fn append(conn: &mut Conn, draft: &Draft) -> Result<u64, StoreError> {
    Ok(count(conn.integer(&draft.insert()).await?.unwrap_or_default()))
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
