//! SQL in every string that a client can send: refused, or kept as the text that it is.

use pando_testkit::{Multipart, Request};
use serde_json::json;

use super::{Pair, RECORDS, shown};

const PIECES: [&str; 12] = [
    "'; DROP TABLE things; --",
    "\"; DROP TABLE things; --",
    "`; DROP TABLE things; --",
    "]; DROP TABLE things; --",
    "' OR '1'='1",
    "\" OR 1=1 --",
    "1 UNION SELECT password FROM _superusers",
    "') UNION SELECT id, password FROM _superusers --",
    "x'; ATTACH DATABASE 'stolen.db' AS x; --",
    "%' ESCAPE '\\",
    "'||(SELECT tokenKey FROM _superusers)||'",
    "; PRAGMA writable_schema = 1; --",
];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn in_values_it_is_text() {
    let pair = Pair::start();
    for piece in PIECES {
        let body = json!({ "text": piece, "editor": piece, "json": { piece: [piece] } });
        let answer = pair.send(&Request::post(RECORDS).json(&body));
        assert_eq!(answer.status, 200, "{piece}: {}", answer.text());
        let record = shown(&answer);
        assert_eq!((&record["text"], &record["json"]), (&body["text"], &body["json"]), "{piece}");
        // It is found by itself, quoted as the filter language has it, and nothing else is.
        let quoted = piece.replace('\\', "\\\\").replace('\'', "\\'");
        for operator in ["=", "~"] {
            let filter = percent(&format!("text {operator} '{quoted}'"));
            let list = pair.same(&Request::get(format!("{RECORDS}?filter={filter}")));
            assert_eq!(list.status, 200, "{piece}: {}", list.text());
        }
        let form = Multipart::new().text("text", piece).file(piece, piece, piece, b"x");
        pair.same(&Request::post(RECORDS).multipart(&form));
    }
    pair.end();
}

#[test]
fn in_other_types_of_fields_it_is_refused_as_by_pocketbase() {
    let pair = Pair::start();
    let fields =
        ["id", "number", "bool", "email", "url", "date", "one", "some", "user", "users", "place"];
    for piece in PIECES {
        for field in fields {
            pair.same(&Request::post(RECORDS).json(&json!({ field: piece })));
        }
        pair.same(&Request::post(RECORDS).json(&json!({ piece: piece })));
    }
    pair.end();
}

#[test]
fn in_parameters_and_paths_it_is_refused() {
    let pair = Pair::start();
    for piece in PIECES {
        let encoded = percent(piece);
        for parameter in ["filter", "sort", "expand", "fields", "page", "perPage", "skipTotal"] {
            let target = format!("{RECORDS}?{parameter}={encoded}");
            pair.same(&Request::get(&target));
            let answer = pair.same(&pair.as_root(Request::get(&target)));
            assert!(!answer.text().contains("tokenKey\":"), "{parameter} {piece}");
        }
        let paths = [
            format!("/api/collections/{encoded}/records"),
            format!("/api/collections/{encoded}"),
            format!("{RECORDS}/{encoded}"),
            format!("/api/files/things/{encoded}/{encoded}"),
            format!("/api/files/{encoded}/first0000000000/first.txt"),
        ];
        for path in paths {
            for method in ["GET", "PATCH", "DELETE"] {
                let request = Request::new(method, &path);
                let request = if method == "PATCH" { request.json(&json!({})) } else { request };
                let answer = pair.same(&pair.as_root(request));
                assert!([400, 404].contains(&answer.status), "{method} {path} {}", answer.status);
            }
        }
    }
    pair.end();
}

#[test]
fn in_headers_tokens_and_logins_it_opens_nothing() {
    let pair = Pair::start();
    for piece in PIECES {
        for name in ["Authorization", "X-Forwarded-For", "Origin", "X-Request-Id", "X-Token"] {
            let answer = pair.same(&Request::get("/api/settings").header(name, piece));
            assert_eq!(answer.status, 401, "{name} {piece}: {}", answer.text());
        }
        for collection in ["users", "_superusers"] {
            for body in [
                json!({ "identity": piece, "password": piece }),
                json!({ "identity": piece, "password": "1234567890", "identityField": piece }),
            ] {
                let path = format!("/api/collections/{collection}/auth-with-password");
                let answer = pair.same(&Request::post(path).json(&body));
                assert_eq!(answer.status, 400, "{piece}: {}", answer.text());
            }
        }
        let token = json!({ "token": piece, "password": "1234567890",
            "passwordConfirm": "1234567890" });
        let path = "/api/collections/users/confirm-password-reset";
        assert_eq!(pair.same(&Request::post(path).json(&token)).status, 400);
    }
    pair.end();
}

/// Superusers may write SQL in one place, the indexes of a collection.
#[test]
fn in_collections_it_is_refused() {
    let pair = Pair::start();
    for piece in PIECES {
        let bodies = [
            json!({ "name": piece, "type": "base" }),
            json!({ "name": "other", "type": piece }),
            json!({ "name": "other", "fields": [{ "name": piece, "type": "text" }] }),
            json!({ "name": "other", "fields": [{ "name": "a", "type": piece }] }),
            json!({ "name": "other", "listRule": piece }),
            json!({ "name": "other", "indexes": [piece] }),
            json!({ "name": "other", "indexes":
                [format!("CREATE INDEX x ON other (id); {piece}")] }),
        ];
        for body in bodies {
            let request = pair.as_root(Request::post("/api/collections").json(&body));
            let answer = pair.same(&request);
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        }
    }
    pair.end();
}

/// PocketBase runs what follows the condition of an index; here nothing may follow it.
#[test]
fn an_index_is_one_statement() {
    let pair = Pair::start();
    for tail in ["DROP TABLE things", "COMMIT", "PRAGMA foreign_keys = OFF", "DELETE FROM users"] {
        let index = format!("CREATE INDEX x ON other (id) WHERE id != ''; {tail}");
        let body = json!({ "name": "other", "indexes": [index] });
        let answer = pair.send(&pair.as_root(Request::post("/api/collections").json(&body)));
        assert_eq!(answer.status, 400, "{tail}: {}", answer.text());
        assert!(answer.text().contains("validation_invalid_index_expression"), "{}", answer.text());
    }
    pair.end();
}
