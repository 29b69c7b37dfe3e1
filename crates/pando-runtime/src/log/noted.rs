//! Keeps the warnings and errors of the process until somebody fetches them, to show them where
//! operators look for them, too.
//!
//! Units: a few hundred events at most; what comes when there is no room is only counted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::{ACCESS, LOGS, REQUEST};

/// More than a process says in a few seconds, unless it says the same again and again.
const EVENTS_MAX: usize = 256;

/// A warning or an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    pub at: SystemTime,
    pub level: Level,
    pub message: String,
    pub fields: Vec<(&'static str, Value)>,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Int(i64),
    Real(f64),
    Bool(bool),
    Text(String),
}

#[derive(Default)]
struct Events {
    kept: VecDeque<Noted>,
    dropped: u64,
}

static EVENTS: Mutex<Events> = Mutex::new(Events { kept: VecDeque::new(), dropped: 0 });

/// The warnings and errors since the last call, and how many more there were.
pub fn noted() -> (Vec<Noted>, u64) {
    let mut events = events();
    let kept = events.kept.drain(..).collect();
    (kept, std::mem::take(&mut events.dropped))
}

fn events() -> MutexGuard<'static, Events> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an event is one of those.
pub(super) fn wanted(metadata: &Metadata<'_>) -> bool {
    // Of requests the log has more to say; what keeping the log says must not be kept by it.
    let elsewhere = [ACCESS, REQUEST, LOGS].contains(&metadata.target());
    *metadata.level() <= Level::WARN && metadata.is_event() && !elsewhere
}

/// Keeps what it is given.
pub(super) struct Notes;

impl<S: Subscriber> Layer<S> for Notes {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut noted = Noted {
            at: SystemTime::now(),
            level: *event.metadata().level(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut noted);
        let mut events = events();
        if events.kept.len() < EVENTS_MAX {
            events.kept.push_back(noted);
        } else {
            events.dropped += 1;
        }
    }
}

impl Noted {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Noted {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let number = i64::try_from(value).map(Value::Int);
        self.put(field, number.unwrap_or_else(|_| Value::Text(value.to_string())));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::Real(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::Text(format!("{value:?}")));
    }
}
