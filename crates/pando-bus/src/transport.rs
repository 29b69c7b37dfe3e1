//! What carries notes from server to server: the database's own notifications, or NATS.

use std::future::pending;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::connection::State;
use futures_util::StreamExt as _;
use pando_store::StoreError;
use pando_store::postgres::{Link, NOTE_BYTES_MAX, Notes};
use tokio::time::timeout;
use tracing::{debug, info, warn};

/// Which servers a note is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// All.
    Calls,
    /// Those where somebody attends.
    Changes,
}

impl Channel {
    /// In the database, where each database has its own.
    fn name(self) -> &'static str {
        match self {
            Channel::Calls => "pando",
            Channel::Changes => "pando_changes",
        }
    }

    /// In NATS.
    fn subject(self, cluster: &str) -> String {
        match self {
            Channel::Calls => format!("pando.{cluster}"),
            Channel::Changes => format!("pando.{cluster}.changes"),
        }
    }
}

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
pub(crate) struct Transport {
    /// What comes with the connection to the journal, and ends with it.
    notes: Notes,
    /// Carries notes in place of the database.
    nats: Option<Nats>,
}

struct Nats {
    client: async_nats::Client,
    cluster: String,
    calls: Subscriber,
    changes: Option<Subscriber>,
}

impl Transport {
    /// Calls from now on.
    pub(crate) async fn open(
        options: &BusOptions,
        link: &mut Link,
        notes: Notes,
    ) -> Result<Transport, StoreError> {
        if !options.nats.is_empty() {
            match Nats::connect(options, link.cluster().await?).await {
                Ok(nats) => return Ok(Transport { notes, nats: Some(nats) }),
                Err(error) => warn!(error = format!("{error:#}"), "the database takes its place"),
            }
        }
        link.listen(Channel::Calls.name()).await?;
        Ok(Transport { notes, nats: None })
    }

    /// Takes changes too, or no more.
    pub(crate) async fn take_changes(
        &mut self,
        link: &mut Link,
        wanted: bool,
    ) -> Result<(), StoreError> {
        match &mut self.nats {
            Some(nats) => {
                nats.take_changes(wanted).await;
                Ok(())
            }
            None if wanted => link.listen(Channel::Changes.name()).await,
            None => link.unlisten(Channel::Changes.name()).await,
        }
    }

    /// How large a note may be.
    pub(crate) fn bytes_max(&self) -> usize {
        if self.nats.is_some() { NATS_BYTES_MAX } else { NOTE_BYTES_MAX }
    }

    /// The next note; `None` once no more can come, or the connection to the journal is lost.
    pub(crate) async fn next(&mut self) -> Option<String> {
        match &mut self.nats {
            None => self.notes.next().await,
            Some(nats) => tokio::select! {
                note = self.notes.next() => note,
                note = nats.next() => note,
            },
        }
    }

    /// Sends a note to the other servers.
    pub(crate) async fn send(
        &self,
        link: &mut Link,
        channel: Channel,
        note: String,
    ) -> Result<(), StoreError> {
        match &self.nats {
            Some(nats) => {
                nats.send(channel, note).await;
                Ok(())
            }
            None => link.notify(channel.name(), &note).await,
        }
    }
}

/// What it loses is found in the journal.
impl Nats {
    async fn connect(options: &BusOptions, cluster: String) -> anyhow::Result<Nats> {
        let connecting = async_nats::ConnectOptions::new()
            .name("pando")
            .retry_on_initial_connect()
            .event_callback(|event| async move { log(&event) })
            .connect(options.nats.clone());
        let client = connecting.await?;
        let calls = client.subscribe(Channel::Calls.subject(&cluster)).await?;
        Ok(Nats { client, cluster, calls, changes: None })
    }

    async fn take_changes(&mut self, wanted: bool) {
        self.changes = match wanted {
            true => self.client.subscribe(Channel::Changes.subject(&self.cluster)).await.ok(),
            false => None,
        };
    }

    async fn next(&mut self) -> Option<String> {
        let Nats { calls, changes, .. } = self;
        let changes = async {
            match changes {
                Some(changes) => changes.next().await,
                None => pending().await,
            }
        };
        let message = tokio::select! {
            call = calls.next() => call,
            change = changes => change,
        };
        // What is no text is no note of ours.
        Some(String::from_utf8(message?.payload.to_vec()).unwrap_or_default())
    }

    async fn send(&self, channel: Channel, note: String) {
        if self.client.connection_state() != State::Connected {
            return;
        }
        let sent = self.client.publish(channel.subject(&self.cluster), note.into());
        if !matches!(timeout(NATS_WITHIN, sent).await, Ok(Ok(()))) {
            debug!("NATS did not take a note");
        }
    }
}

fn log(event: &async_nats::Event) {
    match event {
        async_nats::Event::Connected => info!("connected to NATS"),
        async_nats::Event::Disconnected => {
            warn!("NATS is lost; what it would bring is looked up in the journal");
        }
        other => debug!("NATS: {other}"),
    }
}
