use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn read(method: &Method, upgrade: bool, text: &[u8]) -> String {
    let mut input = BytesMut::from(text);
    match take(&mut input, method, upgrade) {
        Err(error) => format!("{error:?}"),
        Ok(None) => "waits".to_owned(),
        Ok(Some(head)) => {
            let keeps = if head.keeps { "keeps" } else { "closes" };
            let mut shown = format!("{} {:?} {keeps}", head.parts.status.as_u16(), head.framing);
            for (name, value) in &head.parts.headers {
                shown.push_str(&format!(" {name}={}", value.as_bytes().escape_ascii()));
            }
            if !input.is_empty() {
                shown.push_str(&format!(" left {}", input.escape_ascii()));
            }
            shown
        }
    }
}

#[track_caller]
fn check(fields: &str, expect: Expect) {
    let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    expect.assert_eq(&read(&Method::GET, false, text.as_bytes()));
}

#[test]
fn framing() {
    check("Content-Length: 5\r\n", expect!["200 Length(5) keeps content-length=5"]);
    check("Transfer-Encoding: Chunked\r\n", expect!["200 Chunked keeps"]);
    check("X: y\r\n", expect!["200 Close closes x=y"]);
    check(
        "Connection: close\r\nContent-Length: 0\r\n",
        expect!["200 Length(0) closes content-length=0"],
    );
}

#[test]
fn ambiguous_framing_is_no_answer() {
    check("Content-Length: 5\r\nContent-Length: 5\r\n", expect!["Length"]);
    check("Content-Length: 5, 5\r\n", expect!["Length"]);
    check("Content-Length: +5\r\n", expect!["Length"]);
    check("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", expect!["Length"]);
    check("Transfer-Encoding: gzip, chunked\r\n", expect!["Encoding"]);
    check("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", expect!["Encoding"]);
    check("Transfer-Encoding: identity\r\n", expect!["Encoding"]);
    let old = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect!["Length"].assert_eq(&read(&Method::GET, false, old));
}

#[test]
fn malformed_heads() {
    check("a b: c\r\n", expect!["Head"]);
    check("a : c\r\n", expect!["Head"]);
    check("a: b\r\n c\r\n", expect!["Head"]);
    check("a: \0\r\n", expect!["Head"]);
    for (text, expect) in [
        ("HTTP/1.1 099 No\r\n\r\n", expect!["Status"]),
        ("HTTP/1.1 600 No\r\n\r\n", expect!["Status"]),
        ("HTTP/1.1 20 No\r\n\r\n", expect!["Head"]),
        ("HTTP/2.0 200 No\r\n\r\n", expect!["Head"]),
        ("SSH-2.0\r\n\r\n", expect!["Head"]),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", expect!["Unasked"]),
    ] {
        expect.assert_eq(&read(&Method::GET, false, text.as_bytes()));
    }
}

#[test]
fn answers_without_a_body() {
    let text = |status: u32| format!("HTTP/1.1 {status} X\r\nContent-Length: 7\r\n\r\nGET");
    for (method, status, expect) in [
        (Method::HEAD, 200, expect!["200 Empty keeps content-length=7 left GET"]),
        (Method::GET, 204, expect!["204 Empty keeps left GET"]),
        (Method::GET, 304, expect!["304 Empty keeps content-length=7 left GET"]),
        (Method::GET, 103, expect!["103 Empty keeps left GET"]),
    ] {
        expect.assert_eq(&read(&method, false, text(status).as_bytes()));
    }
}

#[test]
fn fields_of_the_connection_stay_behind() {
    let fields = "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: h2c\r\n\
                  Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nServer: s\r\nContent-Length: 0\r\n";
    check(fields, expect!["200 Length(0) keeps server=s content-length=0"]);
    let switch = b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81";
    expect![[r#"101 Empty keeps connection=upgrade upgrade=websocket left \x81"#]]
        .assert_eq(&read(&Method::GET, true, switch));
}

#[test]
fn parts_of_a_head_wait() {
    expect!["waits"].assert_eq(&read(&Method::GET, false, b"HTTP/1.1 200 OK\r\nA: b\r\n"));
    let endless = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(20_000)].concat();
    expect!["HeadSize"].assert_eq(&read(&Method::GET, false, &endless));
    let many = [&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n".repeat(101), b"\r\n"].concat();
    expect!["HeadSize"].assert_eq(&read(&Method::GET, false, &many));
}

proptest! {
    #[test]
    fn any_input_is_survived(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&Method::GET, false, &text);
        read(&Method::GET, false, &[&b"HTTP/1.1 200 OK\r\n"[..], &text, b"\r\n\r\n"].concat());
    }
}
