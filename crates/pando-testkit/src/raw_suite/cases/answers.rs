//! Bytes of upstreams.

use super::super::Answered;
use super::AnswerCase;

const LINE: &str = "RFC 9112 4";
const LENGTH: &str = "RFC 9112 6.3";
const CHUNK: &str = "RFC 9112 7.1";
const FIELD: &str = "RFC 9112 5";
const INTERIM: &str = "RFC 9110 15.2";
const EXTRA: &str = "RFC 9112 9.2";

fn case(
    name: &'static str,
    clause: &'static str,
    answer: impl AsRef<[u8]>,
    safe: Answered,
) -> AnswerCase {
    let answer = answer.as_ref().to_vec();
    AnswerCase { name, clause, method: "GET", answer, closes: false, safe }
}

/// The connection ends with the answer.
fn closing(
    name: &'static str,
    clause: &'static str,
    answer: impl AsRef<[u8]>,
    safe: Answered,
) -> AnswerCase {
    AnswerCase { closes: true, ..case(name, clause, answer, safe) }
}

fn ok(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}")
}

const HELLO: Answered = Answered::Given(200, "hello");
const MAYBE: Answered = Answered::GivenOrBad(200, "hello");
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

pub(in super::super) fn cases() -> Vec<AnswerCase> {
    [lines(), lengths(), chunks(), fields(), interim(), extra()].into_iter().flatten().collect()
}

fn lines() -> Vec<AnswerCase> {
    let line = |line: &str| format!("{line}\r\nContent-Length: 5\r\n\r\nhello");
    vec![
        case("up-plain", LINE, line("HTTP/1.1 200 OK"), HELLO),
        case("up-no-reason", LINE, line("HTTP/1.1 200 "), HELLO),
        case("up-no-reason-no-space", LINE, line("HTTP/1.1 200"), MAYBE),
        closing("up-10", LINE, line("HTTP/1.0 200 OK"), HELLO),
        closing("up-status-two-digits", LINE, line("HTTP/1.1 20 OK"), Answered::BadGateway),
        closing("up-status-four-digits", LINE, line("HTTP/1.1 2000 OK"), Answered::BadGateway),
        closing("up-status-letters", LINE, line("HTTP/1.1 abc OK"), Answered::BadGateway),
        closing("up-status-000", "RFC 9110 15", line("HTTP/1.1 000 OK"), Answered::BadGateway),
        closing(
            "up-status-999",
            "RFC 9110 15",
            line("HTTP/1.1 999 OK"),
            Answered::GivenOrBad(999, "hello"),
        ),
        closing("up-no-http", LINE, "SSH-2.0-OpenSSH_9.2\r\n\r\n", Answered::BadGateway),
        closing("up-09", LINE, "hello\r\n", Answered::BadGateway),
        closing("up-version-2", LINE, line("HTTP/2.0 200 OK"), Answered::BadGateway),
        closing("up-nothing", LINE, "", Answered::BadGateway),
        closing("up-half-a-head", LINE, "HTTP/1.1 200 OK\r\nContent-Le", Answered::BadGateway),
        closing(
            "up-nul-in-reason",
            LINE,
            line("HTTP/1.1 200 O\0K"),
            Answered::GivenOrBad(200, "hello"),
        ),
    ]
}

