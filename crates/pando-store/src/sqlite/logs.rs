//! The logs of a data directory: the table `_logs` of `auxiliary.db`, which is PocketBase's.
//!
//! A row there costs as much as a request, mostly for the four indexes. So a thread of its own
//! writes them, for a small share of its time; what comes in faster is put aside as it is (a batch
//! is one row of a table without indexes) and made rows of `_logs` bit by bit: when there is less
//! to do, before somebody reads, and at the stop. The more is put aside the larger the share, so
//! nothing is lost unless the disk itself is too slow.
//!
//! Invariants: an entry is either aside or in `_logs`, also after a crash; entries become rows in
//! the order in which they came. After a clean stop the file is as PocketBase knows it.
//!
//! `synchronous=NORMAL`, unlike `data.db`: a power cut may cost the last seconds of the log.

mod pace;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection as Db, Transaction, TransactionBehavior};
use tokio::sync::oneshot;
use tracing::warn;

use self::pace::{ASIDE_BYTES_MAX, Pace};
use super::{Access, Reader, Readers, connect};
use crate::logs::{Batch, Entries, Form, TARGET};
use crate::{StoreError, StoreOptions, bootstrap};

/// Commands that may wait for the thread; there is one batch at a time.
const COMMANDS_MAX: usize = 16;

/// Connections that read logs: superusers only.
const READERS: usize = 2;

/// Pages in the write-ahead log from which on it is copied into the database. More than SQLite's
/// own 1,000, since each copy costs a sync, for which the records' disk waits, too.
const PAGES_BEFORE_BACK: i64 = 4_000;

/// Rows that one transaction deletes.
const ROWS_PER_DELETE: i64 = 5_000;

/// What a stop may take for entries that are still aside. Others wait for the next start.
const FOLD_AT_CLOSE_MAX: Duration = Duration::from_secs(5);

/// Where batches are put aside. It exists only while there are some.
const MAKE_ASIDE: &str = "CREATE TABLE IF NOT EXISTS `_pando_logs` (`id` INTEGER PRIMARY KEY, \
                          `entries` BLOB NOT NULL)";

const INSERT: &str = "INSERT OR IGNORE INTO `_logs` (`id`, `level`, `message`, `data`, `created`) \
                      VALUES (?, ?, ?, ?, ?)";

type Reply = oneshot::Sender<Result<(), StoreError>>;

enum Command {
    Write {
        batch: Batch,
        data_bytes_max: usize,
    },
    /// Leave nothing aside.
    Fold,
    Delete {
        until: String,
        below: Option<i64>,
    },
    Truncate,
    Optimize,
}

/// The file, ready to be used; the thread is not there yet.
pub(crate) struct LogFile {
    keeper: Keeper,
    options: StoreOptions,
}

impl LogFile {
    /// Opens the file, made if it does not exist.
    pub(crate) fn open(options: &StoreOptions) -> Result<LogFile, StoreError> {
        let db = connect(&path(options), Access::ReadWrite)?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "wal_autocheckpoint", PAGES_BEFORE_BACK)?;
        db.execute_batch(bootstrap::AUXILIARY_TABLES)?;
        Ok(LogFile { keeper: Keeper::over(db)?, options: options.clone() })
    }

    pub(crate) fn start(self) -> LogThread {
        let (commands, received) = mpsc::sync_channel(COMMANDS_MAX);
        let keeper = self.keeper;
        let thread = std::thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || keeper.run(&received))
            .expect("the system starts a thread");
        LogThread {
            commands: Mutex::new(Some(commands)),
            thread: Mutex::new(Some(thread)),
            options: self.options,
            readers: OnceLock::new(),
        }
    }
}

fn path(options: &StoreOptions) -> PathBuf {
    options.dir.join("auxiliary.db")
}

/// The thread that keeps the logs, and the connections to read them.
pub(crate) struct LogThread {
    commands: Mutex<Option<mpsc::SyncSender<(Command, Reply)>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    options: StoreOptions,
    /// Opened when first needed.
    readers: OnceLock<Readers>,
}

