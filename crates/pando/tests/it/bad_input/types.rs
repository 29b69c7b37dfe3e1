//! Values of the wrong type for every type of field.

use pando_testkit::{Multipart, Request, Response};
use serde_json::{Value, json};

use super::{Pair, RECORDS, shown};

const FIELDS: [&str; 20] = [
    "id", "text", "editor", "number", "bool", "email", "url", "date", "one", "some", "json",
    "file", "files", "user", "users", "place", "code", "made", "some+", "number-",
];

fn values() -> Vec<Value> {
    let long = "x".repeat(10_000);
    vec![
        json!(null),
        json!(true),
        json!(-1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("text"),
        json!("a\u{0}b"),
        json!(long),
        json!([]),
        json!([1, "a", null, [], {}]),
        json!([["a"]]),
        json!({}),
        json!({ "a": { "b": [] } }),
        json!({ "lon": "x" }),
        json!({ "lat": 1e9 }),
    ]
}

/// Both servers take it alike or refuse it alike, with the same words.
#[track_caller]
fn check(pair: &Pair, request: &Request) {
    let ours = pair.send(request);
    let theirs = pair.oracle.client().send(request).unwrap();
    let told = |answer: &Response| (answer.status, shown(answer));
    assert_eq!(told(&ours), told(&theirs), "{}", String::from_utf8_lossy(&request.body));
}

#[test]
fn every_type_of_field_gets_every_type_of_value() {
    let pair = Pair::start();
    for field in FIELDS {
        for value in values() {
            check(&pair, &Request::post(RECORDS).json(&json!({ field: value })));
        }
    }
    pair.end();
}

#[test]
fn accounts_get_every_type_of_value() {
    let pair = Pair::start();
    let path = "/api/collections/users/records";
    for field in ["email", "emailVisibility", "verified", "password", "tokenKey"] {
        // Each account that is made costs two hashes, so not with all of them.
        for value in values().into_iter().step_by(3) {
            let mut body = json!({ "password": "1234567890", "passwordConfirm": "1234567890" });
            body[field] = value.clone();
            if field == "password" {
                body["passwordConfirm"] = value;
            }
            let request = pair.as_root(Request::post(path).json(&body));
            pair.same(&request);
        }
    }
    pair.end();
}

/// In a form every value is text, and a file may come where none belongs.
#[test]
fn forms_get_files_and_texts_where_they_do_not_belong() {
    let pair = Pair::start();
    for field in FIELDS {
        let file = Multipart::new().file(field, "a.txt", "text/plain", b"a file");
        let answer = pair.same(&Request::post(RECORDS).multipart(&file));
        let file = shown(&answer)[field].to_string();
        assert_eq!(file.contains(".txt"), ["file", "files"].contains(&field), "{field} {file}");
        for text in ["", "text", "[", "{\"a\":1}", "1e999", "NaN"] {
            check(&pair, &Request::post(RECORDS).multipart(&Multipart::new().text(field, text)));
        }
    }
    pair.end();
}

#[test]
fn logins_and_requests_of_the_wrong_type_are_refused() {
    let pair = Pair::start();
    for value in [json!(1), json!([]), json!({}), json!(true)] {
        let login = json!({ "identity": value, "password": value });
        let path = "/api/collections/users/auth-with-password";
        assert_eq!(pair.same(&Request::post(path).json(&login)).status, 400);
        let batch = Request::post("/api/batch").json(&json!({ "requests": value }));
        let status = pair.same(&pair.as_root(batch)).status;
        assert!((400..500).contains(&status), "{status}");
        let subscribe = json!({ "clientId": value, "subscriptions": value });
        let status = pair.same(&Request::post("/api/realtime").json(&subscribe)).status;
        assert!((400..500).contains(&status), "{status}");
        for name in ["name", "type", "fields", "indexes", "listRule"] {
            let create = json!({ "name": "other", name: value });
            let create = pair.as_root(Request::post("/api/collections").json(&create));
            pair.same(&create);
            pair.oracle
                .client()
                .send(&pair.as_root(Request::delete("/api/collections/other")))
                .unwrap();
            pair.send(&pair.as_root(Request::delete("/api/collections/other")));
        }
    }
    pair.end();
}
