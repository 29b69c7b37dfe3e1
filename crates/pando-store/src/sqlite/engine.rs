//! The store in the SQLite files of a data directory.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::{Access, Connection, LogLength, Reader, Readers, Writer, WriterThread, connect};
use crate::store::{Known, Shared};
use crate::{Conn, StoreError, StoreOptions, Tx, TxFuture, bootstrap};

/// The connections to the files, with which nobody works yet.
pub(crate) struct Opened {
    conn: Conn,
    readers: Readers,
    log: LogLength,
    group_max: usize,
    write_queue_max: usize,
}

impl Opened {
    /// Opens the files, made and filled if they are new.
    pub(crate) async fn open(options: &StoreOptions) -> Result<Opened, StoreError> {
        let path = options.dir.join("data.db");
        let mut db = connect(&path, Access::ReadWrite)?;
        let log = LogLength::of(&mut db)?;
        let mut conn: Conn = Connection::new(db, options.query_timeout).into();
        bootstrap::prepare(&mut conn, options).await?;
        let (wait, timeout) = (options.read_wait_max, options.query_timeout);
        let readers = Readers::open(&path, options.readers, wait, timeout)?;
        let StoreOptions { group_max, write_queue_max, .. } = *options;
        Ok(Opened { conn, readers, log, group_max, write_queue_max })
    }

    /// Starts the writer. What `shared` knows must be what the files hold.
    pub(crate) fn start(self, shared: &Arc<Shared>) -> Engine {
        let thread = WriterThread {
            tx: Tx::own(self.conn, &shared.known()),
            shared: Arc::clone(shared),
            readers: self.readers.clone(),
            log: self.log,
            group_max: self.group_max,
        };
        let (writer, thread) = Writer::start(thread, self.write_queue_max);
        let writer = Mutex::new(Some(Arc::new(writer)));
        Engine { readers: self.readers, writer, thread: Mutex::new(Some(thread)) }
    }
}

/// The writer and the readers of one data directory.
pub(crate) struct Engine {
    readers: Readers,
    writer: Mutex<Option<Arc<Writer>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the files, made and filled if they are new.
    pub(crate) async fn open(options: &StoreOptions) -> Result<(Arc<Shared>, Engine), StoreError> {
        let mut opened = Opened::open(options).await?;
        let schema = Arc::new(bootstrap::load_schema(&mut opened.conn).await?);
        let key = options.encryption_key.as_deref();
        let settings = Arc::new(bootstrap::load_settings(&mut opened.conn, key).await?);
        let shared = Shared::new(Known { schema, settings, version: 0, shared: false });
        let engine = opened.start(&shared);
        Ok((shared, engine))
    }

    /// A connection for a reader who knows that version of the schema.
    pub(crate) async fn read(&self, version: u64) -> Result<Reader, StoreError> {
        let mut reader = self.readers.take().await?;
        reader.sqlite().follow_schema(version);
        Ok(reader)
    }

    /// See [`crate::Store::write`].
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
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

    pub(crate) fn writes_waiting(&self) -> usize {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().map_or(0, |writer| writer.waiting())
    }

    /// Finishes what is queued, refuses what comes later, and tidies the files up.
    pub(crate) async fn close(&self) {
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It catches panics of the work it runs, so there is nothing to report.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.readers.close();
    }
}
