//! Kills a server at each step of a move to PostgreSQL and of the way back, under writes: nothing
//! that it acknowledged is lost, and the same command goes on with the move.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::writer::Writer;
use super::{EMAIL, PASSWORD, WRITER_COUNT, fetch_all, prepare};
use crate::control;
use crate::rng::Rng;
use crate::server::{Program, Server};
use crate::wait::wait_for;

/// The steps at which the server is killed, in the order in which a move comes to them.
const STEPS: [&str; 7] = ["plan", "capture", "copy", "catch-up", "index", "verify", "cut-over"];
const STEPS_BACK: [&str; 3] = ["catch-up", "verify", "cut-over"];

/// Acknowledged writes before a move begins, and after it is over.
const WRITES_AROUND: usize = 300;

const DEADLINE: Duration = Duration::from_secs(120);

/// What was seen; only made if nothing was lost.
#[derive(Clone, Debug, Default)]
pub struct MoveReport {
    pub kills: usize,
    pub acknowledged: usize,
    /// What the server said at the end of the move and of the way back.
    pub said: Vec<String>,
}

/// Moves to the database at `url` and back, killed at each step.
pub fn run(program: &Program, url: &str, seed: u64) -> Result<MoveReport> {
    let root = tempfile::tempdir().context("failed to make a directory")?;
    let dir = root.path().join("data");
    program.upsert_superuser(&dir, EMAIL, PASSWORD)?;
    let rng = Rng::new(seed).fork("move");
    let writers =
        (0..WRITER_COUNT).map(|number| Writer::new(number, rng.fork(&number.to_string())));
    let mut rounds =
        Rounds { program, dir: &dir, writers: writers.collect(), report: MoveReport::default() };
    let server = Server::launch(program, &dir)?;
    prepare(&server)?;
    drop(server);
    for step in STEPS {
        rounds.round(&["move", "run", url], Some(step))?;
    }
    rounds.through(&["move", "run", url])?;
    for step in STEPS_BACK {
        rounds.round(&["move", "undo"], Some(step))?;
    }
    rounds.through(&["move", "undo"])?;
    Ok(rounds.report)
}

struct Rounds<'a> {
    program: &'a Program,
    dir: &'a Path,
    writers: Vec<Writer>,
    report: MoveReport,
}

impl Rounds<'_> {
    /// A round to the end, unless the last kill came just after the end.
    fn through(&mut self, words: &[&str]) -> Result<()> {
        let server = Server::launch(self.program, self.dir)?;
        let status = control::ask(self.dir, &["move", "status"], |_| true)?.unwrap_or_default();
        drop(server);
        let over = match words {
            [_, "undo"] => !status.contains("PostgreSQL"),
            _ => status.contains("are in PostgreSQL"),
        };
        if !over {
            self.round(words, None)?;
        }
        Ok(())
    }

    /// Starts the server and writers, has it do `words`, kills it at `step`, starts it again and
    /// looks for all that was acknowledged.
    fn round(&mut self, words: &[&str], step: Option<&str>) -> Result<()> {
        let title = || format!("{words:?} killed at {step:?}");
        let mut server = Server::launch(self.program, self.dir)?;
        let outcome = self.write_and_kill(&mut server, words, step).with_context(title)?;
        self.report.kills += 1;
        self.report.said.extend(outcome);
        drop(server);
        let server = Server::launch(self.program, self.dir).with_context(title)?;
        let found = fetch_all(&server)?;
        for writer in &mut self.writers {
            writer.settle(&found).with_context(title)?;
        }
        let expected: usize = self.writers.iter().map(Writer::record_count).sum();
        ensure!(found.len() == expected, "{}: {} of {expected} records", title(), found.len());
        Ok(())
    }

    fn write_and_kill(
        &mut self,
        server: &mut Server,
        words: &[&str],
        step: Option<&str>,
    ) -> Result<Option<String>> {
        let acknowledged = AtomicUsize::new(0);
        let (addr, dir) = (server.addr(), self.dir);
        let reach = |count: usize, running: &AtomicBool| {
            wait_for("some writes", DEADLINE, || {
                let done = acknowledged.load(Ordering::Relaxed) >= count;
                Ok((done || !running.load(Ordering::Relaxed)).then_some(()))
            })
        };
        let running = AtomicBool::new(true);
        let said = thread::scope(|scope| {
            let writing: Vec<_> = self
                .writers
                .iter_mut()
                .map(|writer| {
                    scope.spawn(|| {
                        let outcome = writer.write_until_cut(addr, &acknowledged);
                        running.store(false, Ordering::Relaxed);
                        outcome
                    })
                })
                .collect();
            reach(WRITES_AROUND, &running)?;
            let said = control::ask(dir, words, |told| step != Some(&told.step));
            if step.is_none() {
                // Where the records are now.
                reach(acknowledged.load(Ordering::Relaxed) + WRITES_AROUND, &running)?;
            }
            server.kill()?;
            for handle in writing {
                handle.join().map_err(|_| anyhow::anyhow!("a writer panicked"))??;
            }
            said
        });
        self.report.acknowledged += acknowledged.load(Ordering::Relaxed);
        said
    }
}
