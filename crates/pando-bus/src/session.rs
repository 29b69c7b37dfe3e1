//! The work of the bus: takes what this server writes and what comes from the others, brings it
//! into order and gives it out.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pando_store::journal::{Body, Entry, Own};
use pando_store::postgres::{Link, Notes, Pulse};
use pando_store::{Store, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::feed::Feed;
use crate::note::{Told, pack, unpack};
use crate::repair::Repair;
use crate::transport::Transport;
use crate::{BusOptions, Changes, Event, Outgoing, SendError};

/// Notes are sent no more often than that: what is written meanwhile goes together.
const SEND_EVERY: Duration = Duration::from_millis(5);

/// How long a number may be missing before it is looked for in the journal.
const LOOK_AFTER: Duration = Duration::from_millis(20);

/// Between two tries to reach the database.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How long entries are kept, for servers that were away; and how often old ones are deleted.
const KEPT_FOR: Duration = Duration::from_secs(120);
const SHORTEN_EVERY: Duration = Duration::from_secs(10);

/// What is known of an entry that waits for its turn.
#[derive(Debug)]
enum Known {
    Own { from: Arc<str>, body: Body },
    Told(Entry),
}

pub(crate) struct Session {
    store: Store,
    options: BusOptions,
    events: broadcast::Sender<Event>,
    written: broadcast::Receiver<Own>,
    outgoing: mpsc::Receiver<Outgoing>,
    moves: watch::Receiver<u64>,
    /// `None` before the first connection to the journal.
    feed: Option<Feed<Known>>,
    repair: Repair,
    /// What other servers were not told yet.
    untold: Vec<Told>,
    /// When the journal had which length.
    lengths: VecDeque<(Instant, u64)>,
}

/// What happened next.
enum Next {
    Written(Result<Own, RecvError>),
    Note(Option<String>),
    Pulse(Pulse),
    Outgoing(Option<Outgoing>),
    SendDue,
    LookDue,
    ShortenDue,
    Moved,
}

impl Session {
    pub(crate) fn new(
        store: Store,
        options: BusOptions,
        events: broadcast::Sender<Event>,
        written: broadcast::Receiver<Own>,
        outgoing: mpsc::Receiver<Outgoing>,
    ) -> Session {
        let moves = store.moves();
        Session {
            store,
            options,
            events,
            written,
            outgoing,
            moves,
            feed: None,
            repair: Repair::default(),
            untold: Vec::new(),
            lengths: VecDeque::new(),
        }
    }

    pub(crate) async fn run(mut self, stopping: CancellationToken) -> anyhow::Result<()> {
        stopping.run_until_cancelled(Box::pin(self.work())).await;
        Ok(())
    }

    async fn work(&mut self) {
        loop {
            let ended = match self.store.link().await {
                Ok(None) => {
                    self.alone().await;
                    Ok(())
                }
                Ok(Some((link, notes))) => self.together(link, notes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                warn!(error = format!("{error:#}"), "the journal cannot be reached");
                self.wait_a_moment().await;
            }
            if self.moves.has_changed().unwrap_or(false) {
                self.moves.mark_unchanged();
                self.feed = None;
                self.repair = Repair::default();
            }
        }
    }

    /// On SQLite, until the records move.
    async fn alone(&mut self) {
        loop {
            tokio::select! {
                biased;
                own = self.written.recv() => self.take_own(own),
                message = self.outgoing.recv() => match message {
                    Some(message) => {
                        let from = Arc::clone(self.store.server_id());
                        self.tell(Event::Message { from, text: message.text });
                        let _ = message.sent.send(Ok(()));
                    }
                    None => pending().await,
                },
                _ = self.moves.changed() => {
                    self.moves.mark_changed();
                    return;
                }
            }
        }
    }

    /// While there is no connection to the journal.
    async fn wait_a_moment(&mut self) {
        let until = Instant::now() + RETRY_AFTER;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(until) => return,
                own = self.written.recv() => self.take_own(own),
            }
        }
    }

    /// On PostgreSQL, until the connection is lost or the records move.
    async fn together(&mut self, mut link: Link, notes: Notes) -> Result<(), StoreError> {
        self.store.join().await?;
        let Some(mut pulse) = self.store.pulse() else { return Ok(()) };
        let mut transport = Transport::open(&self.options, &mut link, notes).await?;
        self.begin(&mut link).await?;
        let (mut sent_at, mut look_at) = (Instant::now() - SEND_EVERY, None);
        let mut shorten_at = Instant::now() + SHORTEN_EVERY;
        loop {
            self.give_out().await?;
            let gap = self.feed.as_ref().and_then(Feed::gap).is_some() || self.repair.waits();
            look_at = gap.then(|| look_at.unwrap_or_else(|| Instant::now() + LOOK_AFTER));
            let send_at = (!self.untold.is_empty()).then(|| sent_at + SEND_EVERY);
            let next = tokio::select! {
                biased;
                _ = self.moves.changed() => Next::Moved,
                () = sleep_some(send_at) => Next::SendDue,
                own = self.written.recv() => Next::Written(own),
                note = transport.next() => Next::Note(note),
                () = sleep_some(look_at) => Next::LookDue,
                message = self.outgoing.recv() => Next::Outgoing(message),
                _ = pulse.changed() => Next::Pulse(*pulse.borrow_and_update()),
                () = sleep_until(shorten_at) => Next::ShortenDue,
            };
            match next {
                Next::Moved => {
                    self.moves.mark_changed();
                    return Ok(());
                }
                Next::Written(own) => self.take_own(own),
                Next::Note(Some(note)) => self.take_note(&note),
                Next::Note(None) => {
                    return Err(StoreError::Unavailable("the connection is lost".to_owned()));
                }
                Next::Pulse(pulse) => self.feed().reaches(pulse.head),
                Next::Outgoing(Some(message)) => self.send(&mut link, message).await?,
                Next::Outgoing(None) => pending().await,
                Next::SendDue => {
                    self.send_notes(&mut link, &transport).await?;
                    sent_at = Instant::now();
                }
                Next::LookDue => {
                    self.look(&mut link).await?;
                    look_at = None;
                }
                Next::ShortenDue => {
                    self.shorten(&mut link).await?;
                    shorten_at = Instant::now() + SHORTEN_EVERY;
                }
            }
        }
    }

    /// Finds out where the journal is, unless that is known. What comes later is given out.
    async fn begin(&mut self, link: &mut Link) -> Result<(), StoreError> {
        if self.feed.is_some() {
            return Ok(());
        }
        let begun = Instant::now();
        let (head, _) = link.ends().await?;
        let (next, mut oldest) = link.running().await?;
        // Those that run may have been given a number up to `head`, and leave their entry later.
        while oldest < next && begun.elapsed() < crate::repair::PATIENCE {
            sleep(SEND_EVERY).await;
            (_, oldest) = link.running().await?;
        }
        if oldest < next {
            self.repair.pass(0..=head, next);
        }
        self.feed = Some(Feed::starting_at(head + 1));
        Ok(())
    }

    fn feed(&mut self) -> &mut Feed<Known> {
        self.feed.get_or_insert_with(|| Feed::starting_at(u64::MAX))
    }

    fn take_own(&mut self, own: Result<Own, RecvError>) {
        match own {
            Ok(Own::Written { entry: None, body }) => {
                let from = Arc::clone(self.store.server_id());
                event_of(from, body).into_iter().for_each(|event| self.tell(event));
            }
            Ok(Own::Written { entry: Some(entry), body }) => {
                let from = Arc::clone(&entry.server);
                self.feed().put(entry.number, Known::Own { from, body });
                self.untold.push(Told::Entry(entry));
            }
            Ok(Own::Void(number)) => {
                self.feed().skip(number);
                self.untold.push(Told::Void(number));
            }
            Err(RecvError::Lagged(commits)) => {
                warn!(commits, "the bus fell behind");
                self.tell(Event::Missed);
            }
            // The store is gone, and so will this be.
            Err(RecvError::Closed) => {}
        }
    }

    fn take_note(&mut self, note: &str) {
        for told in unpack(note) {
            match told {
                Told::Entry(entry) => self.feed().put(entry.number, Known::Told(entry)),
                Told::Known(number) => self.feed().reaches(number),
                Told::Void(number) => self.feed().skip(number),
            }
        }
    }

    /// Gives out what has its turn.
    async fn give_out(&mut self) -> Result<(), StoreError> {
        let Session { store, feed: Some(feed), events, .. } = self else { return Ok(()) };
        while let Some(known) = feed.first() {
            let event = match known {
                Known::Own { from, body } => event_of(Arc::clone(from), body.clone()),
                Known::Told(entry) => {
                    store.catch_up_with(entry.version).await?;
                    event_of_entry(entry, store)
                }
            };
            feed.pop();
            // Nobody watching is fine.
            let _ = event.map(|event| events.send(event));
        }
        Ok(())
    }

    fn tell(&self, event: Event) {
        // Nobody watching is fine.
        let _ = self.events.send(event);
    }

    async fn send(&mut self, link: &mut Link, message: Outgoing) -> Result<(), StoreError> {
        match link.send(self.store.version(), message.text).await {
            Ok(own) => {
                self.take_own(Ok(own));
                let _ = message.sent.send(Ok(()));
                Ok(())
            }
            Err(error) => {
                let error = Arc::new(error);
                let _ = message.sent.send(Err(SendError::Failed(Arc::clone(&error))));
                Err(StoreError::Unavailable(error.to_string()))
            }
        }
    }

    async fn send_notes(
        &mut self,
        link: &mut Link,
        transport: &Transport,
    ) -> Result<(), StoreError> {
        let untold = std::mem::take(&mut self.untold);
        if !self.store.shared_with_others() {
            return Ok(());
        }
        for note in pack(self.store.server_id(), &untold, transport.bytes_max()) {
            transport.send(link, note).await?;
        }
        Ok(())
    }

    async fn look(&mut self, link: &mut Link) -> Result<(), StoreError> {
        let Session { repair, feed: Some(feed), .. } = self else { return Ok(()) };
        if repair.look(link, feed, Known::Told).await? {
            self.tell(Event::Missed);
        }
        Ok(())
    }

    /// Deletes entries that no server can be in want of.
    async fn shorten(&mut self, link: &mut Link) -> Result<(), StoreError> {
        let now = Instant::now();
        let head = self.feed().head();
        let old = |(at, _): &(Instant, u64)| now.duration_since(*at) >= KEPT_FOR;
        let mut last = None;
        while self.lengths.front().is_some_and(old) {
            last = self.lengths.pop_front();
        }
        if self.lengths.back().is_none_or(|(_, length)| *length < head) {
            self.lengths.push_back((now, head));
        }
        match last {
            Some((_, last)) => link.shorten(last).await,
            None => Ok(()),
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

async fn sleep_some(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
