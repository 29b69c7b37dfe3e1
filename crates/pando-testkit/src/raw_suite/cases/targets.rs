//! Request lines, targets, hosts and versions.

use super::super::{RequestCase, Safe};
use super::case;

const ONE: Safe = Safe::Passed(&[""]);
const MAYBE: Safe = Safe::Harmless(&[""]);
const LINE: &str = "RFC 9112 3";
const TARGET: &str = "RFC 9112 3.2";
const HOST: &str = "RFC 9112 3.2";
const VERSION: &str = "RFC 9110 2.5";
const METHOD: &str = "RFC 9110 9.1";

/// A request with that first line.
fn line(line: &str) -> String {
    format!("{line}\r\nHost: a.example\r\n\r\n")
}

/// A request with those lines for `Host`.
fn hosts(lines: &str) -> String {
    format!("GET /x HTTP/1.1\r\n{lines}\r\n")
}

pub(super) fn cases() -> Vec<RequestCase> {
    [request_lines(), targets(), host_fields()].into_iter().flatten().collect()
}

fn request_lines() -> Vec<RequestCase> {
    vec![
        case("line-plain", LINE, line("GET /x HTTP/1.1"), ONE),
        case(
            "line-empty-before",
            "RFC 9112 2.2",
            "\r\nGET /x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            MAYBE,
        ),
        case("line-two-spaces", LINE, line("GET  /x HTTP/1.1"), MAYBE),
        case("line-two-spaces-version", LINE, line("GET /x  HTTP/1.1"), MAYBE),
        case("line-tab", LINE, line("GET\t/x\tHTTP/1.1"), Safe::Refused),
        case("line-leading-space", LINE, line(" GET /x HTTP/1.1"), Safe::Refused),
        case("line-trailing-space", LINE, line("GET /x HTTP/1.1 "), MAYBE),
        case("line-space-in-target", LINE, line("GET /x y HTTP/1.1"), Safe::Refused),
        case("line-bare-lf", "RFC 9112 2.2", "GET /x HTTP/1.1\nHost: a.example\n\n", MAYBE),
        case(
            "line-bare-cr",
            "RFC 9112 2.2",
            "GET /x HTTP/1.1\rHost: a.example\r\n\r\n",
            Safe::Refused,
        ),
        case("line-cr-in-target", "RFC 9112 2.2", line("GET /x\ry HTTP/1.1"), Safe::Refused),
        case("line-nul", "RFC 9110 5.5", line("GET /x\0 HTTP/1.1"), Safe::Refused),
        case("line-no-version", LINE, "GET /x\r\nHost: a.example\r\n\r\n", Safe::Refused),
        case("line-09", "RFC 9112 C.1", "GET /x\r\n", Safe::Refused),
        case("line-only-method", LINE, "GET\r\nHost: a.example\r\n\r\n", Safe::Refused),
        case("version-09", VERSION, line("GET /x HTTP/0.9"), Safe::Refused),
        case("version-12", VERSION, line("GET /x HTTP/1.2"), MAYBE),
        case("version-19", VERSION, line("GET /x HTTP/1.9"), MAYBE),
        case("version-2", VERSION, line("GET /x HTTP/2.0"), Safe::Refused),
        case("version-two-digits", VERSION, line("GET /x HTTP/1.10"), Safe::Refused),
        case("version-leading-zero", VERSION, line("GET /x HTTP/01.1"), Safe::Refused),
        case("version-no-dot", VERSION, line("GET /x HTTP/11"), Safe::Refused),
        case("version-lower", VERSION, line("GET /x http/1.1"), Safe::Refused),
        case("version-other", VERSION, line("GET /x ICAP/1.0"), Safe::Refused),
        case("version-minus", VERSION, line("GET /x HTTP/-1.1"), Safe::Refused),
        case("method-lower", METHOD, line("get /x HTTP/1.1"), MAYBE),
        case("method-unknown", METHOD, line("PURGE /x HTTP/1.1"), MAYBE),
        case("method-bad-letter", METHOD, line("G@T /x HTTP/1.1"), Safe::Refused),
        case("method-colon", METHOD, line("GET: /x HTTP/1.1"), Safe::Refused),
        case(
            "method-high-byte",
            METHOD,
            b"G\xc9T /x HTTP/1.1\r\nHost: a.example\r\n\r\n",
            Safe::Refused,
        ),
        case("method-long", METHOD, line(&format!("{} /x HTTP/1.1", "M".repeat(40))), MAYBE),
        case(
            "method-very-long",
            METHOD,
            line(&format!("{} /x HTTP/1.1", "M".repeat(9000))),
            Safe::Refused,
        ),
        case("method-trace", "RFC 9110 9.3.8", line("TRACE /x HTTP/1.1"), Safe::Refused),
        case(
            "method-connect",
            "RFC 9110 9.3.6",
            "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
            Safe::Refused,
        ),
        case("method-connect-path", "RFC 9110 9.3.6", line("CONNECT /x HTTP/1.1"), Safe::Refused),
        case(
            "garbage",
            LINE,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            Safe::Refused,
        ),
    ]
}

