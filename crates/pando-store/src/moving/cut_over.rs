//! The cut over: writes are held, the last changes come over, the decision is written, writes go
//! on in the other database.
//!
//! What takes long is done before: all but the last few changes are there and compared, the
//! server's connections to the target are open, the statements prepared. If the rest does not come
//! over within a limit, writes are let go on and it is tried again.
//!
//! Invariant: there is one decision, the commit of [`Source::decide_move`]. Before it, data.db is
//! at home and what is in PostgreSQL is a copy; after it, the other way round. The writes that it
//! needs in PostgreSQL are on disk there before.

use std::time::Instant;

use tokio::time::timeout;
use tracing::warn;

use super::error::MoveError;
use super::gate::{Gate, Home};
use super::mover::{Caught, Mover};
use super::progress::Step;
use super::target::Target;

/// Changes with which writes are held: few enough for one round trip.
const LAG_AT_GATE: i64 = 50;

/// How often it is tried.
const ATTEMPTS_MAX: u32 = 20;

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
        for _attempt in 0..ATTEMPTS_MAX {
            let caught = self.follow(LAG_AT_GATE).await?;
            if caught == Caught::Schema {
                return Ok(caught);
            }
            let asked = Instant::now();
            let closed = match timeout(self.options.gate_wait_max, gate.close()).await {
                Ok(closed) => closed.map_err(MoveError::Gate)?,
                // A long write runs: those behind it have waited enough.
                Err(_elapsed) => continue,
            };
            match timeout(self.options.gate_max, self.drain()).await {
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
            self.rest(asked).await;
        }
        let limit_ms = self.options.gate_max.as_millis();
        Err(MoveError::TooSlow { limit_ms, attempts: ATTEMPTS_MAX })
    }

    /// Brings the last changes over and decides.
    async fn drain(&mut self) -> Result<Drained, MoveError> {
        let last = self.source.begin()?;
        let drained = self.drain_to(last).await;
        self.source.end()?;
        if !drained? {
            return Ok(Drained::Schema);
        }
        self.step(Step::CutOver, 0)?;
        Ok(match self.source.decide_move(&self.url, last, self.options.gate_max)? {
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
        let mut target = Target::connect(&self.url).await?;
        target.load().await?;
        target.warm(&self.tables.clone()).await?;
        self.target = target;
        Ok(())
    }
}
