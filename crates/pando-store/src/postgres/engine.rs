//! The store in a PostgreSQL database.
//!
//! Invariants: a request is answered after its commit is on the server's disk; what a commit
//! changed is visible in this process before its request is answered; changes of one record are
//! announced in the order of their commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::connection::Again;
use super::hold::Collections;
use super::journal::Draft;
use super::member::Member;
use super::order::Order;
use super::pool::{Pool, Pooled, RETRY_AFTER};
use super::{bootstrap, journal};
use crate::gate::Pass;
use crate::journal::{Body, Own};
use crate::store::{Known, Shared};
use crate::waiting::Waiting;
use crate::{StoreError, StoreOptions, Tx, TxFuture};

/// How often is looked whether another server has changed collections or settings, while this
/// process is no server itself. A write by old ones is begun anew in any case.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Between two looks for a commit whose answer was lost.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// How often a write is begun anew since others were faster.
const ATTEMPTS_MAX: u32 = 20;

/// The connections to one database, and the writes that run on them.
pub(crate) struct Engine {
    pool: Pool,
    shared: Arc<Shared>,
    pub(super) member: Arc<Member>,
    /// The writes that run; they go on when nobody waits for them.
    tasks: TaskTracker,
    waiting: AtomicUsize,
    waiting_max: usize,
    order: Order,
    pub(super) collections: Collections,
    /// The number of the next try to commit.
    attempts: AtomicI64,
    hold_max: Duration,
}

/// How one try of a write ended.
struct Attempt<T, E> {
    outcome: Result<T, E>,
    /// Why nothing of it happened and another try may do better.
    again: Option<Again>,
    /// The version of collections and settings that it made.
    made: Option<u64>,
    /// What it has done if it has done anything, which nobody knows yet.
    unsure: Option<Unsure<T>>,
}

/// A commit whose answer was lost, and what to do when it is found.
struct Unsure<T> {
    value: T,
    commit: Commit,
}

/// What a commit makes known.
struct Commit {
    draft: Draft,
    body: Body,
    learned: Option<Known>,
}

