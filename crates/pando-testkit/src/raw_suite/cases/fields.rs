//! Field lines, and fields of the connection.

use super::super::seen::Seen;
use super::super::{RequestCase, Safe};
use super::{EVIL, case, get, post};

const ONE: Safe = Safe::Passed(&[""]);
const MAYBE: Safe = Safe::Harmless(&[""]);
const FIELD: &str = "RFC 9112 5.1";
const VALUE: &str = "RFC 9110 5.5";
const FOLD: &str = "RFC 9112 5.2";
const HOP: &str = "RFC 9110 7.6.1";
const UPGRADE: &str = "RFC 9110 7.8";

pub(super) fn cases() -> Vec<RequestCase> {
    [lines(), limits(), hop_by_hop(), upgrades(), forwarded()].into_iter().flatten().collect()
}

fn lines() -> Vec<RequestCase> {
    vec![
        case("field-plain", FIELD, get("X: y\r\n"), ONE),
        case("field-empty-value", FIELD, get("X:\r\n"), ONE),
        case("field-no-space", FIELD, get("X:y\r\n"), ONE),
        case("field-tab", VALUE, get("X:\ty\tz\r\n"), ONE),
        case(
            "field-high-byte",
            VALUE,
            b"GET /x HTTP/1.1\r\nHost: a.example\r\nX: \xff\r\n\r\n",
            MAYBE,
        ),
        case("field-space-before-colon", FIELD, get("X : y\r\n"), Safe::Refused),
        case("field-tab-before-colon", FIELD, get("X\t: y\r\n"), Safe::Refused),
        case("field-no-colon", FIELD, get("X\r\n"), Safe::Refused),
        case("field-no-name", FIELD, get(": y\r\n"), Safe::Refused),
        case("field-space-in-name", FIELD, get("X Y: z\r\n"), Safe::Refused),
        case("field-bad-letter", FIELD, get("X(Y): z\r\n"), Safe::Refused),
        case(
            "field-name-high-byte",
            FIELD,
            b"GET /x HTTP/1.1\r\nHost: a.example\r\nX\xff: y\r\n\r\n",
            Safe::Refused,
        ),
        case("field-nul", VALUE, get("X: a\0b\r\n"), Safe::Refused),
        case("field-nul-in-name", FIELD, get("X\0Y: a\r\n"), Safe::Refused),
        case("field-control", VALUE, get("X: a\u{1}b\r\n"), Safe::Refused),
        case("field-del", VALUE, get("X: a\u{7f}b\r\n"), Safe::Refused),
        case("field-escape", VALUE, get("X: a\u{1b}b\r\n"), Safe::Refused),
        case("field-bare-cr", VALUE, get("X: a\rb\r\n"), Safe::Refused),
        case("field-bare-cr-line", VALUE, get("X: a\rContent-Length: 5\r\n"), Safe::Refused),
        case("field-bare-lf", "RFC 9112 2.2", get("X: a\nY: b\r\n"), MAYBE),
        case(
            "field-lf-end",
            "RFC 9112 2.2",
            "GET /x HTTP/1.1\r\nHost: a.example\r\nX: y\r\n\n",
            MAYBE,
        ),
        case("field-folded", FOLD, get("X: a\r\n b\r\n"), MAYBE),
        case("field-folded-tab", FOLD, get("X: a\r\n\tb\r\n"), MAYBE),
        case(
            "field-folded-first",
            FOLD,
            "GET /x HTTP/1.1\r\n X: y\r\nHost: a.example\r\n\r\n",
            Safe::Refused,
        ),
        case(
            "field-folded-length",
            FOLD,
            post("Content-Length:\r\n 5\r\n", "hello"),
            Safe::Harmless(&["hello"]),
        ),
        case(
            "field-folded-encoding",
            FOLD,
            post("Transfer-Encoding:\r\n chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Safe::Harmless(&["hello"]),
        ),
        case(
            "field-hidden-in-fold",
            FOLD,
            post("X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "hello"),
            Safe::Harmless(&["hello"]),
        ),
        case("expect-unknown", "RFC 9110 10.1.1", get("Expect: more\r\n"), MAYBE),
        case(
            "expect-continue",
            "RFC 9110 10.1.1",
            post("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"),
            Safe::Passed(&["hello"]),
        ),
    ]
}

fn limits() -> Vec<RequestCase> {
    vec![
        case(
            "limit-one-field",
            "RFC 9110 5.4",
            get(&format!("X: {}\r\n", "y".repeat(200_000))),
            Safe::Refused,
        ),
        case(
            "limit-all-fields",
            "RFC 9110 5.4",
            get(&format!("X: {}\r\n", "y".repeat(1_000)).repeat(200)),
            Safe::Refused,
        ),
        case("limit-count", "RFC 9110 5.4", get(&"X: y\r\n".repeat(2_000)), Safe::Refused),
        case(
            "limit-name",
            "RFC 9110 5.4",
            get(&format!("{}: y\r\n", "x".repeat(100_000))),
            Safe::Refused,
        ),
        case("limit-endless-line", "RFC 9112 3", "x".repeat(300_000), Safe::Refused),
        case("limit-empty-lines", "RFC 9112 2.2", "\r\n".repeat(100_000), Safe::Refused),
    ]
}

fn absent(seen: &[Seen], name: &str) -> Result<(), String> {
    match seen.iter().find(|it| !it.values(name).is_empty()) {
        None => Ok(()),
        Some(found) => Err(format!("{name} was passed on: {:?}", found.values(name))),
    }
}

fn hop_by_hop() -> Vec<RequestCase> {
    let as_ = |looks| Safe::PassedAs(&[""], looks);
    vec![
        case(
            "hop-keep-alive",
            HOP,
            get("Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n"),
            as_(|seen| absent(seen, "keep-alive")),
        ),
        case(
            "hop-nominated",
            HOP,
            get("Connection: x-mine\r\nX-Mine: 1\r\n"),
            as_(|seen| absent(seen, "x-mine")),
        ),
        case(
            "hop-nominated-case",
            HOP,
            get("connection: X-MINE , close\r\nX-Mine: 1\r\n"),
            as_(|seen| absent(seen, "x-mine")),
        ),
        case(
            "hop-nominated-two-lines",
            HOP,
            get("Connection: close\r\nConnection: x-mine\r\nX-Mine: 1\r\n"),
            as_(|seen| absent(seen, "x-mine")),
        ),
        case(
            "hop-proxy-connection",
            "RFC 9112 C.2.2",
            get("Proxy-Connection: keep-alive\r\n"),
            as_(|seen| absent(seen, "proxy-connection")),
        ),
        case(
            "hop-te",
            "RFC 9110 10.1.4",
            get("TE: gzip\r\nConnection: te\r\n"),
            as_(|seen| {
                match seen.iter().flat_map(|it| it.values("te")).any(|it| it != "trailers") {
                    true => Err("TE was passed on".to_owned()),
                    false => Ok(()),
                }
            }),
        ),
        case("hop-names-host", HOP, get("Connection: host\r\n"), MAYBE),
        case(
            "hop-names-length",
            HOP,
            post("Connection: content-length\r\nContent-Length: 5\r\n", "hello"),
            Safe::Harmless(&["hello"]),
        ),
        case(
            "hop-names-length-evil",
            HOP,
            post(
                &format!("Connection: content-length\r\nContent-Length: {}\r\n", EVIL.len()),
                EVIL,
            ),
            Safe::Harmless(&[EVIL]),
        ),
        case(
            "hop-names-encoding",
            HOP,
            post(
                "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
                "5\r\nhello\r\n0\r\n\r\n",
            ),
            Safe::Harmless(&["hello"]),
        ),
        case(
            "hop-names-many",
            HOP,
            get(&format!("Connection: {}\r\n", vec!["x"; 500].join(","))),
            MAYBE,
        ),
    ]
}

fn upgrades() -> Vec<RequestCase> {
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    vec![
        case(
            "upgrade-h2c",
            "RFC 9113 3.1",
            get(h2c),
            Safe::PassedAs(&[""], |seen| {
                absent(seen, "http2-settings").and_then(|()| absent(seen, "upgrade"))
            }),
        ),
        case(
            "upgrade-without-connection",
            UPGRADE,
            get("Upgrade: websocket\r\n"),
            Safe::PassedAs(&[""], |seen| absent(seen, "upgrade")),
        ),
        case(
            "upgrade-tls",
            "RFC 2817 3",
            get("Connection: upgrade\r\nUpgrade: TLS/1.0\r\n"),
            MAYBE,
        ),
        case(
            "upgrade-refused-with-more",
            UPGRADE,
            format!(
                "{}{EVIL}",
                get(
                    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                )
            ),
            Safe::Harmless(&["", ""]),
        ),
        case(
            "upgrade-10",
            UPGRADE,
            "GET /x HTTP/1.0\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            Safe::Harmless(&[""]),
        ),
        case(
            "preface-with-h1",
            "RFC 9113 3.4",
            format!("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n{EVIL}"),
            Safe::Refused,
        ),
    ]
}

fn forwarded() -> Vec<RequestCase> {
    vec![
        case(
            "forwarded-secret",
            "the secret is the balancer's",
            get("X-Pando-Balancer: guess\r\n"),
            Safe::PassedAs(&[""], |_| Ok(())),
        ),
        case(
            "forwarded-not-believed",
            "RFC 7239 8.1",
            get("X-Real-IP: 6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n"),
            Safe::PassedAs(&[""], |seen| {
                let told = seen.iter().flat_map(|it| it.values("x-real-ip")).collect::<Vec<_>>();
                match told.iter().any(|ip| ip == "6.6.6.6") {
                    true => Err("the client says who it is".to_owned()),
                    false => Ok(()),
                }
            }),
        ),
        case(
            "via-added",
            "RFC 9110 7.6.3",
            get("Via: 1.0 old\r\n"),
            Safe::PassedAs(&[""], |seen| {
                let via =
                    seen.iter().flat_map(|it| it.values("via")).collect::<Vec<_>>().join(", ");
                match via.starts_with("1.0 old, ") {
                    true => Ok(()),
                    false => Err(format!("Via: {via}")),
                }
            }),
        ),
    ]
}
