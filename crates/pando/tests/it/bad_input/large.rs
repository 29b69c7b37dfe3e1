//! Bodies of 100 MB, whatever they announce: refused, and never held in memory.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use pando_testkit::Request;

use super::{Pair, RECORDS};

const BODY_BYTES: usize = 100_000_000;

/// A body in memory is cut off at the limit of the collection: 32 MiB and 23 MiB for its editor,
/// JSON and file fields. It is there in pieces and then joined.
const HELD_BYTES_MAX: u64 = 2 * (55 << 20) + (16 << 20);

/// What is streamed to disk, or not read at all, takes buffers only.
const STREAMED_BYTES_MAX: u64 = 16 << 20;

const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const FORM: &str = "application/x-www-form-urlencoded";

/// The start of a body of `kind`, which goes on with the letter `x` for as long as one likes.
fn beginning(kind: &str) -> &'static str {
    match kind {
        JSON => "{\"text\":\"",
        FORM => "text=",
        _ => "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n",
    }
}

fn head(kind: &str, framing: &str) -> String {
    format!("POST {RECORDS} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n")
}

/// Sends `bytes` for as long as the server takes them; returns the first status that comes back.
fn exchange(pair: &Pair, mut parts: impl FnMut(&mut dyn FnMut(&[u8]) -> bool)) -> Option<u16> {
    let mut stream = TcpStream::connect(pair.pando.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may answer and close before it has all.
    parts(&mut |bytes| stream.write_all(bytes).is_ok());
    let _ = stream.shutdown(Shutdown::Write);
    let mut line = [0; 12];
    stream.read_exact(&mut line).ok()?;
    let text = std::str::from_utf8(&line).unwrap();
    Some(text.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap())
}

/// Sends `count` bytes that go on with `beginning`, in pieces, each as `frame` makes it.
fn pour(
    beginning: &str,
    count: usize,
    frame: impl Fn(&[u8]) -> Vec<u8>,
    send: &mut dyn FnMut(&[u8]) -> bool,
) {
    let piece = frame(&[b'x'; 64 << 10]);
    let mut going = send(&frame(beginning.as_bytes()));
    let mut sent = beginning.len();
    while going && sent < count {
        going = send(&piece);
        sent += 64 << 10;
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}

#[test]
fn an_announced_length_is_refused_at_once() {
    let pair = Pair::start();
    for kind in [JSON, MULTIPART, FORM] {
        let mut body = beginning(kind).as_bytes().to_vec();
        body.resize(BODY_BYTES, b'x');
        let request = Request::post(RECORDS).bytes(kind, body);
        assert_eq!(pair.same(&request).status, 413, "{kind}");
    }
    pair.check_memory(STREAMED_BYTES_MAX);
    pair.end();
}

#[test]
fn a_body_without_length_is_refused_when_it_gets_too_large() {
    let pair = Pair::start();
    for (kind, bytes_max) in [(MULTIPART, STREAMED_BYTES_MAX), (JSON, HELD_BYTES_MAX)] {
        let status = exchange(&pair, |send| {
            send(head(kind, "Transfer-Encoding: chunked").as_bytes());
            pour(beginning(kind), BODY_BYTES, chunk, send);
            send(b"0\r\n\r\n");
        });
        assert_eq!(status, Some(413), "{kind}");
        pair.check_memory(bytes_max);
    }
    pair.end();
}

#[test]
fn a_body_longer_than_announced_is_another_request() {
    let pair = Pair::start();
    for kind in [JSON, MULTIPART, FORM] {
        let status = exchange(&pair, |send| {
            send(head(kind, "Content-Length: 10").as_bytes());
            pour(beginning(kind), BODY_BYTES, <[u8]>::to_vec, send);
        });
        // Ten bytes are no body of these kinds, but for a form. What follows is no HTTP.
        assert_eq!(status, Some(if kind == FORM { 200 } else { 400 }), "{kind}");
    }
    pair.check_memory(STREAMED_BYTES_MAX);
    pair.end();
}

#[test]
fn a_body_shorter_than_announced_is_no_body() {
    let pair = Pair::start();
    for kind in [JSON, MULTIPART, FORM] {
        let status = exchange(&pair, |send| {
            send(head(kind, "Content-Length: 30000000").as_bytes());
            pour(beginning(kind), 20_000_000, <[u8]>::to_vec, send);
        });
        // Who closes in the middle may get no answer, but never a good one.
        assert!(status.is_none_or(|status| status == 400), "{kind} {status:?}");
    }
    let list = pair.send(&Request::get(RECORDS)).json().unwrap();
    assert_eq!(list["totalItems"], 1, "{list}");
    pair.check_memory(HELD_BYTES_MAX);
    pair.end();
}

#[test]
fn lengths_that_are_none_are_refused() {
    let pair = Pair::start();
    for length in ["-1", "1e3", "99999999999999999999", "0x10", "1, 2", "\u{661}"] {
        let request = head(JSON, &format!("Content-Length: {length}"));
        let status = exchange(&pair, |send| {
            send(request.as_bytes());
            send(b"{}");
        });
        assert_eq!(status, Some(400), "{length}");
    }
    for both in ["Content-Length: 2\r\nContent-Length: 3", "Transfer-Encoding: gzip"] {
        let status = exchange(&pair, |send| {
            send(head(JSON, both).as_bytes());
            send(b"{}");
        });
        assert!(status.is_some_and(|status| (400..=501).contains(&status)), "{both} {status:?}");
    }
    pair.end();
}

/// A few bytes of text can stand for a value of many: their number has a limit as well.
#[test]
fn a_body_of_many_small_values_takes_bounded_memory() {
    let pair = Pair::start();
    let count = 15 << 20;
    let bombs = [
        (JSON, format!("{{\"json\":[{}0]}}", "0,".repeat(count))),
        (JSON, format!("{{\"json\":[{}0]}}", "{},".repeat(count / 2))),
        (JSON, format!("{{\"json\":[{}0]}}", "[],".repeat(count / 2))),
        (FORM, "a&".repeat(count)),
        (FORM, (0..count / 8).map(|n| format!("{n}&{n}&")).collect()),
    ];
    for (kind, body) in bombs {
        let answer = pair.send(&Request::post(RECORDS).bytes(kind, body));
        assert!((400..500).contains(&answer.status), "{kind} {}", answer.status);
    }
    let payload = format!("{{\"json\":[{}0]}}", "0,".repeat(count / 16));
    let mut form = pando_testkit::Multipart::new();
    for _ in 0..12 {
        form = form.text("@jsonPayload", &payload);
    }
    let answer = pair.send(&Request::post(RECORDS).multipart(&form));
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    pair.end();
}
