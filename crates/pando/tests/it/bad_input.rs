//! What no client should send: each is refused with a 4xx or stored as it is, as PocketBase does,
//! and afterwards the process lives, its memory stayed bounded and the database is sound.

mod bodies;
mod encodings;
mod filters;
mod injected;
mod large;
mod paths;
mod types;

use std::path::Path;

use pando_testkit::crash::integrity_check;
use pando_testkit::fixture::copy_dir;
use pando_testkit::server::upsert_superuser;
use pando_testkit::{Multipart, Product, Request, Response, RootClient, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";

/// The collection that the requests are about; everybody may do everything.
const RECORDS: &str = "/api/collections/things/records";

/// Where the record lies that every directory begins with.
const FIRST: &str = "/api/collections/things/records/first0000000000";

/// What requests, one after the other, may add to the peak: the largest body that is read into
/// memory (32 MiB, and 23 MiB for what the fields may hold), twice while its pieces are joined,
/// then the values that it may become (160 MB), half as much again while the list of them grows,
/// and what the allocator has not given back yet. A body that is kept whole, or values without a
/// limit (1.2 GB), take more.
const GROWTH_BYTES_MAX: u64 = 448 << 20;

/// Pando and PocketBase on copies of one directory.
struct Pair {
    pando: Server,
    oracle: Server,
    token: String,
    /// Peak memory of Pando when it had started.
    base_bytes: u64,
    _dir: TempDir,
}

impl Pair {
    fn start() -> Pair {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (dir.path().join("pando"), dir.path().join("oracle"));
        upsert_superuser(Product::Oracle, &theirs, EMAIL, PASSWORD).unwrap();
        let mut oracle = Server::start(Product::Oracle, &theirs).unwrap();
        fill(&mut RootClient::login(&oracle, EMAIL, PASSWORD).unwrap());
        oracle.stop().unwrap();
        copy_dir(&theirs, &ours).unwrap();
        for dir in [&ours, &theirs] {
            write_site(dir);
        }
        let oracle = Server::start(Product::Oracle, &theirs).unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_pando"));
        let pando = Server::start_binary(Product::Pando, binary, &ours).unwrap();
        let token = RootClient::login(&pando, EMAIL, PASSWORD).unwrap().token().to_owned();
        let base_bytes = pando.rss_peak_bytes().unwrap();
        Pair { pando, oracle, token, base_bytes, _dir: dir }
    }

    /// Sends to Pando alone. Nothing that a client sends is the server's fault.
    #[track_caller]
    fn send(&self, request: &Request) -> Response {
        let answer = self.pando.client().send(request).unwrap();
        assert!(answer.status < 500, "{} {}", answer.status, answer.text());
        answer
    }

    /// Sends to both: they must give the same status. Returns Pando's answer.
    #[track_caller]
    fn same(&self, request: &Request) -> Response {
        let ours = self.send(request);
        let theirs = self.oracle.client().send(request).unwrap();
        assert_eq!(ours.status, theirs.status, "{} instead of {}", ours.text(), theirs.text());
        ours
    }

    /// The same with bytes that may be no HTTP.
    #[track_caller]
    fn same_raw(&self, bytes: &[u8]) -> Response {
        let ours = self.pando.client().send_raw(bytes).unwrap();
        let theirs = self.oracle.client().send_raw(bytes).unwrap();
        assert!(ours.status < 500, "{} {}", ours.status, ours.text());
        assert_eq!(ours.status, theirs.status, "{} instead of {}", ours.text(), theirs.text());
        ours
    }

    fn as_root(&self, request: Request) -> Request {
        request.token(&self.token)
    }

    #[track_caller]
    fn check_memory(&self, growth_bytes_max: u64) {
        let growth_bytes = self.pando.rss_peak_bytes().unwrap().saturating_sub(self.base_bytes);
        assert!(
            growth_bytes <= growth_bytes_max,
            "the peak grew by {} MiB, more than {} MiB",
            growth_bytes >> 20,
            growth_bytes_max >> 20
        );
    }

    /// What must be true after all of it.
    #[track_caller]
    fn end(mut self) {
        self.check_memory(GROWTH_BYTES_MAX);
        assert!(self.pando.alive(), "{}", self.pando.log());
        assert_eq!(self.send(&Request::get("/api/health")).status, 200);
        let first = self.send(&Request::get(FIRST)).json().unwrap();
        assert_eq!(first["text"], "first", "a record was changed that nobody wrote to");
        self.pando.stop().unwrap();
        let log = self.pando.log();
        assert!(!log.contains("panic"), "{log}");
        for name in ["data.db", "auxiliary.db"] {
            integrity_check(&self.pando.dir().join(name)).unwrap();
        }
    }
}

fn fill(root: &mut RootClient) {
    let things = json!({
        "name": "things", "type": "base",
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        "fields": [
            { "type": "text", "name": "text" },
            { "type": "editor", "name": "editor" },
            { "type": "number", "name": "number" },
            { "type": "bool", "name": "bool" },
            { "type": "email", "name": "email" },
            { "type": "url", "name": "url" },
            { "type": "date", "name": "date" },
            { "type": "select", "name": "one", "values": ["a", "b"] },
            { "type": "select", "name": "some", "values": ["a", "b", "c"], "maxSelect": 3 },
            { "type": "json", "name": "json" },
            { "type": "file", "name": "file" },
            { "type": "file", "name": "files", "maxSelect": 3 },
            { "type": "relation", "name": "user", "collectionId": "_pb_users_auth_" },
            { "type": "relation", "name": "users", "collectionId": "_pb_users_auth_",
                "maxSelect": 3 },
            { "type": "geoPoint", "name": "place" },
            { "type": "password", "name": "code" },
            { "type": "autodate", "name": "made", "onCreate": true },
        ],
    });
    root.json(Request::post("/api/collections").json(&things)).unwrap();
    let settings = json!({ "batch": { "enabled": true, "maxRequests": 50, "timeout": 3 } });
    root.json(Request::patch("/api/settings").json(&settings)).unwrap();
    let form = Multipart::new().text("id", "first0000000000").text("text", "first").file(
        "file",
        "first.txt",
        "text/plain",
        b"the first file",
    );
    root.json(Request::post(RECORDS).multipart(&form)).unwrap();
}

/// A static site with a page, and a secret beside it.
fn write_site(dir: &Path) {
    let site = pando_testkit::server::public_dir(dir);
    std::fs::create_dir_all(site.join("docs")).unwrap();
    std::fs::write(site.join("docs/page.txt"), "a page").unwrap();
    std::fs::write(site.with_file_name("secret.txt"), SECRET).unwrap();
}

const SECRET: &str = "nobody may read this";

/// The record in `answer`, without what differs from server to server.
fn shown(answer: &Response) -> Value {
    let mut body: Value = answer.json().unwrap();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| name != "id" && name != "made");
    }
    body
}
