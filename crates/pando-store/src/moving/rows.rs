//! Rows on their way: read from SQLite piece by piece, written to PostgreSQL many at a time.

use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::SinkExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::cells::{self, Raw};
use super::error::MoveError;
use super::source::Source;
use super::table::Table;
use super::target::Target;

/// Rows of one table in one write up to which they are sent one by one, all at once: fewer round
/// trips than `COPY` takes.
pub(super) const SINGLY_MAX: usize = 64;

/// The head of a binary copy: its signature, no flags, no extension.
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: i16 = -1;

/// Images of rows of a table.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<String>,
    images: BytesMut,
    /// Where each image ends.
    ends: Vec<usize>,
    /// The highest rowid among them.
    pub(super) n_max: i64,
}

impl Rows {
    pub(super) fn push(&mut self, table: &Table, row: &rusqlite::Row<'_>) -> Result<(), MoveError> {
        let id = table.image(row, &mut self.images)?;
        self.ids.push(id);
        self.ends.push(self.images.len());
        self.n_max = self.n_max.max(row.get(0)?);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.images.len()
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.images[start..end])
    }

    /// All of them as the body of a binary copy.
    fn copy_body(&self, table: &Table) -> Bytes {
        let room = COPY_HEAD.len() + self.images.len() + 2 * self.ends.len() + 2;
        let mut body = BytesMut::with_capacity(room);
        body.put_slice(COPY_HEAD);
        for image in self.images() {
            body.put_i16(i16::try_from(table.image_width()).unwrap_or(i16::MAX));
            body.put_slice(image);
        }
        body.put_i16(COPY_END);
        body.freeze()
    }
}

/// Where a piece of a table ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// The last rowid in it.
    pub(super) last: i64,
    /// Whether nothing comes after it.
    pub(super) end: bool,
}

impl Source {
    /// Hands out the rows with a rowid above `after`, in its order, until `take` returns false.
    pub(super) fn each_row(
        &self,
        table: &Table,
        after: i64,
        mut take: impl FnMut(&rusqlite::Row<'_>) -> Result<bool, MoveError>,
    ) -> Result<Piece, MoveError> {
        let select = table.source_select();
        let text = format!("{select} WHERE `_rowid_` > ?1 ORDER BY `_rowid_`");
        let mut statement = self.db.prepare_cached(&text)?;
        let mut rows = statement.query([after])?;
        let mut last = after;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            if !take(row)? {
                return Ok(Piece { last, end: false });
            }
        }
        Ok(Piece { last, end: true })
    }

    /// The rows of those ids that there are.
    pub(super) fn rows_of(&self, table: &Table, ids: &[String]) -> Result<Rows, MoveError> {
        let text = format!("{} WHERE `id` = ?1", table.source_select());
        let mut statement = self.db.prepare_cached(&text)?;
        let mut found = Rows::default();
        for id in ids {
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                found.push(table, row)?;
            }
        }
        Ok(found)
    }
}

/// What a write does to a table: the rows with `ids` go, `rows` come.
pub(super) struct Batch {
    pub(super) table: std::sync::Arc<Table>,
    pub(super) ids: Vec<String>,
    pub(super) rows: Rows,
}

