//! The store: opens a data directory, hands out connections to read with and runs writes, on
//! either engine.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pando_schema::{Schema, Settings};
use tokio::sync::{RwLock, broadcast};

use crate::moving::{Home, decide, read_marker};
use crate::{
    Change, Conn, Database, StoreError, StoreOptions, Tx, TxFuture, bootstrap, postgres, sqlite,
};

/// Commits that a slow watcher may be behind before it is told that it missed some.
const COMMITS_BEHIND_MAX: usize = 4096;

/// Connections to a database server where nothing says how many.
const CONNECTIONS_USUAL: usize = 20;

/// The records, collections and settings of one application. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    engine: Arc<ArcSwap<Engine>>,
    /// Held shared by each write, and alone while the engine is changed.
    gate: Arc<RwLock<()>>,
    options: Arc<StoreOptions>,
    /// Held while the process uses the directory.
    _lock: Arc<File>,
}

/// Where the records are.
enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(Arc<postgres::Engine>),
}

/// An engine before it serves.
enum Opened {
    Sqlite(Box<sqlite::Opened>),
    Postgres(postgres::Opened),
}

impl Opened {
    async fn open(home: &Home, options: &StoreOptions) -> Result<(Opened, Known), StoreError> {
        match home {
            Home::Sqlite => {
                let (opened, known) = sqlite::Engine::open(options).await?;
                Ok((Opened::Sqlite(Box::new(opened)), known))
            }
            Home::Postgres(url) => {
                let configured = options.database.as_ref();
                let connections = configured.map_or(CONNECTIONS_USUAL, |given| given.connections);
                let database = Database { url: url.clone(), connections };
                let (opened, known) = postgres::Engine::open(&database, options).await?;
                Ok((Opened::Postgres(opened), known))
            }
        }
    }

    fn start(self, shared: &Arc<Shared>) -> Engine {
        match self {
            Opened::Sqlite(opened) => Engine::Sqlite(opened.start(shared)),
            Opened::Postgres(opened) => Engine::Postgres(opened.start(shared)),
        }
    }
}

/// Collections and settings as of one moment.
pub(crate) struct Known {
    pub(crate) schema: Arc<Schema>,
    pub(crate) settings: Arc<Settings>,
    /// Grows with each change of them.
    pub(crate) version: u64,
}

/// What every request sees without asking the database.
pub(crate) struct Shared {
    known: ArcSwap<Known>,
    changes: broadcast::Sender<Arc<[Change]>>,
}

impl Shared {
    pub(crate) fn new(known: Known) -> Arc<Shared> {
        let changes = broadcast::Sender::new(COMMITS_BEHIND_MAX);
        Arc::new(Shared { known: ArcSwap::from_pointee(known), changes })
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

    /// Makes visible what another engine holds.
    fn replace(&self, known: Known) {
        self.known.store(Arc::new(known));
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<[Change]>> {
        self.changes.subscribe()
    }

    /// Tells all who watch what a commit has changed.
    pub(crate) fn announce(&self, changes: Vec<Change>) {
        if !changes.is_empty() {
            // Nobody watching is fine.
            let _ = self.changes.send(changes.into());
        }
    }
}

impl Store {
    /// Opens the data directory, made and filled like a fresh PocketBase one if it is new, or the
    /// database that `options` names.
    ///
    /// Fails with `InUse` while another process has the directory open.
    pub async fn open(options: &StoreOptions) -> Result<Store, StoreError> {
        let lock = bootstrap::lock(&options.dir)?;
        let configured = options.database.as_ref().map(|database| database.url.as_str());
        let decision = decide(&read_marker(&options.dir)?, configured)?;
        let (opened, known) = Opened::open(&decision.home, options).await?;
        let shared = Shared::new(known);
        Ok(Store {
            engine: Arc::new(ArcSwap::from_pointee(opened.start(&shared))),
            shared,
            gate: Arc::default(),
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

    /// All changes from now on, a commit at a time, in commit order.
    pub fn changes(&self) -> broadcast::Receiver<Arc<[Change]>> {
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
            Engine::Postgres(engine) => Held::Postgres(engine.read().await?),
        }))
    }

    /// Runs `work` in a transaction and returns its outcome once it is durable. An `Err` from
    /// `work` undoes all that it wrote. The work goes on if the caller stops waiting, so a
    /// dropped client connection never leaves a commit half way.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.gate).read_owned().await;
        match &*self.engine.load_full() {
            Engine::Sqlite(engine) => engine.write(permit, work).await,
            Engine::Postgres(engine) => engine.write(permit, work).await,
        }
    }

    /// How many writes wait for their turn.
    pub fn writes_waiting(&self) -> usize {
        match &*self.engine.load_full() {
            Engine::Sqlite(engine) => engine.writes_waiting(),
            Engine::Postgres(engine) => engine.writes_waiting(),
        }
    }

    /// Finishes what was begun, refuses what comes later, and tidies up. Idempotent.
    pub async fn close(&self) {
        self.engine.load_full().close().await;
    }
}

impl Engine {
    async fn close(&self) {
        match self {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
        }
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

mod gate;
pub use gate::StoreGate;
