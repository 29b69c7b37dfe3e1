use expect_test::{Expect, expect};

use super::*;

struct Case {
    head: Parts,
    trusted: bool,
    upgrade: bool,
    body: BodyLength,
    secret: Option<HeaderValue>,
}

fn case(method: &str, target: &str, fields: &[(&str, &str)]) -> Case {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let head = request.body(()).unwrap().into_parts().0;
    Case { head, trusted: false, upgrade: false, body: BodyLength::None, secret: None }
}

impl Case {
    #[track_caller]
    fn check(self, expect: Expect) {
        let ids = Ids::new(&HeaderMap::new(), Some("id"), [1, 2, 3]);
        let facts = Facts {
            host: "a.example",
            client: "192.0.2.1".parse().unwrap(),
            peer: "192.0.2.9".parse().unwrap(),
            trusted: self.trusted,
            tls: true,
            ids: &ids,
            secret: self.secret.as_ref(),
            upgrade: self.upgrade,
            body: self.body,
            expect: false,
        };
        let mut output = Vec::new();
        write_head(&mut output, &self.head, &Nominated::of(&self.head.headers), &facts);
        let text = String::from_utf8(output).unwrap();
        assert!(text.ends_with("\r\n\r\n"));
        expect.assert_eq(&text.replace("\r\n", "\n"));
    }
}

#[test]
fn a_plain_request() {
    case("GET", "/x?y=z", &[("accept", "*/*"), ("host", "other"), ("user-agent", "t")]).check(
        expect![[r#"
            GET /x?y=z HTTP/1.1
            host: a.example
            accept: */*
            user-agent: t
            x-forwarded-for: 192.0.2.9
            x-real-ip: 192.0.2.1
            x-forwarded-proto: https
            x-forwarded-host: a.example
            forwarded: for=192.0.2.9;host="a.example";proto=https
            via: 1.1 pando
            x-request-id: id
            traceparent: 00-00000000000000010000000000000002-0000000000000003-00

        "#]],
    );
}

#[test]
fn what_the_client_says_of_itself_is_dropped() {
    let fields = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-server", "s"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x-request-id", "mine"),
        ("x-pando-balancer", "guess"),
        ("via", "1.1 browser"),
    ];
    case("GET", "/", &fields).check(expect![[r#"
        GET / HTTP/1.1
        host: a.example
        via: 1.1 browser
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
    Case { trusted: true, ..case("GET", "/", &fields) }.check(expect![[r#"
        GET / HTTP/1.1
        host: a.example
        x-forwarded-proto: gopher
        via: 1.1 browser
        x-forwarded-for: 1.2.3.4, 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-host: a.example
        forwarded: for=1.2.3.4, for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
}

#[test]
fn fields_of_the_connection_stay_behind() {
    let fields = [
        ("connection", "x-mine, keep-alive, authorization"),
        ("x-mine", "1"),
        ("keep-alive", "5"),
        ("authorization", "token"),
        ("te", "trailers, deflate"),
        ("upgrade", "h2c"),
        ("http2-settings", "x"),
        ("content-length", "7"),
        ("expect", "100-continue"),
        ("max-forwards", "3"),
    ];
    let post = case("POST", "/", &fields);
    Case { body: BodyLength::Known(7), ..post }.check(expect![[r#"
        POST / HTTP/1.1
        host: a.example
        authorization: token
        content-length: 7
        te: trailers
        max-forwards: 2
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
    let secret = Some(HeaderValue::from_static("s"));
    Case { body: BodyLength::Chunked, secret, ..case("POST", "/", &[]) }.check(expect![[r#"
        POST / HTTP/1.1
        host: a.example
        transfer-encoding: chunked
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00
        x-pando-balancer: s

    "#]]);
    case("POST", "/", &[]).check(expect![[r#"
        POST / HTTP/1.1
        host: a.example
        content-length: 0
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
}

#[test]
fn split_cookies_are_joined() {
    let mut split = case("GET", "/", &[("cookie", "a=1"), ("cookie", "b=2")]);
    split.head.version = Version::HTTP_2;
    split.check(expect![[r#"
        GET / HTTP/1.1
        host: a.example
        cookie: a=1; b=2
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 2 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
}

#[test]
fn websockets_are_let_through() {
    let fields = [("connection", "Upgrade"), ("upgrade", "WebSocket"), ("sec-websocket-key", "k")];
    let wanted = case("GET", "/", &fields);
    assert!(wants_websocket(&wanted.head, &Nominated::of(&wanted.head.headers)));
    for (method, fields) in [
        ("POST", &fields[..]),
        ("GET", &fields[1..]),
        ("GET", &[("connection", "upgrade"), ("upgrade", "h2c")][..]),
    ] {
        let other = case(method, "/", fields);
        assert!(!wants_websocket(&other.head, &Nominated::of(&other.head.headers)));
    }
    Case { upgrade: true, ..wanted }.check(expect![[r#"
        GET / HTTP/1.1
        host: a.example
        sec-websocket-key: k
        connection: upgrade
        upgrade: websocket
        x-forwarded-for: 192.0.2.9
        x-real-ip: 192.0.2.1
        x-forwarded-proto: https
        x-forwarded-host: a.example
        forwarded: for=192.0.2.9;host="a.example";proto=https
        via: 1.1 pando
        x-request-id: id
        traceparent: 00-00000000000000010000000000000002-0000000000000003-00

    "#]]);
}

#[test]
fn the_client_is_the_last_who_is_not_trusted() {
    let trusted = |ip: IpAddr| ip.to_string().starts_with("10.");
    for (values, expected) in [
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        (&["6.6.6.6, 192.0.2.1, 10.0.0.1"], Some("192.0.2.1")),
        (&["6.6.6.6, 192.0.2.1", "10.0.0.2,10.0.0.1"], Some("192.0.2.1")),
        (&["10.0.0.3, 10.0.0.1"], Some("10.0.0.3")),
        (&["::ffff:192.0.2.1"], Some("192.0.2.1")),
        (&["unknown"], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let expected = expected.map(|ip| ip.parse().unwrap());
        assert_eq!(named_client(&headers, trusted), expected, "{values:?}");
    }
}
