//! A store as one of several servers on a database.
//!
//! On SQLite there is only one, and all of this is easy.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::postgres::{Link, Notes, Pulse};
use crate::store::Engine;
use crate::{Store, StoreError};

impl Store {
    /// What the others call this server.
    pub fn server_id(&self) -> &Arc<str> {
        &self.options().server_id
    }

    /// Takes a place among the servers on the database, who from now on wait for this one when
    /// they change collections, and leave in the journal what they write. Idempotent.
    pub async fn join(&self) -> Result<(), StoreError> {
        match &*self.engine() {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(engine) => engine.join().await,
        }
    }

    /// Waits until collections and settings are known as all servers work with them, which they
    /// mostly are. To be asked before they are used. Fails with `Unavailable` when the database
    /// does not answer.
    pub async fn present(&self) -> Result<(), StoreError> {
        match &**self.engine_now() {
            Engine::Sqlite(_) => Ok(()),
            // In boxes, so that callers are no larger for it: all of this is rare.
            Engine::Postgres(engine) if !engine.is_present() => Box::pin(engine.present()).await,
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Knows collections and settings of that version, or later ones, once it returns.
    pub async fn catch_up_with(&self, version: u64) -> Result<(), StoreError> {
        match &*self.engine() {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(engine) => engine.catch_up_with(version).await,
        }
    }

    /// Learns what other servers have changed of collections and settings, if it is not known yet.
    /// Returns whether there was anything.
    pub async fn catch_up(&self) -> Result<bool, StoreError> {
        match &*self.engine() {
            Engine::Sqlite(_) => Ok(false),
            Engine::Postgres(engine) => {
                let before = self.version();
                Box::pin(engine.learn()).await?;
                Ok(self.version() != before)
            }
        }
    }

    /// Of collections and settings.
    pub fn version(&self) -> u64 {
        self.shared().known().version
    }

    /// Whether other servers want to know what is written here.
    pub fn shared_with_others(&self) -> bool {
        self.shared().known().shared
    }

    /// What the looks at the database tell, twice a second; `None` on SQLite.
    pub fn pulse(&self) -> Option<watch::Receiver<Pulse>> {
        match &*self.engine() {
            Engine::Sqlite(_) => None,
            Engine::Postgres(engine) => Some(engine.pulse()),
        }
    }

    /// A connection to the journal, and the notifications that come on it; `None` on SQLite.
    pub async fn link(&self) -> Result<Option<(Link, Notes)>, StoreError> {
        match &*self.engine() {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(engine) => engine.link().await.map(Some),
        }
    }

    /// Whether this server is the one to do a chore whose time is `due`, a number that grows: true
    /// once for each, whichever server asks.
    pub async fn claim(&self, chore: &'static str, due: i64) -> Result<bool, StoreError> {
        match &*self.engine() {
            Engine::Sqlite(_) => Ok(true),
            Engine::Postgres(engine) => Box::pin(engine.claim(chore, due)).await,
        }
    }

    /// Counts that something happened, for all servers together, in a window of time that begins
    /// with the first time. Returns how often, and how long the window still lasts. `None` where
    /// this server is alone: it may count for itself.
    pub async fn count(
        &self,
        key: &str,
        window: Duration,
    ) -> Result<Option<(u64, Duration)>, StoreError> {
        match &*self.engine() {
            Engine::Postgres(engine) if self.shared_with_others() => {
                Box::pin(engine.count(key, window)).await.map(Some)
            }
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(None),
        }
    }

    /// Begins a new window with the next time that it happens.
    pub async fn forget_count(&self, key: &str) -> Result<(), StoreError> {
        match &*self.engine() {
            Engine::Postgres(engine) if self.shared_with_others() => {
                Box::pin(engine.forget_count(key)).await
            }
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(()),
        }
    }
}
