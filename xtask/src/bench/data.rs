//! The data that all servers are measured on; made once by PocketBase and kept below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pando_testkit::server::upsert_superuser;
use pando_testkit::{Product, Request, Rng, RootClient, Server};
use serde_json::{Value, json};

pub(super) const ROOT_EMAIL: &str = "root@example.com";
pub(super) const PASSWORD: &str = "1234567890";
pub(super) const USER_EMAIL: &str = "user0@example.com";
const POST_COUNT: usize = 10_000;
const USER_COUNT: usize = 1_000;
/// Users with a password hash of full cost; the rest have cheap ones, which nobody logs in with.
pub(super) const LOGIN_USER_COUNT: usize = 16;
const BATCH_SIZE: usize = 500;
/// Part of the directory's name: another shape of the data must not meet old files.
const VERSION: u32 = 5;
const SEED: u64 = 20_240_501;
const WORDS: [&str; 12] = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "tempor",
    "magna",
];

/// A finished data directory and its ids.
pub(super) struct Dataset {
    dir: PathBuf,
    pub(super) users: Vec<String>,
    pub(super) posts: Vec<String>,
    pub(super) messages: Vec<String>,
    pub(super) room: String,
}

impl Dataset {
    /// Takes the data of an earlier run or makes them (about ten seconds).
    pub(super) fn ready() -> Result<Self> {
        let home = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
        fs::create_dir_all(&home).context("failed to make target/bench")?;
        let dir = home.canonicalize()?.join(format!("data-v{VERSION}"));
        let dataset = Self::plan(dir.clone());
        if dir.exists() {
            return Ok(dataset);
        }
        println!("making the data …");
        let making = dir.with_extension("making");
        if making.exists() {
            fs::remove_dir_all(&making).context("failed to remove a half-made directory")?;
        }
        dataset.make(&making)?;
        fs::rename(&making, &dir).context("failed to name the finished directory")?;
        Ok(dataset)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn plan(dir: PathBuf) -> Self {
        let mut rng = Rng::new(SEED);
        let mut ids = |count: usize| (0..count).map(|_| rng.record_id()).collect::<Vec<_>>();
        let (users, posts, messages) = (ids(USER_COUNT), ids(POST_COUNT), ids(2000));
        Self { dir, users, posts, messages, room: "room00000000001".to_owned() }
    }

    fn make(&self, dir: &Path) -> Result<()> {
        upsert_superuser(Product::Oracle, dir, ROOT_EMAIL, PASSWORD)?;
        let mut server = Server::start(Product::Oracle, dir)?;
        let mut root = RootClient::login(&server, ROOT_EMAIL, PASSWORD)?;
        let batch =
            json!({ "batch": { "enabled": true, "maxRequests": BATCH_SIZE, "timeout": 120 } });
        root.json(Request::patch("/api/settings").json(&batch))?;
        self.make_users(&mut root)?;
        for definition in collections() {
            root.json(Request::post("/api/collections").json(&definition))?;
        }
        let mut rng = Rng::new(SEED).fork("records");
        let posts: Vec<Value> = self.posts.iter().map(|id| self.post(id, &mut rng)).collect();
        create_all(&mut root, "posts", &posts)?;
        create_all(&mut root, "posts_indexed", &posts)?;
        let room = json!({ "id": self.room, "name": "room 0", "members": &self.users[..20] });
        create_all(&mut root, "rooms", &[room])?;
        let messages: Vec<Value> =
            self.messages.iter().map(|id| self.message(id, &mut rng)).collect();
        create_all(&mut root, "messages", &messages)?;
        server.stop()
    }

    fn make_users(&self, root: &mut RootClient) -> Result<()> {
        set_cost(root, 4)?;
        let user = |index: usize| {
            json!({
                "id": self.users[index], "email": format!("user{index}@example.com"),
                "password": PASSWORD, "passwordConfirm": PASSWORD, "name": format!("User {index}"),
                "verified": true, "emailVisibility": index.is_multiple_of(2),
            })
        };
        let cheap: Vec<Value> = (LOGIN_USER_COUNT..USER_COUNT).map(user).collect();
        create_all(root, "users", &cheap)?;
        // Zero is PocketBase's default cost.
        set_cost(root, 0)?;
        let full: Vec<Value> = (0..LOGIN_USER_COUNT).map(user).collect();
        create_all(root, "users", &full)
    }

    fn post(&self, id: &str, rng: &mut Rng) -> Value {
        let text: Vec<&str> = (0..40).map(|_| *rng.pick(&WORDS)).collect();
        json!({
            "id": id, "title": format!("{} {} {}", rng.pick(&WORDS), rng.pick(&WORDS), rng.below(100_000)),
            "description": text.join(" "), "views": rng.below(1000), "published": rng.percent(50),
            "type": &["a", "b", "c"][..rng.below(4)], "author": rng.pick(&self.users),
        })
    }

    fn message(&self, id: &str, rng: &mut Rng) -> Value {
        json!({
            "id": id, "owner": rng.pick(&self.users[..20]), "room": self.room,
            "data": format!("a message {}", rng.below(100_000)),
        })
    }
}

fn set_cost(root: &mut RootClient, cost: u32) -> Result<()> {
    let mut users = root.json(Request::get("/api/collections/users"))?;
    let fields = users["fields"].as_array_mut().context("users without fields")?;
    for field in fields.iter_mut().filter(|field| field["type"] == "password") {
        field["cost"] = json!(cost);
    }
    let body = json!({
        "fields": users["fields"], "viewRule": "", "authAlert": { "enabled": false },
    });
    root.json(Request::patch("/api/collections/users").json(&body))?;
    Ok(())
}

fn create_all(root: &mut RootClient, collection: &str, records: &[Value]) -> Result<()> {
    let url = format!("/api/collections/{collection}/records");
    for chunk in records.chunks(BATCH_SIZE) {
        let requests: Vec<Value> = chunk
            .iter()
            .map(|record| json!({ "method": "POST", "url": url, "body": record }))
            .collect();
        root.json(Request::post("/api/batch").json(&json!({ "requests": requests })))?;
    }
    Ok(())
}

/// The shapes follow the schemas of pocketbase/benchmarks (posts, authors) and of
/// trailbaseio/trailbase-benchmark (rooms, messages).
fn collections() -> Vec<Value> {
    let users = "_pb_users_auth_";
    let posts = |name: &str, indexes: Value| {
        json!({
            "name": name, "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
            "indexes": indexes,
            "fields": [
                { "type": "text", "name": "title", "max": 200 }, { "type": "text", "name": "description" },
                { "type": "number", "name": "views" }, { "type": "bool", "name": "published" },
                { "type": "select", "name": "type", "maxSelect": 3, "values": ["a", "b", "c"] },
                { "type": "relation", "name": "author", "collectionId": users, "maxSelect": 1 },
                { "type": "autodate", "name": "created", "onCreate": true },
                { "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true },
            ],
        })
    };
    vec![
        posts("posts", json!([])),
        posts(
            "posts_indexed",
            json!(["CREATE INDEX idx_posts_created ON posts_indexed (created)"]),
        ),
        // What is only written to, so that a fast server does not make its own lists longer.
        posts("posts_written", json!([])),
        json!({
            "name": "rooms", "listRule": null, "viewRule": null, "id": "pbc_bench_rooms",
            "fields": [
                { "type": "text", "name": "name" },
                { "type": "relation", "name": "members", "collectionId": users, "maxSelect": 999 },
            ],
        }),
        json!({
            "name": "messages",
            "listRule": "room.members.id ?= @request.auth.id", "viewRule": "room.members.id ?= @request.auth.id",
            "createRule": "@request.auth.id != '' && owner = @request.auth.id && room.members.id ?= @request.auth.id",
            "indexes": ["CREATE INDEX idx_messages_room ON messages (room, created)"],
            "fields": [
                { "type": "relation", "name": "owner", "collectionId": users, "maxSelect": 1 },
                { "type": "relation", "name": "room", "collectionId": "pbc_bench_rooms", "maxSelect": 1 },
                { "type": "text", "name": "data" },
                { "type": "autodate", "name": "created", "onCreate": true },
            ],
        }),
        json!({
            "name": "ticks", "listRule": "", "viewRule": "", "createRule": "",
            "fields": [{ "type": "number", "name": "sent" }, { "type": "text", "name": "text" }],
        }),
    ]
}
