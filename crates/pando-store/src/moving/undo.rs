//! The way back: what was written in PostgreSQL since the move comes to `data.db`, and the server
//! works with SQLite again.
//!
//! A pass reads one state of PostgreSQL: it takes the notes of what changed out of `pando.changes`
//! and reads those rows, in one transaction. A change and its note become visible together, so
//! `data.db` is as that state once all notes in it are followed. They are gone only after SQLite
//! has committed; a pass that happens twice does no harm.
//!
//! Numbers given to notes would not do: their order is not that of commits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pando_schema::{Collection, CollectionRow};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::capture::decide_undo;
use super::cells::{Raw, lite_value};
use super::cut_over::{ATTEMPTS_MAX, Limits};
use super::error::{MoveError, UndoRefusal};
use super::gate::{Gate, Home};
use super::mover::{Mover, Patience};
use super::progress::{Progress, Step, Watch};
use super::source::collection;
use super::table::{Table, lite};
use super::target::Target;
use super::{Moving, Report, verify};

/// How long a move can be undone.
pub(super) const UNDO_S: u64 = 24 * 3600;

/// Notes that make it worth another pass before writes are held.
const NOTES_AT_GATE: i64 = 50;

/// Notes that are kept at most: those of a hundred million writes.
const NOTES_BYTES_MAX: i64 = 6 << 30;

/// Ids that one query asks for.
const IDS_PER_QUERY: usize = 1_000;

/// How long one state of PostgreSQL is held for comparing.
const SLICE: Duration = Duration::from_millis(500);

/// A server that is gone by then shows that it is.
const SERVERS_GONE_AFTER: Duration = Duration::from_secs(4);

/// Servers look at `pando.state` at the end of each write, so none ends while this is held, on
/// whichever server.
///
/// Who waits for such a lock lets nobody else in: not for long.
const HOLD: &str =
    "SET LOCAL lock_timeout = '50ms'; LOCK TABLE pando.state IN ACCESS EXCLUSIVE MODE";

impl Moving {
    /// Brings the database back to `data.db`, or gives up a move that is not over.
    pub async fn undo(&self, gate: &dyn Gate, watch: &mut dyn Watch) -> Result<Report, MoveError> {
        let mut source = self.source()?;
        let record = source.record()?.ok_or(MoveError::NotMoved)?;
        if !record.moved {
            if record.id.is_empty() {
                return Err(MoveError::NotMoved);
            }
            source.forget_move()?;
            return Ok(Report::default());
        }
        let target = Target::connect(&record.url).await?.alone().await?;
        let mut mover = self.mover(source, target, &record.url, watch);
        mover.progress = Progress { step: Step::CatchUp, ..Progress::new() };
        mover.check_undo(&record).await?;
        mover.check_servers(gate).await?;
        if !record.undoing {
            mover.source.begin_undo()?;
        }
        mover.tables = mover.source.tables()?.into_iter().map(Arc::new).collect();
        mover.undo(gate).await
    }

    /// Ends the time in which a move can be undone: nothing is noted any more.
    pub async fn finish(&self) -> Result<(), MoveError> {
        let mut source = self.source()?;
        let record = source.record()?.filter(|record| record.moved).ok_or(MoveError::NotMoved)?;
        let target = Target::connect(&record.url).await?;
        target.stop_capture("finished").await?;
        source.stop_capture()
    }

    /// Ends what nobody has ended in time: the notes of a move that cannot be undone any more or
    /// that have become too many, the log of one that was begun and not taken up again for a day.
    /// To be called now and then, while no move is at work. True if there was something.
    pub async fn expire(&self) -> Result<bool, MoveError> {
        let mut source = self.source()?;
        let Some(record) = source.record()? else { return Ok(false) };
        if !source.has_table("_pando_changes")? {
            return Ok(false);
        }
        let late = record.age_s() >= UNDO_S;
        if !record.moved {
            return if late { source.forget_move().map(|()| true) } else { Ok(false) };
        }
        drop(source);
        if late || Target::connect(&record.url).await?.notes_bytes().await? > NOTES_BYTES_MAX {
            return self.finish().await.map(|()| true);
        }
        Ok(false)
    }
}

