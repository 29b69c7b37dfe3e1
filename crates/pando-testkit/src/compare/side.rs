//! One of the two servers: sends steps to it and tells what came back in comparable form.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::dataset::{PASSWORD, ROOT_EMAIL};
use super::normalize::Normalizer;
use super::scenario::{Action, Actor, BodyKind, Step, Variables};
use crate::http::{HttpClient, Request, Response};
use crate::rng::Rng;
use crate::server::Server;
use crate::sse::SseClient;

/// Headers that are compared on every answer.
const HEADERS: [&str; 18] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-range",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "location",
    "vary",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
const EVENT_DEADLINE: Duration = Duration::from_secs(5);
/// Servers send the events of one change from several threads: stragglers get this long.
const QUIET: Duration = Duration::from_millis(50);
const TEXT_BYTES_MAX: usize = 200_000;

/// A running server, or several on one database of which each step takes any, with everything
/// this run has learned from them.
#[derive(Debug)]
pub(super) struct Side {
    servers: Vec<Server>,
    /// A client of each, or one of what stands before them.
    clients: Vec<HttpClient>,
    /// Chooses among them.
    rng: Rng,
    variables: Variables,
    normalizer: Normalizer,
    streams: BTreeMap<&'static str, SseClient>,
}

impl Side {
    /// `before` is where requests go if not to the servers themselves.
    pub(super) fn new(
        servers: Vec<Server>,
        before: Option<SocketAddr>,
        normalizer: Normalizer,
        seed: u64,
    ) -> Self {
        let entrances = match before {
            Some(front) => vec![front],
            None => servers.iter().map(Server::addr).collect(),
        };
        let client = |addr| HttpClient::new(addr).with_timeout(ANSWER_DEADLINE);
        Self {
            clients: entrances.into_iter().map(client).collect(),
            servers,
            rng: Rng::new(seed),
            variables: Variables::default(),
            normalizer,
            streams: BTreeMap::new(),
        }
    }

    /// Logs all actors in.
    pub(super) fn login(&mut self) -> Result<()> {
        for actor in Actor::KNOWN {
            let (collection, email) = match actor {
                Actor::Guest | Actor::Alice => ("users", "alice@example.com"),
                Actor::Bob => ("users", "bob@example.com"),
                Actor::Mia => ("members", "mia@example.com"),
                Actor::Root => ("_superusers", ROOT_EMAIL),
            };
            let path = format!("/api/collections/{collection}/auth-with-password");
            let body = json!({ "identity": email, "password": PASSWORD });
            let answer = self.client().send(&Request::post(path).json(&body))?.success()?.json()?;
            let token = answer["token"].as_str().context("login without token")?;
            self.variables.set(format!("token.{}", actor.name()), token);
        }
        Ok(())
    }

    /// Uses the tokens of the other side: both copies hold the same keys.
    pub(super) fn borrow_tokens(&mut self, other: &Self) {
        for actor in Actor::KNOWN {
            let name = format!("token.{}", actor.name());
            if let Some(token) = other.variables.value(&name) {
                self.variables.set(name.clone(), token);
            }
        }
    }

    /// A server that does not run any more.
    pub(super) fn dead(&mut self) -> Option<&Server> {
        self.servers.iter_mut().find_map(|server| (!server.alive()).then_some(&*server))
    }

    fn any(&mut self) -> usize {
        self.rng.below(self.clients.len())
    }

    fn client(&mut self) -> &mut HttpClient {
        let any = self.any();
        &mut self.clients[any]
    }

    fn addr(&mut self) -> SocketAddr {
        let any = self.any();
        self.clients[any].addr()
    }

    /// Makes both sides count made-up values on from the same numbers.
    pub(super) fn align(&mut self, other: &mut Self) {
        self.normalizer.align(&mut other.normalizer);
    }

    /// Takes one step; what happened is a JSON value, also if it failed.
    pub(super) fn take(&mut self, step: &Step) -> Value {
        match self.try_take(step) {
            Ok(seen) => seen,
            Err(error) => {
                self.clients.iter_mut().for_each(HttpClient::close);
                json!({ "failed": failure_kind(&error) })
            }
        }
    }

    fn try_take(&mut self, step: &Step) -> Result<Value> {
        match &step.action {
            Action::Send(request) => {
                let mut request = self.variables.fill_request(request);
                let token = self.variables.value(&format!("token.{}", step.actor.name()));
                let own = request.headers.iter().any(|(name, _)| name == "Authorization");
                if let Some(token) = token.filter(|_| !own) {
                    request = request.token(token);
                }
                let response = self.client().send(&request)?;
                self.observe(step, &response)
            }
            Action::SendRaw(bytes) => {
                let mut client = HttpClient::new(self.addr()).with_timeout(ANSWER_DEADLINE);
                let response = client.send_raw(bytes)?;
                self.observe(step, &response)
            }
            Action::Connect(stream) => {
                let client = SseClient::connect(self.addr(), EVENT_DEADLINE)?;
                self.variables.set(format!("client.{stream}"), client.client_id());
                let seen = self.observe(step, client.head());
                self.streams.insert(stream, client);
                seen
            }
            Action::Events { stream, until } => self.events(stream, until),
            Action::Disconnect(stream) => {
                self.streams.remove(stream);
                Ok(json!("closed"))
            }
        }
    }

