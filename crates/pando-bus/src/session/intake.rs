//! What this server has written and what it is told, on the way to watchers.

use std::sync::Arc;

use pando_store::journal::{Body, Entry, Own};
use pando_store::postgres::Link;
use pando_store::{Store, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;

use super::{Known, Session};
use crate::feed::Feed;
use crate::note::{Told, unpack};
use crate::{Changes, Event};

impl Session {
    pub(super) fn take_own(&mut self, own: Result<Own, RecvError>) {
        match own {
            Ok(Own::Written { entry: None, body }) => {
                let from = Arc::clone(self.store.server_id());
                self.tell(event_of(from, body));
            }
            Ok(Own::Written { entry: Some(entry), body }) => {
                let from = Arc::clone(&entry.server);
                match &mut self.feed {
                    Some(feed) => feed.put(entry.number, Known::Own { from, body }),
                    None => self.tell(event_of(from, body)),
                }
                self.outbox.put(entry);
            }
            Ok(Own::Void(number)) => {
                if let Some(feed) = &mut self.feed {
                    feed.skip(number);
                }
                self.outbox.void(number);
            }
            Err(RecvError::Lagged(commits)) => {
                warn!(commits, "the bus fell behind");
                self.tell(Event::Missed);
            }
            // The store is gone, and so will this be.
            Err(RecvError::Closed) => {}
        }
    }

    pub(super) async fn take_note(
        &mut self,
        link: &mut Link,
        note: &str,
    ) -> Result<(), StoreError> {
        for told in unpack(note, self.store.server_id()) {
            match (told, &mut self.feed) {
                (Told::Attends, _) => self.outbox.is_attended(),
                (Told::Entry(entry), Some(feed)) => feed.put(entry.number, Known::Told(entry)),
                (Told::Known(number), Some(feed)) => feed.reaches(number),
                (Told::Void(number), Some(feed)) => drop(feed.skip(number)),
                (Told::Entry(entry), None) => self.take_call(&entry).await?,
                (Told::Known(number), None) => {
                    for entry in link.entries(number, number).await? {
                        self.take_call(&entry).await?;
                    }
                }
                (Told::Void(_), None) => {}
            }
        }
        Ok(())
    }

    /// Takes an entry out of turn, as nobody minds who wants to know no changes.
    async fn take_call(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.store.catch_up_with(entry.version).await?;
        self.tell(event_of_entry(entry, &self.store));
        Ok(())
    }

    /// Gives out what has its turn.
    pub(super) async fn give_out(&mut self) -> Result<(), StoreError> {
        self.head = self.feed.as_ref().map_or(0, Feed::head).max(self.head);
        while let Some(known) = self.feed.as_mut().and_then(Feed::first) {
            let event = match known {
                Known::Own { from, body } => event_of(Arc::clone(from), body.clone()),
                Known::Told(entry) => {
                    self.store.catch_up_with(entry.version).await?;
                    event_of_entry(entry, &self.store)
                }
            };
            if let Some(feed) = &mut self.feed {
                feed.pop();
            }
            self.tell(event);
        }
        Ok(())
    }

    /// Tells all watchers, if there is something to tell.
    pub(super) fn tell(&self, event: impl Into<Option<Event>>) {
        let Some(event) = event.into() else { return };
        if matches!(event, Event::Message { .. }) || !self.audience.is_empty() {
            // Nobody watching is fine.
            let _ = self.events.send(event);
        }
    }
}

fn event_of(from: Arc<str>, body: Body) -> Option<Event> {
    match body {
        Body::Changes(changes) => Some(Event::Changes(Changes::Own(changes))),
        Body::Message(text) => Some(Event::Message { from, text }),
        Body::TooMany => Some(Event::Missed),
        Body::Nothing => None,
    }
}

/// Changes are not read yet: mostly nobody wants to know.
fn event_of_entry(entry: &Entry, store: &Store) -> Option<Event> {
    if entry.tells_changes() {
        return Some(Event::Changes(Changes::Entry(entry.clone(), store.schema())));
    }
    match Body::read(&entry.text, &store.schema()) {
        Ok(body) => event_of(Arc::clone(&entry.server), body),
        Err(error) => {
            warn!(entry = entry.number, error = %error, "watchers must look again");
            Some(Event::Missed)
        }
    }
}
