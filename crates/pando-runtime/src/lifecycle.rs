//! The task tree of the process: who owns each task, and how all of them end.
//!
//! Stopping has four phases: others are told while all still works (`leaving`), new work is refused
//! (`stopping`), what runs may finish (`drained`), the rest is cut off when the process exits.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

/// Farewells that take longer are not waited for.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(30);

/// Owns every task of the process; Clippy bans `tokio::spawn` elsewhere.
#[derive(Clone, Default)]
pub struct Lifecycle {
    tasks: TaskTracker,
    farewells: TaskTracker,
    /// Cancelled when the process was told to stop. It still takes work, but says to those who ask
    /// that it will not for long.
    pub leaving: CancellationToken,
    /// Cancelled when the process shall stop. Cancel it to stop the process.
    pub stopping: CancellationToken,
    failed: CancellationToken,
    reloads: watch::Sender<u64>,
}

impl Lifecycle {
    /// Spawns a task that must end soon after `stopping`. If it fails or panics, the process stops.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (handle, life) = (self.tasks.spawn(task), self.clone());
        self.tasks.spawn(async move {
            if let Err(error) = handle.await.map_err(anyhow::Error::from).flatten() {
                error!(task = name, error = format!("{error:#}"), "task failed, stopping");
                life.failed.cancel();
                life.stopping.cancel();
            }
        });
    }

    /// Spawns a task that concerns only who asked for it, such as a connection or a write that
    /// must not end half way; a panic in it is the caller's to see in the handle. The drain waits
    /// for it.
    pub fn track<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Does `farewell` once the process was told to stop, before it refuses work: whoever sends work
    /// can be told to stop sending.
    pub fn before_stopping<F>(&self, farewell: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (leaving, stopping) = (self.leaving.clone(), self.stopping.clone());
        self.farewells.spawn(async move {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = leaving.cancelled() => {}
            }
            let _ = stopping.run_until_cancelled(farewell).await;
        });
    }

    /// Begins the end: [`Lifecycle::leaving`], then the farewells, then [`Lifecycle::stopping`].
    pub fn leave(&self) {
        self.leaving.cancel();
        self.farewells.close();
        if self.farewells.is_empty() {
            self.stopping.cancel();
            return;
        }
        let life = self.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the phase that it begins")]
        drop(tokio::spawn(async move {
            // Who takes too long is told so by the next phase.
            let _ = tokio::time::timeout(FAREWELL_TIME_MAX, life.farewells.wait()).await;
            life.stopping.cancel();
        }));
    }

    /// Waits for the stop, then at most `drain` for the tasks. False if some were cut off.
    pub async fn drained(&self, drain: Duration) -> bool {
        self.stopping.cancelled().await;
        self.tasks.close();
        tokio::time::timeout(drain, self.tasks.wait()).await.is_ok()
    }

    /// The number of tasks that have not ended; one given to [`Lifecycle::spawn`] counts twice.
    pub fn tasks_count(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a task failed, so that the process must not exit with success.
    pub fn failed(&self) -> bool {
        self.failed.is_cancelled()
    }

    /// Changes each time the operator asks to read files again (SIGHUP).
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// Asks every task that watches [`Lifecycle::reloads`] to read its files again.
    pub fn reload(&self) {
        self.reloads.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use super::Lifecycle;

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn the_drain_waits_for_running_tasks() {
        let life = Lifecycle::default();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        life.spawn("slow", async move { Ok(finished.await?) });
        life.stopping.cancel();
        let cut = life.drained(Duration::from_secs(1)).await;
        assert!(!cut, "the task still runs");
        finish.send(()).unwrap();
        assert!(life.drained(LONG).await);
        assert!(!life.failed());
        assert_eq!(life.tasks_count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_drain_starts_with_the_stop() {
        let life = Lifecycle::default();
        let waiting = tokio::time::timeout(LONG, life.drained(Duration::ZERO)).await;
        assert!(waiting.is_err(), "nobody asked to stop");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_task_stops_the_process() {
        let life = Lifecycle::default();
        life.spawn("failing", async { anyhow::bail!("no disk") });
        assert!(life.drained(LONG).await);
        assert!(life.failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_panicking_task_stops_the_process() {
        let life = Lifecycle::default();
        life.spawn("panicking", async { panic!("on purpose") });
        assert!(life.drained(LONG).await);
        assert!(life.failed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tracked_task_fails_alone() {
        let life = Lifecycle::default();
        let outcome = life.track(async { panic!("on purpose") }).await;
        assert!(outcome.is_err_and(|error| error.is_panic()));
        assert!(!life.stopping.is_cancelled());
        assert_eq!(life.track(async { 7 }).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn tracked_tasks_are_drained_too() {
        let life = Lifecycle::default();
        life.track(pending::<()>());
        life.stopping.cancel();
        assert!(!life.drained(Duration::from_secs(1)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn farewells_come_before_the_stop() {
        let life = Lifecycle::default();
        let stopping = life.stopping.clone();
        let (said, heard) = tokio::sync::oneshot::channel();
        life.before_stopping(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            said.send(stopping.is_cancelled()).unwrap();
        });
        life.leave();
        assert!(life.leaving.is_cancelled() && !life.stopping.is_cancelled());
        assert!(!heard.await.unwrap(), "the farewell came too late");
        life.stopping.cancelled().await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_for_a_farewell() {
        let life = Lifecycle::default();
        life.before_stopping(pending());
        life.leave();
        life.stopping.cancelled().await;
        let simple = Lifecycle::default();
        simple.leave();
        assert!(simple.stopping.is_cancelled(), "there is nothing to wait for");
    }

    #[tokio::test]
    async fn a_reload_reaches_every_watcher() {
        let life = Lifecycle::default();
        let mut watchers = [life.reloads(), life.reloads()];
        life.reload();
        for watcher in &mut watchers {
            watcher.changed().await.unwrap();
        }
    }
}
