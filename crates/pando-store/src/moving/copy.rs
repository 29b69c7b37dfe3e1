//! Copies the tables, a piece at a time, while writes go on.
//!
//! There is no one snapshot: each piece is read in a transaction of its own, and whatever changes
//! before or after it was read is in the log, which is applied when all pieces are there. So the
//! server's log of pages starts over as always, and a copy that was stopped goes on after the last
//! piece. Rows are read in the order of their rowids, which only grow.

use std::time::Instant;

use super::error::MoveError;
use super::mover::{Caught, Mover};
use super::progress::Step;
use super::rows::{Piece, Rows};
use super::table::Table;

/// What one piece holds at most: some 20 ms of work.
const PIECE_ROWS: usize = 4_000;
const PIECE_BYTES: usize = 4 << 20;

impl Mover<'_> {
    /// Copies what is not copied yet.
    pub(super) async fn copy(&mut self) -> Result<Caught, MoveError> {
        for table in self.tables.clone() {
            while self.target.states.get(&table.key).is_some_and(|state| !state.complete) {
                let began = Instant::now();
                if self.copy_piece(&table).await? == Caught::Schema {
                    return Ok(Caught::Schema);
                }
                self.rest(began).await;
            }
        }
        Ok(Caught::Behind(0))
    }

    async fn copy_piece(&mut self, table: &Table) -> Result<Caught, MoveError> {
        let last = self.source.begin()?;
        let read = self.read_piece(table, last);
        self.source.end()?;
        let Some((rows, piece)) = read? else { return Ok(Caught::Schema) };
        self.target.write_piece(table, &rows, piece).await?;
        self.report.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.progress.bytes_done += u64::try_from(rows.bytes()).unwrap_or(u64::MAX);
        self.step_on(Step::Copy, table, rows.len())?;
        Ok(Caught::Behind(0))
    }

    /// The next piece, unless the table may not be what it was.
    fn read_piece(&self, table: &Table, last: i64) -> Result<Option<(Rows, Piece)>, MoveError> {
        if self.schema_changed(last)? {
            return Ok(None);
        }
        let after = self.target.states.get(&table.key).map_or(i64::MIN, |state| state.copied);
        let mut rows = Rows::default();
        let piece = self.source.each_row(table, after, |row| {
            rows.push(table, row)?;
            Ok(rows.len() < PIECE_ROWS && rows.bytes() < PIECE_BYTES)
        })?;
        Ok(Some((rows, piece)))
    }
}
