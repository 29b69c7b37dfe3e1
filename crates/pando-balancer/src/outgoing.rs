//! The head of a request as an upstream gets it, written anew line by line.
//!
//! Source: RFC 9110 7.6, RFC 9112 3, 5 and 6; RFC 7239 (`Forwarded`); W3C Trace Context.
//! *Invariants*: what says where a message ends is ours; so is everything by which the upstream
//! tells who the client is, unless a trusted proxy has said it.

mod trace;

use std::io::Write as _;
use std::net::IpAddr;

use http::header::{
    CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, MAX_FORWARDS, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use crate::fields::{self, Nominated};

pub(crate) use trace::Ids;

/// What a web server is shown to know that a request comes from a balancer.
pub(crate) const SECRET_FIELD: HeaderName = HeaderName::from_static("x-pando-balancer");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest request id that is taken over.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// How much of a body follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// None, and none was announced.
    None,
    Known(u64),
    Chunked,
}

/// What the head is made of, beside the client's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) host: &'a str,
    /// Who asks, as far as we know.
    pub(crate) client: IpAddr,
    /// Whose connection it is.
    pub(crate) peer: IpAddr,
    /// `peer` is a proxy that is believed.
    pub(crate) trusted: bool,
    pub(crate) tls: bool,
    pub(crate) ids: &'a Ids,
    pub(crate) secret: Option<&'a HeaderValue>,
    pub(crate) upgrade: bool,
    pub(crate) body: BodyLength,
    /// The body waits for the upstream's word.
    pub(crate) expect: bool,
}

/// Writes the head with its empty line.
pub(crate) fn write_head(
    output: &mut Vec<u8>,
    head: &Parts,
    nominated: &Nominated,
    facts: &Facts<'_>,
) {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    output.extend_from_slice(head.method.as_str().as_bytes());
    output.push(b' ');
    output.extend_from_slice(target.as_bytes());
    output.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    output.extend_from_slice(facts.host.as_bytes());
    output.extend_from_slice(b"\r\n");
    for (name, value) in &head.headers {
        if passes(name, facts.trusted) && !nominated.has(name) {
            line(output, name, value.as_bytes());
        }
    }
    if head.version == Version::HTTP_2 {
        write_cookies(output, &head.headers);
    } else {
        for value in head.headers.get_all(COOKIE) {
            line(output, &COOKIE, value.as_bytes());
        }
    }
    write_connection(output, head, facts);
    write_provenance(output, head, facts);
    output.extend_from_slice(b"\r\n");
}

/// Whether the client's field is passed on as it is.
fn passes(name: &HeaderName, trusted: bool) -> bool {
    let text = name.as_str();
    match text.as_bytes()[0] {
        b'c' => !matches!(text, "connection" | "content-length" | "cookie"),
        b'e' => *name != EXPECT,
        b'f' => *name != FORWARDED,
        b'h' => !matches!(text, "host" | "http2-settings"),
        b'k' => text != "keep-alive",
        b'm' => *name != MAX_FORWARDS,
        b'p' => text != "proxy-connection",
        b't' => !matches!(text, "te" | "transfer-encoding" | "traceparent"),
        b'u' => *name != UPGRADE,
        b'x' => passes_x(text, trusted),
        _ => true,
    }
}

/// Fields that start with `x`: of those that tell where a request comes from none but ours.
fn passes_x(text: &str, trusted: bool) -> bool {
    match text {
        "x-real-ip" | "x-request-id" | "x-pando-balancer" | "x-forwarded-for" => false,
        // A trusted proxy knows what its clients asked for.
        "x-forwarded-proto" | "x-forwarded-host" | "x-forwarded-port" => trusted,
        _ => !text.starts_with("x-forwarded-"),
    }
}

/// The fields for the next hop: framing, upgrade, expectation.
fn write_connection(output: &mut Vec<u8>, head: &Parts, facts: &Facts<'_>) {
    match facts.body {
        BodyLength::Known(length) => {
            let _ = write!(output, "content-length: {length}\r\n");
        }
        BodyLength::Chunked => output.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        // A method that usually has a body says that it has none (RFC 9110 8.6).
        BodyLength::None if matches!(head.method, Method::POST | Method::PUT | Method::PATCH) => {
            output.extend_from_slice(b"content-length: 0\r\n");
        }
        BodyLength::None => {}
    }
    if facts.upgrade {
        output.extend_from_slice(b"connection: upgrade\r\nupgrade: websocket\r\n");
    }
    if facts.expect {
        output.extend_from_slice(b"expect: 100-continue\r\n");
    }
    if fields::has_token(&head.headers, &http::header::TE, "trailers") {
        output.extend_from_slice(b"te: trailers\r\n");
    }
    if let Some(left) = forwards_left(&head.headers) {
        let _ = write!(output, "max-forwards: {left}\r\n");
    }
}

