//! The records that move: made once by Pando and kept below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pando_testkit::{Multipart, Program, Request, RootClient, Server};
use serde_json::{Value, json};

pub(super) const ROOT_EMAIL: &str = "root@example.com";
pub(super) const PASSWORD: &str = "1234567890";

/// The collection that is written to.
pub(super) const WRITTEN: &str = "comments";
pub(super) const NAMES: [&str; 5] = ["authors", "posts", "comments", "boards", "members"];

/// Posts with a file.
const FILES: usize = 500;
const BATCH_SIZE: usize = 500;
/// Part of the directory's name: another shape of the data must not meet old files.
const VERSION: u32 = 1;

pub(super) struct Dataset {
    dir: PathBuf,
    records: usize,
}

impl Dataset {
    /// Takes the data of an earlier run or makes them.
    pub(super) fn ready(program: &Program, records: usize) -> Result<Dataset> {
        let home = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
        fs::create_dir_all(&home).context("failed to make target/bench")?;
        let dir = home.canonicalize()?.join(format!("move-v{VERSION}-{records}"));
        let dataset = Dataset { dir: dir.clone(), records };
        if !dir.exists() {
            println!("making the data …");
            let making = dir.with_extension("making");
            if making.exists() {
                fs::remove_dir_all(&making).context("failed to remove a half-made directory")?;
            }
            dataset.make(program, &making)?;
            fs::rename(&making, &dir).context("failed to name the finished directory")?;
        }
        Ok(dataset)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn authors(&self) -> usize {
        self.records / 15
    }

    pub(super) fn posts(&self) -> usize {
        self.records * 2 / 5
    }

    fn make(&self, program: &Program, dir: &Path) -> Result<()> {
        program.upsert_superuser(dir, ROOT_EMAIL, PASSWORD)?;
        let mut server = Server::launch(program, dir)?;
        let mut root = RootClient::login(&server, ROOT_EMAIL, PASSWORD)?;
        let batch =
            json!({ "batch": { "enabled": true, "maxRequests": BATCH_SIZE, "timeout": 120 } });
        root.json(Request::patch("/api/settings").json(&batch))?;
        for definition in collections() {
            root.json(Request::post("/api/collections").json(&definition))?;
        }
        let some = self.authors();
        let posts = self.posts();
        create(
            &mut root,
            "authors",
            some,
            |n| json!({ "id": author(n), "name": format!("Author {n}") }),
        )?;
        create(&mut root, "posts", posts, |n| self.post(n))?;
        create(
            &mut root,
            "comments",
            posts,
            |n| json!({ "id": id("comment", n), "post": post(n / 2), "text": "so it is", "version": 1 }),
        )?;
        create(
            &mut root,
            "boards",
            some,
            |n| json!({ "id": id("board", n), "posts": [post(n), post(n + 1), post(n * 2)] }),
        )?;
        create(&mut root, "members", some, |n| {
            let email = format!("member{n}@example.com");
            json!({ "id": id("member", n), "email": email, "password": PASSWORD,
                "passwordConfirm": PASSWORD, "name": format!("Member {n}") })
        })?;
        for number in 0..FILES.min(posts) {
            let form = Multipart::new().file("doc", "doc.txt", "text/plain", &[b'x'; 2000]);
            let path = format!("/api/collections/posts/records/{}", post(number));
            root.json(Request::patch(path).multipart(&form))?;
        }
        server.stop()
    }

    fn post(&self, number: usize) -> Value {
        json!({
            "id": post(number), "title": title(number), "author": author(number % self.authors()),
            "body": "lorem ipsum dolor sit amet consectetur adipiscing elit ".repeat(4),
            "tags": &["a", "b", "c"][..number % 4], "views": number % 1000, "public": number.is_multiple_of(2),
            "meta": { "number": number, "words": ["one", "two"] },
        })
    }
}

fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:0width$}", width = 15 - prefix.len())
}

pub(super) fn post(number: usize) -> String {
    id("post", number)
}

fn author(number: usize) -> String {
    id("author", number)
}

/// What a reader must find.
pub(super) fn title(number: usize) -> String {
    format!("Title of post {number}")
}

fn create(
    root: &mut RootClient,
    collection: &str,
    count: usize,
    record: impl Fn(usize) -> Value,
) -> Result<()> {
    let url = format!("/api/collections/{collection}/records");
    for start in (0..count).step_by(BATCH_SIZE) {
        let requests: Vec<Value> = (start..count.min(start + BATCH_SIZE))
            .map(|number| json!({ "method": "POST", "url": url, "body": record(number) }))
            .collect();
        root.json(Request::post("/api/batch").json(&json!({ "requests": requests })))?;
    }
    Ok(())
}

fn collections() -> [Value; 5] {
    let open = |mut collection: Value| {
        collection["id"] = json!(format!("{}_id", collection["name"].as_str().unwrap_or_default()));
        for rule in ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"] {
            collection[rule] = json!("");
        }
        collection
    };
    [
        json!({ "name": "authors", "fields": [{ "type": "text", "name": "name" }] }),
        json!({ "name": "posts", "fields": [
            { "type": "text", "name": "title" }, { "type": "editor", "name": "body" },
            { "type": "relation", "name": "author", "collectionId": "authors_id", "maxSelect": 1 },
            { "type": "select", "name": "tags", "maxSelect": 3, "values": ["a", "b", "c"] },
            { "type": "number", "name": "views" }, { "type": "bool", "name": "public" },
            { "type": "json", "name": "meta" }, { "type": "file", "name": "doc", "maxSelect": 1 },
            { "type": "autodate", "name": "created", "onCreate": true },
        ], "indexes": ["CREATE INDEX `posts_author` ON `posts` (`author`, `created`)"] }),
        json!({ "name": "comments", "fields": [
            { "type": "relation", "name": "post", "collectionId": "posts_id", "maxSelect": 1 },
            { "type": "text", "name": "text" }, { "type": "number", "name": "version" },
            { "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true },
        ], "indexes": ["CREATE INDEX `comments_post` ON `comments` (`post`)"] }),
        json!({ "name": "boards", "fields": [
            { "type": "relation", "name": "posts", "collectionId": "posts_id", "maxSelect": 9 },
        ] }),
        json!({ "name": "members", "type": "auth", "fields": [
            { "type": "text", "name": "name" },
            { "type": "password", "name": "password", "cost": 4, "required": true, "system": true,
                "hidden": true, "min": 8 },
        ] }),
    ]
    .map(open)
}
