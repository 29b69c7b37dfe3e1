//! Brings over what changed, from the log.
//!
//! A pass reads the log and the rows that it names in one transaction, and writes them in one
//! transaction, together with how far it has come. A row that is gone in SQLite goes, one that is
//! there comes in its place: it does not matter how often that happens.
//!
//! A pass that takes the log to its end leaves the target exactly as SQLite was. Unique indexes
//! need that, since a row may have the value that another one gave up later in the log; so a pass
//! is bounded only before there are any.

use super::error::MoveError;
use super::mover::{CHANGES_PER_PASS, Caught, Mover};
use super::rows::Batch;
use super::table::COLLECTIONS;

impl Mover<'_> {
    /// One pass. Returns how many changes there are after those that it brought over.
    pub(super) async fn catch_up(&mut self) -> Result<Caught, MoveError> {
        let last = self.source.begin()?;
        let caught = self.catch_up_to(last).await;
        self.source.end()?;
        let caught = caught?;
        self.source.forget(self.target.applied)?;
        let lag = self.source.last_seq()? - self.target.applied;
        self.progress.lag = u64::try_from(lag).unwrap_or(0);
        Ok(if caught == Caught::Schema { caught } else { Caught::Behind(lag) })
    }

    /// A pass over the state that `source.begin` opened, which has changes up to `last`.
    pub(super) async fn catch_up_to(&mut self, last: i64) -> Result<Caught, MoveError> {
        let indexed = self.target.states.values().any(|state| state.indexed);
        let upto = match indexed {
            true => last,
            false => last.min(self.target.applied.saturating_add(CHANGES_PER_PASS)),
        };
        if self.schema_changed(last)? {
            return Ok(Caught::Schema);
        }
        if upto > self.target.applied {
            let batches = self.batches(upto)?;
            self.target.write(&batches, upto, "filling").await?;
            if self.comparing {
                self.compare_batches(&batches).await?;
            }
        }
        self.whole = upto == last;
        Ok(Caught::Behind(last - upto))
    }

    /// Whether a collection has changed since the tables were made.
    pub(super) fn schema_changed(&self, last: i64) -> Result<bool, MoveError> {
        let text = "SELECT EXISTS (SELECT 1 FROM _pando_changes \
                    WHERE seq > ?1 AND seq <= ?2 AND tbl = ?3)";
        let mut statement = self.source.db.prepare_cached(text)?;
        Ok(statement
            .query_row(rusqlite::params![self.schema_seq, last, COLLECTIONS], |row| row.get(0))?)
    }

    /// What changed since the last pass and up to `upto`, as it is now.
    pub(super) fn batches(&self, upto: i64) -> Result<Vec<Batch>, MoveError> {
        let text = "SELECT DISTINCT tbl, CAST(pk AS TEXT) FROM _pando_changes \
                    WHERE seq > ?1 AND seq <= ?2 ORDER BY tbl";
        let mut statement = self.source.db.prepare_cached(text)?;
        let mut rows = statement.query([self.target.applied, upto])?;
        let mut batches: Vec<Batch> = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, id): (String, String) = (row.get(0)?, row.get(1)?);
            // Collections that are gone leave their changes behind.
            let Some(table) = self.table(&key) else { continue };
            match batches.last_mut() {
                Some(batch) if batch.table.key == key => batch.ids.push(id),
                _ => batches.push(Batch { table, ids: vec![id], rows: Default::default() }),
            }
        }
        for batch in &mut batches {
            batch.rows = self.source.rows_of(&batch.table, &batch.ids)?;
        }
        Ok(batches)
    }
}
