//! Compares both databases, a piece at a time, while writes go on.
//!
//! When a pass of catching up has brought everything over that one state of SQLite has, both
//! databases are the same; while that state is held, pieces of it are compared. Then the next pass
//! comes, and the next pieces. What a pass writes is compared at once, so that no row escapes that
//! changes after its piece was compared.
//!
//! Rows are compared by a checksum of their images, made here of what each database hands out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use tracing::warn;

use super::cells::{self, Raw};
use super::error::MoveError;
use super::mover::{Caught, Mover};
use super::progress::Step;
use super::rows::{Batch, Piece};
use super::table::Table;
use super::target::Target;

/// How long one state of SQLite is held.
const SLICE: Duration = Duration::from_millis(300);

/// Rows that are compared in one piece.
const PIECE_ROWS: usize = 4_000;

/// Checksums by id.
type Sums = HashMap<String, u64>;

impl Mover<'_> {
    /// Compares all tables that were not compared yet.
    pub(super) async fn verify(&mut self) -> Result<Caught, MoveError> {
        self.comparing = true;
        while self.target.states.values().any(|state| !state.verified) {
            let began = Instant::now();
            let last = self.source.begin()?;
            let sliced = self.verify_slice(last, began).await;
            self.source.end()?;
            let caught = sliced?;
            if caught == Caught::Schema {
                return Ok(caught);
            }
            self.source.forget(self.target.applied)?;
            self.rest(began).await;
        }
        Ok(Caught::Behind(0))
    }

    async fn verify_slice(&mut self, last: i64, began: Instant) -> Result<Caught, MoveError> {
        let caught = self.catch_up_to(last).await?;
        if caught == Caught::Schema {
            return Ok(caught);
        }
        for table in self.tables.clone() {
            while self.target.states.get(&table.key).is_some_and(|state| !state.verified) {
                let count = self.verify_piece(&table).await?;
                self.step_on(Step::Verify, &table, count)?;
                if began.elapsed() > SLICE {
                    return Ok(caught);
                }
            }
        }
        Ok(caught)
    }

    async fn verify_piece(&mut self, table: &Arc<Table>) -> Result<usize, MoveError> {
        let after = self.target.states.get(&table.key).map_or(i64::MIN, |state| state.compared);
        let (sums, piece) = self.source_sums(table, after)?;
        let upto = if piece.end { i64::MAX } else { piece.last };
        let there = self.target.sums_between(table, after, upto).await?;
        let count = sums.len();
        self.mend(table, &sums, &there).await?;
        let text = "UPDATE pando.moving_tables SET compared = $2, verified = $3 WHERE key = $1";
        let update = self.target.prepared(text).await?;
        self.target.client.execute(&update, &[&table.key, &piece.last, &piece.end]).await?;
        if let Some(state) = self.target.states.get_mut(&table.key) {
            (state.compared, state.verified) = (piece.last, piece.end);
        }
        Ok(count)
    }

    pub(super) fn source_sums(
        &self,
        table: &Table,
        after: i64,
    ) -> Result<(Sums, Piece), MoveError> {
        let mut sums = Sums::new();
        let mut image = BytesMut::new();
        let piece = self.source.each_row(table, after, |row| {
            image.clear();
            let id = table.image(row, &mut image)?;
            sums.insert(id, sum(&image));
            Ok(sums.len() < PIECE_ROWS)
        })?;
        Ok((sums, piece))
    }

    /// Compares what a pass has just written.
    pub(super) async fn compare_batches(&mut self, batches: &[Batch]) -> Result<(), MoveError> {
        for batch in batches {
            let images = batch.rows.images().map(sum);
            let sums: Sums = batch.rows.ids.iter().cloned().zip(images).collect();
            let there = self.target.sums_of(&batch.table, &batch.ids).await?;
            self.mend(&batch.table, &sums, &there).await?;
        }
        Ok(())
    }

    /// Writes the rows again that differ. Fails if they still do: then something is wrong that a
    /// repair would only hide.
    async fn mend(
        &mut self,
        table: &Arc<Table>,
        here: &Sums,
        there: &Sums,
    ) -> Result<(), MoveError> {
        let differing = differing(here, there);
        let Some(example) = differing.first() else { return Ok(()) };
        let (collection, id) = (table.name.clone(), example.clone());
        warn!(collection, record.id = id, count = differing.len(), "rows differ and are mended");
        let rows = self.source.rows_of(table, &differing)?;
        let sums: Sums = rows.ids.iter().cloned().zip(rows.images().map(sum)).collect();
        let batch = Batch { table: Arc::clone(table), ids: differing, rows };
        let applied = self.target.applied;
        self.target.write(std::slice::from_ref(&batch), applied, "filling").await?;
        let there = self.target.sums_of(table, &batch.ids).await?;
        self.report.mended += u64::try_from(batch.ids.len()).unwrap_or(u64::MAX);
        if sums == there { Ok(()) } else { Err(MoveError::Differs { collection, id }) }
    }
}

impl Target {
    /// The checksums of the rows whose `_n` is above `after` and not above `upto`.
    pub(super) async fn sums_between(
        &mut self,
        table: &Table,
        after: i64,
        upto: i64,
    ) -> Result<Sums, MoveError> {
        let text = format!("{} WHERE \"_n\" > $1 AND \"_n\" <= $2", select(table));
        let statement = self.prepared(&text).await?;
        let rows = self.client.query_raw(&statement, [after, upto]).await?;
        sums(table, rows).await
    }

    /// The checksums of those of the rows with `ids` that there are.
    pub(super) async fn sums_of(
        &mut self,
        table: &Table,
        ids: &[String],
    ) -> Result<Sums, MoveError> {
        let statement = self.prepared(&format!("{} WHERE \"id\" = ANY($1)", select(table))).await?;
        let rows = self.client.query_raw(&statement, [ids]).await?;
        sums(table, rows).await
    }
}

pub(super) fn select(table: &Table) -> String {
    format!("SELECT {} FROM {}", table.target_columns(), table.target_name())
}

async fn sums(table: &Table, rows: tokio_postgres::RowStream) -> Result<Sums, MoveError> {
    let mut rows = std::pin::pin!(rows);
    let (mut sums, mut image) = (Sums::new(), BytesMut::new());
    let id_index = table.image_offset() + table.id_index();
    while let Some(row) = rows.try_next().await? {
        image.clear();
        for index in 0..row.len() {
            match row.try_get::<_, Raw<'_>>(index)?.0 {
                Some(bytes) => cells::put_bytes(bytes, &mut image),
                None => cells::put(&pando_schema::SqlValue::Null, &mut image),
            }
        }
        sums.insert(row.try_get(id_index)?, sum(&image));
    }
    Ok(sums)
}

fn sum(image: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(image);
    hasher.finish()
}

/// The ids whose rows are not the same on both sides.
pub(super) fn differing(here: &Sums, there: &Sums) -> Vec<String> {
    let changed = here.iter().filter(|(id, sum)| there.get(*id) != Some(sum));
    let extra = there.iter().filter(|(id, _)| !here.contains_key(*id));
    let mut ids: Vec<String> = changed.chain(extra).map(|(id, _)| id.clone()).collect();
    ids.sort_unstable();
    ids
}
