//! HTTP/2 by hand: frames and fields as they are, also those that no library would send.
//!
//! Source: RFC 9113, RFC 7541 (literal fields without indexing only).

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{RequestCase, Safe};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

const QUIET: Duration = Duration::from_millis(400);

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Fields as literals that are not indexed.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 5.1).
fn push_length(block: &mut Vec<u8>, length: usize) {
    // Lossless: masked or compared before.
    if length < 127 {
        return block.push(length as u8);
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push((rest & 127) as u8 | 128);
        rest >>= 7;
    }
    block.push(rest as u8);
}

/// The beginning of a connection: preface and empty settings.
pub(crate) fn beginning() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// A request on stream 1.
fn request(fields: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let flags = END_HEADERS | if body.is_none() { END_STREAM } else { 0 };
    let mut bytes = beginning();
    bytes.extend(frame(HEADERS, flags, 1, &block(fields)));
    bytes.extend(body.map(|body| frame(DATA, END_STREAM, 1, body.as_bytes())).unwrap_or_default());
    bytes
}

/// Sends the bytes, reads frames until nothing more comes, and returns the statuses of answers.
/// A refused stream or connection counts as none.
pub(crate) fn exchange(addr: SocketAddr, bytes: &[u8]) -> Result<Vec<u16>> {
    let mut stream = TcpStream::connect(addr).context("failed to connect to the proxy")?;
    stream.set_read_timeout(Some(QUIET))?;
    let _ = stream.write_all(bytes);
    let mut input = Vec::new();
    let mut chunk = [0; 16 << 10];
    let mut statuses = Vec::new();
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(statuses),
            Ok(count) => input.extend_from_slice(&chunk[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(statuses);
            }
            Err(_) => return Ok(statuses),
        }
        while let Some((kind, flags, payload, length)) = take(&input) {
            match kind {
                HEADERS => statuses.extend(status(&payload)),
                RST_STREAM | GOAWAY => return Ok(statuses),
                SETTINGS if flags & ACK == 0 => {
                    let _ = stream.write_all(&frame(SETTINGS, ACK, 0, &[]));
                }
                _ => {}
            }
            let ends = flags & END_STREAM != 0 && matches!(kind, DATA | HEADERS);
            input.drain(..length);
            if ends {
                return Ok(statuses);
            }
        }
    }
}

/// The first frame: kind, flags, payload, and its length.
pub(crate) fn take(input: &[u8]) -> Option<(u8, u8, Vec<u8>, usize)> {
    let head = input.get(..9)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let payload = input.get(9..9 + length)?.to_vec();
    Some((head[3], head[4], payload, 9 + length))
}