impl Mover<'_> {
    async fn check_undo(&mut self, record: &super::source::Record) -> Result<(), MoveError> {
        let refused = |refusal| Err(MoveError::UndoRefused(refusal));
        if record.age_s() > UNDO_S {
            return refused(UndoRefusal::TooLate(UNDO_S / 3600));
        }
        match self.target.trace().await? {
            Some(trace) if trace.id != record.id => return refused(UndoRefusal::OtherTarget),
            None => return refused(UndoRefusal::OtherTarget),
            Some(_) => {}
        }
        if !self.target.captures().await? {
            return refused(UndoRefusal::Finished);
        }
        if !record.undoing && self.source.last_seq()? != record.decided_seq {
            return refused(UndoRefusal::SourceChanged);
        }
        let changed = self.changed_collections().await?;
        if changed.is_empty() { Ok(()) } else { refused(UndoRefusal::Collections(changed)) }
    }

    /// They would go on with what is no longer the truth. One that has just died still counts for
    /// a few seconds.
    async fn check_servers(&self, gate: &dyn Gate) -> Result<(), MoveError> {
        let text = "SELECT count(*) FROM pando.servers WHERE seen > now() - interval '3 seconds'";
        let began = Instant::now();
        loop {
            let servers: i64 = self.target.client.query_one(text, &[]).await?.get(0);
            match servers - i64::from(gate.serves()) {
                ..=0 => return Ok(()),
                others if began.elapsed() > SERVERS_GONE_AFTER => {
                    return Err(MoveError::UndoRefused(UndoRefusal::OtherServers(others)));
                }
                _ => tokio::time::sleep(SLICE).await,
            }
        }
    }

    /// The names of collections that are not as they were when they were moved.
    async fn changed_collections(&self) -> Result<Vec<String>, MoveError> {
        let shape = |one: &Arc<Collection>| {
            let table = Table::of(one).map(|table| table.definition());
            (one.name.clone(), table.unwrap_or_default() + &one.view_query)
        };
        let here: BTreeMap<String, String> = self.source.collections()?.iter().map(shape).collect();
        let there = self.target.collections().await?;
        let there: BTreeMap<String, String> = there.iter().map(shape).collect();
        let all = here.keys().chain(there.keys());
        let mut changed: Vec<String> =
            all.filter(|name| here.get(*name) != there.get(*name)).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        Ok(changed)
    }

    async fn undo(mut self, gate: &dyn Gate) -> Result<Report, MoveError> {
        let began = Instant::now();
        self.undo_until_small().await?;
        self.undo_verify().await?;
        gate.prepare(&Home::Sqlite).await.map_err(MoveError::Gate)?;
        for table in self.tables.clone() {
            self.target.prepared(&select_of(&table)).await?;
        }
        for attempt in 1..=ATTEMPTS_MAX {
            self.undo_until_small().await?;
            let asked = Instant::now();
            let Limits { close, drain, pause } = self.options.limits(attempt);
            let closed = match timeout(close, gate.close()).await {
                Ok(closed) => closed.map_err(MoveError::Gate)?,
                Err(_elapsed) => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
            };
            match timeout(drain, self.undo_decide()).await {
                Ok(Ok(())) => {
                    closed.switch();
                    self.report.gate = asked.elapsed();
                    self.report.took = began.elapsed();
                    self.progress.gate = Some(self.report.gate);
                    // If these fail, notes are taken that nobody reads.
                    self.target.client.batch_execute(UNDONE).await?;
                    self.target.stop_capture("undone").await?;
                    self.step(Step::Done, 0)?;
                    return Ok(self.report);
                }
                Ok(Err(error)) if !held_elsewhere(&error) => return Err(error),
                Ok(Err(_)) | Err(_) => {
                    drop(closed);
                    self.undo_start_over().await?;
                }
            }
            tokio::time::sleep(pause).await;
        }
        let limit_ms = self.options.limits(ATTEMPTS_MAX).drain.as_millis();
        Err(MoveError::TooSlow { limit_ms, attempts: ATTEMPTS_MAX })
    }

    async fn undo_until_small(&mut self) -> Result<(), MoveError> {
        let mut patience = Patience::default();
        loop {
            let began = Instant::now();
            self.target.client.batch_execute(SNAPSHOT).await?;
            self.source.db.execute_batch("BEGIN IMMEDIATE")?;
            let notes = self.undo_pass().await?;
            self.source.db.execute_batch("COMMIT")?;
            self.target.client.batch_execute("COMMIT").await?;
            self.progress.lag = u64::try_from(notes).unwrap_or(u64::MAX);
            self.step(Step::CatchUp, self.progress.lag)?;
            let left = i64::try_from(notes).unwrap_or(i64::MAX);
            if left < NOTES_AT_GATE || patience.is_over(left) {
                return Ok(());
            }
            self.rest(began).await;
        }
    }

    /// Follows all notes of the state that is open, inside a transaction of SQLite. Returns how
    /// many there were.
    async fn undo_pass(&mut self) -> Result<usize, MoveError> {
        let text = "WITH gone AS (DELETE FROM pando.changes RETURNING tbl, pk) \
                    SELECT DISTINCT tbl, pk FROM gone ORDER BY tbl";
        let notes = self.target.client.query(text, &[]).await?;
        let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for note in &notes {
            by_table.entry(note.get(0)).or_default().push(note.get(1));
        }
        for (key, ids) in by_table {
            if let Some(table) = self.table(&key) {
                self.restore(&table, &ids).await?;
            }
        }
        Ok(notes.len())
    }

    /// Writes rows as PostgreSQL has them into SQLite.
    async fn restore(&mut self, table: &Table, ids: &[String]) -> Result<(), MoveError> {
        {
            let delete = format!("DELETE FROM {} WHERE `id` = ?1", lite(&table.name));
            let mut delete = self.source.db.prepare_cached(&delete)?;
            for id in ids {
                delete.execute([id])?;
            }
        }
        let columns: Vec<String> = table.columns.iter().map(|column| lite(&column.name)).collect();
        let insert = format!(
            "INSERT INTO {} (`_rowid_`, {}) VALUES (?{})",
            lite(&table.name),
            columns.join(", "),
            ", ?".repeat(columns.len())
        );
        let read = self.target.prepared(&select_of(table)).await?;
        for ids in ids.chunks(IDS_PER_QUERY) {
            let rows = self.target.client.query(&read, &[&ids]).await?;
            let mut insert = self.source.db.prepare_cached(&insert)?;
            for row in &rows {
                insert_row(&mut insert, table, row)?;
            }
        }
        Ok(())
    }

    /// Compares all rows, some at a time, each time with a state that is the same on both sides.
    async fn undo_verify(&mut self) -> Result<(), MoveError> {
        for table in self.tables.clone() {
            let mut after = Some(i64::MIN);
            while let Some(from) = after {
                let began = Instant::now();
                self.target.client.batch_execute(SNAPSHOT).await?;
                self.source.db.execute_batch("BEGIN IMMEDIATE")?;
                self.undo_pass().await?;
                after = self.undo_verify_slice(&table, from, began).await?;
                self.source.db.execute_batch("COMMIT")?;
                self.target.client.batch_execute("COMMIT").await?;
                self.rest(began).await;
            }
        }
        Ok(())
    }

    /// Returns after which row to go on.
    async fn undo_verify_slice(
        &mut self,
        table: &Table,
        from: i64,
        began: Instant,
    ) -> Result<Option<i64>, MoveError> {
        let mut after = from;
        while began.elapsed() < SLICE {
            let (sums, piece) = self.source_sums(table, after)?;
            let upto = if piece.end { i64::MAX } else { piece.last };
            let there = self.target.sums_between(table, after, upto).await?;
            let differing = verify::differing(&sums, &there);
            if let Some(id) = differing.first().cloned() {
                self.restore(table, &differing).await?;
                self.report.mended += u64::try_from(differing.len()).unwrap_or(u64::MAX);
                let (again, _) = self.source_sums(table, after)?;
                let there = self.target.sums_between(table, after, upto).await?;
                if !verify::differing(&again, &there).is_empty() {
                    return Err(MoveError::Differs { collection: table.name.clone(), id });
                }
            }
            after = piece.last;
            self.step_on(Step::Verify, table, sums.len())?;
            if piece.end {
                return Ok(None);
            }
        }
        Ok(Some(after))
    }

    /// The last pass, and the decision in the same commit.
    async fn undo_decide(&mut self) -> Result<(), MoveError> {
        self.target.client.batch_execute(&format!("{SNAPSHOT}; {HOLD}")).await?;
        self.source.db.execute_batch("BEGIN IMMEDIATE")?;
        self.undo_pass().await?;
        self.step(Step::CutOver, 0)?;
        decide_undo(&self.source.db)?;
        Ok(self.source.db.execute_batch("COMMIT")?)
    }

    async fn undo_start_over(&mut self) -> Result<(), MoveError> {
        if !self.source.db.is_autocommit() {
            self.source.db.execute_batch("ROLLBACK")?;
        }
        self.target = Target::connect(&self.url).await?.alone().await?;
        Ok(())
    }
}

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
const UNDONE: &str = "UPDATE pando.moving SET phase = 'undone'; COMMIT";

