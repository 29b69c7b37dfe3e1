//! The store in a PostgreSQL database.
//!
//! Invariants: a request is answered after its commit is on the server's disk; what a commit
//! changed is visible in this process before its request is answered; changes of one record are
//! announced in the order of their commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::bootstrap;
use super::hold::Collections;
use super::order::Order;
use super::pool::{Pool, Pooled};
use crate::gate::Pass;
use crate::store::{Known, Shared};
use crate::waiting::Waiting;
use crate::{StoreError, StoreOptions, Tx, TxFuture};

/// How often is looked whether another server has changed collections or settings. A write by old
/// ones is refused in any case.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The connections to one database, and the writes that run on them.
pub(crate) struct Engine {
    pool: Pool,
    shared: Arc<Shared>,
    /// The writes that run; they go on when nobody waits for them.
    tasks: TaskTracker,
    waiting: AtomicUsize,
    waiting_max: usize,
    order: Order,
    collections: Collections,
}

impl Engine {
    /// Connects to the database, made and filled like a fresh data directory if it is empty.
    pub(crate) async fn open(
        url: &str,
        options: &StoreOptions,
    ) -> Result<(Arc<Shared>, Arc<Engine>), StoreError> {
        let (pool, known) = Engine::connect(url, options).await?;
        let shared = Shared::new(known);
        let engine = Engine::over(pool, &shared, options);
        Ok((shared, engine))
    }

    /// A database ready to be used, and what it holds.
    pub(crate) async fn connect(
        url: &str,
        options: &StoreOptions,
    ) -> Result<(Pool, Known), StoreError> {
        let pool = Pool::new(url, options)?;
        let mut conn = pool.take().await?;
        let key = options.encryption_key.as_deref();
        bootstrap::prepare(&mut conn, key).await?;
        let known = bootstrap::load(&mut conn, key).await?;
        drop(conn);
        Ok((pool, known))
    }

    /// An engine for what [`Engine::connect`] gave, which tells `shared` what it learns.
    pub(crate) fn over(pool: Pool, shared: &Arc<Shared>, options: &StoreOptions) -> Arc<Engine> {
        let engine = Arc::new(Engine {
            pool,
            shared: Arc::clone(shared),
            tasks: TaskTracker::new(),
            waiting: AtomicUsize::new(0),
            waiting_max: options.write_queue_max,
            order: Order::of(shared),
            collections: Collections::of(shared, options.encryption_key.as_deref().map(Arc::from)),
        });
        follow(&engine);
        engine
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Pooled, StoreError> {
        self.pool.take().await
    }

    /// See [`crate::Store::write`]. Keeps `pass` until all is done.
    pub(crate) async fn write<T, E, F>(self: &Arc<Self>, work: F, pass: Pass) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.tasks.is_closed() {
            return Err(E::from(StoreError::Stopping));
        }
        let engine = Arc::clone(self);
        let task = async move {
            let outcome = engine.run(work).await;
            drop(pass);
            outcome
        };
        match self.tasks.spawn(task).await {
            Ok(outcome) => outcome,
            Err(_panicked) => {
                error!("a transaction panicked and was undone");
                Err(E::from(StoreError::Panicked))
            }
        }
    }

    async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let conn = self.connection_for_write().await?;
        let (hold, known) = self.collections.hold().await;
        let mut tx = Tx::pooled(conn, &known, hold);
        tx.begin();
        let outcome = match work(&mut tx).await {
            Ok(value) => self.commit(&mut tx).await.map(|()| value).map_err(E::from),
            Err(error) => {
                tx.roll_back().await;
                Err(error)
            }
        };
        let outdated = tx.outdated();
        drop(tx);
        if outdated {
            // Before the answer, so that a client that tries again finds us up to date.
            self.catch_up().await;
        }
        outcome
    }

    async fn commit(&self, tx: &mut Tx) -> Result<(), StoreError> {
        // After all locks are held, and so after the commits that it had to wait for.
        let turn = self.order.turn();
        tx.commit().await?;
        if let Some(known) = tx.learned() {
            self.shared.learn(known);
        }
        turn.announce(tx.take_changes());
        Ok(())
    }

    /// A connection, unless too many writes wait for one already.
    async fn connection_for_write(&self) -> Result<Pooled, StoreError> {
        let (_waiting, count) = Waiting::new(&self.waiting);
        if count > self.waiting_max {
            return Err(StoreError::Busy);
        }
        self.pool.take().await
    }

    pub(crate) fn writes_waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Reads collections and settings if another server has changed them.
    async fn catch_up(&self) {
        if let Err(error) = self.learn().await {
            warn!(error = format!("{error:#}"), "failed to read the collections");
        }
    }

    pub(crate) async fn learn(&self) -> Result<(), StoreError> {
        let mut conn = self.pool.take().await?;
        if bootstrap::version(&mut conn).await? > self.shared.known().version {
            let known = bootstrap::load(&mut conn, self.collections.encryption_key()).await?;
            self.shared.learn(known);
        }
        Ok(())
    }

    /// Waits for the writes that run, refuses what comes later, and closes the connections.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.pool.close();
    }
}

/// Learns what other servers change of collections and settings, until the engine is closed.
#[expect(clippy::disallowed_methods, reason = "it ends with the engine")]
fn follow(engine: &Arc<Engine>) {
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(engine) = engine.upgrade() else { return };
            if engine.tasks.is_closed() {
                return;
            }
            if let Err(error) = engine.learn().await {
                // Who needs the database meanwhile says so.
                debug!(error = format!("{error:#}"), "failed to look for changed collections");
            }
        }
    });
}
