//! Several real servers on one PostgreSQL.

mod changes;
mod frozen;
mod realtime;
mod restart;

use std::path::Path;
use std::sync::Arc;

use pando_testkit::{Postgres, PostgresSetup, Product, Program, Request, RootClient, Server};
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
    database: Database,
    _dir: TempDir,
}

/// A server of databases that tests share, or one of this test's own.
enum Database {
    Shared { _postgres: Arc<Postgres> },
    Own(Box<Postgres>),
}

impl Servers {
    fn start(count: usize) -> Servers {
        let postgres = Postgres::start().unwrap();
        let url = postgres.url(&postgres.new_database().unwrap());
        Servers::on(&url, Database::Shared { _postgres: postgres }, count)
    }

    /// On a PostgreSQL that the test may break.
    fn on_own_database(count: usize) -> Servers {
        let postgres = Postgres::own(PostgresSetup::default().synced()).unwrap();
        let url = postgres.url(&postgres.new_database().unwrap());
        Servers::on(&url, Database::Own(Box::new(postgres)), count)
    }

    fn on(url: &str, database: Database, count: usize) -> Servers {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let program = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
        let program = program.on_database(url);
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
        Servers { servers, roots, database, _dir: dir }
    }

    fn own_postgres(&mut self) -> &mut Postgres {
        match &mut self.database {
            Database::Own(postgres) => postgres,
            Database::Shared { .. } => panic!("others need it"),
        }
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
