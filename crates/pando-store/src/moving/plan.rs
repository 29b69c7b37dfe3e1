//! The dry run: what would move, how long that takes, and what cannot.

mod scan;

use std::time::{Duration, Instant};

use super::error::{MoveError, TargetProblem};
use super::index::view_statement;
use super::mover::Mover;
use super::progress::Step;
use super::rows::Rows;
use super::source::Source;
use super::table::Table;
use crate::postgres::ddl;

pub use scan::Finding;

/// Rows with which the speed of the target is tried.
const PROBE_ROWS: usize = 4_000;

/// What is known before a move.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub collections: Vec<PlannedCollection>,
    /// Names of the views, which are made anew.
    pub views: Vec<String>,
    /// Size of data.db.
    pub source_bytes: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Values that clients see as they will be stored, but that are stored differently now.
    pub normalised: Vec<Finding>,
    /// Values that cannot be stored, or of which something would be lost.
    pub obstacles: Vec<Finding>,
    /// Indexes and views that cannot be translated: their name or statement, and why.
    pub untranslated: Vec<(String, String)>,
    /// Tables that are no collection's, and stay.
    pub left: Vec<String>,
    pub target: Vec<TargetProblem>,
    /// Rows that came over in a second, of those that were tried.
    pub rows_per_second: f64,
    /// How long the copy takes if nothing else goes on.
    pub copy_takes: Duration,
}

/// A collection that moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedCollection {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    pub indexes: usize,
}

impl Plan {
    /// Whether nothing is in the way.
    pub fn possible(&self) -> bool {
        self.obstacles.is_empty() && self.untranslated.is_empty() && self.target.is_empty()
    }
}

impl Mover<'_> {
    /// Looks at everything. Writes nothing, but for a table at the target that is gone at once.
    pub(super) async fn plan(&mut self, move_id: &str) -> Result<Plan, MoveError> {
        let mut plan = Plan { source_bytes: self.source.bytes(), ..Plan::default() };
        plan.target = self.target.problems(move_id).await?;
        let collections = self.source.collections()?;
        self.views = collections
            .iter()
            .filter(|one| one.kind == pando_schema::CollectionKind::View)
            .cloned()
            .collect();
        self.tables = self.source.tables()?.into_iter().map(std::sync::Arc::new).collect();
        plan.views = self.views.iter().map(|view| view.name.clone()).collect();
        plan.left = self.source.left_tables(&self.tables)?;
        self.plan_statements(&mut plan);
        for table in self.tables.clone() {
            self.plan_table(&table, &mut plan).await?;
        }
        if plan.target.is_empty() {
            plan.rows_per_second = self.probe().await?;
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let seconds = plan.rows as f64 / plan.rows_per_second.max(1.0);
            plan.copy_takes = Duration::from_secs_f64(seconds * (1.0 + self.options.rest.max(0.0)));
        }
        Ok(plan)
    }

    /// Tries to translate indexes and views.
    fn plan_statements(&self, plan: &mut Plan) {
        let schema = self.schema();
        for collection in self.tables.iter().filter_map(|table| table.collection.as_ref()) {
            for index in &collection.indexes {
                if let Err(refused) = ddl::create_index(collection, index) {
                    plan.untranslated.push((index.clone(), refused.to_string()));
                }
            }
        }
        for view in &self.views {
            if let Err(MoveError::View { name, reason }) = view_statement(view, &schema) {
                plan.untranslated.push((name, reason));
            }
        }
    }

    async fn plan_table(&mut self, table: &Table, plan: &mut Plan) -> Result<(), MoveError> {
        let mut scanned = scan::Scan::default();
        let mut after = i64::MIN;
        loop {
            let began = Instant::now();
            let before = scanned.rows;
            let piece = scanned.piece(&self.source, table, after)?;
            after = piece.last;
            self.step_on(Step::Plan, table, scanned.rows - before)?;
            if piece.end {
                break;
            }
            self.rest(began).await;
        }
        plan.rows += u64::try_from(scanned.rows).unwrap_or(u64::MAX);
        plan.bytes += scanned.bytes;
        if let Some(collection) = &table.collection {
            plan.collections.push(PlannedCollection {
                name: table.name.clone(),
                rows: u64::try_from(scanned.rows).unwrap_or(u64::MAX),
                bytes: scanned.bytes,
                indexes: collection.indexes.len(),
            });
        }
        scanned.finish(plan);
        Ok(())
    }

    /// How many rows come over in a second: the first ones of the fullest table, into a temporary
    /// one.
    async fn probe(&mut self) -> Result<f64, MoveError> {
        let mut fullest: Option<(Rows, std::sync::Arc<Table>)> = None;
        let began = Instant::now();
        for table in self.tables.clone() {
            let mut rows = Rows::default();
            let count = |rows: &Rows| rows.len() < PROBE_ROWS;
            let read = self.source.each_row(&table, i64::MIN, |row| {
                rows.push(&table, row)?;
                Ok(count(&rows))
            });
            // What cannot be moved is told elsewhere.
            let full = fullest.as_ref().is_none_or(|(most, _)| most.len() < rows.len());
            if read.is_ok() && full && table.collection.is_some() {
                fullest = Some((rows, table));
            }
        }
        let read = began.elapsed();
        let Some((rows, table)) = fullest else { return Ok(0.0) };
        let began = Instant::now();
        self.target.probe(&table, &rows).await?;
        let took = (began.elapsed() + read.mul_f64(0.5)).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let count = rows.len() as f64;
        Ok(count / took.max(1e-6))
    }
}

impl super::target::Target {
    /// Copies rows into a table that nobody sees and that is gone afterwards.
    async fn probe(&self, table: &Table, rows: &Rows) -> Result<(), MoveError> {
        let Some(collection) = &table.collection else { return Ok(()) };
        self.client.batch_execute("BEGIN").await?;
        let statements = ddl::create_table(collection);
        if let Some(create) = statements.first() {
            let text = create.replacen("CREATE TABLE", "CREATE TEMPORARY TABLE", 1);
            self.client.batch_execute(&text).await?;
            self.copy_in(table, rows).await?;
        }
        Ok(self.client.batch_execute("ROLLBACK").await?)
    }
}

impl Source {
    /// Tables of the database that do not move.
    fn left_tables(&self, tables: &[std::sync::Arc<Table>]) -> Result<Vec<String>, MoveError> {
        let text = "SELECT name FROM sqlite_master WHERE type = 'table' \
                    AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND name NOT GLOB '_pando_*' \
                    AND name <> '_migrations' ORDER BY name";
        let mut statement = self.db.prepare(text)?;
        let names =
            statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let moves = |name: &String| tables.iter().any(|table| table.name == *name);
        Ok(names.into_iter().filter(|name| !moves(name)).collect())
    }
}
