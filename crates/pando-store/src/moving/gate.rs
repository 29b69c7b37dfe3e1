//! What a move needs of the running server: to hold writes for a moment, and to change engines.

use std::future::Future;
use std::pin::Pin;

use crate::StoreError;

/// A future in a box, which need not outlive what it was made from.
pub type GateFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the data is at home.
#[derive(Clone, PartialEq, Eq)]
pub enum Home {
    /// `data.db` in the data directory.
    Sqlite,
    /// The PostgreSQL database at this URL.
    Postgres(String),
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password in it.
        f.write_str(match self {
            Home::Sqlite => "Sqlite",
            Home::Postgres(_) => "Postgres",
        })
    }
}

/// The writes of a running server.
///
/// It is called from a thread and an async runtime of the mover's own.
pub trait Gate: Send + Sync {
    /// Whether a server is behind it.
    fn serves(&self) -> bool;

    /// Makes ready what is to serve from `home`: connections are opened and tried now, so that
    /// `switch` has nothing to wait for. May be called several times.
    fn prepare<'a>(&'a self, home: &'a Home) -> GateFuture<'a, Result<(), StoreError>>;

    /// Waits until no write runs. None begins until what it returns is dropped: writes that come
    /// meanwhile wait, and do not fail.
    fn close(&self) -> GateFuture<'_, Result<Box<dyn ClosedGate + '_>, StoreError>>;
}

/// Writes are held while this lives.
pub trait ClosedGate: Send {
    /// From now on everything is served from what was prepared last; writes go on there. Cannot
    /// fail: it comes after the decision.
    fn switch(self: Box<Self>);
}

/// The gate of a directory that nobody serves from: there is nothing to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unserved;

impl Gate for Unserved {
    fn serves(&self) -> bool {
        false
    }

    fn prepare<'a>(&'a self, _home: &'a Home) -> GateFuture<'a, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn close(&self) -> GateFuture<'_, Result<Box<dyn ClosedGate + '_>, StoreError>> {
        Box::pin(std::future::ready(Ok(Box::new(Unserved) as Box<dyn ClosedGate>)))
    }
}

impl ClosedGate for Unserved {
    fn switch(self: Box<Self>) {}
}
