//! One client that writes records of its own and reads those of all.

use pando_history::{Change, Counter, Key, Outcome, Read, Seen, SessionId, Version, Write};
use serde_json::{Value, json};

use super::caller::{Call, Caller, Pace};
use super::setup::{COUNTERS, RECORDS, login_request, new_counter};
use super::shared::Shared;
use crate::http::Request;
use crate::rng::Rng;

/// Records that one session keeps; past that it updates instead of creating.
const OWN_MAX: usize = 20;

/// More than a list of one owner's has.
const PAGE_SIZE: usize = 500;

/// What a record has beside its version, in bytes.
const TEXT_BYTES: usize = 200;

/// How many of 100 looks are at a counter.
const COUNTER_PERCENT: u64 = 10;

/// What a session did and saw.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) writes: Vec<Write>,
    pub(super) reads: Vec<Read>,
}

/// Runs client `number` until the load stops.
pub(super) fn run(shared: &Shared, number: usize) -> Recorded {
    let rng = Rng::new(shared.options.seed).fork(&format!("client {number}"));
    let mut session = Session::new(shared, number, rng);
    let mut pace = Pace::new(shared, number);
    while pace.wait(shared) {
        session.act();
    }
    session.recorded
}

#[derive(Debug)]
struct Session<'a> {
    shared: &'a Shared,
    caller: Caller<'a>,
    rng: Rng,
    id: SessionId,
    token: &'a str,
    email: &'a str,
    own: Vec<Own>,
    number: u32,
    /// A counter that nobody else increases, and its record.
    counter: Option<(Counter, String)>,
    text: String,
    recorded: Recorded,
}

/// A record that this session may write to.
#[derive(Clone, Debug)]
struct Own {
    key: Key,
    id: String,
    /// The last one that was sent.
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    View,
    List,
    Create,
    Update,
    Delete,
    Increment,
    Login,
}

