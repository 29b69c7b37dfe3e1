//! One data directory goes from PocketBase to Pando, back to PocketBase, and to Pando again.
//! Whoever has it reads everything that the other one left there, and both write into it.

use std::path::Path;

use pando_testkit::crash::integrity_check;
use pando_testkit::server::upsert_superuser;
use pando_testkit::{Multipart, Product, Request, RootClient, Server, fixture};
use serde_json::{Value, json};

const ROOT: (&str, &str) = ("root@example.com", "1234567890");
const ALICE: (&str, &str) = ("alice@example.com", "alice's password");
const BOB: (&str, &str) = ("bob@example.com", "bob's password");
const CARLA: (&str, &str) = ("carla@example.com", "carla's password");

const POSTS: &str = "/api/collections/posts/records";

/// A server that has the directory now.
struct Turn {
    server: Server,
    root: RootClient,
}

impl Turn {
    fn begin(product: Product, dir: &Path) -> Turn {
        let server = match product {
            Product::Oracle => Server::start(product, dir),
            Product::Pando => {
                Server::start_binary(product, Path::new(env!("CARGO_BIN_EXE_pando")), dir)
            }
        };
        let server = server.unwrap();
        let root = RootClient::login(&server, ROOT.0, ROOT.1).unwrap();
        Turn { server, root }
    }

    fn end(mut self) {
        self.server.stop().unwrap();
        let log = self.server.log();
        assert!(!log.contains("panic") && !log.contains("ERROR"), "{log}");
        for name in ["data.db", "auxiliary.db"] {
            integrity_check(&self.server.dir().join(name)).unwrap();
        }
    }

    #[track_caller]
    fn json(&mut self, request: Request) -> Value {
        self.root.json(request).unwrap()
    }

    #[track_caller]
    fn login(&self, collection: &str, (identity, password): (&str, &str)) -> u16 {
        let body = json!({ "identity": identity, "password": password });
        let path = format!("/api/collections/{collection}/auth-with-password");
        self.server.client().send(&Request::post(path).json(&body)).unwrap().status
    }

    /// Everything that clients can read: collections, settings, records, files and thumbs.
    fn everything(&mut self) -> Value {
        let path = "/api/collections?perPage=200&sort=name";
        let collections = self.json(Request::get(path))["items"].take();
        let mut records = json!({});
        for collection in collections.as_array().unwrap() {
            let name = collection["name"].as_str().unwrap();
            // Each login leaves a trace there.
            if name != "_authOrigins" {
                let path = format!("/api/collections/{name}/records?perPage=500&sort=id");
                let expand = "&expand=author,related,favourite";
                records[name] = self.json(Request::get(format!("{path}{expand}")));
            }
        }
        let files = self.files(&records["posts"]["items"]);
        let settings = self.json(Request::get("/api/settings"));
        json!({ "collections": collections, "settings": settings, "records": records,
            "files": files })
    }

    fn files(&mut self, posts: &Value) -> Value {
        let token = self.json(Request::post("/api/files/token"))["token"].take();
        let token = token.as_str().unwrap().to_owned();
        let mut files = json!({});
        for post in posts.as_array().unwrap() {
            let id = post["id"].as_str().unwrap();
            let single = ["picture", "private"].map(|field| &post[field]);
            let names = single.into_iter().chain(post["papers"].as_array().unwrap());
            for name in names.filter_map(Value::as_str).filter(|name| !name.is_empty()) {
                for size in ["", "&thumb=20x10"] {
                    let path = format!("/api/files/posts/{id}/{name}?token={token}{size}");
                    let answer = self.server.client().send(&Request::get(&path)).unwrap();
                    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                    let kind = answer.header("content-type").unwrap().to_owned();
                    let sum = fixture::crc32(&answer.body);
                    files[format!("{id}/{name}{size}")] = json!([kind, answer.body.len(), sum]);
                }
            }
        }
        files
    }
}

fn account((email, password): (&str, &str)) -> Value {
    json!({ "email": email, "password": password, "passwordConfirm": password, "verified": true })
}