/// The status at the start of a block: indexed, or a literal whose value is not compressed, or one
/// that starts with its class if it is.
fn status(block: &[u8]) -> Option<u16> {
    // The size of the dynamic table may be set first.
    let at = block.iter().position(|byte| byte & 0xe0 != 0x20)?;
    match block[at..] {
        [0x88, ..] => Some(200),
        [0x89, ..] => Some(204),
        [0x8a, ..] => Some(206),
        [0x8b, ..] => Some(304),
        [0x8c, ..] => Some(400),
        [0x8d, ..] => Some(404),
        [0x8e, ..] => Some(500),
        [first, 3, a, b, c, ..] if first & 0x3f == 8 || first & 0x0f == 8 => {
            std::str::from_utf8(&[a, b, c]).ok()?.parse().ok()
        }
        // Huffman: the digits 0 to 2 have five bits, the others six; 1, 2 and 3 as well as 4 and 5
        // are told apart by the first ones.
        [first, length, a, ..] if length & 0x80 != 0 && first & 0x0f == 8 => match a >> 3 {
            1 => Some(100),
            2 => Some(200),
            _ => Some(if a >> 2 == 0x19 { 300 } else { 400 }),
        },
        _ => None,
    }
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const AUTHORITY: (&str, &str) = (":authority", "a.example");
const PATH: (&str, &str) = (":path", "/x");

/// What HTTP/2 lets through to HTTP/1.1 upstreams.
pub(super) fn cases() -> Vec<RequestCase> {
    let with = |field: (&'static str, &'static str)| {
        request(&[METHOD, SCHEME, AUTHORITY, PATH, field], None)
    };
    let post = (":method", "POST");
    let case = |name, clause, send, safe| RequestCase { name, clause, send, safe, http2: true };
    const LINE: &str = "RFC 9113 8.2.1";
    const PSEUDO: &str = "RFC 9113 8.3";
    const CONNECTION: &str = "RFC 9113 8.2.2";
    vec![
        case(
            "h2-get",
            "RFC 9113 8.1",
            request(&[METHOD, SCHEME, AUTHORITY, PATH], None),
            Safe::Passed(&[""]),
        ),
        case(
            "h2-post",
            "RFC 9113 8.1",
            request(&[post, SCHEME, AUTHORITY, PATH], Some("hello")),
            Safe::Passed(&["hello"]),
        ),
        case(
            "h2-post-length",
            "RFC 9113 8.1.1",
            request(&[post, SCHEME, AUTHORITY, PATH, ("content-length", "5")], Some("hello")),
            Safe::Passed(&["hello"]),
        ),
        case(
            "h2-length-long",
            "RFC 9113 8.1.1",
            request(&[post, SCHEME, AUTHORITY, PATH, ("content-length", "9")], Some("hello")),
            Safe::Refused,
        ),
        case(
            "h2-length-short",
            "RFC 9113 8.1.1",
            request(&[post, SCHEME, AUTHORITY, PATH, ("content-length", "2")], Some("hello")),
            Safe::Refused,
        ),
        case(
            "h2-length-without-body",
            "RFC 9113 8.1.1",
            request(&[post, SCHEME, AUTHORITY, PATH, ("content-length", "5")], None),
            Safe::Refused,
        ),
        case(
            "h2-lengths-differ",
            "RFC 9110 8.6",
            request(
                &[post, SCHEME, AUTHORITY, PATH, ("content-length", "5"), ("content-length", "6")],
                Some("hello"),
            ),
            Safe::Refused,
        ),
        case(
            "h2-length-plus",
            "RFC 9110 8.6",
            request(&[post, SCHEME, AUTHORITY, PATH, ("content-length", "+5")], Some("hello")),
            Safe::Refused,
        ),
        case(
            "h2-te-chunked",
            CONNECTION,
            request(
                &[post, SCHEME, AUTHORITY, PATH, ("transfer-encoding", "chunked")],
                Some("0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n"),
            ),
            Safe::Refused,
        ),
        case("h2-connection", CONNECTION, with(("connection", "keep-alive")), Safe::Refused),
        case("h2-keep-alive", CONNECTION, with(("keep-alive", "1")), Safe::Refused),
        case(
            "h2-proxy-connection",
            CONNECTION,
            with(("proxy-connection", "keep-alive")),
            Safe::Refused,
        ),
        case("h2-upgrade", CONNECTION, with(("upgrade", "websocket")), Safe::Refused),
        case("h2-te-gzip", CONNECTION, with(("te", "gzip")), Safe::Harmless(&[""])),
        case("h2-value-crlf", LINE, with(("x", "a\r\ny: b")), Safe::Refused),
        case("h2-value-lf", LINE, with(("x", "a\nb")), Safe::Refused),
        case("h2-value-cr", LINE, with(("x", "a\rb")), Safe::Refused),
        case("h2-value-nul", LINE, with(("x", "a\0b")), Safe::Refused),
        case(
            "h2-value-request",
            LINE,
            with(("x", "a\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n")),
            Safe::Refused,
        ),
        case("h2-name-upper", LINE, with(("Xy", "a")), Safe::Refused),
        case("h2-name-space", LINE, with(("x y", "a")), Safe::Refused),
        case("h2-name-colon", LINE, with(("x:y", "a")), Safe::Refused),
        case("h2-name-crlf", LINE, with(("x: y\r\nz", "a")), Safe::Refused),
        case("h2-name-empty", LINE, with(("", "a")), Safe::Refused),
        case(
            "h2-path-space",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, (":path", "/x HTTP/1.1\r\nx: y")], None),
            Safe::Refused,
        ),
        case(
            "h2-path-space-only",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, (":path", "/x y")], None),
            Safe::Refused,
        ),
        case(
            "h2-path-empty",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, (":path", "")], None),
            Safe::Refused,
        ),
        case(
            "h2-path-relative",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, (":path", "x")], None),
            Safe::Refused,
        ),
        case("h2-path-missing", PSEUDO, request(&[METHOD, SCHEME, AUTHORITY], None), Safe::Refused),
        case(
            "h2-path-twice",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, PATH, (":path", "/y")], None),
            Safe::Refused,
        ),
        case(
            "h2-method-space",
            PSEUDO,
            request(&[(":method", "GET /evil HTTP/1.1"), SCHEME, AUTHORITY, PATH], None),
            Safe::Refused,
        ),
        case("h2-method-missing", PSEUDO, request(&[SCHEME, AUTHORITY, PATH], None), Safe::Refused),
        case(
            "h2-method-twice",
            PSEUDO,
            request(&[METHOD, METHOD, SCHEME, AUTHORITY, PATH], None),
            Safe::Refused,
        ),
        case(
            "h2-pseudo-after-field",
            PSEUDO,
            request(&[METHOD, SCHEME, AUTHORITY, ("x", "y"), PATH], None),
            Safe::Refused,
        ),
        case("h2-pseudo-unknown", PSEUDO, with((":x", "y")), Safe::Refused),
        case("h2-pseudo-status", PSEUDO, with((":status", "200")), Safe::Refused),
        case("h2-host-differs", "RFC 9113 8.3.1", with(("host", "b.example")), Safe::Refused),
        case("h2-host-same", "RFC 9113 8.3.1", with(("host", "a.example")), Safe::Passed(&[""])),
        case(
            "h2-hosts",
            "RFC 9110 7.2",
            request(&[METHOD, SCHEME, PATH, ("host", "a.example"), ("host", "b.example")], None),
            Safe::Refused,
        ),
        case(
            "h2-authority-user",
            "RFC 9113 8.3.1",
            request(&[METHOD, SCHEME, (":authority", "u@a.example"), PATH], None),
            Safe::Refused,
        ),
        case(
            "h2-authority-crlf",
            "RFC 9113 8.3.1",
            request(&[METHOD, SCHEME, (":authority", "a\r\nx: y"), PATH], None),
            Safe::Refused,
        ),
        case(
            "h2-authority-path",
            "RFC 9113 8.3.1",
            request(&[METHOD, SCHEME, (":authority", "a.example/evil"), PATH], None),
            Safe::Refused,
        ),
        case(
            "h2-connect",
            "RFC 9113 8.5",
            request(&[(":method", "CONNECT"), (":authority", "a.example:80")], None),
            Safe::Refused,
        ),
    ]
}