impl Target {
    /// Copies rows into a table, inside a transaction.
    pub(super) async fn copy_in(&self, table: &Table, rows: &Rows) -> Result<(), MoveError> {
        let (name, columns) = (table.target_name(), table.target_columns());
        let statement = format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)");
        let failed = |source| MoveError::Statement { statement: statement.clone(), source };
        let sink = self.client.copy_in(&statement).await.map_err(failed)?;
        let mut sink = pin!(sink);
        sink.send(rows.copy_body(table)).await.map_err(failed)?;
        sink.as_mut().finish().await.map_err(failed)?;
        Ok(())
    }

    /// Writes a piece of a table that is copied, and that it was.
    pub(super) async fn write_piece(
        &mut self,
        table: &Table,
        rows: &Rows,
        piece: Piece,
    ) -> Result<(), MoveError> {
        let mut written = self.try_piece(table, rows, piece, false).await;
        if matches!(&written, Err(MoveError::Statement { source, .. })
            if source.code() == Some(&SqlState::UNIQUE_VIOLATION))
        {
            // A record that was deleted and came back further on, since the copy passed it.
            self.client.batch_execute("ROLLBACK").await?;
            written = self.try_piece(table, rows, piece, true).await;
        }
        written?;
        if let Some(state) = self.states.get_mut(&table.key) {
            (state.copied, state.complete) = (piece.last, piece.end);
        }
        Ok(())
    }

    async fn try_piece(
        &mut self,
        table: &Table,
        rows: &Rows,
        piece: Piece,
        instead: bool,
    ) -> Result<(), MoveError> {
        self.client.batch_execute("BEGIN; SET LOCAL synchronous_commit = off").await?;
        if instead {
            let delete = self.prepared(&delete(table)).await?;
            self.client.execute(&delete, &[&rows.ids]).await?;
        }
        if rows.len() > 0 {
            self.copy_in(table, rows).await?;
            self.count_on(table, rows.n_max).await?;
        }
        let text = "UPDATE pando.moving_tables SET copied = $2, complete = $3 WHERE key = $1";
        let update = self.prepared(text).await?;
        self.client.execute(&update, &[&table.key, &piece.last, &piece.end]).await?;
        Ok(self.client.batch_execute("COMMIT").await?)
    }

    /// Sees to it that rows which are made here come after that one.
    async fn count_on(&mut self, table: &Table, n: i64) -> Result<(), MoveError> {
        if self.counted.get(&table.key).is_none_or(|&counted| counted < n) {
            let count = self.prepared(COUNT).await?;
            self.client.query(&count, &[&table.target_name(), &n]).await?;
            self.counted.insert(table.key.clone(), n);
        }
        Ok(())
    }

    /// Writes batches, and up to which change they bring the target, in one transaction.
    pub(super) async fn write(
        &mut self,
        batches: &[Batch],
        applied: i64,
        phase: &str,
    ) -> Result<(), MoveError> {
        if batches.iter().all(|batch| batch.rows.len() <= SINGLY_MAX) {
            self.write_at_once(batches, applied, phase).await?;
        } else {
            self.client.batch_execute("BEGIN").await?;
            for batch in batches {
                let delete = self.prepared(&delete(&batch.table)).await?;
                self.client.execute(&delete, &[&batch.ids]).await?;
                if batch.rows.len() > 0 {
                    self.copy_in(&batch.table, &batch.rows).await?;
                    self.count_on(&batch.table, batch.rows.n_max).await?;
                }
            }
            let update = self.prepared(APPLIED).await?;
            self.client.execute(&update, &[&applied, &phase]).await?;
            self.client.batch_execute("COMMIT").await?;
        }
        self.applied = applied;
        Ok(())
    }

    /// The same without waiting for any answer before the last statement is sent.
    async fn write_at_once(
        &mut self,
        batches: &[Batch],
        applied: i64,
        phase: &str,
    ) -> Result<(), MoveError> {
        let mut statements = Vec::with_capacity(batches.len());
        for batch in batches {
            let delete = self.prepared(&delete(&batch.table)).await?;
            statements.push((delete, self.prepared(&insert(&batch.table)).await?));
        }
        let (count, update) = (&self.prepared(COUNT).await?, self.prepared(APPLIED).await?);
        let client = &self.client;
        let mut steps: Vec<Step<'_>> = vec![simple(client, "BEGIN")];
        for (batch, (delete, insert)) in batches.iter().zip(&statements) {
            steps.push(Box::pin(client.execute_raw(delete, [&batch.ids as &(dyn ToSql + Sync)])));
            for image in batch.rows.images() {
                steps.push(Box::pin(
                    client.execute_raw::<_, Raw<'_>, _>(insert, cells::cells(image)),
                ));
            }
            let counted = self.counted.get(&batch.table.key).copied().unwrap_or(i64::MIN);
            if batch.rows.len() > 0 && batch.rows.n_max > counted {
                let name = batch.table.target_name();
                let n = batch.rows.n_max;
                steps.push(Box::pin(async move { client.execute(count, &[&name, &n]).await }));
            }
        }
        steps.push(Box::pin(async { client.execute(&update, &[&applied, &phase]).await }));
        steps.push(simple(client, "COMMIT"));
        in_order(steps).await?;
        for batch in batches.iter().filter(|batch| batch.rows.len() > 0) {
            let counted = self.counted.entry(batch.table.key.clone()).or_insert(i64::MIN);
            *counted = (*counted).max(batch.rows.n_max);
        }
        Ok(())
    }

    /// Prepares what the last write may need, so that it does not have to.
    pub(super) async fn warm(&mut self, tables: &[std::sync::Arc<Table>]) -> Result<(), MoveError> {
        for table in tables {
            self.prepared(&delete(table)).await?;
            self.prepared(&insert(table)).await?;
        }
        Ok(())
    }
}

const COUNT: &str = "SELECT setval(pg_get_serial_sequence($1, '_n'), greatest($2::int8, 1))";
const APPLIED: &str = "UPDATE pando.moving SET applied = $1, phase = $2";

fn delete(table: &Table) -> String {
    format!("DELETE FROM {} WHERE \"id\" = ANY($1)", table.target_name())
}

fn insert(table: &Table) -> String {
    let marks: Vec<String> = (1..=table.image_width()).map(|number| format!("${number}")).collect();
    let (name, columns) = (table.target_name(), table.target_columns());
    format!("INSERT INTO {name} ({columns}) VALUES ({})", marks.join(", "))
}

type Step<'c> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + 'c>>;

fn simple<'c>(client: &'c tokio_postgres::Client, text: &'static str) -> Step<'c> {
    Box::pin(async move { client.batch_execute(text).await.map(|()| 0) })
}

/// Sends all, in their order, and waits for all answers. The driver sends when it is first polled.
async fn in_order(mut steps: Vec<Step<'_>>) -> Result<(), tokio_postgres::Error> {
    let mut outcomes: Vec<Option<Result<u64, tokio_postgres::Error>>> =
        steps.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (step, outcome) in steps.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let Poll::Ready(done) = step.as_mut().poll(context)
            {
                *outcome = Some(done);
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    // The first failure is the cause of those after it.
    outcomes.into_iter().flatten().try_for_each(|outcome| outcome.map(drop))
}
