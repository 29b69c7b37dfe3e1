//! A small system and its clients in one loop: it keeps all promises, but for the one fault that is
//! planted. One seed gives one history.

use std::collections::BTreeMap;

use super::plant::Plant;
use crate::{
    Change, Counter, Event, History, Key, LastState, Moment, Outcome, Read, Seen, SessionId, Step,
    Stream, Version, Write,
};

const WRITERS: u32 = 6;
const STREAMS: u32 = 3;
/// The first ones are everybody's; each session has further ones, one at a time.
const COUNTERS: u32 = 3;
const OWN_COUNTERS: u32 = 1_000;
/// Nothing begins after this, and no stream is cut after the quiet time before it.
const END: u64 = 4_000;
const QUIET: u64 = 600;
/// A planted fault waits until something has happened.
const PLANT_AFTER: u64 = 300;

#[derive(Clone, Copy, Debug)]
enum Task {
    Begin(u32),
    /// The system does what was asked and answers.
    Write {
        session: u32,
        begin: u64,
        change: Change,
        outcome: Outcome,
    },
    /// It does what nobody waits for any more.
    Late(Change),
    Read {
        session: u32,
        begin: u64,
        what: Asked,
    },
    Connect(usize),
    Fetch {
        stream: usize,
        begin: u64,
    },
    Deliver {
        stream: usize,
        connection: u32,
        event: Event,
    },
    Cut(usize),
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Record(Key),
    Owner(u32),
    Counter(Counter),
}

#[derive(Debug, Default)]
struct Writer {
    /// Records that it can write to, and the last version that it sent.
    own: Vec<(Key, Version)>,
    number: u32,
    /// How many counters it had to itself before.
    counters: u32,
}

#[derive(Debug, Default)]
struct Client {
    connection: u32,
    connected: bool,
    subscribed_at: u64,
    /// It hears nothing earlier.
    busy_until: u64,
    steps: Vec<Step>,
}

pub(super) struct World {
    random: u64,
    plant: Option<Plant>,
    planted: bool,
    now: u64,
    order: u64,
    tasks: BTreeMap<(u64, u64), Task>,
    records: BTreeMap<Key, Version>,
    doubles: Vec<(Key, Version)>,
    counters: BTreeMap<Counter, u64>,
    /// The state of a record before its last change, and when that was acknowledged.
    before: BTreeMap<Key, (Option<Version>, u64)>,
    known: Vec<Key>,
    writers: Vec<Writer>,
    clients: Vec<Client>,
    history: History,
}

impl World {
    pub(super) fn new(seed: u64, plant: Option<Plant>) -> World {
        let mut world = World {
            random: seed,
            plant,
            planted: false,
            now: 0,
            order: 0,
            tasks: BTreeMap::new(),
            records: BTreeMap::new(),
            doubles: Vec::new(),
            counters: BTreeMap::new(),
            before: BTreeMap::new(),
            known: Vec::new(),
            writers: (0..WRITERS).map(|_| Writer::default()).collect(),
            clients: (0..STREAMS).map(|_| Client::default()).collect(),
            history: History::default(),
        };
        for session in 0..WRITERS {
            let at = world.draw(20);
            world.plan(at, Task::Begin(session));
        }
        for stream in 0..STREAMS as usize {
            let at = world.draw(50);
            world.plan(at, Task::Connect(stream));
        }
        world
    }

    pub(super) fn run(mut self) -> History {
        self.run_mut()
    }

    pub(super) fn run_mut(&mut self) -> History {
        while let Some(((at, _), task)) = self.tasks.pop_first() {
            self.now = at;
            self.perform(task);
        }
        self.finish();
        std::mem::take(&mut self.history)
    }