impl LogThread {
    pub(crate) async fn write(
        &self,
        batch: Batch,
        data_bytes_max: usize,
    ) -> Result<(), StoreError> {
        self.ask(Command::Write { batch, data_bytes_max }).await
    }

    /// A connection that sees all that was written.
    pub(crate) async fn read(&self) -> Result<Reader, StoreError> {
        self.ask(Command::Fold).await?;
        if self.readers.get().is_none() {
            let (wait, timeout) = (self.options.read_wait_max, self.options.query_timeout);
            let opened = Readers::open(&path(&self.options), READERS, wait, timeout)?;
            // Of two that were opened at once one is enough.
            let _ = self.readers.set(opened);
        }
        let readers = self.readers.get().expect("opened just now");
        // Nobody tells them when something was written.
        readers.renew();
        let reader = readers.take().await?;
        Ok(reader)
    }

    pub(crate) async fn delete(&self, until: String, below: Option<i64>) -> Result<(), StoreError> {
        self.ask(Command::Delete { until, below }).await
    }

    pub(crate) async fn truncate(&self) -> Result<(), StoreError> {
        self.ask(Command::Truncate).await
    }

    /// Copies the write-ahead log into the file.
    pub(crate) async fn optimize(&self) -> Result<(), StoreError> {
        self.ask(Command::Optimize).await
    }

