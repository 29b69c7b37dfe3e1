//! A mixed workload of many clients whose every request is recorded and judged: see
//! [`pando_history`].
//!
//! Each session does one thing at a time and keeps to the rules of the judge: it alone writes its
//! records, gives them rising versions, and leaves one alone once a write of it has no answer. No
//! request is sent twice, but for one that only reads and found nobody to connect to.

mod caller;
mod figures;
mod last;
mod options;
mod report;
mod session;
mod setup;
mod shared;
mod subscriber;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use pando_history::{History, SessionId, check};

pub use figures::{Ending, Second};
pub use options::{LoadOptions, Mix, Routing};
pub use report::Report;
use session::Recorded;
use shared::Shared;
use subscriber::Subscriber;

/// Threads need little: no recursion, no large values.
const STACK_BYTES: usize = 256 << 10;

/// A load that runs.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    sessions: Vec<JoinHandle<Recorded>>,
    subscribers: Vec<Subscriber>,
}

impl Load {
    /// Makes collections and users, replacing those of an earlier load, and starts all clients.
    pub fn begin(options: LoadOptions) -> Result<Load> {
        let ground = setup::prepare(&options).context("failed to prepare the load")?;
        let shared = Arc::new(Shared::new(options, ground));
        let subscribers = (0..shared.options.subscribers)
            .map(|number| Subscriber::start(&shared, number))
            .collect::<Result<Vec<_>>>()?;
        let mut load = Load { shared, sessions: Vec::new(), subscribers };
        for number in 0..load.shared.options.clients {
            let shared = Arc::clone(&load.shared);
            let work = move || session::run(&shared, number);
            load.sessions.push(spawn(format!("client-{number}"), work)?);
        }
        Ok(load)
    }

    /// What happened since the last call.
    pub fn second(&self) -> Second {
        self.shared.figures.second()
    }

    /// Whether no more can be recorded; the clients have stopped.
    pub fn full(&self) -> bool {
        self.shared.full()
    }

    /// Requests that were answered so far, well or not.
    pub fn answered(&self) -> u64 {
        self.shared.figures.answered()
    }

    /// Stops the clients, waits until streams have heard of everything, reads what is there, and
    /// judges it all. Whatever was broken on purpose must be whole again.
    pub fn finish(mut self) -> Result<Report> {
        let elapsed = self.shared.begun.elapsed();
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut history = History::default();
        for session in self.sessions.drain(..) {
            let recorded = session.join().map_err(|_| anyhow::anyhow!("a client panicked"))?;
            history.writes.extend(recorded.writes);
            history.reads.extend(recorded.reads);
        }
        last::settle(&self.shared, &self.subscribers, &mut history);
        self.shared.quit.store(true, Ordering::Relaxed);
        for subscriber in self.subscribers.drain(..) {
            let (recorded, stream) = subscriber.finish()?;
            history.reads.extend(recorded.reads);
            history.streams.push(stream);
        }
        let verdict = check(&history, self.shared.options.rules);
        Ok(Report::new(&self.shared, elapsed, history, verdict))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // The threads end soon; nobody waits for them.
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.quit.store(true, Ordering::Relaxed);
    }
}

fn spawn<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let thread = thread::Builder::new().name(name).stack_size(STACK_BYTES);
    thread.spawn(work).context("failed to start a thread")
}

/// The session that subscriber `number` reads as; clients have the numbers from 0.
fn subscriber_session(number: usize) -> SessionId {
    const FIRST: u32 = 1_000_000;
    SessionId(FIRST + u32::try_from(number).unwrap_or(FIRST))
}

/// How long a thread that has nothing to do sleeps before it looks whether to end.
const NAP: Duration = Duration::from_millis(20);