fn targets() -> Vec<RequestCase> {
    let line_of = |target: &str| line(&format!("GET {target} HTTP/1.1"));
    vec![
        case("target-query", TARGET, line_of("/x?y=z&a=%20b"), ONE),
        case("target-empty-query", TARGET, line_of("/x?"), ONE),
        case("target-percent", TARGET, line_of("/x%2fy"), ONE),
        case("target-dots", "RFC 3986 5.2.4", line_of("/a/../x"), ONE),
        case("target-double-slash", TARGET, line_of("//evil.example/x"), ONE),
        case("target-absolute", "RFC 9112 3.2.2", line_of("http://a.example/x"), MAYBE),
        case(
            "target-absolute-other-host",
            "RFC 9112 3.2.2",
            line_of("http://b.example/x"),
            Safe::Harmless(&[""]),
        ),
        case("target-absolute-user", "RFC 9110 4.2.4", line_of("http://user@a.example/x"), MAYBE),
        case("target-absolute-no-path", "RFC 9112 3.2.2", line_of("http://a.example"), MAYBE),
        case("target-absolute-ftp", "RFC 9112 3.2.2", line_of("ftp://a.example/x"), Safe::Refused),
        case("target-authority", "RFC 9112 3.2.3", line_of("a.example:80"), Safe::Refused),
        case("target-relative", TARGET, line_of("x"), Safe::Refused),
        case("target-query-only", TARGET, line_of("?x"), Safe::Refused),
        case("target-asterisk-get", "RFC 9112 3.2.4", line_of("*"), Safe::Refused),
        case("target-asterisk-options", "RFC 9112 3.2.4", line("OPTIONS * HTTP/1.1"), MAYBE),
        case("target-fragment", TARGET, line_of("/x#y"), MAYBE),
        case("target-control", TARGET, line_of("/x\u{1}"), Safe::Refused),
        case("target-del", TARGET, line_of("/x\u{7f}"), Safe::Refused),
        case(
            "target-high-byte",
            TARGET,
            b"GET /\xff HTTP/1.1\r\nHost: a.example\r\n\r\n",
            Safe::Refused,
        ),
        case("target-utf8", TARGET, line_of("/\u{e9}"), Safe::Refused),
        case("target-backslash", TARGET, line_of("/x\\y"), MAYBE),
        case("target-vertical-tab", TARGET, line_of("/x\u{b}y"), Safe::Refused),
        case(
            "target-long",
            "RFC 9110 15.5.15",
            line_of(&format!("/{}", "x".repeat(100_000))),
            Safe::Refused,
        ),
        case(
            "target-max-forwards",
            "RFC 9110 7.6.2",
            "OPTIONS /x HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: 0\r\n\r\n",
            MAYBE,
        ),
    ]
}

fn host_fields() -> Vec<RequestCase> {
    let host = |value: &str| hosts(&format!("Host: {value}\r\n"));
    vec![
        case("host-none", HOST, hosts(""), Safe::Refused),
        case("host-none-10", HOST, "GET /x HTTP/1.0\r\n\r\n", MAYBE),
        case("host-twice", HOST, hosts("Host: a.example\r\nHost: a.example\r\n"), Safe::Refused),
        case("host-two", HOST, hosts("Host: a.example\r\nHost: b.example\r\n"), Safe::Refused),
        case(
            "host-two-10",
            HOST,
            "GET /x HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
            Safe::Refused,
        ),
        case("host-two-case", HOST, hosts("Host: a.example\r\nhOST: b.example\r\n"), Safe::Refused),
        case("host-empty", HOST, host(""), MAYBE),
        case("host-port", HOST, host("a.example:8080"), ONE),
        case("host-v6", HOST, host("[::1]:80"), ONE),
        case("host-comma", HOST, host("a.example, b.example"), Safe::Refused),
        case("host-space", HOST, host("a.example b.example"), Safe::Refused),
        case("host-path", HOST, host("a.example/x"), Safe::Refused),
        case("host-user", HOST, host("u@a.example"), Safe::Refused),
        case("host-bad-port", HOST, host("a.example:x"), Safe::Refused),
        case("host-large-port", HOST, host("a.example:99999"), MAYBE),
        case("host-query", HOST, host("a.example?x"), Safe::Refused),
        case("host-fragment", HOST, host("a.example#x"), Safe::Refused),
        case(
            "host-high-byte",
            HOST,
            b"GET /x HTTP/1.1\r\nHost: \xff.example\r\n\r\n",
            Safe::Refused,
        ),
        case("host-open-bracket", HOST, host("[::1"), Safe::Refused),
        case(
            "host-space-before-colon",
            "RFC 9112 5.1",
            hosts("Host : a.example\r\n"),
            Safe::Refused,
        ),
        case(
            "host-space-before-name",
            "RFC 9112 5.2",
            hosts(" Host: a.example\r\n"),
            Safe::Refused,
        ),
        case("host-folded", "RFC 9112 5.2", hosts("Host:\r\n a.example\r\n"), MAYBE),
        case(
            "host-second-folded",
            "RFC 9112 5.2",
            hosts("Host: a.example\r\n Host: b.example\r\n"),
            MAYBE,
        ),
        case("host-absolute-without", HOST, "GET http://a.example/x HTTP/1.1\r\n\r\n", MAYBE),
    ]
}
