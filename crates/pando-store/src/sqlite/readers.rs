//! The pool of reading connections.
//!
//! A connection keeps its snapshot of the database from one request to the next, since to take
//! one costs two system calls and a lock that all connections meet at, more than a read by id.
//! Invariants: a request never sees an older state than the last commit before it asked for its
//! connection; no idle connection holds a snapshot that is no longer the newest, which would keep
//! the write-ahead log from starting over.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use super::{Access, Connection, connect};
use crate::{Conn, StoreError};

/// How long a snapshot is good for if nothing is written here, so that what other programs write
/// into the file shows up, too.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_millis(100);

/// Connections that are not in use, and permits for all of them.
#[derive(Clone)]
pub(crate) struct Readers {
    pool: Arc<Pool>,
    permits: Arc<Semaphore>,
    wait_max: Duration,
}

struct Pool {
    idle: Mutex<Vec<Pooled>>,
    /// Which snapshots are the newest ones; counts commits and checkpoints.
    generation: AtomicU64,
}

struct Pooled {
    conn: Conn,
    snapshot: Option<Snapshot>,
}

/// A read transaction that is open.
struct Snapshot {
    generation: u64,
    since: Instant,
}

impl Readers {
    pub(crate) fn open(
        path: &Path,
        count: usize,
        wait_max: Duration,
        query_timeout: Duration,
    ) -> Result<Readers, StoreError> {
        let connections = (0..count)
            .map(|_| {
                let mut connection =
                    Connection::new(connect(path, Access::ReadOnly)?, query_timeout);
                connection.watch()?;
                Ok(Pooled { conn: connection.into(), snapshot: None })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Readers {
            pool: Arc::new(Pool { idle: Mutex::new(connections), generation: AtomicU64::new(0) }),
            permits: Arc::new(Semaphore::new(count)),
            wait_max,
        })
    }

    /// A connection of the caller's own, until dropped. Fails with `Busy` when none gets free in
    /// time, with `Stopping` after `close`.
    pub(crate) async fn take(&self) -> Result<Reader, StoreError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(tokio::sync::TryAcquireError::Closed) => return Err(StoreError::Stopping),
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                let wait = Arc::clone(&self.permits).acquire_owned();
                match tokio::time::timeout(self.wait_max, wait).await {
                    Ok(permit) => permit.map_err(|_closed| StoreError::Stopping)?,
                    Err(_elapsed) => return Err(StoreError::Busy),
                }
            }
        };
        let pooled = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let pooled = pooled.expect("there are as many connections as permits");
        let pool = Arc::clone(&self.pool);
        let mut reader = Reader { pooled: Some(pooled), pool, _permit: permit };
        let generation = self.pool.generation.load(Ordering::Acquire);
        if let Some(pooled) = &mut reader.pooled {
            pooled.see(generation)?;
        }
        Ok(reader)
    }

    /// Ends the snapshots of idle connections, since there is a newer one or the write-ahead log
    /// starts over. To be called by the writer after each commit, before it is acknowledged.
    pub(crate) fn renew(&self) {
        self.pool.generation.fetch_add(1, Ordering::Release);
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter_mut().for_each(Pooled::end_snapshot);
    }

    pub(crate) fn close(&self) {
        self.permits.close();
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Pooled {
    /// Sees to it that what is read from now on is as new as `generation`.
    fn see(&mut self, generation: u64) -> Result<(), StoreError> {
        let current = self.snapshot.as_ref().is_some_and(|snapshot| {
            snapshot.generation == generation && snapshot.since.elapsed() < SNAPSHOT_AGE_MAX
        });
        let current = current && self.conn.sqlite().in_transaction();
        if !current {
            self.end_snapshot();
            self.conn.sqlite().statement("BEGIN")?;
            self.snapshot = Some(Snapshot { generation, since: Instant::now() });
        }
        Ok(())
    }

    fn end_snapshot(&mut self) {
        self.snapshot = None;
        if !self.conn.sqlite().in_transaction() {
            return;
        }
        if let Err(error) = self.conn.sqlite().statement("COMMIT") {
            warn!(error = format!("{error:#}"), "failed to end a read transaction");
        }
    }
}

/// A reading connection, given back when dropped.
pub(crate) struct Reader {
    pooled: Option<Pooled>,
    pool: Arc<Pool>,
    // Dropped after `drop` below gave the connection back, so a permit always finds one.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(mut pooled) = self.pooled.take() else { return };
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: `renew` counts first and looks at the idle ones then.
        let generation = self.pool.generation.load(Ordering::Acquire);
        if pooled.snapshot.as_ref().is_some_and(|snapshot| snapshot.generation != generation) {
            pooled.end_snapshot();
        }
        idle.push(pooled);
    }
}

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.pooled.as_ref().expect("taken only by drop").conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.pooled.as_mut().expect("taken only by drop").conn
    }
}
