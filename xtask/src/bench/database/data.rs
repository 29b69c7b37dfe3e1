//! The records, the requests about them, and the same as statements.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use pando_testkit::{Request, Rng, RootClient, Server};
use serde_json::{Value, json};

pub(in crate::bench) const ROOT_EMAIL: &str = "root@example.com";
pub(in crate::bench) const PASSWORD: &str = "1234567890";
const POST_COUNT: usize = 10_000;
const BATCH_SIZE: usize = 500;
/// Different requests per workload: enough that no cache of a single answer helps.
const VARIETY: usize = 5_000;
/// Ids are numbers, because pgbench knows no other variables.
const FIRST_ID: u64 = 100_000_000_000_000;
const RECORDS: &str = "/api/collections/posts/records";

/// One operation.
pub(in crate::bench) struct Workload {
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) requests: Vec<Vec<u8>>,
    /// The statement, and where one is not all that must happen, the whole transaction.
    pub(in crate::bench) by_hand: &'static [Script],
}

/// What pgbench runs.
pub(in crate::bench) struct Script {
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) text: &'static str,
}

const VIEW: &[Script] = &[Script {
    name: "SELECT",
    text: r"\set id random(100000000000000, 100000000009999)
SELECT * FROM posts WHERE id = :id;",
}];

const LIST: &[Script] = &[Script {
    name: "SELECT",
    text: r#"\set page 30 * random(0, 9)
SELECT * FROM posts WHERE published ORDER BY created DESC LIMIT 30 OFFSET :page;"#,
}];

const CREATE: &[Script] = &[
    Script {
        name: "INSERT",
        text: r"\set id random(200000000000000, 999999999999999)
\set b random(0, 4095)
\set n random(0, 1000)
INSERT INTO written (_b, id, title, body, views, published, author, created, updated)
VALUES (:b, :id, 'a new title', 'lorem ipsum dolor sit amet lorem ipsum dolor sit amet', :n, true,
100000000000001, '2026-01-02 03:04:05.678Z', '2026-01-02 03:04:05.678Z');",
    },
    Script {
        name: "BEGIN, INSERT, COMMIT",
        text: r"\set id random(200000000000000, 999999999999999)
\set b random(0, 4095)
\set n random(0, 1000)
BEGIN;
INSERT INTO written (_b, id, title, body, views, published, author, created, updated)
VALUES (:b, :id, 'a new title', 'lorem ipsum dolor sit amet lorem ipsum dolor sit amet', :n, true,
100000000000001, '2026-01-02 03:04:05.678Z', '2026-01-02 03:04:05.678Z');
COMMIT;",
    },
];

const UPDATE: &[Script] = &[
    Script {
        name: "UPDATE",
        text: r"\set id random(100000000000000, 100000000009999)
\set n random(0, 1000)
UPDATE posts SET views = :n, updated = '2026-01-02 03:04:05.678Z' WHERE id = :id RETURNING *;",
    },
    Script {
        name: "BEGIN, SELECT FOR UPDATE, UPDATE, COMMIT",
        text: r"\set id random(100000000000000, 100000000009999)
\set n random(0, 1000)
BEGIN;
SELECT * FROM posts WHERE id = :id FOR NO KEY UPDATE;
UPDATE posts SET views = :n, updated = '2026-01-02 03:04:05.678Z' WHERE id = :id;
COMMIT;",
    },
];

/// What is measured.
pub(in crate::bench) fn workloads() -> Vec<Workload> {
    let mut rng = Rng::new(7);
    let mut other = Rng::new(8);
    vec![
        workload("view by id", VIEW, |_| Request::get(format!("{RECORDS}/{}", any_id(&mut rng)))),
        workload("list 30, filter and sort, indexed", LIST, |index| {
            let page = 1 + index % 10;
            let query = "filter=published%3Dtrue&sort=-created&perPage=30&skipTotal=1";
            Request::get(format!("{RECORDS}?{query}&page={page}"))
        }),
        workload("create", CREATE, |index| {
            Request::post("/api/collections/written/records").json(&json!({
                "title": "a new title", "views": index, "published": true,
                "body": "lorem ipsum dolor sit amet lorem ipsum dolor sit amet",
                "author": "100000000000001",
            }))
        }),
        workload("update", UPDATE, |index| {
            let path = format!("{RECORDS}/{}", any_id(&mut other));
            Request::patch(path).json(&json!({ "views": index % 1000 }))
        }),
    ]
}

fn workload(
    name: &'static str,
    by_hand: &'static [Script],
    mut request: impl FnMut(usize) -> Request,
) -> Workload {
    // The host named in a request is never looked at.
    let host: SocketAddr = ([127, 0, 0, 1], 8090).into();
    let requests = (0..VARIETY).map(|index| request(index).to_bytes(host)).collect();
    Workload { name, requests, by_hand }
}

fn any_id(rng: &mut Rng) -> String {
    (FIRST_ID + rng.below(POST_COUNT) as u64).to_string()
}

/// Makes the collections and fills one of them.
pub(in crate::bench) fn make(server: &Server) -> Result<()> {
    let mut root = RootClient::login(server, ROOT_EMAIL, PASSWORD)?;
    let batch = json!({ "batch": { "enabled": true, "maxRequests": BATCH_SIZE, "timeout": 120 } });
    root.json(Request::patch("/api/settings").json(&batch))?;
    for name in ["posts", "written"] {
        root.json(Request::post("/api/collections").json(&collection(name)))?;
    }
    let mut rng = Rng::new(1);
    let ids: Vec<u64> = (0..POST_COUNT as u64).map(|number| FIRST_ID + number).collect();
    for chunk in ids.chunks(BATCH_SIZE) {
        let requests: Vec<Value> = chunk
            .iter()
            .map(|id| json!({ "method": "POST", "url": RECORDS, "body": post(*id, &mut rng) }))
            .collect();
        let made = root.json(Request::post("/api/batch").json(&json!({ "requests": requests })));
        made.context("failed to make the records")?;
    }
    Ok(())
}

fn collection(name: &str) -> Value {
    json!({
        "name": name, "type": "base",
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        "indexes": [format!("CREATE INDEX idx_{name}_created ON {name} (created)")],
        "fields": [
            { "type": "text", "name": "title", "max": 200 }, { "type": "text", "name": "body" },
            { "type": "number", "name": "views" }, { "type": "bool", "name": "published" },
            { "type": "text", "name": "author" },
            { "type": "autodate", "name": "created", "onCreate": true },
            { "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true },
        ],
    })
}

fn post(id: u64, rng: &mut Rng) -> Value {
    json!({
        "id": id.to_string(), "title": format!("a title {}", rng.below(100_000)),
        "body": "lorem ipsum dolor sit amet ".repeat(8), "views": rng.below(1000),
        "published": rng.percent(50), "author": FIRST_ID.to_string(),
    })
}
