//! The store in the SQLite files of a data directory.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::{Access, Connection, LogLength, Reader, Readers, Writer, WriterThread, connect};
use crate::store::{Known, Shared};
use crate::{Conn, StoreError, StoreOptions, Tx, TxFuture, bootstrap};

/// The writer and the readers of one data directory.
pub(crate) struct Engine {
    readers: Readers,
    writer: Mutex<Option<Arc<Writer>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Files that are open, before anybody works with them.
pub(crate) struct Opened {
    tx: Tx,
    readers: Readers,
    log: LogLength,
    group_max: usize,
    queue_max: usize,
}

impl Opened {
    /// Starts to serve from them.
    pub(crate) fn start(self, shared: &Arc<Shared>) -> Engine {
        let readers = self.readers;
        let thread = WriterThread {
            tx: self.tx,
            shared: Arc::clone(shared),
            readers: readers.clone(),
            log: self.log,
            group_max: self.group_max,
        };
        let (writer, thread) = Writer::start(thread, self.queue_max);
        let writer = Mutex::new(Some(Arc::new(writer)));
        Engine { readers, writer, thread: Mutex::new(Some(thread)) }
    }
}

impl Engine {
    /// Opens the files, made and filled if they are new. Returns what they hold, too.
    pub(crate) async fn open(options: &StoreOptions) -> Result<(Opened, Known), StoreError> {
        let path = options.dir.join("data.db");
        let mut db = connect(&path, Access::ReadWrite)?;
        let log = LogLength::of(&mut db)?;
        let mut conn: Conn = Connection::new(db, options.query_timeout).into();
        bootstrap::prepare(&mut conn, options).await?;
        let schema = Arc::new(bootstrap::load_schema(&mut conn).await?);
        let key = options.encryption_key.as_deref();
        let settings = Arc::new(bootstrap::load_settings(&mut conn, key).await?);
        let known = Known { schema, settings, version: 0 };
        let tx = Tx::own(conn, &known);
        let (wait, timeout) = (options.read_wait_max, options.query_timeout);
        let readers = Readers::open(&path, options.readers, wait, timeout)?;
        let (group_max, queue_max) = (options.group_max, options.write_queue_max);
        Ok((Opened { tx, readers, log, group_max, queue_max }, known))
    }

    /// A connection for a reader who knows that version of the schema.
    pub(crate) async fn read(&self, version: u64) -> Result<Reader, StoreError> {
        let mut reader = self.readers.take().await?;
        reader.sqlite().follow_schema(version);
        Ok(reader)
    }

    /// See [`crate::Store::write`]. Lets go of `permit` once all is done.
    pub(crate) async fn write<T, E, F, P>(&self, permit: P, work: F) -> Result<T, E>
    where
        P: Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match writer {
            Some(writer) => writer.run(permit, work).await,
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
