//! Files of the real program: in a folder that several servers share, and in a bucket.

mod bucket;
mod moving;
mod shared_folder;

use std::path::Path;

use pando_testkit::{Multipart, Product, Program, Request, RootClient, Server};
use serde_json::json;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";

/// The collection that the requests are about; everybody may do everything.
const RECORDS: &str = "/api/collections/things/records";

fn pando() -> Program {
    Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")))
}

/// Makes the collection.
fn prepare(server: &Server) {
    let mut root = RootClient::login(server, EMAIL, PASSWORD).unwrap();
    let things = json!({
        "name": "things", "type": "base",
        "fields": [
            { "type": "file", "name": "doc", "maxSize": 100 << 20, "maxSelect": 9,
              "thumbs": ["20x10"] },
        ],
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
    });
    root.json(Request::post("/api/collections").json(&things)).unwrap();
}

/// A stored file: the id of its record and its name.
#[derive(Clone, Debug)]
struct Stored {
    id: String,
    name: String,
}

impl Stored {
    fn path(&self) -> String {
        format!("/api/files/things/{}/{}", self.id, self.name)
    }
}

fn upload(server: &Server, name: &str, content: &[u8]) -> Stored {
    let form = Multipart::new().file("doc", name, "application/octet-stream", content);
    let answer = server.client().send(&Request::post(RECORDS).multipart(&form)).unwrap();
    let record = answer.success().unwrap().json().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    Stored { id: text(&record["id"]), name: text(&record["doc"][0]) }
}

fn fetch(server: &Server, path: &str) -> pando_testkit::Response {
    server.client().send(&Request::get(path)).unwrap()
}