/// Whether a lock could not be had in time.
fn held_elsewhere(error: &MoveError) -> bool {
    matches!(error, MoveError::Target(error)
        if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
}

fn select_of(table: &Table) -> String {
    format!("{} WHERE \"id\" = ANY($1)", verify::select(table))
}

fn insert_row(
    insert: &mut rusqlite::CachedStatement<'_>,
    table: &Table,
    row: &tokio_postgres::Row,
) -> Result<(), MoveError> {
    let offset = table.image_offset();
    insert.raw_bind_parameter(1, row.try_get::<_, i64>(offset - 1)?)?;
    for (index, column) in table.columns.iter().enumerate() {
        let value = column.kind.restored(&row.try_get::<_, Raw<'_>>(offset + index)?);
        insert.raw_bind_parameter(index + 2, lite_value(value))?;
    }
    insert.raw_execute()?;
    Ok(())
}

impl Target {
    /// All collections.
    async fn collections(&self) -> Result<Vec<Arc<Collection>>, MoveError> {
        let text = "SELECT id, system, type, name, fields::text, indexes::text, \"listRule\", \
                    \"viewRule\", \"createRule\", \"updateRule\", \"deleteRule\", options::text, \
                    created, updated FROM _collections ORDER BY _n";
        let rows = self.client.query(text, &[]).await?;
        let row = |row: &tokio_postgres::Row| CollectionRow {
            id: row.get(0),
            system: row.get(1),
            kind: row.get(2),
            name: row.get(3),
            fields: row.get(4),
            indexes: row.get(5),
            list_rule: row.get(6),
            view_rule: row.get(7),
            create_rule: row.get(8),
            update_rule: row.get(9),
            delete_rule: row.get(10),
            options: row.get(11),
            created: row.get(12),
            updated: row.get(13),
        };
        rows.iter().map(row).map(collection).collect()
    }
}
