//! Several web servers on one database, behind a balancer.

use std::net::SocketAddr;
use std::sync::Arc;

use pando_testkit::{
    BALANCER_SECRET, Postgres, Product, Program, Proxy, ProxyConfig, Request, RootClient, Server,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{program, start};

pub(super) const RECORDS: &str = "/api/collections/marks/records";

/// Settings with which ill upstreams are found soon.
pub(super) fn quick(config: ProxyConfig) -> ProxyConfig {
    config
        .set("check_interval", "200ms")
        .set("check_timeout", "300ms")
        .set("slow_start", "0s")
        .set("secret", BALANCER_SECRET)
}

pub(super) const EMAIL: &str = "root@example.com";
pub(super) const PASSWORD: &str = "1234567890";

pub(super) struct Fleet {
    pub(super) servers: Vec<Server>,
    pub(super) balancer: Proxy,
    postgres: Arc<Postgres>,
    database: String,
    dir: TempDir,
    started: usize,
}

impl Fleet {
    /// `count` servers that announce themselves, with a collection in which everybody may write.
    pub(super) fn start(count: usize, config: ProxyConfig) -> Fleet {
        let postgres = Postgres::start().unwrap();
        let database = postgres.new_database().unwrap();
        let dir = tempfile::tempdir().unwrap();
        prepare(&postgres, &database, &dir);
        let balancer = start(&quick(config));
        let mut fleet =
            Fleet { servers: Vec::new(), balancer, postgres, database, dir, started: 0 };
        for _ in 0..count {
            fleet.add();
        }
        fleet.wait_for_serving(count);
        fleet
    }

    fn program(&self) -> Program {
        pando()
            .on_database(&self.postgres.url(&self.database))
            .env("PANDO_WEB__BALANCERS", self.balancer.addresses().admin.to_string())
            .env("PANDO_WEB__BALANCER_SECRET", BALANCER_SECRET)
            .env("PANDO_DATABASE__CONNECTIONS", "8")
    }

    /// One more server.
    pub(super) fn add(&mut self) {
        let (program, dir) = (self.program(), self.next_dir());
        self.servers.push(Server::launch(&program, &dir).unwrap());
    }

    /// One more server that says it is reached at another address.
    pub(super) fn add_advertising(&mut self, wire: impl FnOnce(SocketAddr) -> SocketAddr) {
        let addr = pando_testkit::proxy::free_addr().unwrap();
        let advertised = wire(addr).to_string();
        let program = self.program().env("PANDO_WEB__ADVERTISE", advertised);
        let server = Server::launch_at(&program, &self.next_dir(), addr).unwrap();
        self.servers.push(server);
    }

    fn next_dir(&mut self) -> std::path::PathBuf {
        self.started += 1;
        self.dir.path().join(format!("server-{}", self.started))
    }

    /// Waits until so many upstreams take requests.
    pub(super) fn wait_for_serving(&self, count: usize) {
        self.balancer.wait_for_serving(count).unwrap();
    }

    pub(super) fn status(&self) -> Json {
        self.balancer.status().unwrap()
    }

    /// How often each of these marks is stored.
    pub(super) fn count(&self, marks: &[String]) -> Vec<usize> {
        let stored = self.postgres.sql(&self.database, "SELECT mark FROM marks").unwrap();
        let mut counts = std::collections::BTreeMap::<&str, usize>::new();
        for line in stored.lines() {
            *counts.entry(line).or_default() += 1;
        }
        marks.iter().map(|mark| counts.get(mark.as_str()).copied().unwrap_or(0)).collect()
    }
}

fn pando() -> Program {
    Program::new(Product::Pando, program())
}

/// Makes the collection by a server that stands alone.
fn prepare(postgres: &Postgres, database: &str, dir: &TempDir) {
    let program = pando().on_database(&postgres.url(database));
    let data = dir.path().join("first");
    program.upsert_superuser(&data, EMAIL, PASSWORD).unwrap();
    let mut server = Server::launch(&program, &data).unwrap();
    let marks = json!({
        "name": "marks", "type": "base",
        "fields": [{ "type": "text", "name": "mark" }],
        "listRule": "", "viewRule": "", "createRule": "",
    });
    let mut root = RootClient::login(&server, EMAIL, PASSWORD).unwrap();
    root.json(Request::post("/api/collections").json(&marks)).unwrap();
    server.stop().unwrap();
}
