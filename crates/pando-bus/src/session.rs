//! The work of the bus: takes what this server writes and what comes from the others, brings it
//! into order and gives it out.

mod intake;

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

use crate::audience::{self, Audience};
use crate::feed::Feed;
use crate::outbox::Outbox;
use crate::repair::Repair;
use crate::transport::Transport;
use crate::{BusOptions, Event, Outgoing, SendError};

/// How often is looked whether transactions are over, and how long they are waited for: what those
/// write that go on for longer is told as missed.
const SETTLE_EVERY: Duration = Duration::from_millis(2);
const SETTLE_WITHIN: Duration = Duration::from_millis(250);

/// How long the bus goes on bringing changes after the last one left: mostly somebody comes again.
const LINGER: Duration = Duration::from_secs(10);

/// How long a number may be missing before it is looked for in the journal, and how long at most
/// until it is looked for again.
const LOOK_AFTER: Duration = Duration::from_millis(20);
const LOOK_AFTER_MAX: Duration = Duration::from_millis(160);

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
    audience: Audience,
    visits: audience::Changes,
    written: broadcast::Receiver<Own>,
    outgoing: mpsc::Receiver<Outgoing>,
    moves: watch::Receiver<u64>,
    /// `None` while nobody wants to know changes.
    feed: Option<Feed<Known>>,
    repair: Repair,
    outbox: Outbox,
    /// Since when nobody attends.
    left_at: Option<Instant>,
    /// The last number that the journal is known to have given.
    head: u64,
    /// When the journal had which length.
    lengths: VecDeque<(Instant, u64)>,
}

/// A number that has not come.
#[derive(Clone, Copy)]
struct Missing {
    number: u64,
    look_at: Instant,
    look_after: Duration,
}

/// What happened next.
enum Next {
    Written(Result<Own, RecvError>),
    Note(Option<String>),
    Pulse(Pulse),
    Visit,
    Outgoing(Option<Outgoing>),
    SendDue,
    LookDue,
    ShortenDue,
    Moved,
}

impl Missing {
    fn looked_for(self) -> Missing {
        let look_after = (self.look_after * 2).min(LOOK_AFTER_MAX);
        Missing { look_at: Instant::now() + look_after, look_after, ..self }
    }
}

impl Session {
    pub(crate) fn new(
        store: Store,
        options: BusOptions,
        events: broadcast::Sender<Event>,
        audience: Audience,
        written: broadcast::Receiver<Own>,
        outgoing: mpsc::Receiver<Outgoing>,
    ) -> Session {
        let moves = store.moves();
        let visits = audience.changes();
        Session {
            store,
            options,
            events,
            audience,
            visits,
            written,
            outgoing,
            moves,
            feed: None,
            repair: Repair::default(),
            outbox: Outbox::new(),
            left_at: None,
            head: 0,
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
        self.audience.hears();
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
        self.learn(*pulse.borrow_and_update());
        if self.feed.is_some() {
            transport.take_changes(&mut link, true).await?;
        }
        let mut missing: Option<Missing> = None;
        let mut shorten_at = Instant::now() + SHORTEN_EVERY;
        loop {
            self.follow_audience(&mut link, &mut transport).await?;
            self.give_out().await?;
            missing = self.missing(missing);
            let next = tokio::select! {
                biased;
                _ = self.moves.changed() => Next::Moved,
                () = sleep_some(self.outbox.due()) => Next::SendDue,
                own = self.written.recv() => Next::Written(own),
                note = transport.next() => Next::Note(note),
                () = sleep_some(missing.map(|missing| missing.look_at)) => Next::LookDue,
                message = self.outgoing.recv() => Next::Outgoing(message),
                _ = pulse.changed() => Next::Pulse(*pulse.borrow_and_update()),
                () = self.visits.next() => Next::Visit,
                () = sleep_until(shorten_at) => Next::ShortenDue,
            };
            match next {
                Next::Moved => {
                    self.moves.mark_changed();
                    return Ok(());
                }
                Next::Written(own) => self.take_own(own),
                Next::Note(Some(note)) => self.take_note(&mut link, &note).await?,
                Next::Note(None) => {
                    return Err(StoreError::Unavailable("the connection is lost".to_owned()));
                }
                Next::Pulse(pulse) => self.learn(pulse),
                // The audience is looked at before the next thing.
                Next::Visit => {}
                Next::Outgoing(Some(message)) => self.send(&mut link, message).await?,
                Next::Outgoing(None) => pending().await,
                Next::SendDue => self.send_notes(&mut link, &transport).await?,
                Next::LookDue => {
                    self.look(&mut link).await?;
                    missing = missing.map(Missing::looked_for);
                }
                Next::ShortenDue => {
                    self.shorten(&mut link).await?;
                    shorten_at = Instant::now() + SHORTEN_EVERY;
                }
            }
        }
    }

    /// Begins to bring changes when somebody attends, and stops some time after the last one left.
    async fn follow_audience(
        &mut self,
        link: &mut Link,
        transport: &mut Transport,
    ) -> Result<(), StoreError> {
        self.left_at = self.audience.is_empty().then(|| self.left_at.unwrap_or_else(Instant::now));
        let lingered = self.left_at.is_some_and(|left_at| left_at.elapsed() >= LINGER);
        if self.feed.is_none() && !self.audience.rests() {
            transport.take_changes(link, true).await?;
            self.begin(link).await?;
            self.store.attends(true);
            self.outbox.attends();
            self.audience.hears();
        } else if self.feed.is_some() && lingered && self.audience.rests() {
            self.feed = None;
            self.repair = Repair::default();
            self.store.attends(false);
            transport.take_changes(link, false).await?;
        }
        Ok(())
    }

    /// Finds out where the journal is. What comes later is given out.
    async fn begin(&mut self, link: &mut Link) -> Result<(), StoreError> {
        let begun = Instant::now();
        let (head, _) = link.ends().await?;
        let (next, mut oldest) = link.running().await?;
        // Those that run may have been given a number up to `head`, and leave their entry later.
        while oldest < next && begun.elapsed() < SETTLE_WITHIN {
            sleep(SETTLE_EVERY).await;
            (_, oldest) = link.running().await?;
        }
        if oldest < next {
            self.repair.begin_after(link, head, next).await?;
        }
        self.feed = Some(Feed::starting_at(head + 1));
        Ok(())
    }

    /// The number that holds up the others, if one does; `before` is what it was.
    fn missing(&self, before: Option<Missing>) -> Option<Missing> {
        let gap = self.feed.as_ref().and_then(Feed::gap);
        let number = gap.map(|gap| *gap.start()).or(self.repair.waits().then_some(0))?;
        let same = before.filter(|missing| missing.number == number);
        Some(same.unwrap_or_else(|| Missing {
            number,
            look_at: Instant::now() + LOOK_AFTER,
            look_after: LOOK_AFTER,
        }))
    }

    fn learn(&mut self, pulse: Pulse) {
        self.head = self.head.max(pulse.head);
        self.outbox.learn(pulse);
        if let Some(feed) = &mut self.feed {
            feed.reaches(pulse.head);
        }
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
        if !self.store.shared_with_others() {
            self.outbox.clear();
            return Ok(());
        }
        self.outbox.send(self.store.server_id(), link, transport).await
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
        let head = self.head;
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

async fn sleep_some(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
