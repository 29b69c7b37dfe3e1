//! The pool of reading connections.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Access, connect};
use crate::{Conn, StoreError};

/// Connections that are not in use, and permits for all of them.
#[derive(Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Conn>>>,
    permits: Arc<Semaphore>,
    wait_max: Duration,
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
                let mut conn = Conn::new(connect(path, Access::ReadOnly)?, query_timeout);
                conn.watch()?;
                Ok(conn)
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Readers {
            idle: Arc::new(Mutex::new(connections)),
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
        let conn = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = conn.expect("there are as many connections as permits");
        Ok(Reader { conn: Some(conn), idle: Arc::clone(&self.idle), _permit: permit })
    }

    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A reading connection, given back when dropped.
pub struct Reader {
    conn: Option<Conn>,
    idle: Arc<Mutex<Vec<Conn>>>,
    // Dropped after `drop` below gave the connection back, so a permit always finds one.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("taken only by drop")
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("taken only by drop")
    }
}
