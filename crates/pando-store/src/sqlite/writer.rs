//! The one thread that writes: takes the waiting requests together and commits them with one
//! fsync (group commit).
//!
//! Invariants: a request is answered only after the commit that holds its writes is on disk. A
//! request that fails leaves nothing behind and does not disturb those it shares a commit with.
//! The write-ahead log is written back after the answers, so nobody waits for it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use tokio::sync::oneshot;
use tracing::{error, warn};

use super::{LogLength, Readers};
use crate::store::Shared;
use crate::waiting::Waiting;
use crate::{StoreError, Tx, TxFuture};

/// Hands work to the writer thread.
pub(crate) struct Writer {
    queue: mpsc::SyncSender<Box<dyn Job>>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and the queue is empty.
    pub(crate) fn start(work: WriterThread, queue_max: usize) -> (Writer, thread::JoinHandle<()>) {
        let (queue, jobs) = mpsc::sync_channel(queue_max);
        let work = move || work.run(&jobs);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(work)
            .expect("the system starts a thread");
        (Writer { queue, waiting: Arc::default() }, thread)
    }

    /// Runs `work` in a transaction and returns its outcome once it is durable. An `Err` from
    /// `work` undoes all that it wrote. The work goes on if the caller stops waiting.
    ///
    /// Fails with `Busy` if too many requests wait, with `Stopping` after `close`.
    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        let (waiting, _count) = Waiting::new(Arc::clone(&self.waiting));
        let job = Write { work: Some((work, waiting)), outcome: None, reply };
        self.queue.try_send(Box::new(job)).map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => StoreError::Busy,
            mpsc::TrySendError::Disconnected(_) => StoreError::Stopping,
        })?;
        // Dropped unanswered only when the work panicked, which was logged there.
        outcome.await.unwrap_or_else(|_dropped| Err(E::from(StoreError::Stopping)))
    }

    /// How many pieces of work have not begun yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// One request's share of a group commit.
trait Job: Send {
    /// Does the work. True: keep what it wrote.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Answers the caller, `failure` being why the commit failed.
    fn finish(self: Box<Self>, failure: Option<Arc<StoreError>>);
}

struct Write<F, T, E> {
    work: Option<(F, Waiting<Arc<AtomicUsize>>)>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        let (work, waiting) = self.work.take().expect("a job runs once");
        drop(waiting);
        // SQLite answers at once, so the future is ready at its first poll.
        let Poll::Ready(outcome) = pin!(work(tx)).poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("a transaction on SQLite waited for something other than SQLite");
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn finish(self: Box<Self>, failure: Option<Arc<StoreError>>) {
        let outcome = match (self.outcome, failure) {
            (Some(Ok(_)) | None, Some(failure)) => Err(E::from(StoreError::Commit(failure))),
            (Some(outcome), _) => outcome,
            (None, None) => Err(E::from(StoreError::Panicked)),
        };
        // The caller may have gone; the write stands all the same.
        let _ = self.reply.send(outcome);
    }
}

/// What the thread works with.
pub(crate) struct WriterThread {
    pub(crate) tx: Tx,
    pub(crate) shared: Arc<Shared>,
    pub(crate) readers: Readers,
    pub(crate) log: LogLength,
    pub(crate) group_max: usize,
    /// Whether to tidy up after the next group.
    pub(crate) optimize_due: Arc<AtomicBool>,
}

impl WriterThread {
    fn run(mut self, jobs: &mpsc::Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let mut group = Vec::with_capacity(16);
            let committed = self.commit_group(first, jobs, &mut group);
            let failure = committed.err().map(Arc::new);
            if let Some(error) = &failure {
                error!(error = format!("{error:#}"), jobs = group.len(), "commit failed");
                self.tx.abort(&self.shared);
            }
            for job in group {
                job.finish(failure.clone());
            }
            let optimize = self.optimize_due.swap(false, Ordering::Relaxed);
            if optimize || self.log.is_due() {
                self.write_log_back();
            }
            if optimize {
                self.tx.optimize();
            }
        }
        self.readers.renew();
        self.tx.finish_up();
    }

    /// Runs `first` and those that wait with it, and commits once. `group` has all that ran.
    fn commit_group(
        &mut self,
        first: Box<dyn Job>,
        jobs: &mpsc::Receiver<Box<dyn Job>>,
        group: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        group.push(first);
        self.tx.begin_group()?;
        loop {
            let job = group.last_mut().expect("pushed before each round");
            run_job(&mut self.tx, &mut **job)?;
            if group.len() == self.group_max {
                break;
            }
            let Ok(next) = jobs.try_recv() else { break };
            group.push(next);
        }
        self.tx.commit_group(&self.shared)?;
        self.readers.renew();
        self.shared.announce(self.tx.take_changes());
        Ok(())
    }

    /// Copies the log into the database. Readers then need it no more, and it starts over.
    fn write_log_back(&mut self) {
        self.log.postpone();
        match self.tx.sqlite().write_log_back() {
            Ok(true) => self.readers.renew(),
            // A slow reader still needs the database as it is.
            Ok(false) => {}
            Err(error) => {
                warn!(error = format!("{error:#}"), "failed to write the log back");
            }
        }
    }
}

/// Runs one job inside a savepoint of its own. Fails only when the whole group is lost, as when
/// the disk is full and SQLite rolled the transaction back.
fn run_job(tx: &mut Tx, job: &mut dyn Job) -> Result<(), StoreError> {
    let mark = tx.begin_job()?;
    let kept = std::panic::catch_unwind(AssertUnwindSafe(|| job.run(tx))).unwrap_or_else(|_| {
        error!("a transaction panicked and was undone");
        false
    });
    if kept { tx.keep_job() } else { tx.undo_job(mark) }
}