fn lengths() -> Vec<AnswerCase> {
    let length = |value: &str| ok(&format!("Content-Length: {value}\r\n"), "hello");
    vec![
        closing("up-until-close", LENGTH, ok("", "hello"), HELLO),
        closing(
            "up-length-twice",
            LENGTH,
            ok("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
            Answered::BadGateway,
        ),
        closing(
            "up-length-twice-same",
            LENGTH,
            ok("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            MAYBE,
        ),
        closing("up-length-list", LENGTH, length("5, 6"), Answered::BadGateway),
        closing("up-length-plus", LENGTH, length("+5"), Answered::BadGateway),
        closing("up-length-minus", LENGTH, length("-5"), Answered::BadGateway),
        closing("up-length-hex", LENGTH, length("0x5"), Answered::BadGateway),
        closing("up-length-letters", LENGTH, length("five"), Answered::BadGateway),
        closing("up-length-empty", LENGTH, length(""), Answered::BadGateway),
        closing("up-length-overflow", LENGTH, length("18446744073709551621"), Answered::BadGateway),
        closing("up-length-short", LENGTH, length("50"), Answered::CutShort),
        closing(
            "up-both",
            "RFC 9112 6.1",
            ok(&format!("Content-Length: 3\r\n{CHUNKED}"), "5\r\nhello\r\n0\r\n\r\n"),
            MAYBE,
        ),
        closing(
            "up-both-encoding-first",
            "RFC 9112 6.1",
            ok(&format!("{CHUNKED}Content-Length: 3\r\n"), "5\r\nhello\r\n0\r\n\r\n"),
            MAYBE,
        ),
        closing(
            "up-encoding-unknown",
            "RFC 9112 6.1",
            ok("Transfer-Encoding: gzip\r\n", "hello"),
            Answered::GivenOrBad(200, "hello"),
        ),
        closing(
            "up-encoding-twice",
            "RFC 9112 6.1",
            ok(&format!("{CHUNKED}{CHUNKED}"), "5\r\nhello\r\n0\r\n\r\n"),
            MAYBE,
        ),
        closing(
            "up-encoding-10",
            "RFC 9112 6.1",
            format!("HTTP/1.0 200 OK\r\n{CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\n"),
            MAYBE,
        ),
        case(
            "up-204-with-length",
            "RFC 9110 8.6",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
            Answered::NotPoisoned,
        ),
        case(
            "up-304-with-length",
            "RFC 9110 15.4.5",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            Answered::Given(304, ""),
        ),
        case(
            "up-304-with-body",
            "RFC 9110 15.4.5",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
            Answered::NotPoisoned,
        ),
        AnswerCase {
            method: "HEAD",
            ..case(
                "up-head-with-body",
                "RFC 9110 9.3.2",
                ok("Content-Length: 5\r\n", "hello"),
                Answered::NotPoisoned,
            )
        },
        AnswerCase {
            method: "HEAD",
            ..case(
                "up-head-chunked",
                "RFC 9110 9.3.2",
                ok(CHUNKED, "5\r\nhello\r\n0\r\n\r\n"),
                Answered::NotPoisoned,
            )
        },
    ]
}

fn chunks() -> Vec<AnswerCase> {
    let with = |body: &str| ok(CHUNKED, body);
    vec![
        case("up-chunked", CHUNK, with("5\r\nhello\r\n0\r\n\r\n"), HELLO),
        case("up-chunk-extension", CHUNK, with("5;a=b\r\nhello\r\n0\r\n\r\n"), MAYBE),
        case("up-trailers", CHUNK, with("5\r\nhello\r\n0\r\nX: y\r\n\r\n"), HELLO),
        closing("up-chunk-letters", CHUNK, with("g\r\nhello\r\n0\r\n\r\n"), Answered::CutShort),
        closing("up-chunk-plus", CHUNK, with("+5\r\nhello\r\n0\r\n\r\n"), Answered::CutShort),
        closing("up-chunk-hex", CHUNK, with("0x5\r\nhello\r\n0\r\n\r\n"), Answered::CutShort),
        closing("up-chunk-no-size", CHUNK, with("\r\nhello\r\n0\r\n\r\n"), Answered::CutShort),
        closing("up-chunk-two-sizes", CHUNK, with("5 5\r\nhello\r\n0\r\n\r\n"), Answered::CutShort),
        closing(
            "up-chunk-overflow",
            CHUNK,
            with("10000000000000005\r\nhello\r\n0\r\n\r\n"),
            Answered::CutShort,
        ),
        closing("up-chunk-short", CHUNK, with("5\r\nhel"), Answered::CutShort),
        closing("up-chunk-no-last", CHUNK, with("5\r\nhello\r\n"), Answered::CutShort),
        closing("up-chunk-no-end-of-data", CHUNK, with("5\r\nhello0\r\n\r\n"), Answered::CutShort),
    ]
}

fn fields() -> Vec<AnswerCase> {
    let with = |fields: &str| ok(&format!("{fields}Content-Length: 5\r\n"), "hello");
    vec![
        closing(
            "up-space-before-colon",
            "RFC 9112 5.1",
            with("X : y\r\n"),
            Answered::GivenOrBad(200, "hello"),
        ),
        closing("up-folded", "RFC 9112 5.2", with("X: a\r\n b\r\n"), MAYBE),
        closing("up-no-colon", FIELD, with("X\r\n"), MAYBE),
        closing("up-nul", "RFC 9110 5.5", with("X: a\0b\r\n"), MAYBE),
        closing("up-bare-cr", "RFC 9110 5.5", with("X: a\rb\r\n"), MAYBE),
        closing("up-too-many-fields", FIELD, with(&"X: y\r\n".repeat(5_000)), MAYBE),
        closing("up-large-head", FIELD, with(&format!("X: {}\r\n", "y".repeat(500_000))), MAYBE),
        closing(
            "up-endless-head",
            FIELD,
            format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(1_000_000)),
            Answered::BadGateway,
        ),
        case(
            "up-hop-by-hop",
            "RFC 9110 7.6.1",
            with("Keep-Alive: timeout=1\r\nConnection: x-mine, keep-alive\r\nX-Mine: 1\r\n"),
            HELLO,
        ),
    ]
}

fn interim() -> Vec<AnswerCase> {
    let after = |interim: &str| format!("{interim}{}", ok("Content-Length: 5\r\n", "hello"));
    vec![
        case("up-100", INTERIM, after("HTTP/1.1 100 Continue\r\n\r\n"), HELLO),
        case(
            "up-103",
            "RFC 8297 2",
            after("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
            HELLO,
        ),
        case("up-102-twice", INTERIM, after(&"HTTP/1.1 102 Processing\r\n\r\n".repeat(2)), HELLO),
        closing(
            "up-interim-endless",
            INTERIM,
            after(&"HTTP/1.1 102 Processing\r\n\r\n".repeat(200)),
            MAYBE,
        ),
        closing(
            "up-101-unasked",
            "RFC 9110 15.2.2",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
            Answered::BadGateway,
        ),
    ]
}

fn extra() -> Vec<AnswerCase> {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    vec![
        case("up-extra-bytes", EXTRA, ok("Content-Length: 5\r\n", "hello!!!"), MAYBE),
        case("up-extra-answer", EXTRA, ok("Content-Length: 5\r\n", &format!("hello{evil}")), MAYBE),
        case(
            "up-extra-after-chunks",
            EXTRA,
            ok(CHUNKED, &format!("5\r\nhello\r\n0\r\n\r\n{evil}")),
            MAYBE,
        ),
        case(
            "up-extra-after-204",
            EXTRA,
            format!("HTTP/1.1 204 No Content\r\n\r\n{evil}"),
            Answered::NotPoisoned,
        ),
    ]
}