    async fn ask(&self, command: Command) -> Result<(), StoreError> {
        if let Some(readers) = self.readers.get() {
            // Their snapshots would keep the write-ahead log from starting over.
            readers.renew();
        }
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (reply, outcome) = oneshot::channel();
        let sent = commands.ok_or(StoreError::Stopping)?.try_send((command, reply));
        sent.map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => StoreError::Busy,
            mpsc::TrySendError::Disconnected(_) => StoreError::Stopping,
        })?;
        outcome.await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Writes what is aside, as far as that goes soon, and ends the thread.
    pub(crate) async fn close(&self) {
        if let Some(readers) = self.readers.get() {
            readers.close();
        }
        drop(self.commands.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic in it has been told.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// What the thread works with.
struct Keeper {
    db: Db,
    aside: Aside,
    pace: Pace,
    /// Of the settings, as they were when entries came last.
    data_bytes_max: usize,
}

/// The batches that are put aside: their row ids and sizes, the oldest first.
#[derive(Default)]
struct Aside {
    batches: VecDeque<(i64, u64)>,
    bytes: u64,
}

impl Keeper {
    fn over(db: Db) -> Result<Keeper, StoreError> {
        let mut aside = Aside::default();
        // A crash leaves some behind.
        if db.table_exists(None, "_pando_logs")? {
            let mut found =
                db.prepare("SELECT id, length(entries) FROM `_pando_logs` ORDER BY id")?;
            let mut rows = found.query([])?;
            while let Some(row) = rows.next()? {
                let bytes: i64 = row.get(1)?;
                aside.push(row.get(0)?, u64::try_from(bytes).unwrap_or_default());
            }
        }
        let pace = Pace::new(Instant::now());
        Ok(Keeper { db, aside, pace, data_bytes_max: usize::MAX })
    }

    fn run(mut self, commands: &mpsc::Receiver<(Command, Reply)>) {
        loop {
            let received = match self.aside.batches.is_empty() {
                true => commands.recv().map_err(|_closed| mpsc::RecvTimeoutError::Disconnected),
                false => commands.recv_timeout(self.pace.rest(Instant::now())),
            };
            match received {
                Ok((command, reply)) => {
                    let outcome = self.perform(command);
                    // Nobody need wait for it.
                    let _ = reply.send(outcome);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.fold_one() {
                        warn!(target: TARGET, error = format!("{error:#}"), "log entries wait");
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    fn perform(&mut self, command: Command) -> Result<(), StoreError> {
        match command {
            Command::Write { batch, data_bytes_max } => {
                self.data_bytes_max = data_bytes_max;
                self.write(&batch)
            }
            Command::Fold => {
                while !self.aside.batches.is_empty() {
                    self.fold_one()?;
                }
                Ok(())
            }
            Command::Delete { until, below } => self.delete(&until, below),
            Command::Truncate => self.truncate(),
            Command::Optimize => self.write_back(),
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let begun = Instant::now();
        self.pace.came(batch.count, begun);
        if self.aside.batches.is_empty() && self.pace.rest(begun).is_zero() {
            let transaction = begin(&mut self.db)?;
            insert(&transaction, &batch.bytes, self.data_bytes_max)?;
            transaction.commit()?;
            self.pace.worked(begun, Instant::now(), 0);
            return Ok(());
        }
        if self.aside.bytes >= ASIDE_BYTES_MAX {
            return Err(StoreError::Busy);
        }
        let transaction = begin(&mut self.db)?;
        if self.aside.batches.is_empty() {
            transaction.execute(MAKE_ASIDE, [])?;
        }
        let text = "INSERT INTO `_pando_logs` (`entries`) VALUES (?)";
        transaction.prepare_cached(text)?.execute([&batch.bytes])?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        self.aside.push(id, batch.bytes.len() as u64);
        Ok(())
    }

    /// Makes rows of the oldest batch that is aside.
    fn fold_one(&mut self) -> Result<(), StoreError> {
        let Some((id, size)) = self.aside.batches.front().copied() else { return Ok(()) };
        let begun = Instant::now();
        let transaction = begin(&mut self.db)?;
        let text = "SELECT `entries` FROM `_pando_logs` WHERE `id` = ?";
        let bytes: Vec<u8> = transaction.prepare_cached(text)?.query_row([id], |row| row.get(0))?;
        insert(&transaction, &bytes, self.data_bytes_max)?;
        transaction.prepare_cached("DELETE FROM `_pando_logs` WHERE `id` = ?")?.execute([id])?;
        transaction.commit()?;
        self.aside.batches.pop_front();
        self.aside.bytes -= size;
        self.pace.worked(begun, Instant::now(), self.aside.bytes);
        Ok(())
    }

    fn delete(&mut self, until: &str, below: Option<i64>) -> Result<(), StoreError> {
        // No level is below that.
        let below = below.unwrap_or(i64::MIN);
        let text = "DELETE FROM `_logs` WHERE rowid IN (SELECT rowid FROM `_logs` \
                    WHERE `created` <= ? OR `level` < ? LIMIT ?)";
        loop {
            let mut statement = self.db.prepare_cached(text)?;
            if statement.execute((until, below, ROWS_PER_DELETE))? == 0 {
                return Ok(());
            }
        }
    }

    fn truncate(&mut self) -> Result<(), StoreError> {
        let transaction = begin(&mut self.db)?;
        transaction.execute_batch("DELETE FROM `_logs`; DROP TABLE IF EXISTS `_pando_logs`")?;
        transaction.commit()?;
        self.aside = Aside::default();
        Ok(self.db.execute_batch("VACUUM")?)
    }

    fn write_back(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }

    /// Leaves the file tidy.
    fn finish(mut self) {
        let begun = Instant::now();
        let outcome = self.finish_within(begun);
        if let Err(error) = outcome {
            warn!(target: TARGET, error = format!("{error:#}"), "failed to tidy up the logs");
        }
    }

    fn finish_within(&mut self, begun: Instant) -> Result<(), StoreError> {
        while !self.aside.batches.is_empty() && begun.elapsed() < FOLD_AT_CLOSE_MAX {
            self.fold_one()?;
        }
        if self.aside.batches.is_empty() {
            self.db.execute_batch("DROP TABLE IF EXISTS `_pando_logs`")?;
        }
        self.write_back()
    }
}

impl Aside {
    fn push(&mut self, id: i64, bytes: u64) {
        self.batches.push_back((id, bytes));
        self.bytes += bytes;
    }
}

fn begin(db: &mut Db) -> Result<Transaction<'_>, StoreError> {
    Ok(db.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Makes a row of each entry.
fn insert(
    transaction: &Transaction<'_>,
    bytes: &[u8],
    data_bytes_max: usize,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(INSERT)?;
    for entry in Entries::new(bytes, Form { data_bytes_max, server: None }) {
        let (id, level, created) = (&entry.id, entry.level, &entry.created);
        statement.execute((id, level, &entry.message, &entry.data, created))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
