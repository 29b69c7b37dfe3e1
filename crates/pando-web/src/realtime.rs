//! Realtime: who watches what, and the delivery of changes to them.
//!
//! A client holds a stream open (server-sent events) and says by a second request which topics it
//! watches: `collection/*`, `collection` or `collection/recordId`. Each commit's changes are
//! judged and written as text once per distinct (topic with its options, auth) group; its clients
//! share the text.
//!
//! Invariants: a client gets events in commit order and never misses one in silence: one that
//! cannot keep up is disconnected, so that it reconnects and reads afresh.
//!
//! Source: PocketBase `apis/realtime.go`, `tools/subscriptions`.

mod deliver;
mod elsewhere;
mod stream;
mod topic;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pando_bus::Event;
use pando_schema::{ALPHANUMERIC, Record, Schema, random_text_of};
use pando_store::{Action, Change};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tracing::{debug, warn};

use elsewhere::Elsewhere;
pub(crate) use stream::EventStream;
use topic::Topic;

use crate::app::SharedApp;

/// Events that a client may be behind before it is disconnected.
const EVENTS_BEHIND_MAX: usize = 1_024;

/// A stream ends after this long, so that forgotten ones do not pile up. PocketBase's limit.
const LIFE_MAX: Duration = Duration::from_secs(30 * 60);

/// How often streams are checked for having been idle or open for too long.
const CHECK_PERIOD: Duration = Duration::from_secs(5);

const ID_LENGTH: usize = 40;

/// All clients of this process and what they watch.
#[derive(Clone)]
pub(crate) struct Hub {
    state: Arc<Mutex<State>>,
    /// What the ids of its clients begin with.
    server: Arc<str>,
    elsewhere: Arc<Elsewhere>,
}

#[derive(Default)]
struct State {
    clients: HashMap<Arc<str>, Client>,
    /// The clients that watch a topic, by the topic's path.
    watchers: HashMap<String, Vec<Watcher>>,
    /// All topics watched, so that clients with equal ones share them.
    topics: BTreeMap<String, Arc<Topic>>,
    /// The schema that the clients' auth was last checked against.
    schema: Option<Arc<Schema>>,
}

/// One open stream.
struct Client {
    frames: mpsc::Sender<Bytes>,
    ip: IpAddr,
    auth: Option<Arc<Record>>,
    topics: Vec<Arc<Topic>>,
    opened_at: Instant,
    sent_at: Instant,
}

#[derive(Clone)]
struct Watcher {
    client_id: Arc<str>,
    topic: Arc<Topic>,
}

/// Clients that get the same text for a change, or nothing.
struct Group {
    topic: Arc<Topic>,
    auth: Option<Arc<Record>>,
    client_ids: Vec<Arc<str>>,
}

/// Why a client's topics were not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscribeError {
    NoClient,
    /// The stream was opened from another address.
    OtherAddress,
    /// The stream belongs to somebody else.
    OtherAuth,
}

impl Hub {
    /// The hub of a server, without clients.
    pub(crate) fn of(server: Arc<str>) -> Hub {
        Hub { state: Arc::default(), server, elsewhere: Arc::default() }
    }

    /// Opens a stream for a client at `ip`. It ends when the hub or the receiver lets go.
    pub(crate) fn connect(&self, ip: IpAddr) -> EventStream {
        let random = ID_LENGTH.saturating_sub(self.server.len());
        let random = random_text_of(&mut rand::rng(), random, ALPHANUMERIC);
        let id: Arc<str> = format!("{}{random}", self.server).into();
        let (sender, frames) = mpsc::channel(EVENTS_BEHIND_MAX);
        let now = Instant::now();
        let client = Client {
            frames: sender,
            ip,
            auth: None,
            topics: Vec::new(),
            opened_at: now,
            sent_at: now,
        };
        self.lock().clients.insert(Arc::clone(&id), client);
        EventStream::new(self.clone(), id, frames)
    }

