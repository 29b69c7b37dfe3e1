//! Several real servers on one PostgreSQL.

mod changes;
mod frozen;
mod realtime;

use std::path::Path;

use pando_testkit::{Postgres, Product, Program, Request, RootClient, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";
const RECORDS: &str = "/api/collections/things/records";

/// Servers on one database, with a collection that everybody may use.
struct Servers {
    servers: Vec<Server>,
    /// A superuser at each of them.
    roots: Vec<RootClient>,
    _postgres: std::sync::Arc<Postgres>,
    _dir: TempDir,
}

impl Servers {
    fn start(count: usize) -> Servers {
        let postgres = Postgres::start().unwrap();
        let database = postgres.new_database().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let program = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
        let program = program.on_database(&postgres.url(&database));
        program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
        let servers = program.launch_several(&data, count).unwrap();
        let login = |server: &Server| RootClient::login(server, EMAIL, PASSWORD).unwrap();
        let mut roots: Vec<_> = servers.iter().map(login).collect();
        let things = json!({
            "name": "things", "type": "base",
            "fields": [{ "type": "number", "name": "n" }, { "type": "text", "name": "tag" }],
            "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        });
        roots[0].json(Request::post("/api/collections").json(&things)).unwrap();
        Servers { servers, roots, _postgres: postgres, _dir: dir }
    }

    /// Changes the collection through one of the servers.
    fn change(&mut self, server: usize, change: &Value) {
        let change = Request::patch("/api/collections/things").json(change);
        self.roots[server].json(change).unwrap();
    }

    /// The fields of the collection as one of the servers knows them.
    fn fields(&mut self, server: usize) -> Vec<Value> {
        let things = self.roots[server].json(Request::get("/api/collections/things")).unwrap();
        things["fields"].as_array().unwrap().clone()
    }
}

/// An id of fifteen characters.
fn id(label: &str, number: usize) -> String {
    let digits = 15 - label.len();
    format!("{label}{number:0digits$}")
}
