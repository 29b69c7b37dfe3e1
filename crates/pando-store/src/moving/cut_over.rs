//! The cut over: writes are held, the last changes come over, the decision is written, writes go
//! on in the other database.
//!
//! What takes long is done before: all but the last few changes are there and compared, the
//! server's connections to the target are open, the statements prepared. If the rest does not come
//! over within a limit, writes are let go on and it is tried again.
//!
//! Invariant: there is one decision, the commit of `Source::decide_move`. Before it, data.db is
//! at home and what is in PostgreSQL is a copy; after it, the other way round. The writes that it
//! needs in PostgreSQL are on disk there before.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tracing::warn;

use super::MoveOptions;
use super::error::MoveError;
use super::gate::{Gate, Home};
use super::mover::{Caught, Mover};
use super::progress::Step;
use super::target::Target;

/// Changes with which writes are held: few enough for one round trip.
const LAG_AT_GATE: i64 = 50;

/// How often it is tried.
pub(super) const ATTEMPTS_MAX: u32 = 20;

/// After how many tries the limits begin to grow.
const PATIENT_ATTEMPTS: u32 = 5;

/// What one try may take.
pub(super) struct Limits {
    pub(super) close: Duration,
    pub(super) drain: Duration,
    /// Writes go on for so long before the next one.
    pub(super) pause: Duration,
}

impl MoveOptions {
    /// The first tries must be quick; a machine that is never quick gets more time later.
    pub(super) fn limits(&self, attempt: u32) -> Limits {
        let factor = attempt.saturating_sub(PATIENT_ATTEMPTS).max(1);
        Limits {
            close: self.gate_wait_max * factor,
            drain: self.gate_max * factor,
            pause: (self.gate_wait_max + self.gate_max) * attempt.min(10),
        }
    }
}

enum Drained {
    Decided,
    Schema,
    /// Something wrote although the gate is closed.
    Overtaken,
}

impl Mover<'_> {
    pub(super) async fn cut_over(&mut self, gate: &dyn Gate) -> Result<Caught, MoveError> {
        let home = Home::Postgres(self.url.clone());
        gate.prepare(&home).await.map_err(MoveError::Gate)?;
        self.target.warm(&self.tables.clone()).await?;
        for attempt in 1..=ATTEMPTS_MAX {
            let caught = self.follow(LAG_AT_GATE).await?;
            if caught == Caught::Schema {
                return Ok(caught);
            }
            let asked = Instant::now();
            let Limits { close, drain, pause } = self.options.limits(attempt);
            let closed = match timeout(close, gate.close()).await {
                Ok(closed) => closed.map_err(MoveError::Gate)?,
                // A long write runs: those behind it have waited enough.
                Err(_elapsed) => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
            };
            match timeout(drain, self.drain(drain)).await {
                Ok(Ok(Drained::Decided)) => {
                    closed.switch();
                    self.report.gate = asked.elapsed();
                    self.progress.gate = Some(self.report.gate);
                    self.progress.lag = 0;
                    return Ok(Caught::Behind(0));
                }
                Ok(Ok(Drained::Schema)) => return Ok(Caught::Schema),
                Ok(Ok(Drained::Overtaken)) => drop(closed),
                Ok(Err(error)) => return Err(error),
                Err(_elapsed) => {
                    drop(closed);
                    self.start_over().await?;
                }
            }
            warn!("the last changes did not come over in time; writes went on");
            tokio::time::sleep(pause).await;
        }
        let limit_ms = self.options.limits(ATTEMPTS_MAX).drain.as_millis();
        Err(MoveError::TooSlow { limit_ms, attempts: ATTEMPTS_MAX })
    }

    /// Brings the last changes over and decides.
    async fn drain(&mut self, within: Duration) -> Result<Drained, MoveError> {
        let last = self.source.begin()?;
        let drained = self.drain_to(last).await;
        self.source.end()?;
        if !drained? {
            return Ok(Drained::Schema);
        }
        self.step(Step::CutOver, 0)?;
        Ok(match self.source.decide_move(&self.url, last, within)? {
            true => Drained::Decided,
            false => Drained::Overtaken,
        })
    }

    /// False if a collection has changed.
    async fn drain_to(&mut self, last: i64) -> Result<bool, MoveError> {
        if self.schema_changed(last)? {
            return Ok(false);
        }
        let batches = self.batches(last)?;
        self.target.write(&batches, last, "moved").await?;
        Ok(true)
    }

    /// Takes a new connection after an answer that did not come: nobody knows what it would say.
    async fn start_over(&mut self) -> Result<(), MoveError> {
        self.source.end()?;
        let mut target = Target::connect(&self.url).await?.alone().await?;
        target.load().await?;
        target.warm(&self.tables.clone()).await?;
        self.target = target;
        Ok(())
    }
}
