//! Where a request ends: lengths, chunks, and what follows.

use super::super::{RequestCase, Safe};
use super::{EVIL, case, get, post};

const HELLO: Safe = Safe::Passed(&["hello"]);
const MAYBE: Safe = Safe::Harmless(&["hello"]);
const LENGTH: &str = "RFC 9110 8.6";
const BOTH: &str = "RFC 9112 6.1";
const ENCODING: &str = "RFC 9112 6.1";
const ORDER: &str = "RFC 9112 6.3";
const CHUNK: &str = "RFC 9112 7.1";
const EXTENSION: &str = "RFC 9112 7.1.1";
const TRAILER: &str = "RFC 9112 7.1.2";
const PIPELINE: &str = "RFC 9112 9.3.2";

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const BODY: &str = "5\r\nhello\r\n0\r\n\r\n";

pub(super) fn cases() -> Vec<RequestCase> {
    [lengths(), both(), encodings(), chunks(), trailers(), pipelines()]
        .into_iter()
        .flatten()
        .collect()
}

fn lengths() -> Vec<RequestCase> {
    let length = |value: &str| post(&format!("Content-Length: {value}\r\n"), "hello");
    vec![
        case("length", LENGTH, length("5"), HELLO),
        case("length-zeros", LENGTH, length("0000005"), MAYBE),
        case(
            "length-twice-same",
            ORDER,
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            MAYBE,
        ),
        case("length-list-same", ORDER, length("5, 5"), MAYBE),
        case(
            "length-twice",
            ORDER,
            post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
            Safe::Refused,
        ),
        case(
            "length-twice-evil",
            ORDER,
            post(&format!("Content-Length: {}\r\nContent-Length: 0\r\n", EVIL.len()), EVIL),
            Safe::Refused,
        ),
        case("length-list", ORDER, length("5, 6"), Safe::Refused),
        case("length-plus", LENGTH, length("+5"), Safe::Refused),
        case("length-minus", LENGTH, length("-5"), Safe::Refused),
        case("length-hex", LENGTH, length("0x5"), Safe::Refused),
        case("length-float", LENGTH, length("5.0"), Safe::Refused),
        case("length-exponent", LENGTH, length("5e0"), Safe::Refused),
        case("length-space-inside", LENGTH, length("5 5"), Safe::Refused),
        case("length-letters", LENGTH, length("five"), Safe::Refused),
        case("length-trailing-letter", LENGTH, length("5x"), Safe::Refused),
        case("length-empty", LENGTH, length(""), Safe::Refused),
        case("length-comma", LENGTH, length(",5"), Safe::Refused),
        case("length-quoted", LENGTH, length("\"5\""), Safe::Refused),
        case("length-underscore", LENGTH, length("1_0"), Safe::Refused),
        case("length-overflow", LENGTH, length("18446744073709551621"), Safe::Refused),
        case("length-overflow-32", LENGTH, length("4294967301"), Safe::Harmless(&[])),
        case("length-vertical-tab", LENGTH, length("\u{b}5"), Safe::Refused),
        case("length-nbsp", LENGTH, length("\u{a0}5"), Safe::Refused),
        case(
            "length-space-before-colon",
            "RFC 9112 5.1",
            post("Content-Length : 5\r\n", "hello"),
            Safe::Refused,
        ),
        case(
            "length-on-get",
            LENGTH,
            "GET /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
            MAYBE,
        ),
        case(
            "length-on-get-evil",
            LENGTH,
            format!(
                "GET /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{EVIL}",
                EVIL.len()
            ),
            Safe::Harmless(&[EVIL]),
        ),
        case(
            "length-short-body",
            ORDER,
            post("Content-Length: 50\r\n", "hello"),
            Safe::Harmless(&[]),
        ),
        case(
            "length-zero-evil",
            ORDER,
            post("Content-Length: 0\r\n", EVIL),
            Safe::Harmless(&["", ""]),
        ),
        case("length-none", ORDER, post("", EVIL), Safe::Harmless(&["", ""])),
        case(
            "length-10",
            ORDER,
            "POST /x HTTP/1.0\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
            MAYBE,
        ),
    ]
}

fn both() -> Vec<RequestCase> {
    vec![
        case(
            "both-length-first",
            BOTH,
            post(&format!("Content-Length: 15\r\n{CHUNKED}"), BODY),
            MAYBE,
        ),
        case(
            "both-encoding-first",
            BOTH,
            post(&format!("{CHUNKED}Content-Length: 15\r\n"), BODY),
            MAYBE,
        ),
        // By the length the rest is a second request; by the chunks it is nothing.
        case(
            "both-cl-te",
            BOTH,
            post(&format!("Content-Length: 6\r\n{CHUNKED}"), &format!("0\r\n\r\n{EVIL}")),
            Safe::Harmless(&[""]),
        ),
        case(
            "both-te-cl",
            BOTH,
            post(
                &format!("{CHUNKED}Content-Length: 4\r\n"),
                &format!("{:x}\r\n{EVIL}\r\n0\r\n\r\n", EVIL.len()),
            ),
            Safe::Harmless(&[EVIL]),
        ),
        case(
            "both-zero-length",
            BOTH,
            post(&format!("Content-Length: 0\r\n{CHUNKED}"), BODY),
            MAYBE,
        ),
        case(
            "both-bad-length",
            BOTH,
            post(&format!("{CHUNKED}Content-Length: x\r\n"), BODY),
            MAYBE,
        ),
        case(
            "both-10",
            BOTH,
            format!(
                "POST /x HTTP/1.0\r\nHost: a.example\r\nContent-Length: 15\r\n{CHUNKED}\r\n{BODY}"
            ),
            Safe::Refused,
        ),
    ]
}

