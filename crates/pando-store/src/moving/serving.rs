//! The gate of a running [`Store`].

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use super::gate::{ClosedGate, Gate, GateFuture, Home};
use crate::gate::Closed;
use crate::store::Engine;
use crate::{Store, StoreError, postgres, sqlite};

/// Lets the records of a store move while it serves.
pub struct StoreGate {
    store: Store,
    /// Connections live in the server's runtime, not in the mover's, which ends.
    runtime: Handle,
    prepared: Mutex<Option<Prepared>>,
}

/// Connections to the database that may take over.
enum Prepared {
    Sqlite(Box<sqlite::Opened>),
    Postgres {
        pool: postgres::Pool,
        /// How often collections and settings have changed there.
        version: u64,
    },
}

impl StoreGate {
    /// To be made in the runtime of the server.
    pub fn new(store: Store) -> StoreGate {
        StoreGate { store, runtime: Handle::current(), prepared: Mutex::new(None) }
    }
}

async fn prepare(store: Store, home: Home) -> Result<Prepared, StoreError> {
    let options = store.options();
    match home {
        Home::Sqlite => Ok(Prepared::Sqlite(Box::new(sqlite::Opened::open(options).await?))),
        Home::Postgres(url) => {
            let (pool, known) = postgres::Engine::connect(&url, options).await?;
            pool.warm().await?;
            Ok(Prepared::Postgres { pool, version: known.version })
        }
    }
}

impl Gate for StoreGate {
    fn serves(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, home: &'a Home) -> GateFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let prepared = prepare(self.store.clone(), home.clone());
            let prepared = self.runtime.spawn(prepared).await;
            let prepared = prepared.unwrap_or(Err(StoreError::Panicked))?;
            *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared);
            Ok(())
        })
    }

    fn close(&self) -> GateFuture<'_, Result<Box<dyn ClosedGate + '_>, StoreError>> {
        Box::pin(async {
            let closed = self.store.hold_writes().await?.ok_or(StoreError::Busy)?;
            Ok(Box::new(ClosedStore { gate: self, _closed: closed }) as Box<dyn ClosedGate + '_>)
        })
    }
}

struct ClosedStore<'a> {
    gate: &'a StoreGate,
    _closed: Closed,
}

impl ClosedGate for ClosedStore<'_> {
    fn switch(self: Box<Self>) {
        let StoreGate { store, prepared, .. } = self.gate;
        let prepared = prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prepared = prepared.expect("a move prepares before it closes the gate");
        let version = store.shared().known().version;
        let before = match prepared {
            Prepared::Sqlite(opened) => {
                store.change_engine(Engine::Sqlite(opened.start(store.shared())), version + 1)
            }
            Prepared::Postgres { pool, version } => {
                let engine = postgres::Engine::over(pool, store.shared(), store.options());
                store.change_engine(Engine::Postgres(engine), version)
            }
        };
        // Not closed: requests that began there may still wait for a connection. The last of them
        // takes the connections along.
        drop(before);
    }
}
