//! Holds writes for a moment, as when the records move to another database.
//!
//! Invariants: while the gate is closed no write runs and none begins; those that come wait, up to
//! a deadline. While it is open, to enter it costs two counts and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::StoreError;
use crate::waiting::Waiting;

#[derive(Clone, Default)]
pub(crate) struct WriteGate(Arc<State>);

#[derive(Default)]
struct State {
    closed: AtomicBool,
    /// Writes that have entered.
    running: AtomicUsize,
    waiting: AtomicUsize,
    /// The last one has left.
    left: Notify,
    opened: Notify,
}

impl WriteGate {
    /// Lets a write in. Fails with `Busy` if the gate stays closed, or if `waiting_max` writes wait
    /// at it already.
    pub(crate) async fn enter(
        &self,
        within: Duration,
        waiting_max: usize,
    ) -> Result<Pass, StoreError> {
        if let Some(pass) = self.try_enter() {
            return Ok(pass);
        }
        let (waiting, count) = Waiting::new(&self.0.waiting);
        if count > waiting_max {
            return Err(StoreError::Busy);
        }
        let entered = tokio::time::timeout(within, self.wait_and_enter()).await;
        drop(waiting);
        entered.map_err(|_elapsed| StoreError::Busy)
    }

    async fn wait_and_enter(&self) -> Pass {
        loop {
            let mut opened = std::pin::pin!(self.0.opened.notified());
            // Listens before it looks, so that it cannot miss the opening.
            opened.as_mut().enable();
            if let Some(pass) = self.try_enter() {
                return pass;
            }
            opened.await;
        }
    }

    /// A writer counts itself first and looks then, who closes does it the other way round: one of
    /// them sees the other.
    fn try_enter(&self) -> Option<Pass> {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        let pass = Pass(Arc::clone(&self.0));
        (!self.0.closed.load(Ordering::SeqCst)).then_some(pass)
    }

    /// Waits until no write is inside; none comes in until what it returns is dropped. `None` if
    /// somebody else has closed it.
    pub(crate) async fn close(&self) -> Option<Closed> {
        if self.0.closed.swap(true, Ordering::SeqCst) {
            return None;
        }
        // Opens again if nobody waits any longer.
        let closed = Closed(Arc::clone(&self.0));
        loop {
            let mut left = std::pin::pin!(self.0.left.notified());
            left.as_mut().enable();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return Some(closed);
            }
            left.await;
        }
    }

    /// How many writes wait for it to open.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }
}

/// A write that runs, until dropped.
pub(crate) struct Pass(Arc<State>);

impl Drop for Pass {
    fn drop(&mut self) {
        let last = self.0.running.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && self.0.closed.load(Ordering::SeqCst) {
            self.0.left.notify_waiters();
        }
    }
}

/// The gate is closed until this is dropped.
pub(crate) struct Closed(Arc<State>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.closed.store(false, Ordering::SeqCst);
        self.0.opened.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn it_closes_behind_the_last_and_opens_for_all() {
        let gate = WriteGate::default();
        let inside = gate.enter(LONG, 9).await.unwrap();
        let mut closing = std::pin::pin!(gate.close());
        assert!(futures_util::poll!(closing.as_mut()).is_pending());
        let mut late = std::pin::pin!(gate.enter(LONG, 1));
        assert!(futures_util::poll!(late.as_mut()).is_pending());
        assert!(matches!(gate.enter(LONG, 1).await, Err(StoreError::Busy)));
        assert!(gate.close().await.is_none());
        drop(inside);
        let closed = closing.await.unwrap();
        assert!(futures_util::poll!(late.as_mut()).is_pending());
        assert_eq!(gate.waiting(), 1);
        drop(closed);
        drop(late.await.unwrap());
        assert_eq!(gate.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let gate = WriteGate::default();
        let closed = gate.close().await.unwrap();
        assert!(matches!(gate.enter(LONG, 9).await, Err(StoreError::Busy)));
        drop(closed);
        // Who gives up closing it leaves it open.
        let inside = gate.enter(LONG, 9).await.unwrap();
        assert!(tokio::time::timeout(LONG, gate.close()).await.is_err());
        drop(gate.enter(LONG, 0).await.unwrap());
        drop(inside);
    }

    /// Writers and closers by the thousand: no two of them inside, nobody left behind.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_is_inside_when_it_is_closed() {
        let gate = WriteGate::default();
        let inside = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (gate, inside) = (gate.clone(), Arc::clone(&inside));
            tasks.spawn(async move {
                for _ in 0..2_000 {
                    let pass = gate.enter(LONG, 100).await.unwrap();
                    inside.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(pass);
                }
            });
        }
        for _ in 0..500 {
            let closed = gate.close().await.unwrap();
            assert_eq!(inside.load(Ordering::SeqCst), 0);
            drop(closed);
            tokio::task::yield_now().await;
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    }
}
