//! Writes and changes of collections in one process do not meet: a write holds collections and
//! settings as they are until it is over, a change waits until nobody does.
//!
//! Servers beside this one are kept apart by the version in `pando.state`: theirs fail with
//! `Outdated` where ours wait.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::store::{Known, Shared};

/// What all transactions of an engine hold on to.
#[derive(Clone)]
pub(crate) struct Collections {
    lock: Arc<RwLock<()>>,
    shared: Arc<Shared>,
    encryption_key: Option<Arc<str>>,
}

/// One transaction's hold.
pub(crate) struct Hold {
    collections: Collections,
    guard: Guard,
}

enum Guard {
    None,
    WithOthers { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Collections {
    pub(crate) fn of(shared: &Arc<Shared>, encryption_key: Option<Arc<str>>) -> Collections {
        Collections { lock: Arc::default(), shared: Arc::clone(shared), encryption_key }
    }

    /// What the settings are encrypted with.
    pub(super) fn encryption_key(&self) -> Option<&str> {
        self.encryption_key.as_deref()
    }

    /// Holds them along with other writes, and says what they are. To be asked for by who has a
    /// connection already: who waits for one holds nothing.
    pub(crate) async fn hold(&self) -> (Hold, Arc<Known>) {
        let guard = Guard::WithOthers { _guard: Arc::clone(&self.lock).read_owned().await };
        (Hold { collections: self.clone(), guard }, self.shared.known())
    }
}

impl Hold {
    /// Waits until no other transaction holds them, and says what they are then. To be asked for
    /// before anything is locked in the database.
    pub(crate) async fn alone(&mut self) -> Arc<Known> {
        self.guard = Guard::None;
        let guard = Arc::clone(&self.collections.lock).write_owned().await;
        self.guard = Guard::Alone { _guard: guard };
        self.collections.shared.known()
    }

    pub(crate) fn encryption_key(&self) -> Option<Arc<str>> {
        self.collections.encryption_key.clone()
    }
}
