//! The task tree of the process: who owns each task, and how all of them end.
//!
//! Stopping has three phases: new work is refused (`stopping`), what runs may finish (`drained`),
//! the rest is cut off when the process exits.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

/// Owns every task of the process; Clippy bans `tokio::spawn` elsewhere.
#[derive(Clone, Default)]
pub struct Lifecycle {
    tasks: TaskTracker,
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
