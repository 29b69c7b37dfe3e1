//! How many connections may be in use at once: as many as the operator wants, or as many as the
//! server turned out to have.
//!
//! Requests take their places in the order in which they came.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::StoreError;

/// How long a server that was full is taken to be full.
const FULL_FOR: Duration = Duration::from_secs(10);

pub(super) struct Room {
    places: Arc<Semaphore>,
    wanted: usize,
    /// How many of the wanted places the server does not have.
    lacking: AtomicUsize,
    /// When that was last seen.
    seen: Mutex<Instant>,
}

/// The right to use one connection, given back when dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Room {
    pub(super) fn new(wanted: usize) -> Room {
        Room {
            places: Arc::new(Semaphore::new(wanted)),
            wanted,
            lacking: AtomicUsize::new(0),
            seen: Mutex::new(Instant::now()),
        }
    }

    /// Waits for a place. Fails with `Busy` after `within`, with `Stopping` after `close`.
    pub(super) async fn enter(&self, within: Duration) -> Result<Place, StoreError> {
        if self.lacking.load(Ordering::Relaxed) > 0 {
            self.look_again();
        }
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(within, place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(StoreError::Stopping),
            Err(_elapsed) => Err(StoreError::Busy),
        }
    }

    /// The server had no connection for this place. False if it has none at all: then there is
    /// nothing to wait for.
    pub(super) fn lacks(&self, place: Place) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lacking.load(Ordering::Relaxed) + 1 >= self.wanted {
            return false;
        }
        place.forget();
        self.lacking.fetch_add(1, Ordering::Relaxed);
        *seen = Instant::now();
        true
    }

    /// Whoever took the server's connections may have given them back by now.
    fn look_again(&self) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.elapsed() >= FULL_FOR {
            self.places.add_permits(self.lacking.swap(0, Ordering::Relaxed));
        }
    }

    pub(super) fn close(&self) {
        self.places.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[tokio::test]
    async fn there_is_as_much_room_as_the_server_has() {
        let room = Room::new(3);
        let first = room.enter(AT_ONCE).await.unwrap();
        for _ in 0..2 {
            assert!(room.lacks(room.enter(AT_ONCE).await.unwrap()));
        }
        assert!(matches!(room.enter(AT_ONCE).await, Err(StoreError::Busy)));
        drop(first);
        let only = room.enter(AT_ONCE).await.unwrap();
        assert!(!room.lacks(only), "one place is always tried");
        let only = room.enter(AT_ONCE).await.unwrap();

        // Later, all are tried again.
        *room.seen.lock().unwrap() -= FULL_FOR;
        let others = [room.enter(AT_ONCE).await, room.enter(AT_ONCE).await];
        assert!(others.iter().all(Result::is_ok));
        assert!(matches!(room.enter(AT_ONCE).await, Err(StoreError::Busy)));
        drop((only, others));
        room.close();
        assert!(matches!(room.enter(AT_ONCE).await, Err(StoreError::Stopping)));
    }
}