    /// Replaces the topics of a client, and who it is. A guest may log in; nothing else changes.
    pub(crate) fn subscribe(
        &self,
        client_id: &str,
        ip: IpAddr,
        auth: Option<Arc<Record>>,
        subscriptions: &[String],
    ) -> Result<(), SubscribeError> {
        let mut state = self.lock();
        let (id, client) =
            state.clients.get_key_value(client_id).ok_or(SubscribeError::NoClient)?;
        if client.ip != ip {
            return Err(SubscribeError::OtherAddress);
        }
        let same = |before: &Arc<Record>| auth.as_ref().is_some_and(|now| same_record(before, now));
        if client.auth.as_ref().is_some_and(|before| !same(before)) {
            return Err(SubscribeError::OtherAuth);
        }
        let id = Arc::clone(id);
        state.unwatch(&id);
        state.watch(&id, auth, subscriptions);
        Ok(())
    }

    fn disconnect(&self, client_id: &str) {
        let mut state = self.lock();
        state.unwatch(client_id);
        state.clients.remove(client_id);
    }

    /// Delivers changes until the process stops, then ends all streams.
    pub(crate) async fn run(
        self,
        app: SharedApp,
        mut events: broadcast::Receiver<Event>,
    ) -> anyhow::Result<()> {
        let idle_max = app.config.realtime_idle_timeout.duration();
        let mut checks = tokio::time::interval(CHECK_PERIOD);
        loop {
            tokio::select! {
                biased;
                () = app.life.stopping.cancelled() => break,
                _ = checks.tick() => self.end_old_streams(idle_max),
                received = events.recv() => match received {
                    Ok(Event::Changes(commit)) => {
                        if !self.lock().clients.is_empty() {
                            match commit.read() {
                                Some(commit) => self.deliver(&app, &commit).await,
                                None => self.lock().clear(),
                            }
                        }
                    }
                    Ok(Event::Message { from, text }) => self.hear(&app, &from, &text),
                    Ok(Event::Missed) => {
                        warn!("realtime missed something, all clients must reconnect");
                        self.lock().clear();
                    }
                    Err(RecvError::Lagged(commits)) => {
                        warn!(commits, "realtime fell behind, all clients must reconnect");
                        self.lock().clear();
                    }
                    Err(RecvError::Closed) => break,
                },
            }
        }
        self.lock().clear();
        Ok(())
    }

    async fn deliver(&self, app: &SharedApp, commit: &[Change]) {
        for change in commit {
            let schema = app.store.schema();
            let groups = {
                let mut state = self.lock();
                if state.clients.is_empty() {
                    return;
                }
                state.check_auth(&schema);
                state.follow_auth(change);
                state.groups(change)
            };
            for group in groups {
                match deliver::frame(app, &schema, change, &group.topic, group.auth.clone()).await {
                    Ok(Some(frame)) => self.lock().send(&group.client_ids, &frame),
                    Ok(None) => {}
                    Err(error) => {
                        // Nobody may take silence for "nothing changed".
                        warn!(error = format!("{:?}", error.cause), "failed to judge an event");
                        self.lock().drop_clients(&group.client_ids);
                    }
                }
            }
        }
    }

