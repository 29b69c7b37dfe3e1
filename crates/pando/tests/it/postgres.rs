//! The real program on a real PostgreSQL server that is wrong, short of something, or gone for a
//! while.

mod load;
mod outage;
mod refusals;
mod start;

use std::path::Path;

use pando_testkit::{Postgres, Product, Program, Request, RootClient, Server};
use serde_json::json;
use tempfile::TempDir;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";

/// The collection that the requests are about; everybody may do everything.
const RECORDS: &str = "/api/collections/things/records";

/// Connections beside those for requests: a sign of life to other servers, and the journal.
const BESIDE: usize = 2;

/// A server on a database of its own, with that collection.
struct App {
    server: Server,
    /// Its database.
    database: String,
    _dir: TempDir,
}

impl App {
    /// Starts it with more of the environment: `PANDO_DATABASE__CONNECTIONS` and the like.
    fn start(postgres: &Postgres, env: &[(&'static str, &str)]) -> App {
        let database = postgres.new_database().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let mut program = pando().on_database(&postgres.url(&database));
        for (name, value) in env {
            program = program.env(name, *value);
        }
        program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
        let server = Server::launch(&program, &data).unwrap();
        let things = json!({
            "name": "things", "type": "base",
            "fields": [{ "type": "text", "name": "title" }, { "type": "number", "name": "n" }],
            "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        });
        let mut root = RootClient::login(&server, EMAIL, PASSWORD).unwrap();
        root.json(Request::post("/api/collections").json(&things)).unwrap();
        App { server, database, _dir: dir }
    }

    /// How many connections it has to the database, and how many of them are in a transaction that
    /// nobody goes on with.
    fn connections(&self, postgres: &Postgres) -> (usize, usize) {
        let asked = format!(
            "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in%') FROM pg_stat_activity \
             WHERE datname = '{}' AND application_name = 'pando'",
            self.database
        );
        let answer = postgres.sql("postgres", &asked).unwrap();
        let (all, idle) = answer.split_once('|').unwrap();
        (all.parse().unwrap(), idle.parse().unwrap())
    }

    /// Open files, sockets included.
    fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.server.pid())).unwrap().count()
    }
}

fn pando() -> Program {
    Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")))
}

/// An id of fifteen characters.
fn id(label: &str, number: usize) -> String {
    let digits = 15 - label.len();
    format!("{label}{number:0digits$}")
}