fn encodings() -> Vec<RequestCase> {
    let with = |value: &str| post(&format!("Transfer-Encoding: {value}\r\n"), BODY);
    vec![
        case("encoding", ENCODING, with("chunked"), HELLO),
        case("encoding-case", ENCODING, with("CHUNKED"), HELLO),
        case("encoding-gzip-chunked", ENCODING, with("gzip, chunked"), Safe::Refused),
        case("encoding-chunked-gzip", ENCODING, with("chunked, gzip"), Safe::Refused),
        case("encoding-gzip", ENCODING, with("gzip"), Safe::Refused),
        case("encoding-twice-in-one", ENCODING, with("chunked, chunked"), Safe::Refused),
        case(
            "encoding-two-lines",
            ENCODING,
            post(&format!("{CHUNKED}{CHUNKED}"), BODY),
            Safe::Refused,
        ),
        case("encoding-identity", ENCODING, with("identity"), Safe::Refused),
        case(
            "encoding-chunked-identity",
            ENCODING,
            post(&format!("{CHUNKED}Transfer-Encoding: identity\r\n"), BODY),
            Safe::Refused,
        ),
        case(
            "encoding-identity-chunked",
            ENCODING,
            post(&format!("Transfer-Encoding: identity\r\n{CHUNKED}"), BODY),
            Safe::Refused,
        ),
        case("encoding-unknown", ENCODING, with("xchunked"), Safe::Refused),
        case("encoding-prefix", ENCODING, with("chunke"), Safe::Refused),
        case("encoding-empty", ENCODING, with(""), Safe::Refused),
        case("encoding-quoted", ENCODING, with("\"chunked\""), Safe::Refused),
        case("encoding-parameter", ENCODING, with("chunked;q=1"), Safe::Refused),
        case("encoding-comma", ENCODING, with("chunked,"), Safe::Refused),
        case("encoding-comma-first", ENCODING, with(", chunked"), Safe::Refused),
        case("encoding-vertical-tab", ENCODING, with("\u{b}chunked"), Safe::Refused),
        case("encoding-trailing-control", ENCODING, with("chunked\u{1}"), Safe::Refused),
        case(
            "encoding-space-before-colon",
            "RFC 9112 5.1",
            post("Transfer-Encoding : chunked\r\n", BODY),
            Safe::Refused,
        ),
        case(
            "encoding-space-before-name",
            "RFC 9112 5.2",
            post(&format!("X: y\r\n {CHUNKED}"), ""),
            Safe::Harmless(&[""]),
        ),
        case(
            "encoding-underscore",
            ENCODING,
            post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "hello"),
            MAYBE,
        ),
        case(
            "encoding-10",
            ENCODING,
            format!("POST /x HTTP/1.0\r\nHost: a.example\r\n{CHUNKED}\r\n{BODY}"),
            Safe::Refused,
        ),
        case(
            "encoding-on-get",
            ENCODING,
            format!("GET /x HTTP/1.1\r\nHost: a.example\r\n{CHUNKED}\r\n{BODY}"),
            MAYBE,
        ),
    ]
}