/// What `Max-Forwards` is after this hop.
fn forwards_left(headers: &HeaderMap) -> Option<u64> {
    let count = fields::parse_length(headers.get(MAX_FORWARDS)?.as_bytes())?;
    Some(count.saturating_sub(1))
}

/// Who asked whom, and under which id.
fn write_provenance(output: &mut Vec<u8>, head: &Parts, facts: &Facts<'_>) {
    let proto = if facts.tls { "https" } else { "http" };
    output.extend_from_slice(b"x-forwarded-for: ");
    if facts.trusted {
        for value in head.headers.get_all(X_FORWARDED_FOR) {
            output.extend_from_slice(value.as_bytes());
            output.extend_from_slice(b", ");
        }
    }
    let _ = write!(output, "{}\r\nx-real-ip: {}\r\n", facts.peer, facts.client);
    if !(facts.trusted && head.headers.contains_key("x-forwarded-proto")) {
        let _ = write!(output, "x-forwarded-proto: {proto}\r\n");
    }
    if !(facts.trusted && head.headers.contains_key("x-forwarded-host")) {
        let _ = write!(output, "x-forwarded-host: {}\r\n", facts.host);
    }
    output.extend_from_slice(b"forwarded: ");
    if facts.trusted {
        for value in head.headers.get_all(FORWARDED) {
            output.extend_from_slice(value.as_bytes());
            output.extend_from_slice(b", ");
        }
    }
    let _ = match facts.peer {
        IpAddr::V4(ip) => write!(output, "for={ip}"),
        IpAddr::V6(ip) => write!(output, "for=\"[{ip}]\""),
    };
    let _ = write!(output, ";host=\"{}\";proto={proto}\r\n", facts.host);
    let version = match head.version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    let _ = write!(output, "via: {version} pando\r\n");
    line(output, &REQUEST_ID, facts.ids.request.as_bytes());
    line(output, &TRACEPARENT, facts.ids.trace.as_str().as_bytes());
    if let Some(secret) = facts.secret {
        line(output, &SECRET_FIELD, secret.as_bytes());
    }
}

/// Clients may split cookies with HTTP/2 only (RFC 9113 8.2.3).
fn write_cookies(output: &mut Vec<u8>, headers: &HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    let Some(first) = cookies.next() else { return };
    output.extend_from_slice(b"cookie: ");
    output.extend_from_slice(first.as_bytes());
    for cookie in cookies {
        output.extend_from_slice(b"; ");
        output.extend_from_slice(cookie.as_bytes());
    }
    output.extend_from_slice(b"\r\n");
}

fn line(output: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    output.extend_from_slice(name.as_str().as_bytes());
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}

/// Whether a request asks to speak WebSocket from now on, the only other protocol that is passed
/// through.
pub(crate) fn wants_websocket(head: &Parts, nominated: &Nominated) -> bool {
    head.version == Version::HTTP_11
        && head.method == Method::GET
        && nominated.upgrade
        && fields::has_token(&head.headers, &UPGRADE, "websocket")
}

/// How much of a body the request has. `empty`: nothing will come.
pub(crate) fn body_length(head: &Parts, empty: bool) -> BodyLength {
    let length = head.headers.get(CONTENT_LENGTH);
    match length.and_then(|length| fields::parse_length(length.as_bytes())) {
        Some(length) => BodyLength::Known(length),
        None if empty && !head.headers.contains_key(TRANSFER_ENCODING) => BodyLength::None,
        None => BodyLength::Chunked,
    }
}

/// The client that a trusted proxy names: the last address in `X-Forwarded-For` that is not itself
/// one of those.
pub(crate) fn named_client(
    headers: &HeaderMap,
    trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut named = None;
    for value in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        for text in value.to_str().ok()?.rsplit(',') {
            let ip: IpAddr = text.trim().parse().ok()?;
            let ip = ip.to_canonical();
            named = Some(ip);
            if !trusted(ip) {
                return named;
            }
        }
    }
    named
}

/// The id that a trusted proxy gave the request.
pub(crate) fn given_request_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let sound = (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(id)
}

#[cfg(test)]
mod tests;