    pub(super) fn planted(&self) -> bool {
        self.planted
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Begin(session) => self.begin(session),
            Task::Write { session, begin, change, outcome } => {
                self.write(session, begin, change, outcome);
            }
            Task::Late(change) => self.apply(change, None),
            Task::Read { session, begin, what } => self.read(session, begin, what),
            Task::Connect(stream) => self.connect(stream),
            Task::Fetch { stream, begin } => {
                let seen = self.records.iter().map(|(key, version)| (*key, *version)).collect();
                let end = self.clients[stream].busy_until;
                let (begin, end) = (Moment(begin), Moment(end));
                self.clients[stream].steps.push(Step::Fetched { begin, end, seen });
            }
            Task::Deliver { stream, connection, event } => {
                let client = &mut self.clients[stream];
                if client.connected && client.connection == connection {
                    client.steps.push(Step::Event(Moment(self.now), event));
                }
            }
            Task::Cut(stream) => {
                let (client, now) = (&mut self.clients[stream], self.now);
                client.connected = false;
                client.steps.push(Step::Cut(Moment(now)));
                let pause = self.draw(40);
                self.plan(now + 1 + pause, Task::Connect(stream));
            }
        }
    }

    fn begin(&mut self, session: u32) {
        if self.now > END {
            return;
        }
        let (begin, commit) = (self.now, self.now + 1 + self.draw(20));
        if self.draw(2) == 0 {
            let what = self.asked();
            return self.plan(commit, Task::Read { session, begin, what });
        }
        let change = self.change(session);
        let outcome = match self.draw(100) {
            0..4 => Outcome::Refused,
            4..8 => Outcome::Unknown,
            _ => Outcome::Done,
        };
        if outcome != Outcome::Unknown {
            return self.plan(commit, Task::Write { session, begin, change, outcome });
        }
        // The client gives up at some time; the system goes on without it, or does not.
        let end = begin + 1 + self.draw(30);
        self.record(session, begin, end, change, outcome);
        self.settle(session, change, outcome);
        if self.draw(2) == 0 {
            let late = begin + 1 + self.draw(200);
            self.plan(late, Task::Late(change));
        }
        self.plan(end + 1, Task::Begin(session));
    }

    fn asked(&mut self) -> Asked {
        match self.draw(10) {
            0..2 => Asked::Counter(Counter(self.draw(u64::from(COUNTERS)) as u32)),
            2..4 => Asked::Owner(self.draw(u64::from(WRITERS)) as u32),
            _ if self.known.is_empty() => Asked::Owner(0),
            _ => {
                let index = self.draw(self.known.len() as u64) as usize;
                Asked::Record(self.known[index])
            }
        }
    }

    fn change(&mut self, session: u32) -> Change {
        let owned = self.writers[session as usize].own.len();
        let choice = self.draw(10);
        if choice == 0 {
            return Change::Increment(Counter(self.draw(u64::from(COUNTERS)) as u32), None);
        }
        if choice == 1 {
            let number = self.writers[session as usize].counters;
            return Change::Increment(Counter((session + 1) * OWN_COUNTERS + number), None);
        }
        if owned == 0 || (choice < 4 && owned < 5) {
            let writer = &mut self.writers[session as usize];
            writer.number += 1;
            let key = Key { owner: session, number: writer.number };
            writer.own.push((key, 1));
            self.known.push(key);
            return Change::Create(key);
        }
        let index = self.draw(owned as u64) as usize;
        let (key, version) = &mut self.writers[session as usize].own[index];
        if choice == 9 {
            return Change::Delete(*key);
        }
        *version += 1;
        Change::Set(*key, *version)
    }

    /// What the writer does not touch any more.
    fn settle(&mut self, session: u32, change: Change, outcome: Outcome) {
        if let (Change::Increment(counter, _), Outcome::Unknown) = (change, outcome) {
            self.writers[session as usize].counters += u32::from(counter.0 >= OWN_COUNTERS);
        }
        let gone = match (change, outcome) {
            (Change::Create(key), Outcome::Refused) => Some(key),
            (Change::Delete(key), Outcome::Done) => Some(key),
            (Change::Create(key) | Change::Set(key, _) | Change::Delete(key), Outcome::Unknown) => {
                Some(key)
            }
            _ => None,
        };
        self.writers[session as usize].own.retain(|(key, _)| Some(*key) != gone);
    }

    fn write(&mut self, session: u32, begin: u64, mut change: Change, outcome: Outcome) {
        let end = self.now + 1 + self.draw(20);
        let applied = match outcome {
            Outcome::Refused => {
                let registers = !matches!(change, Change::Increment(..) | Change::Delete(_));
                registers && self.plants(Plant::RefusedAndDone)
            }
            _ => {
                let set = matches!(change, Change::Set(..));
                let increment = matches!(change, Change::Increment(..));
                let forgotten = (set && self.plants(Plant::WriteForgotten))
                    || (increment && self.plants(Plant::IncrementForgotten));
                !forgotten
            }
        };
        if applied {
            self.apply(change, (outcome == Outcome::Done).then_some(begin));
            if let Some((_, acknowledged)) =
                key_of(change).and_then(|key| self.before.get_mut(&key))
            {
                *acknowledged = end;
            }
        }
        if let Change::Increment(counter, shown) = &mut change {
            *shown = (outcome == Outcome::Done)
                .then(|| self.counters.get(counter).copied().unwrap_or_default().max(1));
        }
        self.record(session, begin, end, change, outcome);
        self.settle(session, change, outcome);
        self.plan(end + 1, Task::Begin(session));
    }

    fn record(&mut self, session: u32, begin: u64, end: u64, change: Change, outcome: Outcome) {
        let (session, begin, end) = (SessionId(session), Moment(begin), Moment(end));
        self.history.writes.push(Write { session, begin, end, change, outcome });
    }

    /// `due`: since when it was asked for, if it is acknowledged, so that streams must tell of it.
    fn apply(&mut self, change: Change, due: Option<u64>) {
        let event = match change {
            Change::Create(key) => {
                self.records.insert(key, 1);
                if self.plants(Plant::CreatedTwice) {
                    self.doubles.push((key, 1));
                }
                self.before.insert(key, (None, u64::MAX));
                Event::Put(key, 1)
            }
            Change::Set(key, version) => {
                let before = self.records.insert(key, version);
                self.before.insert(key, (before, u64::MAX));
                Event::Put(key, version)
            }
            Change::Delete(key) => {
                let before = self.records.remove(&key);
                self.before.insert(key, (before, u64::MAX));
                Event::Deleted(key)
            }
            Change::Increment(counter, _) => {
                // On a counter of many it could hide behind one that was never done.
                let own = counter.0 >= OWN_COUNTERS;
                let twice = u64::from(own && self.plants(Plant::IncrementedTwice));
                *self.counters.entry(counter).or_default() += 1 + twice;
                return;
            }
        };
        for stream in 0..self.clients.len() {
            self.announce(stream, event, due);
        }
    }

    fn announce(&mut self, stream: usize, event: Event, due: Option<u64>) {
        if !self.clients[stream].connected {
            return;
        }
        // What a stream that is cut off had not told, nobody misses.
        let stays = self.now > END - QUIET;
        let due = due.is_some_and(|begin| begin > self.clients[stream].subscribed_at);
        if due && stays && self.plants(Plant::EventDropped) {
            return;
        }
        let mut events = vec![event];
        if stays && self.plants(Plant::EventTwice) {
            events.push(event);
        }
        let old = self.before.get(&key_of_event(event)).and_then(|(old, _)| *old);
        // The old one is told of again only where it was told of before.
        let told = self.clients[stream].steps.iter().rev();
        let told = told.take_while(|step| matches!(step, Step::Event(..)));
        let told = old.is_some_and(|old| {
            let again = Event::Put(key_of_event(event), old);
            told.into_iter().any(|step| matches!(step, Step::Event(_, event) if *event == again))
        });
        if let Some(old) = old
            && told
            && stays
            && self.plants(Plant::OldEventAgain)
        {
            events.push(Event::Put(key_of_event(event), old));
        }
        let connection = self.clients[stream].connection;
        for event in events {
            let at = (self.now + 1 + self.draw(15)).max(self.clients[stream].busy_until + 1);
            self.clients[stream].busy_until = at;
            self.plan(at, Task::Deliver { stream, connection, event });
        }
    }

    fn read(&mut self, session: u32, begin: u64, what: Asked) {
        let seen = match what {
            Asked::Record(key) => Seen::Record(key, self.look(session, begin, key)),
            Asked::Owner(owner) => {
                let keys = Key { owner, number: 0 }..=Key { owner, number: u32::MAX };
                let found = self.records.range(keys).map(|(key, version)| (*key, *version));
                let doubles = self.doubles.iter().filter(|(key, _)| key.owner == owner);
                Seen::Records(owner, found.chain(doubles.copied()).collect())
            }
            Asked::Counter(counter) => {
                Seen::Counter(counter, self.counters.get(&counter).copied().unwrap_or_default())
            }
        };
        let end = self.now + 1 + self.draw(20);
        let session_id = SessionId(session);
        let (begin, moment) = (Moment(begin), Moment(end));
        self.history.reads.push(Read { session: session_id, begin, end: moment, seen });
        self.plan(end + 1, Task::Begin(session));
    }

    fn look(&mut self, session: u32, begin: u64, key: Key) -> Option<Version> {
        let current = self.records.get(&key).copied();
        if let Some((old, acknowledged)) = self.before.get(&key).copied()
            && acknowledged < begin
        {
            let writer = key.owner == session;
            if self.plants(Plant::OldStateForAnybody)
                || (writer && self.plants(Plant::OldStateForItsWriter))
            {
                return old;
            }
        }
        match current {
            Some(version) if self.plants(Plant::ReadFromNowhere) => Some(version + 1_000),
            other => other,
        }
    }

    fn connect(&mut self, stream: usize) {
        let now = self.now;
        let client = &mut self.clients[stream];
        client.connected = true;
        client.connection += 1;
        client.subscribed_at = now + 3;
        client.steps.push(Step::Subscribed(Moment(client.subscribed_at)));
        client.busy_until = now + 12;
        self.plan(now + 8, Task::Fetch { stream, begin: now + 4 });
        let cut = now + 200 + self.draw(500);
        if cut < END - QUIET {
            self.plan(cut, Task::Cut(stream));
        }
    }

    fn finish(&mut self) {
        let mut records: Vec<(Key, Version)> =
            self.records.iter().map(|(key, version)| (*key, *version)).collect();
        records.extend(&self.doubles);
        if self.plant == Some(Plant::RolledBackInTheEnd) {
            let writes = &self.history.writes;
            let mut acknowledged = writes.iter().rev().filter(|write| {
                write.outcome == Outcome::Done && matches!(write.change, Change::Set(..))
            });
            let place = acknowledged.find_map(|write| {
                let Change::Set(key, version) = write.change else { return None };
                records.iter().position(|record| *record == (key, version))
            });
            if let Some(index) = place {
                records[index].1 = 1;
                self.planted = true;
            }
        }
        if self.plant == Some(Plant::LastEventDropped) {
            self.drop_a_last_event();
        }
        let (begin, end) = (Moment(self.now + 10), Moment(self.now + 20));
        let counters = self.counters.iter().map(|(counter, value)| (*counter, *value)).collect();
        self.history.last = Some(LastState { begin, end, records, counters });
        for (number, client) in self.clients.iter_mut().enumerate() {
            let session = SessionId(1_000 + number as u32);
            let steps = std::mem::take(&mut client.steps);
            self.history.streams.push(Stream { session, steps });
        }
    }

    /// Of some record, on some stream, so that nothing later makes up for it.
    fn drop_a_last_event(&mut self) {
        for client in &mut self.clients {
            let place = client.steps.iter().rposition(|step| matches!(step, Step::Event(..)));
            if let Some(index) = place {
                client.steps.remove(index);
                self.planted = true;
                return;
            }
        }
    }

    /// Whether the fault shall happen here.
    fn plants(&mut self, plant: Plant) -> bool {
        let here = self.plant == Some(plant) && !self.planted && self.now > PLANT_AFTER;
        self.planted |= here;
        here
    }

    fn plan(&mut self, at: u64, task: Task) {
        self.order += 1;
        self.tasks.insert((at, self.order), task);
    }

    /// SplitMix64.
    fn draw(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn key_of(change: Change) -> Option<Key> {
    match change {
        Change::Create(key) | Change::Set(key, _) | Change::Delete(key) => Some(key),
        Change::Increment(..) => None,
    }
}

fn key_of_event(event: Event) -> Key {
    match event {
        Event::Put(key, _) | Event::Deleted(key) => key,
    }
}