/// What PocketBase makes of a fresh directory.
fn fill(turn: &mut Turn) {
    let posts = json!({
        "name": "posts", "type": "base", "viewRule": "", "listRule": "author = @request.auth.id",
        "createRule": "@request.auth.id != ''",
        "fields": [
            { "type": "text", "name": "title", "required": true },
            { "type": "number", "name": "score" },
            { "type": "bool", "name": "good" },
            { "type": "editor", "name": "body" },
            { "type": "email", "name": "contact" },
            { "type": "url", "name": "link" },
            { "type": "date", "name": "at" },
            { "type": "json", "name": "data" },
            { "type": "geoPoint", "name": "place" },
            { "type": "select", "name": "state", "values": ["open", "closed"] },
            { "type": "select", "name": "tags", "values": ["red", "green", "ünï"], "maxSelect": 3 },
            { "type": "relation", "name": "author", "collectionId": "_pb_users_auth_" },
            { "type": "file", "name": "picture", "thumbs": ["20x10"] },
            { "type": "file", "name": "papers", "maxSelect": 5 },
            { "type": "file", "name": "private", "protected": true },
            { "type": "autodate", "name": "created", "onCreate": true },
            { "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true },
        ],
        "indexes": [
            "CREATE UNIQUE INDEX `idx_title` ON `posts` (`title`)",
            "CREATE INDEX `idx_score` ON `posts` (`score`, `good`) WHERE `score` > 1",
        ],
    });
    let mut posts = turn.json(Request::post("/api/collections").json(&posts));
    let related = json!({ "type": "relation", "name": "related", "collectionId": posts["id"],
        "maxSelect": 9 });
    posts["fields"].as_array_mut().unwrap().push(related);
    let patch = json!({ "fields": posts["fields"] });
    turn.json(Request::patch("/api/collections/posts").json(&patch));
    for who in [ALICE, BOB] {
        turn.json(Request::post("/api/collections/users/records").json(&account(who)));
    }
    turn.json(Request::patch("/api/settings").json(&json!({ "meta": { "appName": "Round" } })));
    for number in 0..5 {
        write_post(turn, number);
    }
}

/// Creates a post with a value in every field.
fn write_post(turn: &mut Turn, number: usize) -> Value {
    let author = turn.json(Request::get("/api/collections/users/records?sort=email"));
    let fields = json!({
        "id": format!("post{number:011}"), "title": format!("Title ' \" \\ ünï {number}"),
        "score": 1.5 * number as f64, "good": number.is_multiple_of(2), "body": "<p>a</p>",
        "contact": "a@b.co", "link": "https://example.com/?a=b", "at": "2024-02-29 12:00:00.123Z",
        "data": { "a": [1, 2.5, null, { "b": "\u{1f600}" }], "number": number },
        "place": { "lon": 12.5, "lat": -45.25 }, "state": "open", "tags": ["ünï", "red"],
        "author": author["items"][number % 2]["id"],
        "related": (1..number.min(5)).map(|other| format!("post{other:011}")).collect::<Vec<_>>(),
    });
    let form = Multipart::new()
        .text("@jsonPayload", &fields.to_string())
        .file("picture", "Picture 1.png", "image/png", &fixture::png(40, 30))
        .file("papers", "a.txt", "text/plain", format!("paper {number}").as_bytes())
        .file("papers", "b.pdf", "application/pdf", fixture::PDF)
        .file("private", "secret.gif", "image/gif", fixture::GIF);
    turn.json(Request::post(POSTS).multipart(&form))
}

/// Changes a little of everything.
fn change(turn: &mut Turn) {
    // Schema: a renamed, a new and a removed field, an index, a collection.
    let mut posts = turn.json(Request::get("/api/collections/posts"));
    let fields = posts["fields"].as_array_mut().unwrap();
    fields.retain(|field| field["name"] != "link");
    for field in fields.iter_mut().filter(|field| field["name"] == "score") {
        field["name"] = json!("points");
    }
    fields.push(json!({ "type": "text", "name": "extra", "max": 20 }));
    let patch = json!({ "fields": fields, "indexes": [
        "CREATE UNIQUE INDEX `idx_title` ON `posts` (`title`)",
        "CREATE INDEX `idx_extra` ON `posts` (`extra`)",
    ] });
    let posts = turn.json(Request::patch("/api/collections/posts").json(&patch));
    turn.json(Request::post("/api/collections").json(&json!({
        "name": "members", "type": "auth", "listRule": "", "fields": [
            { "type": "relation", "name": "favourite", "collectionId": posts["id"] },
        ],
    })));
    // Records: a changed one with another picture, a deleted one, a new one, new accounts.
    let form = Multipart::new()
        .text("title", "changed")
        .text("extra", "more")
        .text("papers-", "none of that name")
        .file("picture", "other.png", "image/png", &fixture::png(50, 50))
        .file("papers+", "c.txt", "text/plain", b"one more");
    turn.json(Request::patch(format!("{POSTS}/post{:011}", 1)).multipart(&form));
    turn.json(Request::delete(format!("{POSTS}/post{:011}", 0)));
    write_post(turn, 7);
    let mut carla = account(CARLA);
    carla["favourite"] = json!("post00000000007");
    turn.json(Request::post("/api/collections/members/records").json(&carla));
    turn.json(Request::post("/api/collections/_superusers/records").json(&account(BOB)));
    let users = turn.json(Request::get("/api/collections/users/records?sort=email"));
    let bob = users["items"][1]["id"].as_str().unwrap();
    let password = json!({ "password": ROOT.1, "passwordConfirm": ROOT.1 });
    turn.json(Request::patch(format!("/api/collections/users/records/{bob}")).json(&password));
}

#[test]
fn a_directory_goes_there_and_back() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    upsert_superuser(Product::Oracle, &dir, ROOT.0, ROOT.1).unwrap();
    let mut turn = Turn::begin(Product::Oracle, &dir);
    fill(&mut turn);
    let made = turn.everything();
    turn.end();

    let mut turn = Turn::begin(Product::Pando, &dir);
    assert_eq!(turn.everything(), made, "Pando reads what PocketBase wrote");
    let logins = [ALICE, BOB, CARLA].map(|who| turn.login("users", who));
    assert_eq!(logins, [200, 200, 400]);
    change(&mut turn);
    let changed = turn.everything();
    assert_ne!(changed, made);
    turn.end();

    let mut turn = Turn::begin(Product::Oracle, &dir);
    assert_eq!(turn.everything(), changed, "PocketBase reads what Pando wrote");
    check_changes(&mut turn);
    write_post(&mut turn, 8);
    let last = turn.everything();
    turn.end();

    let mut turn = Turn::begin(Product::Pando, &dir);
    assert_eq!(turn.everything(), last, "Pando reads what PocketBase wrote then");
    check_changes(&mut turn);
    turn.end();
}

