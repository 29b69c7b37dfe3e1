//! Entries are stored as PocketBase stores them.

use std::net::IpAddr;
use std::time::Duration;

use expect_test::{Expect, expect};

use super::data::{truncated, without_secrets};
use super::*;

fn request() -> RequestEntry<'static> {
    RequestEntry {
        at_ms: 1_796_102_623_943,
        took: Duration::from_nanos(428_748),
        method: "GET",
        url: "/api/crons?fields=id",
        status: 200,
        referer: b"http://a/<b>&\"c\"",
        user_agent: b"curl/7.88.1",
        auth: Some(("users", None)),
        addresses: Some((address("2001:db8::1"), address("127.0.0.1"))),
        failure: None,
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn form(server: Option<&str>) -> Form<'_> {
    Form { data_bytes_max: DATA_BYTES_DEFAULT, server }
}

#[track_caller]
fn check(logs: &Logs, form: Form<'_>, expected: &Expect) {
    let batch = logs.take();
    let entries: Vec<Entry> = Entries::new(&batch.bytes, form).collect();
    assert_eq!(entries.len() as u64, batch.count);
    let shown = entries.into_iter().map(|entry| {
        assert_eq!((entry.id.len(), &entry.id[..9]), (15, "0mx494m9z"));
        let Entry { created, level, message, data, .. } = entry;
        serde_json::from_str::<serde_json::Value>(&data).unwrap();
        format!("{created} {level} {message:?}\n{data}\n")
    });
    expected.assert_eq(&shown.collect::<String>());
}

