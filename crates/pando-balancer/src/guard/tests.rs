use expect_test::{Expect, expect};
use http::HeaderValue;

use super::*;

#[track_caller]
fn check_parts(
    version: Version,
    method: &str,
    uri: &str,
    fields: &[(&str, &[u8])],
    expect: Expect,
) {
    let mut request = http::Request::builder().version(version).method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let head = request.body(()).unwrap().into_parts().0;
    let shown = match check(&head, 32 << 10) {
        Ok(host) => format!("for {host:?}"),
        Err(refusal) => format!("{refusal:?}"),
    };
    expect.assert_eq(&shown);
}

#[track_caller]
fn check_11(method: &str, uri: &str, fields: &[(&str, &str)], expect: Expect) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    check_parts(Version::HTTP_11, method, uri, &fields, expect);
}

#[test]
fn hosts() {
    check_11("GET", "/", &[("host", "a.example")], expect![[r#"for "a.example""#]]);
    check_11("GET", "/", &[("host", "a.example:8080")], expect![[r#"for "a.example:8080""#]]);
    check_11("GET", "/", &[("host", "[::1]:80")], expect![[r#"for "[::1]:80""#]]);
    check_11("GET", "/", &[], expect!["NoHost"]);
    check_11("GET", "/", &[("host", "a"), ("host", "a")], expect!["Hosts"]);
    for wrong in ["", "a b", "a/b", "u@a", "a:99999", "a:+80", "[::1", "[]", "[::1]x", "a,b", "a:"]
    {
        let expect = if wrong == "a:" { expect!["BadHost"] } else { expect!["BadHost"] };
        check_11("GET", "/", &[("host", wrong)], expect);
    }
    check_parts(Version::HTTP_11, "GET", "/", &[("host", b"\xe9.example")], expect!["BadHost"]);
    check_parts(Version::HTTP_10, "GET", "/", &[], expect![[r#"for """#]]);
}

#[test]
fn targets() {
    let host = [("host", "a")];
    check_11("GET", "http://b/x", &host, expect![[r#"for "b""#]]);
    check_11("GET", "http://b/x", &[], expect!["NoHost"]);
    check_11("GET", "http://u@b/x", &host, expect!["BadHost"]);
    check_11("GET", "ftp://b/x", &host, expect!["Target"]);
    check_11("OPTIONS", "*", &host, expect![[r#"for "a""#]]);
    check_11("GET", "*", &host, expect!["Target"]);
    check_11("GET", "b:80", &host, expect!["Target"]);
    check_11("GET", "/\u{e9}", &host, expect!["Target"]);
    check_11("CONNECT", "b:80", &host, expect!["Forbidden"]);
    check_11("TRACE", "/", &host, expect!["Forbidden"]);
    check_11(&"M".repeat(33), "/", &host, expect!["Method"]);
}

#[test]
fn framing() {
    let with = |name, value| [("host", "a"), (name, value)];
    check_11("POST", "/", &with("content-length", "5"), expect![[r#"for "a""#]]);
    for wrong in ["5, 5", "+5", "5 5", "0x5", "-1", "99999999999999999999"] {
        check_11("POST", "/", &with("content-length", wrong), expect!["Framing"]);
    }
    check_11("POST", "/", &with("transfer-encoding", "Chunked"), expect![[r#"for "a""#]]);
    for wrong in ["gzip, chunked", "chunked, chunked", "identity", "chunked;x=y", "x", ""] {
        check_11("POST", "/", &with("transfer-encoding", wrong), expect!["Framing"]);
    }
    let both = [("host", "a"), ("content-length", "5"), ("transfer-encoding", "chunked")];
    check_11("POST", "/", &both, expect!["Framing"]);
    let twice = [("host", "a"), ("content-length", "5"), ("content-length", "5")];
    check_11("POST", "/", &twice, expect!["Framing"]);
    check_11("POST", "/", &with("expect", "200-ok"), expect!["Expectation"]);
}

#[test]
fn http_2() {
    let check = |uri: &str, fields: &[(&str, &[u8])], expect| {
        check_parts(Version::HTTP_2, "GET", uri, fields, expect);
    };
    check("https://a/x", &[], expect![[r#"for "a""#]]);
    check("https://a/x", &[("host", b"a")], expect![[r#"for "a""#]]);
    check("https://a/x", &[("host", b"b")], expect!["Hosts"]);
    check("https://a/x", &[("transfer-encoding", b"chunked")], expect!["Framing"]);
    check("/x", &[("host", b"a")], expect![[r#"for "a""#]]);
    check("/x", &[], expect!["NoHost"]);
    let large = vec![b'x'; 40_000];
    check("https://a/x", &[("x", &large)], expect!["TooLarge"]);
    check_parts(Version::HTTP_3, "GET", "https://a/x", &[], expect!["Version"]);
}