impl<'a> Session<'a> {
    fn new(shared: &'a Shared, number: usize, mut rng: Rng) -> Session<'a> {
        let (email, token) = &shared.ground.users[number % shared.ground.users.len()];
        let text = rng.text("abcdefghijklmnopqrstuvwxyz     ", TEXT_BYTES);
        Session {
            shared,
            caller: Caller::new(shared, number),
            rng,
            id: SessionId(u32::try_from(number).expect("clients are threads of one machine")),
            token,
            email,
            own: Vec::new(),
            number: 0,
            counter: None,
            text,
            recorded: Recorded::default(),
        }
    }

    fn act(&mut self) {
        let work = self.draw_work();
        match work {
            Work::View => self.view(),
            Work::List => self.list(),
            Work::Create => self.create(),
            Work::Update => self.update(),
            Work::Delete => self.delete(),
            Work::Increment => self.increment(),
            Work::Login => self.login(),
        }
    }

    fn draw_work(&mut self) -> Work {
        let mix = &self.shared.options.mix;
        let works = [
            (Work::View, mix.view),
            (Work::List, mix.list),
            (Work::Create, mix.create),
            (Work::Update, mix.update),
            (Work::Delete, mix.delete),
            (Work::Increment, mix.increment),
            (Work::Login, mix.login),
        ];
        let total: u64 = works.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut draw = self.rng.next_u64() % total.max(1);
        let work = works.into_iter().find(|(_, weight)| {
            let here = draw < u64::from(*weight);
            draw = draw.saturating_sub(u64::from(*weight));
            here
        });
        let work = work.map_or(Work::View, |(work, _)| work);
        match work {
            Work::Update | Work::Delete if self.own.is_empty() => Work::Create,
            Work::Create if self.own.len() >= OWN_MAX => Work::Update,
            other => other,
        }
    }

    fn view(&mut self) {
        if self.rng.percent(COUNTER_PERCENT) {
            return self.view_counter();
        }
        let Some((key, id)) = self.shared.draw_record(&mut self.rng) else { return self.list() };
        let request = Request::get(format!("/api/collections/{RECORDS}/records/{id}"));
        let call = self.caller.read(&request.token(self.token), &[404], &mut self.rng);
        self.record_view(key, &call);
    }

    fn record_view(&mut self, key: Key, call: &Call) {
        if let Some(seen) = seen_in_view(key, call) {
            self.record_read(call, Seen::Record(key, seen));
        }
    }

    fn view_counter(&mut self) {
        let index = self.rng.below(self.shared.ground.counters.len());
        let id = &self.shared.ground.counters[index];
        let request = Request::get(format!("/api/collections/{COUNTERS}/records/{id}"));
        let call = self.caller.read(&request.token(self.token), &[], &mut self.rng);
        let value = call.ok_json().and_then(|record| record["n"].as_u64());
        if let Some(value) = value {
            let counter = Counter(u32::try_from(index).expect("there are few counters"));
            self.record_read(&call, Seen::Counter(counter, value));
        }
    }

    fn list(&mut self) {
        let owner = self.rng.below(self.shared.options.clients);
        let request = Request::get(format!(
            "/api/collections/{RECORDS}/records?filter=owner%3D{owner}&perPage={PAGE_SIZE}&skipTotal=1"
        ));
        let call = self.caller.read(&request.token(self.token), &[], &mut self.rng);
        let owner = u32::try_from(owner).expect("clients are threads of one machine");
        if let Some(seen) = call.ok_json().and_then(|page| rows(&page)) {
            // More than fit would look like missing ones.
            if seen.len() < PAGE_SIZE {
                self.shared.count_entries(seen.len());
                let seen = seen.into_iter().map(|row| (row.key, row.version)).collect();
                self.record_read(&call, Seen::Records(owner, seen));
            }
        }
    }

    fn create(&mut self) {
        self.number += 1;
        let key = Key { owner: self.id.0, number: self.number };
        let body = json!({
            "key": key.to_string(), "owner": key.owner, "version": 1, "text": self.text,
        });
        let request = Request::post(format!("/api/collections/{RECORDS}/records")).json(&body);
        let call = self.caller.write(&request.token(self.token), &mut self.rng);
        self.record_write(&call, Change::Create(key), call.outcome());
        let id = call.ok_json().and_then(|record| record["id"].as_str().map(str::to_owned));
        if let Some(id) = id {
            self.shared.publish(key, &id);
            self.own.push(Own { key, id, version: 1 });
        }
    }

    fn update(&mut self) {
        let index = self.rng.below(self.own.len());
        let own = &mut self.own[index];
        own.version += 1;
        let (key, version) = (own.key, own.version);
        let request = Request::patch(format!("/api/collections/{RECORDS}/records/{}", own.id));
        let request = request.json(&json!({ "version": version, "text": self.text }));
        let call = self.caller.write(&request.token(self.token), &mut self.rng);
        self.record_write(&call, Change::Set(key, version), call.outcome());
        self.settle(index, &call);
    }

    fn delete(&mut self) {
        let index = self.rng.below(self.own.len());
        let Own { key, id, .. } = self.own[index].clone();
        let request = Request::delete(format!("/api/collections/{RECORDS}/records/{id}"));
        let call = self.caller.write(&request.token(self.token), &mut self.rng);
        self.record_write(&call, Change::Delete(key), call.outcome());
        if call.outcome() == Outcome::Done {
            self.own.swap_remove(index);
            self.shared.withdraw(key, &id);
        } else {
            self.settle(index, &call);
        }
    }

    /// After a write of a record that stays: whether it is still ours to write.
    fn settle(&mut self, index: usize, call: &Call) {
        let gone = call.status() == Some(404);
        if gone {
            // Who refuses to write what is not there has looked for it.
            let key = self.own[index].key;
            self.record_read(call, Seen::Record(key, None));
        }
        if gone || call.outcome() == Outcome::Unknown {
            self.own.swap_remove(index);
        }
    }

    fn increment(&mut self) {
        let shared = self.shared;
        if self.rng.percent(50) {
            let index = self.rng.below(shared.ground.counters.len());
            let counter = Counter(u32::try_from(index).expect("there are few counters"));
            self.increment_record(counter, &shared.ground.counters[index]);
        } else if let Some((counter, id)) = self.counter.take() {
            if self.increment_record(counter, &id) != Outcome::Unknown {
                self.counter = Some((counter, id));
            }
        } else {
            let counter = shared.next_counter();
            let call = self.caller.write(&new_counter(counter).token(self.token), &mut self.rng);
            let id = call.ok_json().and_then(|record| record["id"].as_str().map(str::to_owned));
            self.counter = id.map(|id| (counter, id));
        }
    }

    fn increment_record(&mut self, counter: Counter, id: &str) -> Outcome {
        let request = Request::patch(format!("/api/collections/{COUNTERS}/records/{id}"));
        let request = request.json(&json!({ "n+": 1 })).token(self.token);
        let call = self.caller.write(&request, &mut self.rng);
        let shown = call.ok_json().and_then(|record| record["n"].as_u64());
        self.record_write(&call, Change::Increment(counter, shown), call.outcome());
        call.outcome()
    }

    fn login(&mut self) {
        self.caller.write(&login_request(self.email), &mut self.rng);
    }

    fn record_write(&mut self, call: &Call, change: Change, outcome: Outcome) {
        self.shared.count_entries(1);
        let (session, begin, end) = (self.id, call.begin, call.end);
        self.recorded.writes.push(Write { session, begin, end, change, outcome });
    }

    fn record_read(&mut self, call: &Call, seen: Seen) {
        self.shared.count_entries(1);
        let (session, begin, end) = (self.id, call.begin, call.end);
        self.recorded.reads.push(Read { session, begin, end, seen });
    }
}

/// What a view of a record showed; `None` if it says nothing about it.
pub(super) fn seen_in_view(key: Key, call: &Call) -> Option<Option<Version>> {
    match call.status() {
        Some(404) => Some(None),
        Some(200) => {
            let row = Row::read(&call.ok_json()?)?;
            // An answer to another question would be worse than none.
            (row.key == key).then_some(Some(row.version))
        }
        _ => None,
    }
}

/// A record as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) key: Key,
    pub(super) version: Version,
}

impl Row {
    pub(super) fn read(record: &Value) -> Option<Row> {
        Some(Row {
            id: record["id"].as_str()?.to_owned(),
            key: Key::parse(record["key"].as_str()?)?,
            version: record["version"].as_u64()?,
        })
    }
}

/// The records of a page; `None` if it is not one.
pub(super) fn rows(page: &Value) -> Option<Vec<Row>> {
    page["items"].as_array()?.iter().map(Row::read).collect()
}

impl Call {
    /// The JSON of an answer that is a success.
    pub(super) fn ok_json(&self) -> Option<Value> {
        let response = self.response.as_ref()?;
        if (200..300).contains(&response.status) { response.json().ok() } else { None }
    }
}