#[test]
fn a_request_is_told_as_pocketbase_tells_it() {
    let logs = Logs::new();
    logs.push(&request());
    logs.push(&RequestEntry { auth: Some(("users", Some("abc"))), addresses: None, ..request() });
    let failure = Some(("Failed.", "{\"a\":\"b\"}"));
    logs.push(&RequestEntry { status: 400, auth: None, failure, ..request() });
    check(
        &logs,
        form(None),
        &expect![[r#"
        2026-12-01 05:23:43.943Z 0 "GET /api/crons?fields=id"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/<b>&\"c\"","remoteIP":"127.0.0.1","status":200,"type":"request","url":"/api/crons?fields=id","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
        2026-12-01 05:23:43.943Z 0 "GET /api/crons?fields=id"
        {"auth":"users","authId":"abc","execTime":0.428748,"method":"GET","referer":"http://a/<b>&\"c\"","status":200,"type":"request","url":"/api/crons?fields=id","userAgent":"curl/7.88.1"}
        2026-12-01 05:23:43.943Z 8 "GET /api/crons?fields=id"
        {"auth":"","details":{"a":"b"},"error":"Failed.","execTime":0.428748,"method":"GET","referer":"http://a/<b>&\"c\"","remoteIP":"127.0.0.1","status":400,"type":"request","url":"/api/crons?fields=id","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
    "#]],
    );
    logs.push(&request());
    check(
        &logs,
        form(Some("one")),
        &expect![[r#"
        2026-12-01 05:23:43.943Z 0 "GET /api/crons?fields=id"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/<b>&\"c\"","remoteIP":"127.0.0.1","server":"one","status":200,"type":"request","url":"/api/crons?fields=id","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
    "#]],
    );
}

#[test]
fn urls_are_kept_as_sent_and_shown_resolved() {
    let logs = Logs::new();
    for url in ["/a%20b/%C3%A9?c=%26", "/a%2", "/%00", "/a?x=1&token=secret&%74oken=s&y=2&tokens=3"]
    {
        logs.push(&RequestEntry { url, referer: b"http://a/?token=secret", ..request() });
    }
    let kept = logs.take();
    assert!(!String::from_utf8_lossy(&kept.bytes).contains("secret"));
    logs.put_back(kept);
    check(
        &logs,
        form(None),
        &expect![[r#"
        2026-12-01 05:23:43.943Z 0 "GET /a b/é?c=&"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/?token=***","remoteIP":"127.0.0.1","status":200,"type":"request","url":"/a%20b/%C3%A9?c=%26","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
        2026-12-01 05:23:43.943Z 0 "GET /a%2"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/?token=***","remoteIP":"127.0.0.1","status":200,"type":"request","url":"/a%2","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
        2026-12-01 05:23:43.943Z 0 "GET /\0"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/?token=***","remoteIP":"127.0.0.1","status":200,"type":"request","url":"/%00","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
        2026-12-01 05:23:43.943Z 0 "GET /a?x=1&token=***&token=***&y=2&tokens=3"
        {"auth":"users","execTime":0.428748,"method":"GET","referer":"http://a/?token=***","remoteIP":"127.0.0.1","status":200,"type":"request","url":"/a?x=1&token=***&%74oken=***&y=2&tokens=3","userAgent":"curl/7.88.1","userIP":"2001:0db8:0000:0000:0000:0000:0000:0001"}
    "#]],
    );
    let long = "/".repeat(3_001);
    logs.push(&RequestEntry { url: &long, user_agent: "é".repeat(1_001).as_bytes(), ..request() });
    let batch = logs.take();
    let entry = Entries::new(&batch.bytes, form(None)).next().unwrap();
    assert_eq!(entry.message.len(), "GET ".len() + 3_000 + "...".len());
    assert!(entry.data.contains("éé...\""), "{}", entry.data);
    assert_eq!(without_secrets("a?token"), "a?token");
}

#[test]
fn what_the_process_says_is_an_entry() {
    let logs = Logs::new();
    let (at_ms, message) = (request().at_ms, "it is\nso");
    logs.push_message(&MessageEntry { at_ms, level: 4, message, data: "{\"error\":\"x\"}" });
    check(
        &logs,
        form(None),
        &expect![[r#"
        2026-12-01 05:23:43.943Z 4 "it is\nso"
        {"error":"x"}
    "#]],
    );
}

#[test]
fn ids_differ_and_grow_with_time() {
    let logs = Logs::new();
    for later_ms in [0, 0, 1, 1_000] {
        logs.push(&RequestEntry { at_ms: request().at_ms + later_ms, ..request() });
    }
    let batch = logs.take();
    let ids: Vec<String> = Entries::new(&batch.bytes, form(None)).map(|entry| entry.id).collect();
    assert_ne!(ids[0], ids[1]);
    assert!(ids[1] < ids[2] && ids[2] < ids[3], "{ids:?}");
    // The same bytes are the same entries.
    assert_eq!(ids, Entries::new(&batch.bytes, form(None)).map(|it| it.id).collect::<Vec<_>>());
}

#[test]
fn what_has_no_room_is_counted() {
    let logs = Logs::new();
    let mut pushed = 0;
    while logs.counts().1 < 3 {
        logs.push(&request());
        pushed += 1;
    }
    let batch = logs.take();
    assert_eq!(batch.count, pushed - 3);
    assert!(batch.bytes.len() < PENDING_BYTES_MAX + 1_000, "{}", batch.bytes.len());
}

#[test]
fn bytes_that_are_no_entry_are_left_out() {
    let logs = Logs::new();
    logs.push(&request());
    logs.push(&request());
    let batch = logs.take();
    for end in 0..batch.bytes.len() {
        let found = Entries::new(&batch.bytes[..end], form(None)).count();
        assert_eq!(found, usize::from(end >= batch.bytes.len() / 2), "{end}");
    }
    let mut wrong = batch.bytes;
    wrong[4] = 9;
    assert_eq!(Entries::new(&wrong, form(None)).count(), 1);
}

#[test]
fn data_are_cut_as_pocketbase_cuts_them() {
    let data = r#"{"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed","execTime":0.344322,"status":400,"tags":["a","b"]}"#;
    let mut shown = String::new();
    for bytes_max in [3, 12, 30, 49, 90, 130, 150, 163, 176, 190, data.len()] {
        shown += &format!("{bytes_max}: {}\n", truncated(data.to_owned(), bytes_max));
    }
    expect![[r#"
        3: {"__pb_truncated__":true}
        12: {"__pb_truncated__":true,"auth":null}
        30: {"__pb_truncated__":true,"auth":"_superusers"}
        49: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf"}
        90: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank"}}
        130: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"}}
        150: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed"}
        163: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed","execTime":0.344322}
        176: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed","execTime":0.344322,"status":400}
        190: {"__pb_truncated__":true,"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed","execTime":0.344322,"status":400,"tags":["a",null]}
        193: {"auth":"_superusers","authId":"kh15w5r51d4zuyf","details":{"password":"cannot be blank","passwordConfirm":"cannot be blank"},"error":"Failed","execTime":0.344322,"status":400,"tags":["a","b"]}
    "#]].assert_eq(&shown);
}