    fn end_old_streams(&self, idle_max: Duration) {
        let mut state = self.lock();
        let old = |client: &Client| {
            client.opened_at.elapsed() > LIFE_MAX || client.sent_at.elapsed() > idle_max
        };
        let ended: Vec<Arc<str>> = state
            .clients
            .iter()
            .filter(|(_, client)| old(client))
            .map(|(id, _)| Arc::clone(id))
            .collect();
        state.drop_clients(&ended);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn watch(&mut self, id: &Arc<str>, auth: Option<Arc<Record>>, subscriptions: &[String]) {
        let mut topics: Vec<Arc<Topic>> = Vec::with_capacity(subscriptions.len());
        for text in subscriptions.iter().filter(|text| !text.is_empty()) {
            if topics.iter().any(|topic| topic.text == *text) {
                continue;
            }
            let topic = match self.topics.get(text) {
                Some(topic) => Arc::clone(topic),
                None => {
                    let topic = Arc::new(Topic::parse(text));
                    self.topics.insert(text.clone(), Arc::clone(&topic));
                    topic
                }
            };
            let watcher = Watcher { client_id: Arc::clone(id), topic: Arc::clone(&topic) };
            self.watchers.entry(topic.path.clone()).or_default().push(watcher);
            topics.push(topic);
        }
        if let Some(client) = self.clients.get_mut(id) {
            client.auth = auth;
            client.topics = topics;
        }
    }

    fn unwatch(&mut self, id: &str) {
        let Some(client) = self.clients.get_mut(id) else { return };
        for topic in std::mem::take(&mut client.topics) {
            let Some(watchers) = self.watchers.get_mut(&topic.path) else { continue };
            watchers.retain(|watcher| {
                *watcher.client_id != *id || !Arc::ptr_eq(&watcher.topic, &topic)
            });
            if !watchers.iter().any(|watcher| Arc::ptr_eq(&watcher.topic, &topic)) {
                self.topics.remove(&topic.text);
            }
            if watchers.is_empty() {
                self.watchers.remove(&topic.path);
            }
        }
    }

    fn clear(&mut self) {
        self.clients.clear();
        self.watchers.clear();
        self.topics.clear();
    }

    fn drop_clients(&mut self, ids: &[Arc<str>]) {
        for id in ids {
            self.unwatch(id);
            self.clients.remove(id);
        }
    }

    /// Queues `frame` for the clients. One whose queue is full is disconnected.
    fn send(&mut self, ids: &[Arc<str>], frame: &Bytes) {
        let now = Instant::now();
        let mut slow = Vec::new();
        for id in ids {
            let Some(client) = self.clients.get_mut(id) else { continue };
            match client.frames.try_send(frame.clone()) {
                Ok(()) => client.sent_at = now,
                Err(_full_or_closed) => slow.push(Arc::clone(id)),
            }
        }
        if !slow.is_empty() {
            debug!(clients = slow.len(), "disconnecting clients that cannot keep up");
            self.drop_clients(&slow);
        }
    }

    /// Those who watch the changed record, grouped by what they may see of it.
    fn groups(&self, change: &Change) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut known: HashMap<(*const Topic, &str), usize> = HashMap::new();
        for path in topic::paths(&change.record) {
            for watcher in self.watchers.get(&path).into_iter().flatten() {
                let Some(client) = self.clients.get(&watcher.client_id) else { continue };
                let auth = client.auth.as_ref().filter(|auth| {
                    watcher.topic.depends_on_auth(&change.record)
                        || crate::request::is_superuser(auth)
                });
                let who = auth.map_or("", |auth| auth.id());
                let index = *known.entry((Arc::as_ptr(&watcher.topic), who)).or_insert_with(|| {
                    let topic = Arc::clone(&watcher.topic);
                    groups.push(Group { topic, auth: auth.cloned(), client_ids: Vec::new() });
                    groups.len() - 1
                });
                groups[index].client_ids.push(Arc::clone(&watcher.client_id));
            }
        }
        groups
    }

    /// Keeps the auth of clients true: a changed record replaces the one at hand, unless its
    /// tokens were revoked; a deleted one leaves a guest.
    fn follow_auth(&mut self, change: &Change) {
        if change.record.collection.auth.is_none() {
            return;
        }
        for client in self.clients.values_mut() {
            let Some(auth) = client.auth.as_ref().filter(|auth| same_record(auth, &change.record))
            else {
                continue;
            };
            let valid = change.action != Action::Delete
                && auth.text("tokenKey") == change.record.text("tokenKey");
            client.auth = valid.then(|| Arc::clone(&change.record));
        }
    }

    /// Makes guests of clients whose collection is gone or has revoked its tokens.
    fn check_auth(&mut self, schema: &Arc<Schema>) {
        if self.schema.as_ref().is_some_and(|checked| Arc::ptr_eq(checked, schema)) {
            return;
        }
        self.schema = Some(Arc::clone(schema));
        let secret = |collection: &pando_schema::Collection| {
            collection.auth.as_ref().map(|auth| auth.auth_token.secret.clone())
        };
        for client in self.clients.values_mut() {
            client.auth = client.auth.take().filter(|auth| {
                let now = schema.by_id(&auth.collection.id);
                now.is_some_and(|now| secret(now) == secret(&auth.collection))
            });
        }
    }
}

fn same_record(one: &Record, other: &Record) -> bool {
    one.id() == other.id() && one.collection.id == other.collection.id
}

#[cfg(test)]
mod tests;