/// How a commit ended.
enum Committed {
    /// With that version of collections and settings, if it has changed them.
    Done(Option<u64>),
    Failed(StoreError),
    Unsure(Commit),
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
        // At a start, who waits wants to know.
        let mut conn = pool.take_now().await?;
        let key = options.encryption_key.as_deref();
        bootstrap::prepare(&mut conn, key).await?;
        let known = bootstrap::load(&mut conn, key).await?;
        drop(conn);
        Ok((pool, known))
    }

    /// An engine for what [`Engine::connect`] gave, which tells `shared` what it learns.
    pub(crate) fn over(pool: Pool, shared: &Arc<Shared>, options: &StoreOptions) -> Arc<Engine> {
        let member = Arc::new(Member::new(Arc::clone(&options.server_id)));
        let key = options.encryption_key.as_deref().map(Arc::from);
        let engine = Arc::new(Engine {
            pool,
            shared: Arc::clone(shared),
            collections: Collections::of(shared, &member, key),
            member,
            tasks: TaskTracker::new(),
            waiting: AtomicUsize::new(0),
            waiting_max: options.write_queue_max,
            order: Order::of(shared),
            attempts: AtomicI64::new(1),
            hold_max: options.hold_max,
        });
        follow(&engine);
        engine
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<Pooled, StoreError> {
        self.pool.take().await
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Whether there is nothing to wait for in [`Engine::present`].
    pub(crate) fn is_present(&self) -> bool {
        self.member.is_present()
    }

    /// Waits until what is known of collections and settings is what all servers work with.
    pub(crate) async fn present(&self) -> Result<(), StoreError> {
        self.member.present(self.hold_max).await
    }

    /// See [`crate::Store::write`]. Keeps `pass` until all is done.
    pub(crate) async fn write<T, E, F>(self: &Arc<Self>, work: F, pass: Pass) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Clone + Send + 'static,
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

    /// Runs `work` until it is done, or fails by itself.
    async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Clone + Send,
        E: From<StoreError>,
    {
        let begun = Instant::now();
        let (mut may_wait, mut attempts) = (true, 0);
        loop {
            attempts += 1;
            // What it leaves in the journal comes after that.
            let after = self.member.head();
            let mut attempt = self.attempt(work.clone(), may_wait).await;
            if let Some(Unsure { value, commit }) = attempt.unsure.take() {
                match self.find(&commit.draft, after).await {
                    Ok(Some(number)) => {
                        attempt.made = self.announce(commit, Some(number));
                        attempt.outcome = Ok(value);
                    }
                    Ok(None) => attempt.again = Some(Again::Lost),
                    Err(error) => warn!(error = format!("{error:#}"), "a commit was not found"),
                }
            }
            match attempt.again {
                None => return self.finished(attempt).await,
                Some(Again::Lost) if begun.elapsed() < self.hold_max => {
                    attempts = 0;
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                _ if attempts >= ATTEMPTS_MAX => return self.finished(attempt).await,
                Some(Again::Outdated) => self.catch_up().await,
                Some(Again::Conflict) => {}
                Some(Again::AtOnce) => may_wait = false,
                Some(Again::Lost) => return self.finished(attempt).await,
            }
        }
    }

    async fn attempt<T, E, F>(&self, work: F, may_wait: bool) -> Attempt<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let mut attempt = Attempt {
            outcome: Err(StoreError::Unknown.into()),
            again: None,
            made: None,
            unsure: None,
        };
        let conn = match self.connection_for_write().await {
            Ok(conn) => conn,
            Err(error) => return Attempt { outcome: Err(error.into()), ..attempt },
        };
        let (hold, known) = self.collections.hold().await;
        let mut tx = Tx::pooled(conn, &known, hold);
        tx.begin(may_wait);
        match work(&mut tx).await {
            Ok(value) => match self.commit(&mut tx).await {
                Committed::Done(made) => {
                    attempt.made = made;
                    attempt.outcome = Ok(value);
                }
                Committed::Failed(error) => attempt.outcome = Err(error.into()),
                Committed::Unsure(commit) => attempt.unsure = Some(Unsure { value, commit }),
            },
            Err(error) => {
                tx.roll_back().await;
                attempt.outcome = Err(error);
            }
        }
        // Also if `work` took the failure for one of its own.
        attempt.again = attempt.outcome.is_err().then(|| tx.again()).flatten();
        attempt
    }

    /// Looks for the entry of a commit whose answer was lost, once it is over, as far as that can be
    /// waited for. Without an entry it was undone.
    async fn find(&self, draft: &Draft, after: u64) -> Result<Option<u64>, StoreError> {
        let begun = Instant::now();
        // The first transaction that began later.
        let mut next = None;
        loop {
            match self.look_for(draft, after, &mut next).await {
                Ok(Some(found)) => return Ok(found),
                // It still runs, or the connection was one that is lost as well.
                Ok(None) | Err(StoreError::Unavailable(_)) if begun.elapsed() < self.hold_max => {}
                Ok(None) => return Err(StoreError::Unknown),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// `None` while the commit may still go on.
    async fn look_for(
        &self,
        draft: &Draft,
        after: u64,
        next: &mut Option<u64>,
    ) -> Result<Option<Option<u64>>, StoreError> {
        let mut conn = self.pool.take().await?;
        let (now, oldest) = journal::running(&mut conn).await?;
        if oldest < *next.get_or_insert(now) {
            return Ok(None);
        }
        journal::find(&mut conn, draft, after).await.map(Some)
    }

    /// Waits until other servers know of what was changed of collections and settings.
    async fn finished<T, E>(&self, attempt: Attempt<T, E>) -> Result<T, E> {
        if let Some(version) = attempt.made
            && self.shared.known().shared
            && let Err(error) = self.known_by_all(version).await
        {
            // It is done all the same, and who is behind refuses to write.
            warn!(error = format!("{error:#}"), "failed to wait for the other servers");
        }
        attempt.outcome
    }

    async fn commit(&self, tx: &mut Tx) -> Committed {
        let changes = tx.take_changes();
        if !tx.shared() || (changes.is_empty() && !tx.alters()) {
            // After all locks are held, and so after the commits that it had to wait for.
            let turn = self.order.turn();
            return match tx.commit(None).await.1 {
                Ok(()) => {
                    let made = self.learn_of(tx.learned());
                    turn.announce(changes);
                    Committed::Done(made)
                }
                Err(error) => Committed::Failed(error),
            };
        }
        let body = match changes.is_empty() {
            true => Body::Nothing,
            false => Body::Changes(changes.into()),
        };
        let draft = Draft {
            server: Arc::clone(&self.member.id),
            attempt: self.attempts.fetch_add(1, Ordering::Relaxed),
            version: tx.version_after(),
            text: body.write().into(),
        };
        let (number, committed) = tx.commit(Some(&draft)).await;
        let commit = Commit { draft, body, learned: tx.learned() };
        match committed {
            Ok(()) => Committed::Done(self.announce(commit, number)),
            Err(StoreError::Unknown) => Committed::Unsure(commit),
            Err(error) => {
                number.into_iter().for_each(|number| self.shared.tell(Own::Void(number)));
                Committed::Failed(error)
            }
        }
    }

    /// Makes known what a commit has done.
    fn announce(&self, commit: Commit, number: Option<u64>) -> Option<u64> {
        let Commit { draft, body, learned } = commit;
        let made = self.learn_of(learned);
        let entry = number.map(|number| draft.entry(number));
        self.shared.tell(Own::Written { entry, body });
        made
    }

    /// Makes visible what a commit has changed of collections and settings. Returns the version.
    fn learn_of(&self, learned: Option<Known>) -> Option<u64> {
        let known = learned?;
        let version = known.version;
        self.shared.learn(known);
        Some(version)
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
        if bootstrap::version(&mut conn).await?.0 > self.shared.known().version {
            let known = bootstrap::load(&mut conn, self.collections.encryption_key()).await?;
            self.shared.learn(known);
        }
        Ok(())
    }

    pub(super) fn closed(&self) -> bool {
        self.tasks.is_closed()
    }

    /// Waits for the writes that run, refuses what comes later, and closes the connections.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.leave().await;
        self.pool.close();
    }
}

/// Learns what servers change of collections and settings, until this is one itself or closed.
#[expect(clippy::disallowed_methods, reason = "it ends with the engine")]
fn follow(engine: &Arc<Engine>) {
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(engine) = engine.upgrade() else { return };
            if engine.closed() || engine.member.joined() {
                return;
            }
            if let Err(error) = engine.learn().await {
                // Who needs the database meanwhile says so.
                debug!(error = format!("{error:#}"), "failed to look for changed collections");
            }
        }
    });
}