/// What `change` did, as whoever has the directory sees it.
fn check_changes(turn: &mut Turn) {
    let logins = [
        turn.login("users", ALICE),
        turn.login("users", BOB),
        turn.login("users", (BOB.0, ROOT.1)),
        turn.login("members", CARLA),
        turn.login("_superusers", BOB),
    ];
    assert_eq!(logins, [200, 400, 200, 200, 200]);
    // The index is in force.
    let twice = Request::post(POSTS).json(&json!({ "title": "changed" }));
    let answer = turn.server.client().send(&twice.token(turn.root.token())).unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("validation_not_unique"), "{}", answer.text());
    let changed = turn.json(Request::get(format!("{POSTS}/post{:011}", 1)));
    assert_eq!((&changed["points"], &changed["extra"]), (&json!(1.5), &json!("more")));
    assert_eq!(changed["papers"].as_array().unwrap().len(), 3);
    // Of the old picture and of the deleted post nothing is left.
    let folder = turn.server.dir().join("storage");
    let folder = folder.join(changed["collectionId"].as_str().unwrap());
    assert!(!folder.join("post00000000000").exists());
    let names = std::fs::read_dir(folder.join("post00000000001")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let old = names.iter().filter(|name| name.to_string_lossy().contains("picture_1"));
    assert_eq!(old.count(), 0, "{names:?}");
}
