//! What carries notes from server to server: the database's own notifications, or NATS.

use std::time::Duration;

use async_nats::Subscriber;
use async_nats::connection::State;
use futures_util::StreamExt as _;
use pando_store::StoreError;
use pando_store::postgres::{Link, NOTE_BYTES_MAX, Notes};
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// The channel and the subject of the servers. In the database, that is one for each database.
const CHANNEL: &str = "pando";

/// What NATS takes by default is 1 MiB.
const NATS_BYTES_MAX: usize = 512 << 10;

/// How long NATS may take for a note. It is lost then, and found in the journal.
const NATS_WITHIN: Duration = Duration::from_millis(100);

/// How notes travel.
#[derive(Clone, Default)]
pub struct BusOptions {
    /// The servers of a NATS cluster, such as `nats://10.0.0.5:4222`. Empty: the database carries
    /// notes.
    pub nats: Vec<String>,
}

impl std::fmt::Debug for BusOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The addresses may have passwords in them.
        f.debug_struct("BusOptions").field("nats", &self.nats.len()).finish()
    }
}

/// The way that notes take.
pub(crate) enum Transport {
    Database(Notes),
    Nats { client: async_nats::Client, subject: String, notes: Subscriber },
}

impl Transport {
    /// Notes from now on.
    pub(crate) async fn open(
        options: &BusOptions,
        link: &mut Link,
        notes: Notes,
    ) -> Result<Transport, StoreError> {
        if !options.nats.is_empty() {
            match nats(options, &link.cluster().await?).await {
                Ok(transport) => return Ok(transport),
                Err(error) => warn!(error = format!("{error:#}"), "the database takes its place"),
            }
        }
        link.listen(CHANNEL).await?;
        Ok(Transport::Database(notes))
    }

    /// How large a note may be.
    pub(crate) fn bytes_max(&self) -> usize {
        match self {
            Transport::Database(_) => NOTE_BYTES_MAX,
            Transport::Nats { .. } => NATS_BYTES_MAX,
        }
    }

    /// The next note; `None` once no more can come.
    pub(crate) async fn next(&mut self) -> Option<String> {
        match self {
            Transport::Database(notes) => notes.next().await,
            Transport::Nats { notes, .. } => {
                let message = notes.next().await?;
                // What is no text is no note of ours.
                Some(String::from_utf8(message.payload.to_vec()).unwrap_or_default())
            }
        }
    }

    /// Sends a note to all other servers.
    pub(crate) async fn send(&self, link: &mut Link, note: String) -> Result<(), StoreError> {
        match self {
            Transport::Database(_) => link.notify(CHANNEL, &note).await,
            Transport::Nats { client, subject, .. } => {
                if client.connection_state() == State::Connected {
                    let sent = timeout(NATS_WITHIN, client.publish(subject.clone(), note.into()));
                    if !matches!(sent.await, Ok(Ok(()))) {
                        debug!("NATS did not take a note");
                    }
                }
                Ok(())
            }
        }
    }
}

async fn nats(options: &BusOptions, cluster: &str) -> anyhow::Result<Transport> {
    let connecting = async_nats::ConnectOptions::new()
        .name("pando")
        .retry_on_initial_connect()
        .event_callback(|event| async move { log(&event) })
        .connect(options.nats.clone());
    let client = connecting.await?;
    let subject = format!("{CHANNEL}.{cluster}");
    let notes = client.subscribe(subject.clone()).await?;
    Ok(Transport::Nats { client, subject, notes })
}

fn log(event: &async_nats::Event) {
    match event {
        async_nats::Event::Connected => info!("connected to NATS"),
        other => warn!("NATS: {other}"),
    }
}
