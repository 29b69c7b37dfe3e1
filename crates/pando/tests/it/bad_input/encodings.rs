//! Bytes that are no UTF-8, wherever text may stand.

use super::{FIRST, Pair, RECORDS};

fn raw(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A request whose body is `body`, of type `kind`.
fn posted(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    raw(&[
        b"POST ",
        RECORDS.as_bytes(),
        b" HTTP/1.1\r\nHost: x\r\nContent-Type: ",
        kind,
        b"\r\nContent-Length: ",
        length.as_bytes(),
        b"\r\n\r\n",
        body,
    ])
}

#[test]
fn in_bodies() {
    let pair = Pair::start();
    let json = pair.same_raw(&posted(b"application/json", b"{\"text\":\"a\xff\xfeb\"}"));
    assert_eq!(json.status, 400, "{}", json.text());
    let name = pair.same_raw(&posted(b"application/json", b"{\"te\xffxt\":\"a\"}"));
    assert_eq!(name.status, 400, "{}", name.text());
    let form = pair.same_raw(&posted(b"application/x-www-form-urlencoded", b"text=a%FF%C3b"));
    assert_eq!(form.status, 200, "{}", form.text());
    assert_eq!(form.json().unwrap()["text"], "a\u{fffd}\u{fffd}b");
    let kind = b"multipart/form-data; boundary=b";
    let field = b"--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na\xffb\r\n--b--\r\n";
    let answer = pair.same_raw(&posted(kind, field));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json().unwrap()["text"], "a\u{fffd}b");
    pair.same_raw(&posted(b"multipart/form-data; boundary=\xff", b"--\xff--\r\n"));
    pair.same_raw(&posted(b"application/\xffjson", b"{}"));
    pair.end();
}

#[test]
fn in_names_of_files() {
    let pair = Pair::start();
    let kind = b"multipart/form-data; boundary=b";
    let names: [&[u8]; 5] =
        [b"\xff.txt", b"a\x00b.txt", b"\xc3\x28.txt", b"\xed\xa0\x80.txt", b"\xf0\x9f\x98.txt"];
    for name in names {
        let open = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"";
        let body = raw(&[open, name, b"\"\r\n\r\nhello\r\n--b--\r\n"]);
        let answer = pair.pando.client().send_raw(&posted(kind, &body)).unwrap();
        let shown = name.escape_ascii();
        if answer.status == 200 {
            let record = answer.json().unwrap();
            let (id, file) = (record["id"].as_str().unwrap(), record["file"].as_str().unwrap());
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
            assert!(file.bytes().all(plain), "{shown}: {file}");
            let path = format!("/api/files/things/{id}/{file}");
            assert_eq!(pair.send(&pando_testkit::Request::get(path)).text(), "hello");
        } else {
            assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        }
    }
    pair.end();
}

#[test]
fn in_paths_and_queries() {
    let pair = Pair::start();
    let targets: [&[u8]; 12] = [
        b"/api/collections/%FF/records",
        b"/api/collections/things/records/%FF",
        b"/api/collections/things/records/%C3%28",
        b"/api/files/things/first0000000000/%FF.txt",
        b"/%FF%FE",
        b"/docs/%C0%AE%C0%AE/secret.txt",
        b"/api/collections/things/records?filter=text%3D%27%FF%27",
        b"/api/collections/things/records?sort=%FF",
        b"/api/collections/things/records?expand=%FF",
        b"/api/collections/things/records?fields=%FF",
        b"/api/collections/things/records?page=%FF",
        b"/api/collections/things/records?%FF=%FF",
    ];
    for target in targets {
        let request = raw(&[b"GET ", target, b" HTTP/1.1\r\nHost: x\r\n\r\n"]);
        pair.same_raw(&request);
    }
    for bytes in [&b"\xff"[..], b"\x00", b"\x7f", b"\xc3\xa9"] {
        for path in [&b"/api/collections/"[..], b"/docs/", b"/api/health?x="] {
            let request = raw(&[b"GET ", path, bytes, b" HTTP/1.1\r\nHost: x\r\n\r\n"]);
            let answer = pair.pando.client().send_raw(&request).unwrap();
            assert!(answer.status < 500, "{} {}", bytes.escape_ascii(), answer.status);
        }
    }
    pair.end();
}

#[test]
fn in_headers() {
    let pair = Pair::start();
    let names = [
        "Authorization",
        "Content-Type",
        "Accept",
        "Origin",
        "X-Request-Id",
        "X-Forwarded-For",
        "Range",
        "If-None-Match",
        "If-Modified-Since",
        "Cookie",
        "User-Agent",
        "Accept-Encoding",
        "Expect",
        "Upgrade",
    ];
    for name in names {
        let open = format!("GET {FIRST} HTTP/1.1\r\nHost: x\r\n{name}: ");
        let request = raw(&[open.as_bytes(), b"a\xff\xfe\xc3\r\n\r\n"]);
        let answer = pair.pando.client().send_raw(&request).unwrap();
        let allowed = if name == "Expect" { 417 } else { 200 };
        assert!([200, allowed].contains(&answer.status), "{name} {}", answer.status);
        let nul = raw(&[open.as_bytes(), b"a\x00b\r\n\r\n"]);
        assert_eq!(pair.same_raw(&nul).status, 400, "{name}");
    }
    pair.end();
}
