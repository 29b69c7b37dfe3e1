//! The steps of a move in their order, each of which may be repeated.
//!
//! Which step is due follows from what the two databases say, so a move that was stopped anywhere
//! goes on where it was. A change of a collection while it moves takes the move back to the first
//! step, where the table of that collection, and no other, is made and copied anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pando_schema::{Collection, CollectionKind, Schema};
use tracing::info;

use super::error::MoveError;
use super::gate::Gate;
use super::progress::{Progress, Step, Watch};
use super::source::Source;
use super::table::Table;
use super::target::{TableState, Target};
use super::{MoveOptions, Report};

/// Changes that one pass brings over before there are indexes that other values could violate.
pub(super) const CHANGES_PER_PASS: i64 = 20_000;

/// Passes without a lesser lag after which it is as small as it gets.
const VAIN_MAX: u32 = 20;

/// A lag that is soon gone, however many writes go on.
const LAG_SMALL: i64 = 1_000;

/// A table that moves, and all that it takes.
pub(super) struct Mover<'a> {
    pub(super) source: Source,
    pub(super) target: Target,
    pub(super) url: String,
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) views: Vec<Arc<Collection>>,
    /// Up to which change `tables` and `views` are known to be what they are.
    pub(super) schema_seq: i64,
    pub(super) options: &'a MoveOptions,
    pub(super) watch: &'a mut dyn Watch,
    pub(super) progress: Progress,
    /// Whether the last pass left nothing of its state behind.
    pub(super) whole: bool,
    /// Whether what comes over is compared at once.
    pub(super) comparing: bool,
    pub(super) report: Report,
}

/// Knows when there is no use in trying on.
#[derive(Debug)]
pub(super) struct Patience {
    least: i64,
    vain: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { least: i64::MAX, vain: 0 }
    }
}

impl Patience {
    /// Whether `left` was no less for many times.
    pub(super) fn is_over(&mut self, left: i64) -> bool {
        self.vain = if left < self.least { 0 } else { self.vain + 1 };
        self.least = self.least.min(left);
        self.vain >= VAIN_MAX
    }
}

/// How a pass of catching up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caught {
    /// That many changes are left.
    Behind(i64),
    /// A collection has changed: nothing was brought over.
    Schema,
}

impl<'a> Mover<'a> {
    /// Does all steps. Returns once the other database has taken over.
    pub(super) async fn run(mut self, gate: &dyn Gate) -> Result<Report, MoveError> {
        let began = Instant::now();
        loop {
            self.settle_tables().await?;
            if self.copy().await? == Caught::Schema {
                continue;
            }
            if self.follow(LAG_SMALL).await? == Caught::Schema {
                continue;
            }
            if self.make_indexes().await? == Caught::Schema {
                continue;
            }
            if self.verify().await? == Caught::Schema {
                continue;
            }
            if self.cut_over(gate).await? != Caught::Schema {
                break;
            }
            info!("a collection changed while the database was moved: it is copied anew");
        }
        self.report.took = began.elapsed();
        self.step(Step::Done, 0)?;
        Ok(self.report)
    }

    /// Reads the collections, logs the changes of new ones, and makes their tables.
    async fn settle_tables(&mut self) -> Result<(), MoveError> {
        // First the triggers, then what is copied: what is written in between is in both.
        self.source.watch_tables()?;
        self.schema_seq = self.source.begin()?;
        let collections = self.source.collections();
        self.source.end()?;
        let collections = collections?;
        let tables = collections.iter().filter_map(Table::of);
        self.tables = Table::system().into_iter().chain(tables).map(Arc::new).collect();
        self.views =
            collections.iter().filter(|one| one.kind == CollectionKind::View).cloned().collect();
        self.settle_target().await?;
        self.step(Step::Capture, 0)
    }

    /// Makes the tables of the target what they should be: first those go that are not, since
    /// others may have their names.
    async fn settle_target(&mut self) -> Result<(), MoveError> {
        let fits = |key: &String, state: &TableState| {
            self.tables.iter().any(|table| {
                table.key == *key
                    && table.name == state.name
                    && table.definition() == state.definition
            })
        };
        let states = self.target.states.clone();
        for (key, state) in states.iter().filter(|(key, state)| !fits(key, state)) {
            self.target.drop_table(key, state).await?;
        }
        for table in self.tables.clone() {
            if !self.target.states.contains_key(&table.key) {
                self.target.make_table(&table).await?;
            }
        }
        Ok(())
    }

    /// The collections as they are known.
    pub(super) fn schema(&self) -> Schema {
        let of_tables = self.tables.iter().filter_map(|table| table.collection.clone());
        Schema::new(of_tables.chain(self.views.iter().cloned()))
    }

    /// Catches up until fewer than `enough` changes are left, or it gets no better: so many writes
    /// go on that there are always more.
    pub(super) async fn follow(&mut self, enough: i64) -> Result<Caught, MoveError> {
        let mut patience = Patience::default();
        loop {
            let began = Instant::now();
            let caught = self.catch_up().await?;
            self.step(Step::CatchUp, 0)?;
            match caught {
                Caught::Behind(lag) if lag < enough || patience.is_over(lag) => return Ok(caught),
                Caught::Behind(_) => self.rest(began).await,
                Caught::Schema => return Ok(caught),
            }
        }
    }

    /// Brings over all that there was at one moment, after which the target is as SQLite was.
    pub(super) async fn catch_up_wholly(&mut self) -> Result<Caught, MoveError> {
        loop {
            let caught = self.catch_up().await?;
            self.step(Step::CatchUp, 0)?;
            if self.whole || caught == Caught::Schema {
                return Ok(caught);
            }
        }
    }

    /// Tells who watches that a piece of work on a table is done.
    pub(super) fn step_on(
        &mut self,
        step: Step,
        table: &Table,
        rows: usize,
    ) -> Result<(), MoveError> {
        self.progress.collection.clone_from(&table.name);
        let stepped = self.step(step, u64::try_from(rows).unwrap_or(u64::MAX));
        self.progress.collection.clear();
        stepped
    }

    /// Tells who watches that a piece of work is done.
    pub(super) fn step(&mut self, step: Step, rows: u64) -> Result<(), MoveError> {
        if self.progress.step != step {
            self.progress.step = step;
            self.progress.rows_done = 0;
            self.progress.bytes_done = 0;
        }
        self.progress.rows_done += rows;
        match self.watch.at(&self.progress) {
            std::ops::ControlFlow::Continue(()) => Ok(()),
            std::ops::ControlFlow::Break(()) => Err(MoveError::Stopped),
        }
    }

    /// Leaves the processors to the server for a while, in proportion to the work that was done.
    pub(super) async fn rest(&self, since: Instant) {
        let rest = since.elapsed().mul_f64(self.options.rest.max(0.0));
        if rest > Duration::ZERO {
            tokio::time::sleep(rest).await;
        }
    }

    /// The table that the log calls so, if it moves.
    pub(super) fn table(&self, key: &str) -> Option<Arc<Table>> {
        self.tables.iter().find(|table| table.key == key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, VAIN_MAX};

    #[test]
    fn patience_ends_when_nothing_gets_better() {
        let mut patience = Patience::default();
        assert!((0..1000).rev().all(|left| !patience.is_over(left)));
        let more = (0..VAIN_MAX - 1).all(|_| !patience.is_over(7));
        assert!(more && patience.is_over(7));
    }
}
