//! What servers on one database tell each other: what each has written, and messages.
//!
//! The journal in the database says what there is to know, and in which order. The bus brings it
//! sooner: by PostgreSQL's notifications, or by NATS. What it loses is found in the journal, since
//! entries are numbered. A server that is alone has no journal and needs no bus.
//!
//! Invariants: every watcher gets every entry, once and in the order of the journal, or learns by
//! [`Event::Missed`] that it must look for itself. Losing the bus costs time, no event.

mod feed;
mod note;
mod repair;
mod session;
mod transport;

use std::sync::Arc;

use pando_schema::Schema;
use pando_store::journal::{Body, Entry, MESSAGE_BYTES_MAX};
use pando_store::{Change, Store};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use transport::BusOptions;

/// Events that a slow watcher may be behind before it is told that it missed some.
const EVENTS_BEHIND_MAX: usize = 4_096;

/// Messages that wait to be sent; one more is refused.
const MESSAGES_WAITING_MAX: usize = 4_096;

/// What a watcher gets to know.
#[derive(Debug, Clone)]
pub enum Event {
    /// What a commit has changed, on whichever server.
    Changes(Changes),
    /// What a server has told the others, this one included.
    Message {
        /// The server that tells it.
        from: Arc<str>,
        text: Arc<str>,
    },
    /// Something that nobody can tell any more. Whoever relies on events must look for himself.
    Missed,
}

/// What a commit has changed, read only if somebody wants to know.
#[derive(Debug, Clone)]
pub enum Changes {
    /// By this server.
    Own(Arc<[Change]>),
    /// By another one: the entry, and the collections that it is to be read with.
    Entry(Entry, Arc<Schema>),
}

impl Changes {
    /// The changes; `None` if they cannot be told, so that who relies on them must look for himself.
    pub fn read(&self) -> Option<Arc<[Change]>> {
        match self {
            Changes::Own(changes) => Some(Arc::clone(changes)),
            Changes::Entry(entry, schema) => match Body::read(&entry.text, schema) {
                Ok(Body::Changes(changes)) => Some(changes),
                Ok(_) => None,
                Err(error) => {
                    warn!(entry = entry.number, error = %error, "watchers must look again");
                    None
                }
            },
        }
    }
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("too many messages wait to be sent")]
    Busy,
    #[error("a message of {0} bytes is too large")]
    TooLarge(usize),
    #[error("the message could not be written")]
    Failed(#[source] Arc<pando_store::StoreError>),
    #[error("stopping")]
    Stopping,
}

/// The way from this server to the others and back. Clones share it.
#[derive(Clone)]
pub struct Bus {
    events: broadcast::Sender<Event>,
    messages: mpsc::Sender<Outgoing>,
}

/// A message on its way.
struct Outgoing {
    text: Arc<str>,
    sent: oneshot::Sender<Result<(), SendError>>,
}

impl Bus {
    /// A bus for the servers on the database of `store`, and the work that drives it: to be run
    /// until it ends, some time after `stopping`.
    pub fn new(
        store: Store,
        options: BusOptions,
        stopping: CancellationToken,
    ) -> (Bus, impl Future<Output = anyhow::Result<()>> + Send) {
        let events = broadcast::Sender::new(EVENTS_BEHIND_MAX);
        let (messages, outgoing) = mpsc::channel(MESSAGES_WAITING_MAX);
        // From now on, so that nothing is missed before the work begins.
        let written = store.written();
        let bus = Bus { events: events.clone(), messages };
        let session = session::Session::new(store, options, events, written, outgoing);
        (bus, session.run(stopping))
    }

    /// What happens from now on.
    pub fn watch(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Sends a text to all servers. It is on its way, for good, once this returns.
    pub async fn send(&self, text: impl Into<Arc<str>>) -> Result<(), SendError> {
        let text = text.into();
        if text.len() > MESSAGE_BYTES_MAX {
            return Err(SendError::TooLarge(text.len()));
        }
        let (sent, outcome) = oneshot::channel();
        self.messages.try_send(Outgoing { text, sent }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => SendError::Busy,
            mpsc::error::TrySendError::Closed(_) => SendError::Stopping,
        })?;
        outcome.await.unwrap_or(Err(SendError::Stopping))
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}