    fn observe(&mut self, step: &Step, response: &Response) -> Result<Value> {
        let mut headers = Map::new();
        for name in HEADERS.iter().chain(step.headers) {
            if let Some(value) = response.header_all(name) {
                headers.insert((*name).to_owned(), Value::String(self.normalizer.text(&value)));
            }
        }
        let body = match step.body {
            BodyKind::Picture => picture(&response.body),
            BodyKind::Ignored => Value::Null,
            BodyKind::Exact => self.body(response)?,
        };
        self.capture(step, response);
        Ok(json!({ "status": response.status, "headers": headers, "body": body }))
    }

    fn body(&mut self, response: &Response) -> Result<Value> {
        let content_type = response.header("content-type").unwrap_or_default();
        if content_type.starts_with("application/json") && !response.body.is_empty() {
            // An answer that says it is JSON and is not must show up as it is.
            if let Ok(json) = serde_json::from_slice(&response.body) {
                return Ok(self.normalizer.json(&json));
            }
        }
        let text = std::str::from_utf8(&response.body).ok();
        Ok(match text.filter(|text| text.len() <= TEXT_BYTES_MAX) {
            Some(text) => Value::String(self.normalizer.text(text)),
            None => json!({ "bytes": response.body.len(), "sum": checksum(&response.body) }),
        })
    }

    fn capture(&mut self, step: &Step, response: &Response) {
        let json = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        for (name, pointer) in &step.captures {
            let value = match pointer.strip_prefix("header:") {
                Some(header) => response.header(header).map(str::to_owned),
                None => json.pointer(pointer).map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                }),
            };
            self.variables.set(name.clone(), value.unwrap_or_else(|| "not-captured".to_owned()));
        }
    }

    /// The events of a stream as a sorted list: their order within one change is not defined.
    fn events(&mut self, stream: &str, until: &str) -> Result<Value> {
        let until = self.variables.fill(until);
        let client = self.streams.get_mut(stream).context("no such stream")?;
        let started = Instant::now();
        let mut events = Vec::new();
        let mut marked = false;
        loop {
            let left = EVENT_DEADLINE.saturating_sub(started.elapsed());
            match client.next_event(if marked { QUIET } else { left })? {
                Some(event) => {
                    marked |= event.data.contains(&until);
                    let data: Value = serde_json::from_str(&event.data)
                        .unwrap_or_else(|_| Value::String(event.data.clone()));
                    let own_id = event.id == client.client_id();
                    events.push(json!({ "name": event.name, "data": data, "own id": own_id }));
                }
                None => break,
            }
        }
        if !marked {
            events.push(json!("the marking event did not come"));
        }
        // Each by itself, so that the order does not depend on ids that differ between the sides.
        events.sort_by_cached_key(|event| sorted(&self.normalizer.clone().json(event)).to_string());
        Ok(Value::Array(events.iter().map(|event| self.normalizer.json(event)).collect()))
    }
}

/// The same value with the members of all objects in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        other => other.clone(),
    }
}

fn failure_kind(error: &anyhow::Error) -> String {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, WouldBlock};
    match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ConnectionReset | BrokenPipe) => "the connection was closed".to_owned(),
        Some(TimedOut | WouldBlock) => "no answer in time".to_owned(),
        _ => {
            let text = error.root_cause().to_string();
            if text.contains("closed the connection") {
                "the connection was closed".to_owned()
            } else {
                text
            }
        }
    }
}

/// Format and size of a picture from its first bytes.
fn picture(bytes: &[u8]) -> Value {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        Some(bytes.get(range)?.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    };
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => {
            json!({ "format": "png", "width": number(16..20), "height": number(20..24) })
        }
        [0xff, 0xd8, ..] => json!({ "format": "jpeg", "size": jpeg_size(bytes) }),
        [b'G', b'I', b'F', ..] => json!({ "format": "gif", "size": bytes.get(6..10) }),
        _ => json!({ "format": "other", "text": String::from_utf8_lossy(bytes).into_owned() }),
    }
}

/// Height and width from the frame header (ITU T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        if (0xc0..=0xc2).contains(&marker) {
            return bytes.get(at + 5..at + 9);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

/// FNV-1a, to tell large bodies apart without printing them.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
