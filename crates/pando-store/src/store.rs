//! The store: opens a data directory, hands out connections to read with and runs writes, on
//! either engine.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pando_schema::{Schema, Settings};
use tokio::sync::{broadcast, watch};

use crate::gate::{Closed, WriteGate};
use crate::journal::{Body, Own};
use crate::moving::{self, Home};
use crate::{Change, Conn, StoreError, StoreOptions, Tx, TxFuture, bootstrap, postgres, sqlite};

/// Commits that a slow watcher may be behind before it is told that it missed some.
const COMMITS_BEHIND_MAX: usize = 4096;

/// The records, collections and settings of one application. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// Another one once the records have moved.
    engine: Arc<ArcSwap<Engine>>,
    /// Counts how often.
    moves: watch::Sender<u64>,
    gate: WriteGate,
    options: Arc<StoreOptions>,
    /// Held while the process uses the directory.
    _lock: Arc<File>,
}

/// Where the records are.
pub(crate) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(Arc<postgres::Engine>),
}

/// Collections and settings as of one moment.
pub(crate) struct Known {
    pub(crate) schema: Arc<Schema>,
    pub(crate) settings: Arc<Settings>,
    /// Grows with each change of them.
    pub(crate) version: u64,
    /// Whether other servers want to know what is written here.
    pub(crate) shared: bool,
}

/// What every request sees without asking the database.
pub(crate) struct Shared {
    known: ArcSwap<Known>,
    written: broadcast::Sender<Own>,
}

impl Shared {
    pub(crate) fn new(known: Known) -> Arc<Shared> {
        let written = broadcast::Sender::new(COMMITS_BEHIND_MAX);
        Arc::new(Shared { known: ArcSwap::from_pointee(known), written })
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Makes what a commit has changed of collections and settings visible, unless something newer
    /// is visible already.
    pub(crate) fn learn(&self, known: Known) {
        let known = Arc::new(known);
        self.known.rcu(|current| {
            Arc::clone(if known.version > current.version { &known } else { current })
        });
    }

    /// Replaces all that is known, as that of another database.
    fn replace(&self, known: Known) {
        self.known.store(Arc::new(known));
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Own> {
        self.written.subscribe()
    }

    /// Tells all who watch what a commit has changed that nobody else need know of.
    pub(crate) fn announce(&self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.tell(Own::Written { entry: None, body: Body::Changes(changes.into()) });
        }
    }

    /// Tells all who watch.
    pub(crate) fn tell(&self, own: Own) {
        // Nobody watching is fine.
        let _ = self.written.send(own);
    }
}

impl Store {
    /// Opens the data directory, made and filled like a fresh PocketBase one if it is new, or the
    /// database that `options` names or that its records were moved to.
    ///
    /// Fails with `InUse` while another process has the directory open, with `Home` if the
    /// directory and `options` do not go together.
    pub async fn open(options: &StoreOptions) -> Result<Store, StoreError> {
        let lock = bootstrap::lock(&options.dir)?;
        let configured = options.database.as_ref().map(|database| database.url.as_str());
        let marker = moving::read_marker(&options.dir, options.encryption_key.as_deref())?;
        let decision = moving::decide(&marker, configured)?;
        let (shared, engine) = match &decision.home {
            Home::Sqlite => {
                let (shared, engine) = sqlite::Engine::open(options).await?;
                (shared, Engine::Sqlite(engine))
            }
            Home::Postgres(url) => {
                moving::check_home(url, decision.move_id.as_deref()).await?;
                let (shared, engine) = postgres::Engine::open(url, options).await?;
                (shared, Engine::Postgres(engine))
            }
        };
        Ok(Store {
            shared,
            engine: Arc::new(ArcSwap::from_pointee(engine)),
            moves: watch::Sender::new(0),
            gate: WriteGate::default(),
            options: Arc::new(options.clone()),
            _lock: Arc::new(lock),
        })
    }

    /// The collections as of the last commit.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.shared.known.load().schema)
    }

