//! What an entry says of a request: its message and its data, a JSON object.
//!
//! Invariant: the value of a `token` in a URL is a secret and is never kept, not even in memory.
//!
//! Source: PocketBase `apis/middlewares.go` (`logRequest`), `core/log_model.go` (`DBExport`).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use super::entry::Request;

/// Parameters whose values open doors.
const SECRETS: [&str; 1] = ["token"];

/// What stands for a secret.
const HIDDEN: &str = "***";

/// The method and the URL, its escapes resolved if they can be.
pub(super) fn message_of_request(request: &Request<'_>) -> String {
    let (method, url) =
        (String::from_utf8_lossy(request.method), String::from_utf8_lossy(request.url));
    format!("{method} {}", unescaped(&url))
}

/// The members in the order of their names, as PocketBase has them.
pub(super) fn request_data(request: &Request<'_>, server: Option<&str>) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes);
    let mut data = Members::with_capacity(512 + request.url.len() + request.user_agent.len());
    data.text("auth", &text(request.auth));
    if let Some(id) = request.auth_id {
        data.text("authId", &text(id));
    }
    if let Some((words, details)) = request.failure {
        data.json("details", &text(details));
        data.text("error", &text(words));
    }
    data.json("execTime", &milliseconds(request.took_ns));
    data.text("method", &text(request.method));
    data.text("referer", &text(request.referer));
    if let Some((_, peer)) = request.addresses {
        data.text("remoteIP", &expanded(peer));
    }
    if let Some(server) = server {
        data.text("server", server);
    }
    data.json("status", &request.status.to_string());
    data.text("type", "request");
    data.text("url", &text(request.url));
    data.text("userAgent", &text(request.user_agent));
    if let Some((client, _)) = request.addresses {
        data.text("userIP", &expanded(client));
    }
    data.end()
}

/// A JSON object that is being written.
struct Members(String);

impl Members {
    fn with_capacity(bytes: usize) -> Members {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Members(text)
    }

    /// A member whose value is JSON already.
    fn json(&mut self, name: &'static str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        // Writing into a String cannot fail.
        let _ = write!(self.0, "\"{name}\":{value}");
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.json(name, "");
        push_json_text(&mut self.0, value);
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Writes a text as JSON. U+0000 becomes a replacement character, which every database can store.
fn push_json_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0 => out.push(char::REPLACEMENT_CHARACTER),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[expect(clippy::cast_precision_loss, reason = "PocketBase's own form; exact up to 104 days")]
fn milliseconds(nanoseconds: u64) -> String {
    (nanoseconds as f64 / 1e6).to_string()
}

/// An address as PocketBase shows it: version 6 with all its digits.
fn expanded(address: IpAddr) -> String {
    let IpAddr::V6(address) = address else { return address.to_string() };
    let groups = address.segments().map(|segment| format!("{segment:04x}"));
    groups.join(":")
}

/// A URL with [`HIDDEN`] for the values of parameters that are secrets.
pub(super) fn without_secrets(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let secret = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| is_secret(name));
    if !query.split('&').any(secret) {
        return Cow::Borrowed(url);
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => Cow::Owned(format!("{name}={HIDDEN}")),
        _ => Cow::Borrowed(pair),
    });
    Cow::Owned(format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")))
}

fn is_secret(name: &str) -> bool {
    let name = if name.contains('%') { unescaped(name) } else { Cow::Borrowed(name) };
    SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// `text` with its percent escapes resolved; as it is if one of them is none.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |index: usize| char::from(*after.get(index)?).to_digit(16);
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Cow::Borrowed(text) };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
        rest = &after[2..];
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// `data` if it is no longer than that; else what its first bytes say, and that it was cut. A value
/// that is cut off is `null`, of an object or a list what is whole stays.
pub(super) fn truncated(data: String, bytes_max: usize) -> String {
    if data.len() <= bytes_max {
        return data;
    }
    let mut reader = Cut(&data.as_bytes()[..bytes_max]);
    let mut members = match reader.value() {
        (Json::Object(members), _) => members,
        _ => Map::new(),
    };
    members.insert("__pb_truncated__".to_owned(), Json::Bool(true));
    let mut sorted: Vec<_> = members.into_iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(sorted.into_iter().collect()).to_string()
}

/// Reads the beginning of a valid JSON text without spaces.
struct Cut<'a>(&'a [u8]);

impl Cut<'_> {
    /// What there is of the next value, and whether it is all of it.
    fn value(&mut self) -> (Json, bool) {
        match self.0.first() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.atom(text_length(self.0)),
            // A number may end where the text does.
            Some(_) => {
                self.atom(self.0.iter().position(|b| b",]}".contains(b)).or(Some(self.0.len())))
            }
            None => (Json::Null, false),
        }
    }

    fn atom(&mut self, length: Option<usize>) -> (Json, bool) {
        let Some((atom, rest)) = length.and_then(|length| self.0.split_at_checked(length)) else {
            return (Json::Null, false);
        };
        self.0 = rest;
        match serde_json::from_slice(atom) {
            Ok(value) => (value, true),
            Err(_) => (Json::Null, false),
        }
    }

    fn object(&mut self) -> (Json, bool) {
        let mut members = Map::new();
        self.0 = &self.0[1..];
        let mut whole = self.skip(b'}');
        while !whole {
            let (Json::String(name), true) = self.value() else { break };
            if !self.skip(b':') {
                break;
            }
            let (value, complete) = self.value();
            members.insert(name, value);
            if !complete {
                break;
            }
            whole = self.skip(b'}');
            if !whole && !self.skip(b',') {
                break;
            }
        }
        (Json::Object(members), whole)
    }

    fn list(&mut self) -> (Json, bool) {
        let mut items = Vec::new();
        self.0 = &self.0[1..];
        let mut whole = self.skip(b']');
        while !whole && !self.0.is_empty() {
            let (value, complete) = self.value();
            items.push(value);
            if !complete {
                break;
            }
            whole = self.skip(b']');
            if !whole && !self.skip(b',') {
                break;
            }
        }
        (Json::Array(items), whole)
    }

    fn skip(&mut self, sign: u8) -> bool {
        let Some(rest) = self.0.strip_prefix(&[sign]) else { return false };
        self.0 = rest;
        true
    }
}

/// How long the text is that begins here, its quotes included.
fn text_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let end = bytes.iter().skip(1).position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    end.map(|at| at + 2)
}
