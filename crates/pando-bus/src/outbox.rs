//! What the other servers were not told yet.

use std::time::Duration;

use pando_store::StoreError;
use pando_store::journal::Entry;
use pando_store::postgres::{Link, Pulse};
use tokio::time::Instant;

use crate::note::{Told, pack};
use crate::transport::{Channel, Transport};

/// How often each server sends, for every server that there is: what is written meanwhile goes
/// together, so all of them send no more than that many notes.
const SEND_EVERY: Duration = Duration::from_millis(2);
const SEND_EVERY_MAX: Duration = Duration::from_millis(50);

/// How long a server that said so counts as attending, until it is seen in the database.
const SAID_SO_FOR: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Outbox {
    /// For all servers.
    calls: Vec<Told>,
    /// For those where somebody attends.
    changes: Vec<Told>,
    sent_at: Instant,
    /// Until when another server counts as attending because it has said so.
    attended_until: Instant,
    pulse: Pulse,
}

impl Outbox {
    pub(crate) fn new() -> Outbox {
        let (calls, changes, now) = (Vec::new(), Vec::new(), Instant::now());
        let pulse = Pulse::default();
        Outbox { calls, changes, sent_at: now, attended_until: now, pulse }
    }

    /// What the last look at the database told.
    pub(crate) fn learn(&mut self, pulse: Pulse) {
        self.pulse = pulse;
    }

    /// Another server says that somebody attends there.
    pub(crate) fn is_attended(&mut self) {
        self.attended_until = Instant::now() + SAID_SO_FOR;
    }

    /// This server says so.
    pub(crate) fn attends(&mut self) {
        self.calls.push(Told::Attends);
    }

    pub(crate) fn put(&mut self, entry: Entry) {
        if !entry.tells_changes() {
            self.calls.push(Told::Entry(entry));
        } else if self.wanted() {
            self.changes.push(Told::Entry(entry));
        }
    }

    pub(crate) fn void(&mut self, number: u64) {
        if self.wanted() {
            self.changes.push(Told::Void(number));
        }
    }

    /// Whether changes are of interest elsewhere.
    fn wanted(&self) -> bool {
        self.pulse.attended || Instant::now() < self.attended_until
    }

    /// When to send; `None` while there is nothing.
    pub(crate) fn due(&self) -> Option<Instant> {
        let servers = u32::try_from(self.pulse.others + 1).unwrap_or(u32::MAX);
        let every = SEND_EVERY.saturating_mul(servers).min(SEND_EVERY_MAX);
        (!self.calls.is_empty() || !self.changes.is_empty()).then(|| self.sent_at + every)
    }

    /// Sends everything.
    pub(crate) async fn send(
        &mut self,
        server: &str,
        link: &mut Link,
        transport: &Transport,
    ) -> Result<(), StoreError> {
        for (channel, told) in
            [(Channel::Calls, &mut self.calls), (Channel::Changes, &mut self.changes)]
        {
            for note in pack(server, &std::mem::take(told), transport.bytes_max()) {
                transport.send(link, channel, note).await?;
            }
        }
        self.sent_at = Instant::now();
        Ok(())
    }

    /// Nobody is there to be told.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.changes.clear();
    }
}
