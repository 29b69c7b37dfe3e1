//! Bodies that are not what they say they are.

use pando_testkit::{Multipart, Request};
use serde_json::json;

use super::{FIRST, Pair, RECORDS};

/// What is no JSON object, or not one that can be a record.
const BROKEN: [&[u8]; 23] = [
    b"{",
    b"{\"text\":",
    b"{\"text\":}",
    b"{\"text\" \"a\"}",
    b"{text:1}",
    b"{'text':1}",
    b"{\"text\":1,}",
    b"{\"text\":NaN}",
    b"{\"text\":01}",
    b"{\"text\":1e}",
    b"{\"text\":\"a",
    b"{\"text\":\"\\x\"}",
    b"{\"text\":\"\\ud800\"}",
    b"{\"text\":\"a\nb\"}",
    b"{\"text\":\"\xff\"}",
    b"\xef\xbb\xbf{}",
    b"{\"text\":1,\"text\":2}",
    b"[]",
    b"[{\"text\":1}]",
    b"\"text\"",
    b"1",
    b"true",
    b"nul",
];

#[test]
fn malformed_json_is_refused_wherever_json_is_read() {
    let pair = Pair::start();
    let paths = [
        ("POST", RECORDS),
        ("PATCH", FIRST),
        ("POST", "/api/collections/users/auth-with-password"),
        ("POST", "/api/collections/users/request-password-reset"),
        ("POST", "/api/batch"),
        ("POST", "/api/realtime"),
        ("POST", "/api/collections"),
        ("PATCH", "/api/collections/things"),
        ("PUT", "/api/collections/import"),
        ("PATCH", "/api/settings"),
    ];
    for (method, path) in paths {
        for body in BROKEN {
            let request = Request::new(method, path).bytes("application/json", body);
            let answer = pair.same(&pair.as_root(request));
            let what = format!("{method} {path} {}", String::from_utf8_lossy(body));
            assert_eq!(answer.status, 400, "{what}: {}", answer.text());
            let said = answer.json().unwrap();
            assert!(said["message"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        }
    }
    let large = Request::post(RECORDS).bytes("application/json", "{\"number\":1e999}");
    assert_eq!(pair.same(&large).status, 400);
    pair.end();
}

#[test]
fn nesting_has_an_end() {
    let pair = Pair::start();
    for depth in [1_000, 100_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = if open == "[" { "" } else { "1" };
            let nested = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            let body = format!("{{\"json\":{nested}}}");
            let request = Request::post(RECORDS).bytes("application/json", body);
            assert_eq!(pair.send(&request).status, 400, "{depth} {open}");
            let form = Multipart::new().text("@jsonPayload", &format!("{{\"json\":{nested}}}"));
            assert_eq!(pair.send(&Request::post(RECORDS).multipart(&form)).status, 400);
        }
    }
    pair.end();
}

#[test]
fn malformed_forms_are_refused() {
    let pair = Pair::start();
    let bodies: [(&str, &[u8]); 13] = [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nno end",
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nno end",
        ),
        ("multipart/form-data; boundary=\"b", b"--b--\r\n"),
        ("application/x-www-form-urlencoded", b"%40jsonPayload=%7B"),
        ("application/x-www-form-urlencoded", b"text=%zz"),
        ("application/x-www-form-urlencoded", b"text=a;b"),
        ("application/octet-stream", b"{}"),
        ("text/plain", b"{}"),
    ];
    for (kind, body) in bodies {
        let answer = pair.same(&Request::post(RECORDS).bytes(kind, body));
        let what = format!("{kind} {}", String::from_utf8_lossy(body));
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    }
    // PocketBase takes these as if the last part were not there.
    for body in ["--b\r\n", "--b\r\nContent-Disposition: form-data"] {
        let request = Request::post(RECORDS).bytes("multipart/form-data; boundary=b", body);
        assert_eq!(pair.send(&request).status, 400, "{body}");
    }
    for query in ["?x=%zz", "?x;y"] {
        let target = format!("{RECORDS}{query}");
        let form = Request::post(&target).multipart(&Multipart::new().text("text", "a"));
        assert_eq!(pair.same(&form).status, 400, "{query}");
        let json = Request::post(&target).json(&json!({ "text": "a" }));
        assert_eq!(pair.same(&json).status, 200, "{query}");
    }
    pair.end();
}

#[test]
fn unknown_members_are_not_looked_at() {
    let pair = Pair::start();
    let strange = json!({
        "text": "kept", "nothing": [1], "": 1, "text ": 2, "Text": 3, "text:x": 4, "+": 5, "-": 6,
        "collectionId": "pbc_1", "collectionName": "users", "expand": { "user": {} },
        "__proto__": { "text": "x" }, "constructor": 1, "rowid": 7, "_rowid_": 8,
        "things.text": 9, "\u{0}": 10, "text\u{0}": 11, "ünï": 12,
    });
    let answer = pair.same(&Request::post(RECORDS).json(&strange));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = answer.json().unwrap();
    assert_eq!((&record["text"], &record["collectionName"]), (&json!("kept"), &json!("things")));
    assert!(record.get("nothing").is_none() && record.get("expand").is_none(), "{record}");
    pair.end();
}
