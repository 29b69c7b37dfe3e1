//! A connection of its own to the journal: reads and writes entries, and carries notifications.
//!
//! Source: PostgreSQL's documentation, NOTIFY and LISTEN. Notifications come only while somebody
//! listens, and may get lost with the connection: the journal is what counts.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_postgres::AsyncMessage;

use super::journal;
use super::pool::Connector;
use crate::journal::{Body, Entry, Own};
use crate::{Conn, StoreError};

/// What one notification may carry, by PostgreSQL's documentation less than 8,000 bytes.
pub const NOTE_BYTES_MAX: usize = 7_900;

/// Notifications that nobody has taken yet; more are dropped, as if they had got lost.
const NOTES_MAX: usize = 1_024;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A connection to the journal.
pub struct Link {
    conn: Conn,
    server: Arc<str>,
}

/// The notifications that come on it.
pub struct Notes(mpsc::Receiver<String>);

impl Notes {
    /// The next one; `None` once the connection is lost.
    pub async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }
}

impl Link {
    pub(super) async fn connect(
        connector: &Connector,
        server: Arc<str>,
    ) -> Result<(Link, Notes), StoreError> {
        let (sender, notes) = mpsc::channel(NOTES_MAX);
        let connecting = connector.connect_with_notes(sender);
        let mut conn: Conn = within(connecting).await?.into();
        // What it writes need not survive a crash of the database: nobody waits for it then.
        within(conn.batch("SET synchronous_commit = off")).await?;
        Ok((Link { conn, server }, Notes(notes)))
    }

    /// Takes notifications of that channel from now on.
    pub async fn listen(&mut self, channel: &'static str) -> Result<(), StoreError> {
        within(self.conn.batch(&format!("LISTEN {channel}"))).await
    }

    /// Sends a text of at most [`NOTE_BYTES_MAX`] to all who listen.
    pub async fn notify(&mut self, channel: &'static str, text: &str) -> Result<(), StoreError> {
        let mut sql = self.conn.sql();
        sql.push("SELECT pg_notify('").push(channel).push("', ").bind(text).push(")::text");
        within(self.conn.rows(&sql)).await.map(drop)
    }

    /// The entries from `first` to `last` that are there, in their order; not all if they are many.
    pub async fn entries(&mut self, first: u64, last: u64) -> Result<Vec<Entry>, StoreError> {
        within(journal::read(&mut self.conn, first, last)).await
    }

    /// The number that the journal gave last, and up to which one entries are gone.
    pub async fn ends(&mut self) -> Result<(u64, u64), StoreError> {
        within(journal::ends(&mut self.conn)).await
    }

    /// A name for the servers on this database that no others have.
    pub async fn cluster(&mut self) -> Result<String, StoreError> {
        within(journal::cluster(&mut self.conn)).await
    }

    /// The first transaction that has not begun yet, and the first that is not over: numbers that
    /// the journal gave to those before both are final.
    pub async fn running(&mut self) -> Result<(u64, u64), StoreError> {
        within(journal::running(&mut self.conn)).await
    }

    /// Deletes the entries up to `last`.
    pub async fn shorten(&mut self, last: u64) -> Result<(), StoreError> {
        within(journal::shorten(&mut self.conn, last)).await
    }

    /// Writes a message to other servers.
    pub async fn send(&mut self, version: u64, message: Arc<str>) -> Result<Own, StoreError> {
        let body = Body::Message(message);
        let server = Arc::clone(&self.server);
        let draft = journal::Draft { server, attempt: 0, version, text: body.write().into() };
        let number = within(journal::append(&mut self.conn, &draft)).await?;
        Ok(Own::Written { entry: Some(draft.entry(number)), body })
    }
}

async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(ANSWER_WITHIN, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("it does not answer".to_owned())))
}

/// Runs what sends and receives for a client, and hands its notifications on.
#[expect(clippy::disallowed_methods, reason = "it ends with its client")]
pub(super) fn drive<S, T>(
    mut connection: tokio_postgres::Connection<S, T>,
    notes: mpsc::Sender<String>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(note) = message {
                // One that does not fit is lost, which is seen by its number.
                let _ = notes.try_send(note.payload().to_owned());
            }
        }
    });
}