    /// The settings as of the last commit.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.shared.known.load().settings)
    }

    /// The key that settings are encrypted with when stored.
    pub fn encryption_key(&self) -> Option<Arc<str>> {
        self.options.encryption_key.as_deref().map(Arc::from)
    }

    /// What this process writes from now on, a commit at a time: in commit order, but for what has
    /// an entry in the journal, whose number tells the order.
    pub fn written(&self) -> broadcast::Receiver<Own> {
        self.shared.watch()
    }

    /// A connection to read with. It sees all that is committed now. Fails with `Busy` when none
    /// gets free in time.
    ///
    /// On SQLite it sees nothing later for as long as it is held; on PostgreSQL, each statement
    /// sees what is committed when it begins.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(match &*self.engine.load_full() {
            Engine::Sqlite(engine) => {
                Held::Sqlite(engine.read(self.shared.known.load().version).await?)
            }
            Engine::Postgres(engine) => Held::Postgres(Box::pin(engine.read()).await?),
        }))
    }

    /// Runs `work` in a transaction and returns its outcome once it is durable. An `Err` from
    /// `work` undoes all that it wrote. Where other writes or a change of collections come in
    /// between, it is undone and begun anew, so `work` is cloned. The work goes on if the caller stops waiting, so a
    /// dropped client connection never leaves a commit half way.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let StoreOptions { read_wait_max, write_queue_max, .. } = *self.options;
        let pass = self.gate.enter(read_wait_max, write_queue_max).await?;
        // Only now: while the gate was closed it may have changed.
        match &*self.engine.load_full() {
            Engine::Sqlite(engine) => {
                let outcome = engine.write(work).await;
                drop(pass);
                outcome
            }
            // In a box, so that callers are no larger for it: next to a round trip that is nothing.
            Engine::Postgres(engine) => Box::pin(engine.write(work, pass)).await,
        }
    }

    /// How many writes wait for their turn.
    pub fn writes_waiting(&self) -> usize {
        let begun = match &**self.engine.load() {
            Engine::Sqlite(engine) => engine.writes_waiting(),
            Engine::Postgres(engine) => engine.writes_waiting(),
        };
        begun + self.gate.waiting()
    }

    /// Finishes what was begun, refuses what comes later, and tidies up. Idempotent.
    pub async fn close(&self) {
        match &*self.engine.load_full() {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
        }
    }

    /// How it was opened.
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// The same, for a moment.
    pub(crate) fn engine_now(&self) -> arc_swap::Guard<Arc<Engine>> {
        self.engine.load()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Holds all writes. `None` if somebody else does.
    ///
    /// Writes of SQLite whose requests have gone may still be in the queue: one that is put behind
    /// them is answered when they are on disk.
    pub(crate) async fn hold_writes(&self) -> Result<Option<Closed>, StoreError> {
        let Some(closed) = self.gate.close().await else { return Ok(None) };
        if let Engine::Sqlite(engine) = &*self.engine.load_full() {
            engine.write(|_tx| Box::pin(std::future::ready(Ok::<(), StoreError>(())))).await?;
        }
        Ok(Some(closed))
    }

    /// Works with another engine from now on, whose collections and settings are those that are
    /// known, with that version. Returns the one until now. Writes must be held.
    pub(crate) fn change_engine(&self, engine: Engine, version: u64) -> Arc<Engine> {
        let known = self.shared.known();
        let (schema, settings) = (Arc::clone(&known.schema), Arc::clone(&known.settings));
        self.shared.replace(Known { schema, settings, version, shared: false });
        let before = self.engine.swap(Arc::new(engine));
        self.moves.send_modify(|count| *count += 1);
        before
    }

    /// Changes when the records have moved to another database.
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.moves.subscribe()
    }
}

/// A connection to read with, given back when dropped.
pub struct Reader(Held);

enum Held {
    Sqlite(sqlite::Reader),
    Postgres(postgres::Pooled),
}

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match &self.0 {
            Held::Sqlite(reader) => reader,
            Held::Postgres(pooled) => pooled,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        match &mut self.0 {
            Held::Sqlite(reader) => reader,
            Held::Postgres(pooled) => pooled,
        }
    }
}
