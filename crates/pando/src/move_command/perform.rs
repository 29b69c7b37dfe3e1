//! Does what `pando move` asks for, one thing at a time.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use pando_store::{
    Store, StoreOptions,
    moving::{MoveError, MoveOptions, Moving, Progress, Status, StoreGate, Watch},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::text;
use crate::move_files;

/// How often progress is told within a step.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// How long to wait for what else is at work.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether a move cannot be undone any more.
const TIDIED_EVERY: Duration = Duration::from_secs(3600);

/// The moves of one store.
#[derive(Clone)]
pub(crate) struct Moves {
    pub(crate) store: Store,
    /// The folder for files.
    pub(crate) files_dir: PathBuf,
    /// Held by the one that is at work.
    busy: Arc<Mutex<()>>,
}

impl Moves {
    pub(crate) fn of(store: &Store, files_dir: PathBuf) -> Moves {
        Moves { store: store.clone(), files_dir, busy: Arc::default() }
    }

    fn moving(&self) -> Moving {
        let StoreOptions { dir, encryption_key, .. } = self.store.options().clone();
        Moving { dir, encryption_key, options: MoveOptions::default() }
    }

    /// Performs a command and returns what to tell. Stops if nobody hears the progress any more or
    /// the server is `stopping`.
    pub(crate) async fn perform(
        &self,
        words: &[String],
        told: mpsc::Sender<Vec<String>>,
        stopping: CancellationToken,
    ) -> anyhow::Result<String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["status"] => return self.status().await,
            [move_files::WORD, "status"] => return Ok(move_files::status(self)),
            _ => {}
        }
        // Tidying up is soon over.
        let at_work = timeout(PATIENCE, Arc::clone(&self.busy).lock_owned()).await;
        let at_work = at_work.map_err(|_| anyhow!("another move is at work in this server"))?;
        let watch = Teller { told, stopping, step: String::new(), told_at: Instant::now() };
        match words.as_slice() {
            ["plan", url] => self.plan(url, watch, at_work).await,
            ["run", url] => self.run(url, watch, at_work).await,
            ["undo"] => self.undo(watch, at_work).await,
            ["finish"] => self.finish().await,
            [move_files::WORD, words @ ..] => {
                Box::pin(move_files::perform(self, words, watch, at_work)).await
            }
            _ => bail!("unknown command {words:?}"),
        }
    }

    async fn plan(
        &self,
        url: &str,
        mut watch: Teller,
        at_work: OwnedMutexGuard<()>,
    ) -> anyhow::Result<String> {
        let url = url.to_owned();
        let planned = self.moving().on_own_thread(async move |moving| {
            let planned = moving.plan(&url, &mut watch).await;
            drop(at_work);
            planned
        });
        let plan = planned.await.context("the plan panicked")?.map_err(explained)?;
        match plan.possible() {
            true => Ok(text::plan(&plan)),
            false => bail!("the records cannot be moved yet\n{}", text::plan(&plan)),
        }
    }

    async fn run(
        &self,
        url: &str,
        mut watch: Teller,
        at_work: OwnedMutexGuard<()>,
    ) -> anyhow::Result<String> {
        let (gate, url) = (StoreGate::new(self.store.clone()), url.to_owned());
        info!("moving the records to PostgreSQL");
        let moved = self.moving().on_own_thread(async move |moving| {
            let moved = moving.run(&url, &gate, &mut watch).await;
            drop(at_work);
            moved
        });
        let moved = moved.await.context("the move panicked")?;
        let report = moved.map_err(explained).inspect_err(log_end)?;
        info!(rows = report.rows, gate_us = micros(report.gate), "the records are in PostgreSQL");
        Ok(text::moved(&report))
    }

    async fn undo(
        &self,
        mut watch: Teller,
        at_work: OwnedMutexGuard<()>,
    ) -> anyhow::Result<String> {
        let gate = StoreGate::new(self.store.clone());
        let undone = self.moving().on_own_thread(async move |moving| {
            let undone = moving.undo(&gate, &mut watch).await;
            drop(at_work);
            undone
        });
        let undone = undone.await.context("the move panicked")?;
        let report = undone.map_err(explained).inspect_err(log_end)?;
        info!(gate_us = micros(report.gate), "the records are in data.db");
        Ok(text::undone(&report))
    }

    async fn finish(&self) -> anyhow::Result<String> {
        let finished = self.moving().on_own_thread(async |moving| moving.finish().await);
        finished.await.context("the move panicked")?.map_err(explained)?;
        Ok(text::finished())
    }

    async fn status(&self) -> anyhow::Result<String> {
        let status = self.moving().on_own_thread(async |moving| moving.status().await);
        let status: Status = status.await.context("the move panicked")?.map_err(explained)?;
        Ok(text::status(&status))
    }

    /// Ends what is left of moves once nobody can go back any more, now and then, until the stop.
    pub(crate) async fn tidy_up(self, stopping: CancellationToken) -> anyhow::Result<()> {
        loop {
            if let Ok(at_work) = Arc::clone(&self.busy).try_lock_owned() {
                let expired = self.moving().on_own_thread(async move |moving| {
                    let expired = moving.expire().await;
                    drop(at_work);
                    expired
                });
                match expired.await {
                    Ok(Ok(true)) => info!("the move of the records cannot be undone any more"),
                    Ok(Ok(false) | Err(MoveError::NoSource)) | Err(_) => {}
                    Ok(Err(error)) => {
                        warn!(error = format!("{error:#}"), "failed to tidy up after a move");
                    }
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return Ok(()),
                () = tokio::time::sleep(TIDIED_EVERY) => {}
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn log_end(error: &anyhow::Error) {
    warn!(error = format!("{error:#}"), "the move ended before it was over");
}

/// An error with all that there is to say.
fn explained(error: MoveError) -> anyhow::Error {
    match error {
        MoveError::Obstacles(plan) => {
            anyhow!("the records cannot be moved yet\n{}", text::plan(&plan))
        }
        error => error.into(),
    }
}

/// Tells how far a move is.
pub(crate) struct Teller {
    told: mpsc::Sender<Vec<String>>,
    stopping: CancellationToken,
    step: String,
    told_at: Instant,
}

impl Teller {
    /// Tells of a step and a collection, and how much of what is done: of how much, bytes, and how
    /// far behind. `Break` if nobody hears it any more.
    pub(crate) fn tell(
        &mut self,
        step: &str,
        collection: &str,
        numbers: [u64; 4],
    ) -> ControlFlow<()> {
        if self.told.is_closed() || self.stopping.is_cancelled() {
            return ControlFlow::Break(());
        }
        if self.step != step || self.told_at.elapsed() >= TOLD_EVERY {
            step.clone_into(&mut self.step);
            self.told_at = Instant::now();
            let names = [step.to_owned(), collection.to_owned()];
            let numbers = numbers.map(|number| number.to_string());
            // What nobody has had time for is left out.
            let _ = self.told.try_send(names.into_iter().chain(numbers).collect());
        }
        ControlFlow::Continue(())
    }
}

impl Watch for Teller {
    fn at(&mut self, progress: &Progress) -> ControlFlow<()> {
        let Progress { step, collection, rows_done, rows_total, bytes_done, lag, gate: _ } =
            progress;
        self.tell(step.name(), collection, [*rows_done, *rows_total, *bytes_done, *lag])
    }
}
