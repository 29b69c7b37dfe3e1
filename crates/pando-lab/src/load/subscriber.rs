//! One client of realtime, as the JavaScript SDK is one: when its stream ends it connects again,
//! subscribes again, and fetches everything anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pando_history::{Event, Key, Read, Seen, SessionId, Step, Stream, Version};
use serde_json::Value;

use super::caller::Caller;
use super::last;
use super::session::{Recorded, Row, seen_in_view};
use super::setup::RECORDS;
use super::shared::Shared;
use super::{NAP, spawn, subscriber_session};
use crate::http::{HttpClient, Request};
use crate::rng::Rng;
use crate::sse::SseClient;

/// How long it waits for an event before it looks whether to end.
const LISTEN: Duration = Duration::from_millis(100);

/// Silence after which it asks whether the server is still there, when all is over.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// How many of 100 events are followed by a look at the record.
const LOOK_PERCENT: u64 = 5;

/// A subscriber that runs.
#[derive(Debug)]
pub(super) struct Subscriber {
    thread: JoinHandle<(Recorded, Stream)>,
    view: Arc<View>,
}

/// What it shows at the moment.
#[derive(Debug, Default)]
pub(super) struct View {
    records: Mutex<BTreeMap<Key, Version>>,
    connected: AtomicBool,
}

impl View {
    /// `None` while there is no connection.
    fn shown(&self) -> Option<BTreeMap<Key, Version>> {
        let connected = self.connected.load(Ordering::Acquire);
        connected.then(|| self.records.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<Key, Version>) -> T) {
        change(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Subscriber {
    pub(super) fn start(shared: &Arc<Shared>, number: usize) -> Result<Subscriber> {
        let view = Arc::new(View::default());
        let (shared, own) = (Arc::clone(shared), Arc::clone(&view));
        let thread = spawn(format!("subscriber-{number}"), move || {
            let rng = Rng::new(shared.options.seed).fork(&format!("subscriber {number}"));
            let (_, token) = &shared.ground.users[number % shared.ground.users.len()];
            let mut listener = Listener {
                shared: &shared,
                caller: Caller::new(&shared, number),
                rng,
                session: subscriber_session(number),
                token,
                view: &own,
                steps: Vec::new(),
                recorded: Recorded::default(),
            };
            listener.run();
            let stream = Stream { session: listener.session, steps: listener.steps };
            (listener.recorded, stream)
        })?;
        Ok(Subscriber { thread, view })
    }

    /// Whether it shows exactly that.
    pub(super) fn shows(&self, records: &BTreeMap<Key, Version>) -> bool {
        self.view.shown().is_some_and(|shown| shown == *records)
    }

    pub(super) fn finish(self) -> Result<(Recorded, Stream)> {
        self.thread.join().map_err(|_| anyhow::anyhow!("a subscriber panicked"))
    }
}

struct Listener<'a> {
    shared: &'a Shared,
    caller: Caller<'a>,
    rng: Rng,
    session: SessionId,
    token: &'a str,
    view: &'a View,
    steps: Vec<Step>,
    recorded: Recorded,
}

impl Listener<'_> {
    fn run(&mut self) {
        while !self.quits() {
            let Ok(stream) = self.connect() else {
                thread::sleep(NAP);
                continue;
            };
            // What it had fetched may have been incomplete; then it connects again.
            let alive = self.fetch().is_ok() && self.listen(stream);
            self.view.connected.store(false, Ordering::Release);
            if !alive {
                self.steps.push(Step::Cut(self.shared.now()));
            }
        }
    }

    fn quits(&self) -> bool {
        self.shared.quit.load(Ordering::Relaxed)
    }

    fn connect(&mut self) -> Result<SseClient> {
        let server = self.shared.options.servers[self.caller.route(&mut self.rng)];
        let stream = SseClient::connect(server, self.shared.options.deadline)?;
        let topic = format!("{RECORDS}/*");
        let through = match self.shared.options.roaming {
            true => self.shared.options.servers[self.caller.route(&mut self.rng)],
            false => server,
        };
        let mut client = HttpClient::new(through).with_timeout(self.shared.options.deadline);
        let request = stream.subscription(&[&topic], Some(self.token));
        let answer = client.send(&request)?;
        ensure!(answer.status == 204, "the subscription was answered {}", answer.status);
        self.steps.push(Step::Subscribed(self.shared.now()));
        Ok(stream)
    }

    fn fetch(&mut self) -> Result<()> {
        let begin = self.shared.now();
        let rows = last::fetch_records(&mut self.caller, self.token, &mut self.rng)?;
        let end = self.shared.now();
        let seen: Vec<(Key, Version)> = rows.iter().map(|row| (row.key, row.version)).collect();
        self.shared.count_entries(seen.len());
        self.view.change(|records| *records = seen.iter().copied().collect());
        self.steps.push(Step::Fetched { begin, end, seen });
        Ok(())
    }

    /// Hears events until the stream ends (false) or the load is over.
    fn listen(&mut self, mut stream: SseClient) -> bool {
        self.view.connected.store(true, Ordering::Release);
        loop {
            match stream.next_event(LISTEN) {
                Err(_) => return false,
                Ok(Some(event)) => match read_event(&event.data) {
                    Some((id, event)) => self.hear(&id, event),
                    None => continue,
                },
                Ok(None) if self.quits() => return self.server_answers(&stream),
                Ok(None) => {}
            }
        }
    }

    /// A server that is frozen says nothing, and nothing follows from its silence.
    fn server_answers(&self, stream: &SseClient) -> bool {
        let mut client = HttpClient::new(stream.addr()).with_timeout(PING_WITHIN);
        client.send(&Request::get("/api/health")).is_ok()
    }

    fn hear(&mut self, id: &str, event: Event) {
        self.shared.figures.add_event();
        self.shared.count_entries(1);
        self.steps.push(Step::Event(self.shared.now(), event));
        let key = match event {
            Event::Put(key, version) => {
                self.view.change(|records| records.insert(key, version));
                key
            }
            Event::Deleted(key) => {
                self.view.change(|records| records.remove(&key));
                key
            }
        };
        if self.rng.percent(LOOK_PERCENT) && !self.shared.stopped() {
            self.look(key, id);
        }
    }

    /// Reads the record that an event was about: it must not be older.
    fn look(&mut self, key: Key, id: &str) {
        let request = Request::get(format!("/api/collections/{RECORDS}/records/{id}"));
        let call = self.caller.read(&request.token(self.token), &[404], &mut self.rng);
        if let Some(seen) = seen_in_view(key, &call) {
            let (session, begin, end) = (self.session, call.begin, call.end);
            let seen = Seen::Record(key, seen);
            self.recorded.reads.push(Read { session, begin, end, seen });
        }
    }
}

/// The record's id and the event, as far as it is about a record of the load.
fn read_event(data: &str) -> Option<(String, Event)> {
    let data: Value = serde_json::from_str(data).context("an event without JSON").ok()?;
    let row = Row::read(&data["record"])?;
    let event = match data["action"].as_str()? {
        "create" | "update" => Event::Put(row.key, row.version),
        "delete" => Event::Deleted(row.key),
        _ => return None,
    };
    Some((row.id, event))
}
