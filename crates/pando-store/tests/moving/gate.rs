//! A server's gate, without the server: writers take it as a read lock.

use std::sync::{Arc, Mutex};

use pando_store::StoreError;
use pando_store::moving::{ClosedGate, Gate, GateFuture, Home};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

#[derive(Clone)]
pub(crate) struct TestGate(Arc<Inner>);

struct Inner {
    writes: Arc<RwLock<()>>,
    prepared: Mutex<Option<Home>>,
    home: Mutex<Home>,
}

impl TestGate {
    pub(crate) fn new() -> TestGate {
        TestGate(Arc::new(Inner {
            writes: Arc::default(),
            prepared: Mutex::new(None),
            home: Mutex::new(Home::Sqlite),
        }))
    }

    /// Where to write to, for as long as the guard is held.
    pub(crate) async fn enter(&self) -> (Home, OwnedRwLockReadGuard<()>) {
        let guard = Arc::clone(&self.0.writes).read_owned().await;
        (self.home(), guard)
    }

    pub(crate) fn home(&self) -> Home {
        self.0.home.lock().unwrap().clone()
    }
}

impl Gate for TestGate {
    fn serves(&self) -> bool {
        false
    }

    fn prepare<'a>(&'a self, home: &'a Home) -> GateFuture<'a, Result<(), StoreError>> {
        *self.0.prepared.lock().unwrap() = Some(home.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn close(&self) -> GateFuture<'_, Result<Box<dyn ClosedGate + '_>, StoreError>> {
        Box::pin(async {
            let guard = Arc::clone(&self.0.writes).write_owned().await;
            let closed: Box<dyn ClosedGate> =
                Box::new(Closed { inner: Arc::clone(&self.0), _guard: guard });
            Ok(closed)
        })
    }
}

struct Closed {
    inner: Arc<Inner>,
    _guard: OwnedRwLockWriteGuard<()>,
}

impl ClosedGate for Closed {
    fn switch(self: Box<Self>) {
        let prepared = self.inner.prepared.lock().unwrap().clone().unwrap();
        *self.inner.home.lock().unwrap() = prepared;
    }
}
