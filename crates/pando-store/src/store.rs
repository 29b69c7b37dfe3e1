//! The store: opens a data directory, hands out readers and runs writes.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use pando_schema::{Schema, Settings};
use tokio::sync::broadcast;

use crate::sqlite::{Access, LogLength, Reader, Readers, Writer, WriterThread, connect};
use crate::{Change, Conn, StoreError, StoreOptions, Tx, TxFuture, bootstrap};

/// Commits that a slow watcher may be behind before it is told that it missed some.
const COMMITS_BEHIND_MAX: usize = 4096;

/// The records, collections and settings of one application. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    readers: Readers,
    writer: Arc<Mutex<Option<Arc<Writer>>>>,
    writer_thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    encryption_key: Option<Arc<str>>,
    /// Held while the process uses the directory.
    _lock: Arc<File>,
}

/// What every request sees without asking the database.
pub(crate) struct Shared {
    pub(crate) schema: ArcSwap<Schema>,
    pub(crate) settings: ArcSwap<Settings>,
    /// Counts how often the schema was replaced.
    schema_version: AtomicU64,
    changes: broadcast::Sender<Arc<[Change]>>,
}

impl Shared {
    /// Makes a commit visible: first what the process holds in memory, then the announcement.
    pub(crate) fn publish(&self, tx: &Tx, changes: Vec<Change>) {
        if !Arc::ptr_eq(&tx.schema, &self.schema.load()) {
            // First, so that who sees the new schema gets a reader that follows it.
            self.schema_version.fetch_add(1, Ordering::Release);
            self.schema.store(Arc::clone(&tx.schema));
        }
        if !Arc::ptr_eq(&tx.settings, &self.settings.load()) {
            self.settings.store(Arc::clone(&tx.settings));
        }
        if !changes.is_empty() {
            // Nobody watching is fine.
            let _ = self.changes.send(changes.into());
        }
    }
}

impl Store {
    /// Opens the data directory, made and filled like a fresh PocketBase one if it is new.
    ///
    /// Fails with `InUse` while another process has it open.
    pub async fn open(options: &StoreOptions) -> Result<Store, StoreError> {
        let lock = bootstrap::lock(&options.dir)?;
        let path = options.dir.join("data.db");
        let mut db = connect(&path, Access::ReadWrite)?;
        let log = LogLength::of(&mut db)?;
        let mut conn = Conn::new(db, options.query_timeout);
        bootstrap::prepare(&mut conn, options).await?;
        let schema = Arc::new(bootstrap::load_schema(&mut conn).await?);
        let key = options.encryption_key.as_deref();
        let settings = Arc::new(bootstrap::load_settings(&mut conn, key).await?);
        let shared = Arc::new(Shared {
            schema: ArcSwap::new(Arc::clone(&schema)),
            settings: ArcSwap::new(Arc::clone(&settings)),
            schema_version: AtomicU64::new(0),
            changes: broadcast::Sender::new(COMMITS_BEHIND_MAX),
        });
        let (wait, timeout) = (options.read_wait_max, options.query_timeout);
        let readers = Readers::open(&path, options.readers, wait, timeout)?;
        let thread = WriterThread {
            tx: Tx::new(conn, schema, settings),
            shared: Arc::clone(&shared),
            readers: readers.clone(),
            log,
            group_max: options.group_max,
        };
        let (writer, thread) = Writer::start(thread, options.write_queue_max);
        Ok(Store {
            shared,
            readers,
            writer: Arc::new(Mutex::new(Some(Arc::new(writer)))),
            writer_thread: Arc::new(Mutex::new(Some(thread))),
            encryption_key: options.encryption_key.as_deref().map(Arc::from),
            _lock: Arc::new(lock),
        })
    }

    /// The collections as of the last commit.
    pub fn schema(&self) -> Arc<Schema> {
        self.shared.schema.load_full()
    }

    /// The settings as of the last commit.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared.settings.load_full()
    }

    /// The key that settings are encrypted with when stored.
    pub fn encryption_key(&self) -> Option<Arc<str>> {
        self.encryption_key.clone()
    }

    /// All changes from now on, a commit at a time, in commit order.
    pub fn changes(&self) -> broadcast::Receiver<Arc<[Change]>> {
        self.shared.changes.subscribe()
    }

    /// A connection to read with. It sees all that is committed now, and nothing later for as long
    /// as it is held. Fails with `Busy` when none gets free in time.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        let mut reader = self.readers.take().await?;
        reader.follow_schema(self.shared.schema_version.load(Ordering::Acquire));
        Ok(reader)
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
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match writer {
            Some(writer) => writer.run(work).await,
            None => Err(E::from(StoreError::Stopping)),
        }
    }

    /// How many writes wait for their turn.
    pub fn writes_waiting(&self) -> usize {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().map_or(0, |writer| writer.waiting())
    }

    /// Finishes what is queued, refuses what comes later, and tidies the files up. Blocks until
    /// the writer is done. Idempotent.
    pub fn close(&self) {
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer_thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It catches panics of the work it runs, so there is nothing to report.
            let _ = thread.join();
        }
        self.readers.close();
    }
}