fn chunks() -> Vec<RequestCase> {
    let with = |body: &str| post(CHUNKED, body);
    vec![
        case("chunk-two", CHUNK, with("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), HELLO),
        case(
            "chunk-upper-hex",
            CHUNK,
            with("A\r\n0123456789\r\n0\r\n\r\n"),
            Safe::Passed(&["0123456789"]),
        ),
        case("chunk-leading-zeros", CHUNK, with("0005\r\nhello\r\n000\r\n\r\n"), MAYBE),
        case("chunk-extension", EXTENSION, with("5;a=b\r\nhello\r\n0\r\n\r\n"), MAYBE),
        case("chunk-extension-quoted", EXTENSION, with("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n"), MAYBE),
        case(
            "chunk-extension-lf",
            EXTENSION,
            with("5;a\nhello\r\n0\r\n\r\n"),
            Safe::Harmless(&["hello"]),
        ),
        case("chunk-extension-cr", EXTENSION, with("5;a\rb\r\nhello\r\n0\r\n\r\n"), MAYBE),
        case(
            "chunk-extension-endless",
            EXTENSION,
            with(&format!("5;{}", "a".repeat(200_000))),
            Safe::Harmless(&[]),
        ),
        case("chunk-space-after-size", CHUNK, with("5 \r\nhello\r\n0\r\n\r\n"), MAYBE),
        case(
            "chunk-space-before-size",
            CHUNK,
            with(" 5\r\nhello\r\n0\r\n\r\n"),
            Safe::Harmless(&["hello"]),
        ),
        case("chunk-two-sizes", CHUNK, with("5 5\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-plus", CHUNK, with("+5\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-minus", CHUNK, with("-5\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-hex-prefix", CHUNK, with("0x5\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-underscore", CHUNK, with("0_5\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-no-size", CHUNK, with("\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-letters", CHUNK, with("g\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case(
            "chunk-overflow",
            CHUNK,
            with("10000000000000005\r\nhello\r\n0\r\n\r\n"),
            Safe::Harmless(&[]),
        ),
        case("chunk-largest", CHUNK, with("ffffffffffffffff\r\nhello"), Safe::Harmless(&[])),
        case("chunk-negative-64", CHUNK, with("fffffffffffffffe\r\nhello"), Safe::Harmless(&[])),
        case("chunk-lf-after-size", CHUNK, with("5\nhello\r\n0\r\n\r\n"), MAYBE),
        case("chunk-lf-after-data", CHUNK, with("5\r\nhello\n0\r\n\r\n"), MAYBE),
        case("chunk-cr-after-size", CHUNK, with("5\rhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-no-end-of-data", CHUNK, with("5\r\nhello0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-long-data", CHUNK, with("5\r\nhello!\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-short-data", CHUNK, with("6\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-no-last", CHUNK, with("5\r\nhello\r\n"), Safe::Harmless(&[])),
        case(
            "chunk-then-evil",
            CHUNK,
            with(&format!("0\r\n\r\n{EVIL}")),
            Safe::Harmless(&["", ""]),
        ),
        case(
            "chunk-evil-inside",
            CHUNK,
            with(&format!("{:x}\r\n{EVIL}\r\n0\r\n\r\n", EVIL.len())),
            Safe::Harmless(&[EVIL]),
        ),
        case("chunk-nul-in-size", CHUNK, with("5\0\r\nhello\r\n0\r\n\r\n"), Safe::Harmless(&[])),
        case("chunk-nul-in-extension", EXTENSION, with("5;\0\r\nhello\r\n0\r\n\r\n"), MAYBE),
    ]
}

fn trailers() -> Vec<RequestCase> {
    let with = |trailers: &str| post(CHUNKED, &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"));
    vec![
        case("trailer", TRAILER, with("X: y\r\n"), MAYBE),
        case("trailer-length", "RFC 9110 6.5.1", with("Content-Length: 50\r\n"), MAYBE),
        case("trailer-host", "RFC 9110 6.5.1", with("Host: evil.example\r\n"), MAYBE),
        case("trailer-no-colon", TRAILER, with("X\r\n"), Safe::Harmless(&["hello"])),
        case(
            "trailer-evil",
            TRAILER,
            post(CHUNKED, &format!("5\r\nhello\r\n0\r\n{EVIL}")),
            Safe::Harmless(&["hello"]),
        ),
        case(
            "trailer-endless",
            TRAILER,
            post(CHUNKED, &format!("5\r\nhello\r\n0\r\n{}", "X: y\r\n".repeat(50_000))),
            Safe::Harmless(&[]),
        ),
    ]
}

fn pipelines() -> Vec<RequestCase> {
    vec![
        case("pipeline-two", PIPELINE, format!("{}{}", get(""), get("")), Safe::Passed(&["", ""])),
        case(
            "pipeline-with-body",
            PIPELINE,
            format!("{}{}", post("Content-Length: 5\r\n", "hello"), get("")),
            Safe::Passed(&["hello", ""]),
        ),
        case(
            "pipeline-chunked",
            PIPELINE,
            format!("{}{}", post(CHUNKED, BODY), get("")),
            Safe::Passed(&["hello", ""]),
        ),
        case(
            "pipeline-after-close",
            "RFC 9112 9.6",
            format!("{}{EVIL}", get("Connection: close\r\n")),
            Safe::Harmless(&[""]),
        ),
        case(
            "pipeline-after-bad",
            PIPELINE,
            format!("GET /x HTTP/1.1\r\nHost : a\r\n\r\n{EVIL}"),
            Safe::Refused,
        ),
        case(
            "pipeline-crlf-between",
            "RFC 9112 2.2",
            format!("{}\r\n{}", post("Content-Length: 5\r\n", "hello"), get("")),
            Safe::Harmless(&["hello", ""]),
        ),
        case(
            "pipeline-10-close",
            "RFC 9112 9.3",
            format!("GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n{EVIL}"),
            Safe::Harmless(&[""]),
        ),
        case(
            "pipeline-head",
            PIPELINE,
            format!("HEAD /x HTTP/1.1\r\nHost: a.example\r\n\r\n{}", get("")),
            Safe::Harmless(&["", ""]),
        ),
    ]
}
