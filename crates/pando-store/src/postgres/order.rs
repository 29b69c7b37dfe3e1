//! Brings the announcements of commits into an order.
//!
//! A transaction takes its turn once it has all locks that it needs, right before it commits. One
//! that had to wait for another's lock gets a later turn than that one, so changes of one record
//! have turns in the order of their commits. Announcements wait for all earlier turns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Change;
use crate::store::Shared;

pub(super) struct Order {
    shared: Arc<Shared>,
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    next: u64,
    /// The first that is not over.
    first: u64,
    /// Those that are over although earlier ones are not.
    over: BTreeMap<u64, Vec<Change>>,
}

/// One transaction's place in the order; over when dropped.
pub(super) struct Turn<'a> {
    order: &'a Order,
    number: u64,
    changes: Vec<Change>,
}

impl Order {
    pub(super) fn of(shared: &Arc<Shared>) -> Order {
        Order { shared: Arc::clone(shared), turns: Mutex::default() }
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let number = turns.next;
        turns.next += 1;
        Turn { order: self, number, changes: Vec::new() }
    }
}

impl Turn<'_> {
    /// Tells what the commit has changed, as soon as all earlier turns are over.
    pub(super) fn announce(mut self, changes: Vec<Change>) {
        self.changes = changes;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Announced under the lock, so that nobody comes in between.
        let mut turns = self.order.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.over.insert(self.number, std::mem::take(&mut self.changes));
        loop {
            let first = turns.first;
            let Some(changes) = turns.over.remove(&first) else { break };
            turns.first += 1;
            self.order.shared.announce(changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;
    use crate::store::Known;
    use pando_schema::{Collection, CollectionKind, Record, Schema, Settings};

    fn change() -> Vec<Change> {
        let kind = CollectionKind::Base;
        let collection = Arc::new(Collection::new(kind, "posts", "", &mut rand::rng()));
        vec![Change { action: Action::Create, record: Arc::new(Record::new(collection)) }]
    }

    #[test]
    fn later_turns_wait_for_earlier_ones_even_if_those_fail() {
        let (schema, settings) = (Arc::new(Schema::new([])), Arc::new(Settings::initial()));
        let shared = Shared::new(Known { schema, settings, version: 1, shared: false });
        let mut watcher = shared.watch();
        let order = Order::of(&shared);
        let (first, second, third) = (order.turn(), order.turn(), order.turn());
        third.announce(change());
        second.announce(change());
        assert!(watcher.try_recv().is_err());
        drop(first);
        assert!(watcher.try_recv().is_ok() && watcher.try_recv().is_ok());
        order.turn().announce(change());
        assert!(watcher.try_recv().is_ok());
    }
}
