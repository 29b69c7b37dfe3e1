//! The live move of a data directory from SQLite to PostgreSQL, and its undo.
//!
//! `data.db` logs its changes from the first step on; tables are copied while writes go on; the
//! changes are brought over until few are left; both sides are compared; then writes are held for
//! some milliseconds, the last changes come over, one commit in `data.db` decides, and writes go
//! on in PostgreSQL. Until that commit nothing has happened, and a move that stopped anywhere is
//! taken up where it was. For a day PostgreSQL notes what changes there, so that the way back
//! works the same way.
//!
//! Invariants: data.db and PostgreSQL are never both written to by servers; nothing is changed on
//! its way but in form, and the plan tells of that; a difference between both sides is found
//! before the decision, or there is none.
//!
//! Source: the protocol is that of change data capture in general; the figures that led to the
//! checks being outside the gate, and to one decision in SQLite, are in the issue of rung 2.

mod capture;
mod catch_up;
mod cells;
mod copy;
mod cut_over;
mod error;
mod gate;
mod home;
mod index;
mod mover;
mod notes;
mod plan;
mod progress;
mod rows;
mod sealed;
mod serving;
mod source;
mod status;
mod table;
mod target;
mod undo;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

pub use error::{MoveError, Obstacle, TargetProblem, UndoRefusal};
pub use gate::{ClosedGate, Gate, GateFuture, Home, Unserved};
pub(crate) use home::check_home;
pub use home::{Decision, HomeError, Marker, MovedTo, decide, read_marker};
pub use plan::{Finding, Plan, PlannedCollection};
pub use progress::{Progress, Step, Watch};
pub use serving::StoreGate;
pub use status::Status;

use mover::Mover;
use source::Source;
use target::Target;

/// How a move is done.
#[derive(Debug, Clone)]
pub struct MoveOptions {
    /// How long to rest after each piece of work, as a share of the time that it took.
    pub rest: f64,
    /// How long to wait for the writes that run when the gate is to close, at the first try. Writes
    /// that come meanwhile wait, too.
    pub gate_wait_max: Duration,
    /// How long the last changes may take, at the first try, before writes are let go on and it is
    /// tried again.
    pub gate_max: Duration,
}

impl Default for MoveOptions {
    fn default() -> MoveOptions {
        MoveOptions {
            rest: 0.5,
            gate_wait_max: Duration::from_millis(30),
            gate_max: Duration::from_millis(100),
        }
    }
}

/// What a move has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that were copied.
    pub rows: u64,
    /// Rows that differed when they were compared, and were written again.
    pub mended: u64,
    pub took: Duration,
    /// How long writes were held.
    pub gate: Duration,
}

/// Moves the database of one data directory.
///
/// Its futures block while SQLite works and are not `Send`: they are for a thread of their own
/// ([`Moving::on_own_thread`]), so that the server's threads have nothing to do with them.
#[derive(Clone)]
pub struct Moving {
    pub dir: PathBuf,
    /// The key that the settings are encrypted with, if any.
    pub encryption_key: Option<String>,
    pub options: MoveOptions,
}

impl Moving {
    /// Says what a move to the database at `url` would do. Changes nothing.
    pub async fn plan(&self, url: &str, watch: &mut dyn Watch) -> Result<Plan, MoveError> {
        let source = self.source()?;
        let id = move_id(&source)?;
        let target = Target::connect(url).await?;
        self.mover(source, target, url, watch).plan(&id).await
    }

    /// Moves to the database at `url`, or goes on with that. Returns when the server behind `gate`
    /// works with PostgreSQL.
    pub async fn run(
        &self,
        url: &str,
        gate: &dyn Gate,
        watch: &mut dyn Watch,
    ) -> Result<Report, MoveError> {
        let source = self.source()?;
        let id = move_id(&source)?;
        let target = Target::connect(url).await?.alone().await?;
        let mut mover = self.mover(source, target, url, watch);
        let begun = mover.target.trace().await?.is_some();
        if begun {
            let problems = mover.target.problems(&id).await?;
            if !problems.is_empty() {
                return Err(MoveError::Unfit(problems));
            }
        } else {
            let plan = mover.plan(&id).await?;
            if !plan.possible() {
                return Err(MoveError::Obstacles(Box::new(plan)));
            }
            mover.progress.rows_total = plan.rows;
        }
        let id = mover.source.capture(&new_id())?;
        let seq = mover.source.last_seq()?;
        mover.target.prepare(&id, seq).await?;
        mover.comparing = mover.target.states.values().any(|state| state.compared > i64::MIN);
        mover.run(gate).await
    }

    fn source(&self) -> Result<Source, MoveError> {
        Source::open(&self.dir, self.encryption_key.as_deref())
    }

    fn mover<'a>(
        &'a self,
        source: Source,
        target: Target,
        url: &str,
        watch: &'a mut dyn Watch,
    ) -> Mover<'a> {
        Mover {
            source,
            target,
            url: url.to_owned(),
            tables: Vec::new(),
            views: Vec::new(),
            schema_seq: 0,
            options: &self.options,
            watch,
            progress: Progress::new(),
            whole: false,
            comparing: false,
            report: Report::default(),
        }
    }

    /// Runs a piece of this on a thread and an async runtime of its own.
    pub fn on_own_thread<T, W>(self, work: W) -> tokio::sync::oneshot::Receiver<T>
    where
        T: Send + 'static,
        W: AsyncFnOnce(&Moving) -> T + Send + 'static,
    {
        let (done, outcome) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("move".to_owned());
        let spawned = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("the system has room for a runtime");
            // Nobody may wait any more; what was done stands.
            let _ = done.send(runtime.block_on(work(&self)));
        });
        spawned.expect("the system starts a thread");
        outcome
    }
}

/// The id of the move that goes on; empty if there is none.
fn move_id(source: &Source) -> Result<String, MoveError> {
    match source.record()? {
        Some(record) if record.moved => Err(MoveError::AlreadyMoved),
        Some(record) => Ok(record.id),
        None => Ok(String::new()),
    }
}

/// An id for a new move.
fn new_id() -> String {
    pando_schema::random_text(&mut rand::rng(), 15)
}
