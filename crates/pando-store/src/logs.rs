//! Logs: what requests and the process itself leave behind, for superusers to read.
//!
//! A request writes some hundred bytes into memory and goes on ([`Logs::push`]). From there they
//! are brought to the database together, every second or when there are many
//! ([`Store::write_logs`]): on SQLite to `auxiliary.db` (`sqlite/logs.rs`), on PostgreSQL to a table
//! that all servers write to and read (`postgres/logs.rs`). After a move they go to the new place;
//! those of before stay where they are.
//!
//! Invariants: nothing waits for logs but who reads them; what does not fit into memory, or cannot
//! be written, is dropped and counted; an entry is written once, however often it is tried.
//!
//! Source: PocketBase `core/base.go` (`initLogger`), `tools/logger/batch_handler.go`.

mod data;
mod entry;
mod read;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

pub(crate) use entry::{Entries, Entry};
pub use entry::{MessageEntry, RequestEntry};
pub use read::{LogReader, LogRow, log_table};

use crate::store::Engine;
use crate::{Store, StoreError};

/// How long an entry waits for others. PocketBase waits for three seconds; several servers read what
/// the others have written, so they would show less of each other.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// From that size on entries wait no longer: more than ten thousand, which few servers answer in a
/// second. So the database hears from each about once a second.
const WRITE_AT_BYTES: usize = 4 * 1024 * 1024;

/// What waits in memory at most, while the database takes nothing. The same again may be on its way.
const PENDING_BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () =
    assert!(WRITE_AT_BYTES < PENDING_BYTES_MAX, "there must be room while they are written");

/// PocketBase's default of `settings.logs.maxDataSize`.
const DATA_BYTES_DEFAULT: usize = 16 * 1024;

/// The target of what logging itself has to say: `pando_runtime::log` knows that it must not become
/// entries, which would fail again.
pub(crate) const TARGET: &str = "pando::logs";

/// Entries on their way to the database. One for each [`Store`].
pub struct Logs {
    pending: Mutex<Pending>,
    /// There are many.
    many: Notify,
    /// What is being written, or waits for another try.
    writing: tokio::sync::Mutex<Batch>,
    written: AtomicU64,
    dropped: AtomicU64,
    /// Whether the database did not take them the last time.
    waits: AtomicBool,
}

struct Pending {
    batch: Batch,
    /// Tells entries of one millisecond apart.
    number: u32,
}

/// Entries one after the other.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) count: u64,
}

/// What decides how entries are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form<'a> {
    /// Larger data are cut.
    pub(crate) data_bytes_max: usize,
    /// The name of this server, where there may be several.
    pub(crate) server: Option<&'a str>,
}

impl Logs {
    pub(crate) fn new() -> Logs {
        Logs {
            pending: Mutex::new(Pending { batch: Batch::default(), number: rand::random() }),
            many: Notify::new(),
            writing: tokio::sync::Mutex::default(),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            waits: AtomicBool::new(false),
        }
    }

    /// Keeps an entry about a request. Never waits; if there is no room, it is dropped and counted.
    pub fn push(&self, entry: &RequestEntry<'_>) {
        self.push_with(|number, bytes| entry.write(number, bytes));
    }

    /// The same for an entry of the process.
    pub fn push_message(&self, entry: &MessageEntry<'_>) {
        self.push_with(|number, bytes| entry.write(number, bytes));
    }

    fn push_with(&self, write: impl FnOnce(u32, &mut Vec<u8>)) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pending.batch.bytes.len();
        if before >= PENDING_BYTES_MAX {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        pending.number = pending.number.wrapping_add(1);
        let Pending { batch, number } = &mut *pending;
        write(*number, &mut batch.bytes);
        batch.count += 1;
        let after = batch.bytes.len();
        drop(pending);
        if before < WRITE_AT_BYTES && after >= WRITE_AT_BYTES {
            self.many.notify_one();
        }
    }

    /// Waits until it is time to write.
    pub async fn due(&self) {
        let _ = tokio::time::timeout(WRITE_EVERY, self.many.notified()).await;
    }

    /// How many entries were given to the database, and how many were dropped.
    pub fn counts(&self) -> (u64, u64) {
        (self.written.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }

    pub(crate) fn take(&self) -> Batch {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut pending.batch)
    }

    #[cfg(test)]
    fn put_back(&self, batch: Batch) {
        self.pending.lock().unwrap().batch = batch;
    }

    /// Notes that entries could not be written.
    fn dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

impl Store {
    /// Where entries are put.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Brings the entries that wait to the database. If that is not there now, they wait on.
    pub async fn write_logs(&self) {
        let mut writing = self.logs.writing.lock().await;
        if writing.count == 0 {
            *writing = self.logs.take();
        }
        if writing.count == 0 {
            return;
        }
        let count = writing.count;
        match self.write_batch(&mut writing).await {
            Ok(()) => {
                self.logs.written.fetch_add(count, Ordering::Relaxed);
                self.logs.waits.store(false, Ordering::Relaxed);
            }
            Err(error) if writing.count > 0 && error.is_passing() => {
                if !self.logs.waits.swap(true, Ordering::Relaxed) {
                    warn!(target: TARGET, error = format!("{error:#}"), "log entries wait");
                }
                return;
            }
            Err(error) => {
                self.logs.dropped(count);
                warn!(target: TARGET, error = format!("{error:#}"), count, "log entries dropped");
            }
        }
        *writing = Batch::default();
    }

    async fn write_batch(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let data_bytes_max = self.data_bytes_max();
        match &*self.engine() {
            // Taken out: the thread does its work also if nobody waits for it any more.
            Engine::Sqlite(engine) => {
                engine.logs().write(std::mem::take(batch), data_bytes_max).await
            }
            Engine::Postgres(engine) => {
                let server = Some(&**self.server_id());
                engine.write_logs(batch, Form { data_bytes_max, server }).await
            }
        }
    }

    fn data_bytes_max(&self) -> usize {
        match usize::try_from(self.settings().logs.max_data_size) {
            Ok(0) | Err(_) => DATA_BYTES_DEFAULT,
            Ok(size) => size,
        }
    }

    /// A connection that sees all entries of this server until now, and those of others that they
    /// have written.
    pub async fn read_logs(&self) -> Result<LogReader, StoreError> {
        if let Engine::Postgres(engine) = &*self.engine() {
            // Waits for a server that is away for a moment; writing does not.
            drop(engine.read().await?);
        }
        self.write_logs().await;
        Ok(LogReader::over(match &*self.engine() {
            Engine::Sqlite(engine) => engine.logs().read().await?.into(),
            Engine::Postgres(engine) => engine.read().await?.into(),
        }))
    }

    /// Deletes the entries that were made until then, and those below that level.
    pub async fn delete_logs(&self, until: &str, below: Option<i64>) -> Result<(), StoreError> {
        match &*self.engine() {
            Engine::Sqlite(engine) => engine.logs().delete(until.to_owned(), below).await,
            Engine::Postgres(engine) => engine.delete_logs(until, below).await,
        }
    }

    /// Deletes all entries and gives their room back to the system.
    pub async fn truncate_logs(&self) -> Result<(), StoreError> {
        self.write_logs().await;
        match &*self.engine() {
            Engine::Sqlite(engine) => engine.logs().truncate().await,
            Engine::Postgres(engine) => engine.truncate_logs().await,
        }
    }
}

#[cfg(test)]
mod tests;
