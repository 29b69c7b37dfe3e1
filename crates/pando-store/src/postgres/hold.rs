//! Writes and changes of collections in one process do not meet: a write holds collections and
//! settings as they are until it is over, a change waits until nobody does.
//!
//! Servers beside this one are kept apart by the version in `pando.state`: what theirs write by an
//! older one is begun anew.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::member::Member;
use crate::store::{Known, Shared};

/// What all transactions of an engine hold on to.
#[derive(Clone)]
pub(crate) struct Collections {
    lock: Arc<RwLock<()>>,
    running: Arc<Running>,
    encryption_key: Option<Arc<str>>,
}

/// The writes that run, by the version of collections and settings that they began with.
struct Running {
    shared: Arc<Shared>,
    member: Arc<Member>,
    by_version: Mutex<BTreeMap<u64, usize>>,
}

/// One transaction's hold.
pub(crate) struct Hold {
    guard: Guard,
    version: u64,
    collections: Collections,
}

enum Guard {
    None,
    WithOthers { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Collections {
    pub(super) fn of(
        shared: &Arc<Shared>,
        member: &Arc<Member>,
        encryption_key: Option<Arc<str>>,
    ) -> Collections {
        let (shared, member) = (Arc::clone(shared), Arc::clone(member));
        let running = Running { shared, member, by_version: Mutex::default() };
        Collections { lock: Arc::default(), running: Arc::new(running), encryption_key }
    }

    /// What the settings are encrypted with.
    pub(super) fn encryption_key(&self) -> Option<&str> {
        self.encryption_key.as_deref()
    }

    /// Holds them along with other writes, and says what they are. To be asked for by who has a
    /// connection already: who waits for one holds nothing.
    pub(crate) async fn hold(&self) -> (Hold, Arc<Known>) {
        let guard = Guard::WithOthers { _guard: Arc::clone(&self.lock).read_owned().await };
        let known = self.running.begin();
        (Hold { guard, version: known.version, collections: self.clone() }, known)
    }

    /// The version that nothing here is older than.
    pub(super) fn settled_version(&self) -> u64 {
        let by_version = self.running.lock();
        let known = self.running.shared.known().version;
        by_version.first_key_value().map_or(known, |(oldest, _)| known.min(*oldest))
    }
}

impl Running {
    /// Counts a write, and says what it works with.
    fn begin(&self) -> Arc<Known> {
        let mut by_version = self.lock();
        let known = self.shared.known();
        *by_version.entry(known.version).or_default() += 1;
        known
    }

    fn end(&self, version: u64) {
        let mut by_version = self.lock();
        if let Some(count) = by_version.get_mut(&version) {
            *count -= 1;
            if *count == 0 {
                by_version.remove(&version);
            }
        }
        if version < self.shared.known().version {
            // Another server may wait until nobody works with that one.
            self.member.nudge();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.by_version.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Waits until no other transaction holds them, and says what they are then. To be asked for
    /// before anything is locked in the database.
    pub(crate) async fn alone(&mut self) -> Arc<Known> {
        self.guard = Guard::None;
        let guard = Arc::clone(&self.collections.lock).write_owned().await;
        self.guard = Guard::Alone { _guard: guard };
        self.collections.running.shared.known()
    }

    pub(crate) fn encryption_key(&self) -> Option<Arc<str>> {
        self.collections.encryption_key.clone()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.collections.running.end(self.version);
    }
}
