//! What is sent to both servers: scenarios of steps, with places for values each server made up.
//!
//! A template `{{name}}` in a target, a header value or a body stands for a value of the one server:
//! a captured part of an earlier answer, `token.ACTOR` or `client.STREAM`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) use crate::http::encode;
use crate::http::{Multipart, Request};

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    Guest,
    /// A verified user with role `admin`.
    Alice,
    /// A user with role `reader`.
    Bob,
    /// A record of the second auth collection.
    Mia,
    Root,
}

impl Actor {
    /// Everyone who has a token.
    pub(crate) const KNOWN: [Self; 4] = [Self::Alice, Self::Bob, Self::Mia, Self::Root];
    pub(crate) const ALL: [Self; 5] = [Self::Guest, Self::Alice, Self::Bob, Self::Mia, Self::Root];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Mia => "mia",
            Self::Root => "root",
        }
    }
}

/// Steps that belong together; they run in order, with nothing between them.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub area: &'static str,
    pub steps: Vec<Step>,
}

/// One thing that is done to a server and observed.
#[derive(Clone, Debug)]
pub struct Step {
    pub actor: Actor,
    pub action: Action,
    /// Variables to take from the answer: name and JSON pointer (`header:NAME` for a header).
    pub captures: Vec<(String, String)>,
    /// Headers to compare beyond the usual ones.
    pub headers: &'static [&'static str],
    /// How to read the body.
    pub body: BodyKind,
}

#[derive(Clone, Debug)]
pub enum Action {
    Send(Request),
    /// Bytes as they are, on a connection of their own.
    SendRaw(Vec<u8>),
    /// Opens a realtime stream of that name.
    Connect(&'static str),
    /// Reads a stream until an event whose data contain the text, then until it is quiet.
    Events {
        stream: &'static str,
        until: String,
    },
    Disconnect(&'static str),
}

/// What of a body is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// Everything: as JSON if it is declared so, else byte by byte.
    Exact,
    /// Format and size of a picture: two encoders may differ in every byte.
    Picture,
    /// Nothing; status and headers count.
    Ignored,
}

impl Step {
    pub fn new(actor: Actor, request: Request) -> Self {
        Self::of(actor, Action::Send(request))
    }

    pub fn of(actor: Actor, action: Action) -> Self {
        Self { actor, action, captures: Vec::new(), headers: &[], body: BodyKind::Exact }
    }

    pub fn get(actor: Actor, target: impl Into<String>) -> Self {
        Self::new(actor, Request::get(target))
    }

    pub fn post(actor: Actor, target: impl Into<String>, body: &Value) -> Self {
        Self::new(actor, Request::post(target).json(body))
    }

    pub fn patch(actor: Actor, target: impl Into<String>, body: &Value) -> Self {
        Self::new(actor, Request::patch(target).json(body))
    }

    pub fn delete(actor: Actor, target: impl Into<String>) -> Self {
        Self::new(actor, Request::delete(target))
    }

    pub fn form(actor: Actor, method: &str, target: impl Into<String>, form: &Multipart) -> Self {
        Self::new(actor, Request::new(method, target).multipart(form))
    }

    /// Keeps the value at a JSON pointer of the answer as a variable.
    pub fn capture(mut self, name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.captures.push((name.into(), pointer.into()));
        self
    }

    pub fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    pub fn picture(mut self) -> Self {
        self.body = BodyKind::Picture;
        self
    }

    /// One line that tells the step apart.
    pub fn title(&self) -> String {
        let action = match &self.action {
            Action::Send(request) => format!("{} {}", request.method, request.target),
            Action::SendRaw(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                format!("raw {:?}", text.chars().take(80).collect::<String>())
            }
            Action::Connect(stream) => format!("connect realtime stream {stream}"),
            Action::Events { stream, until } => format!("events of {stream} until {until:?}"),
            Action::Disconnect(stream) => format!("disconnect {stream}"),
        };
        format!("{action} as {}", self.actor.name())
    }
}

/// A realtime subscription request of a stream opened before.
pub(crate) fn subscribe(actor: Actor, stream: &str, subscriptions: &[&str]) -> Step {
    let client = format!("{{{{client.{stream}}}}}");
    let body = json!({ "clientId": client, "subscriptions": subscriptions });
    Step::post(actor, "/api/realtime", &body)
}

/// The variables of one server within one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Puts values in for all templates; unknown names stay as they are.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            match after.split_once("}}") {
                Some((name, tail)) if self.values.contains_key(name) => {
                    filled.push_str(&self.values[name]);
                    rest = tail;
                }
                _ => {
                    filled.push_str("{{");
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// The request with all templates filled in.
    pub(super) fn fill_request(&self, request: &Request) -> Request {
        let mut filled = request.clone();
        filled.target = self.fill(&request.target);
        for (_, value) in &mut filled.headers {
            *value = self.fill(value);
        }
        // Binary bodies hold no templates.
        if let Ok(text) = std::str::from_utf8(&request.body)
            && text.contains("{{")
        {
            filled.body = self.fill(text).into_bytes();
        }
        filled
    }
}

/// A target with encoded query parameters.
pub(super) fn target(path: &str, query: &[(&str, &str)]) -> String {
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}
