//! Copies the tables, a piece at a time, while writes go on.
//!
//! There is no one snapshot: each piece is read in a transaction of its own, and whatever changes
//! before or after it was read is in the log, which is applied when all pieces are there. So the
//! server's log of pages starts over as always, and a copy that was stopped goes on after the last
//! piece. Rows are read in the order of their rowids, which only grow.

use std::time::Instant;

use super::error::MoveError;
use super::mover::Mover;
use super::progress::Step;
use super::rows::Rows;
use super::table::Table;

/// What one piece holds at most: some 20 ms of work.
const PIECE_ROWS: usize = 4_000;
const PIECE_BYTES: usize = 4 << 20;

impl Mover<'_> {
    /// Copies what is not copied yet.
    pub(super) async fn copy(&mut self) -> Result<(), MoveError> {
        for table in self.tables.clone() {
            while self.target.states.get(&table.key).is_some_and(|state| !state.complete) {
                let began = Instant::now();
                self.copy_piece(&table).await?;
                self.rest(began).await;
            }
        }
        Ok(())
    }

    async fn copy_piece(&mut self, table: &Table) -> Result<(), MoveError> {
        let after = self.target.states.get(&table.key).map_or(i64::MIN, |state| state.copied);
        let mut rows = Rows::default();
        let piece = self.source.each_row(table, after, |row| {
            rows.push(table, row)?;
            Ok(rows.len() < PIECE_ROWS && rows.bytes() < PIECE_BYTES)
        })?;
        self.target.write_piece(table, &rows, piece).await?;
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.report.rows += count;
        self.progress.collection.clone_from(&table.name);
        self.progress.bytes_done += u64::try_from(rows.bytes()).unwrap_or(u64::MAX);
        self.step(Step::Copy, count)
    }
}
