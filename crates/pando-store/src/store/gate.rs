//! What a move needs of a running store: to hold writes for a moment, and to change engines.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::OwnedRwLockWriteGuard;

use super::{Known, Opened, Store};
use crate::StoreError;
use crate::moving::{ClosedGate, Gate, GateFuture, Home};

/// Moves a running store to another engine.
pub struct StoreGate {
    store: Store,
    /// The server's: what the other engine starts must outlive the mover's.
    runtime: Handle,
    prepared: Prepared,
}

type Prepared = Arc<Mutex<Option<(Opened, Known)>>>;

impl Store {
    /// What a mover needs of this store. To be called on the server's runtime.
    pub fn move_gate(&self) -> StoreGate {
        StoreGate { store: self.clone(), runtime: Handle::current(), prepared: Arc::default() }
    }
}

impl Gate for StoreGate {
    fn prepare<'a>(&'a self, home: &'a Home) -> GateFuture<'a, Result<(), StoreError>> {
        let (home, options) = (home.clone(), Arc::clone(&self.store.options));
        let opening = self.runtime.spawn(async move { Opened::open(&home, &options).await });
        Box::pin(async move {
            let opened = opening.await.map_err(|_panicked| StoreError::Panicked)??;
            *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
            Ok(())
        })
    }

    fn close(&self) -> GateFuture<'_, Result<Box<dyn ClosedGate>, StoreError>> {
        Box::pin(async move {
            let closed = StoreClosed {
                store: self.store.clone(),
                runtime: self.runtime.clone(),
                prepared: Arc::clone(&self.prepared),
                _alone: Arc::clone(&self.store.gate).write_owned().await,
            };
            Ok(Box::new(closed) as Box<dyn ClosedGate>)
        })
    }
}

struct StoreClosed {
    store: Store,
    runtime: Handle,
    prepared: Prepared,
    _alone: OwnedRwLockWriteGuard<()>,
}

impl ClosedGate for StoreClosed {
    fn switch(self: Box<Self>) {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((opened, there)) = prepared else {
            unreachable!("the mover prepares before it closes the gate");
        };
        let here = self.store.shared.known();
        // Both sides know the same, but each counts its changes in its own way.
        let version = match opened {
            Opened::Postgres(_) => there.version,
            Opened::Sqlite(_) => here.version + 1,
        };
        let (schema, settings) = (Arc::clone(&here.schema), Arc::clone(&here.settings));
        let _entered = self.runtime.enter();
        let engine = opened.start(&self.store.shared);
        self.store.shared.replace(Known { schema, settings, version });
        let before = self.store.engine.swap(Arc::new(engine));
        // Those who read from it now have what they need of it.
        self.runtime.spawn(async move { before.close().await });
    }
}
