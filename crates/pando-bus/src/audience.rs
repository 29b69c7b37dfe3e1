//! Who attends: whether anybody on this server wants to know what servers write.
//!
//! Where nobody does, the bus brings no changes, so that writes cost no more with many servers.

use std::sync::Arc;

use tokio::sync::watch;

/// Those who attend, and whether the bus brings them everything. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Audience(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    count: usize,
    hears: bool,
}

/// A place in the audience, until it is dropped.
#[derive(Debug)]
pub struct Attendance(Audience);

impl Drop for Attendance {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.count -= 1);
    }
}

impl Audience {
    pub(crate) fn new() -> Audience {
        Audience(Arc::new(watch::Sender::default()))
    }

    /// Takes a place. What is written from then on is heard, once [`Audience::heard`] returns.
    pub(crate) fn enter(&self) -> Attendance {
        self.0.send_modify(|state| state.count += 1);
        Attendance(self.clone())
    }

    /// Waits until the bus brings everything.
    pub(crate) async fn heard(&self) {
        // The sender is this one.
        let _ = self.0.subscribe().wait_for(|state| state.hears).await;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().count == 0
    }

    /// From now on the bus brings everything.
    pub(crate) fn hears(&self) {
        self.0.send_modify(|state| state.hears = true);
    }

    /// From now on it need not: false if somebody attends.
    pub(crate) fn rests(&self) -> bool {
        let mut empty = false;
        self.0.send_if_modified(|state| {
            empty = state.count == 0;
            // Told to nobody if nothing changes by it: the bus itself listens.
            let ends = empty && state.hears;
            state.hears &= !ends;
            ends
        });
        empty
    }

    /// Whoever comes or goes from now on.
    pub(crate) fn changes(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}

/// Tells that somebody came or went.
pub(crate) struct Changes(watch::Receiver<State>);

impl Changes {
    pub(crate) async fn next(&mut self) {
        // The session has a sender too.
        let _ = self.0.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_rests_already_wakes_nobody() {
        let audience = Audience::new();
        audience.hears();
        let mut changes = audience.changes();
        assert!(audience.rests());
        changes.next().await;
        assert!(audience.rests());
        assert!(futures_util::poll!(std::pin::pin!(changes.next())).is_pending());
    }

    #[tokio::test]
    async fn nothing_is_silent_while_somebody_attends() {
        let audience = Audience::new();
        let one = audience.enter();
        assert!(!audience.rests());
        audience.hears();
        audience.heard().await;
        let two = audience.enter();
        drop(one);
        assert!(!audience.rests() && !audience.is_empty());
        drop(two);
        assert!(audience.is_empty() && audience.rests());
        let _three = audience.enter();
        let heard = std::pin::pin!(audience.heard());
        assert!(futures_util::poll!(heard).is_pending());
    }
}
