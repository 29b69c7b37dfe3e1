//! A view made by one server is one for the other, which adapts it to what it reads.

use std::path::Path;

use pando_testkit::http::Request;
use pando_testkit::root::RootClient;
use pando_testkit::server::{Product, Program, Server, find_binary};
use serde_json::{Value, json};

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";

/// What two servers say of the same directory, one after the other.
#[test]
fn a_view_goes_from_one_server_to_the_other_and_back() {
    let oracle = find_binary(Product::Oracle).unwrap();
    let pando = Path::new(env!("CARGO_BIN_EXE_pando"));
    let there = lives(&[
        (Product::Pando, pando),
        (Product::Oracle, oracle.as_path()),
        (Product::Pando, pando),
    ]);
    let alone = lives(&[(Product::Oracle, oracle.as_path()); 3]);
    assert_eq!(there, alone);
    assert_eq!(there[2]["records"]["items"][0]["headline"], "first");
    assert_eq!(there[2]["fields"][1]["max"], 12, "the second server adapted the view");
}

/// The first of `servers` makes the collections, each later one changes what the view reads.
fn lives(servers: &[(Product, &Path)]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    Program::new(servers[0].0, servers[0].1).upsert_superuser(dir.path(), EMAIL, PASSWORD).unwrap();
    let mut seen = Vec::new();
    for (index, (product, binary)) in servers.iter().enumerate() {
        let mut server = Server::start_binary(*product, binary, dir.path()).unwrap();
        let mut root = RootClient::login(&server, EMAIL, PASSWORD).unwrap();
        if index == 0 {
            make(&mut root);
        } else {
            let fields = fields(10 + index);
            root.json(Request::patch("/api/collections/ground").json(&fields)).unwrap();
        }
        seen.push(look(&mut root));
        server.stop().unwrap();
    }
    seen
}

fn fields(max: usize) -> Value {
    json!({ "fields": [
        { "id": "text_id", "type": "text", "name": "id", "primaryKey": true, "required": true, "system": true, "pattern": "^[a-z0-9]+$" },
        { "id": "text_title", "type": "text", "name": "title", "max": max },
    ] })
}

fn make(root: &mut RootClient) {
    let mut ground = fields(10);
    ground["name"] = json!("ground");
    root.json(Request::post("/api/collections").json(&ground)).unwrap();
    let record = json!({ "id": "ground000000001", "title": "first" });
    root.json(Request::post("/api/collections/ground/records").json(&record)).unwrap();
    let query = "select id, title as headline, length(title) as size from ground";
    let view = json!({ "name": "seen", "type": "view", "viewQuery": query });
    root.json(Request::post("/api/collections").json(&view)).unwrap();
}

/// The view, without what is drawn by chance, and its records.
fn look(root: &mut RootClient) -> Value {
    let mut view = root.json(Request::get("/api/collections/seen")).unwrap();
    for name in ["created", "updated"] {
        view[name] = Value::Null;
    }
    assert!(view["fields"][1]["id"].as_str().unwrap().starts_with("_clone_"));
    view["fields"][1]["id"] = Value::Null;
    view["records"] = root.json(Request::get("/api/collections/seen/records")).unwrap();
    view
}
