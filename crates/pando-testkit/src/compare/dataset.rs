//! The common data set: made by the oracle through its own API, then copied for both sides.

mod collections;
mod records;
mod transfer;

pub(crate) use records::{ALICE, BOB, Ids, MIA, PASSWORD};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::scenario::Variables;
use crate::fixture;
use crate::http::Request;
use crate::postgres::Postgres;
use crate::rng::Rng;
use crate::root::RootClient;
use crate::server::{Product, Program, Server, public_dir, upsert_superuser};

/// The collections of the data set, as they are sent to the API: what is changed in `users`, which
/// has these fields and indexes, then those that are made, in order. `{{name}}` stands for an id.
pub fn definitions(fields: &[Value], indexes: &[Value]) -> (Value, Vec<Value>) {
    (collections::users_patch(fields, indexes), collections::collections())
}

/// The `User-Agent` of the requests whose log entries are compared.
pub(crate) const LOGGED_BY: &str = "compared";

pub(crate) const ROOT_EMAIL: &str = "root@example.com";

/// A file of a record.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) record: String,
    pub(crate) field: String,
    pub(crate) name: String,
}

/// A stopped data directory and what is known about it.
#[derive(Debug)]
pub struct Dataset {
    root: tempfile::TempDir,
    pub(crate) ids: Ids,
    /// The files of `posts`.
    pub(crate) files: Vec<StoredFile>,
    /// Ids and file names that both servers share.
    pub(crate) known: BTreeSet<String>,
    /// Collection ids by name.
    pub(crate) collections: BTreeMap<String, String>,
    /// The collections as the oracle shows them.
    definitions: Vec<Value>,
}

impl Dataset {
    /// Makes the data set that belongs to `seed`.
    pub fn build(seed: u64) -> Result<Self> {
        let root = tempfile::tempdir().context("failed to make a directory for the data set")?;
        let dir = root.path().join("origin");
        write_public_files(&root.path().join("public"))?;
        upsert_superuser(Product::Oracle, &dir, ROOT_EMAIL, PASSWORD)?;
        let mut server = Server::start(Product::Oracle, &dir)?;
        let mut dataset = Self {
            root,
            ids: Ids::new(),
            files: Vec::new(),
            known: BTreeSet::new(),
            collections: BTreeMap::new(),
            definitions: Vec::new(),
        };
        let mut root_client = RootClient::login(&server, ROOT_EMAIL, PASSWORD)?;
        dataset.make_collections(&mut root_client)?;
        dataset.make_records(&mut root_client, &mut Rng::new(seed).fork("dataset"))?;
        make_logs(&server, root_client.token())?;
        server.stop()?;
        transfer::order_logs(&dir)?;
        Ok(dataset)
    }

    /// A copy for one side, with a few static files beside it.
    pub fn copy(&self, name: &str) -> Result<PathBuf> {
        let dir = self.root.path().join(name);
        fixture::copy_dir(&self.root.path().join("origin"), &dir)?;
        fixture::copy_dir(&self.root.path().join("public"), &public_dir(&dir))?;
        Ok(dir)
    }

    /// A copy for one side, with the records in an empty database that `program` is set up to use.
    pub fn copy_to_database(
        &self,
        name: &str,
        program: &Program,
        database: (&Postgres, &str),
    ) -> Result<PathBuf> {
        let dir = self.copy(name)?;
        transfer::transfer(program, &dir, &self.definitions, database)?;
        Ok(dir)
    }

    fn make_collections(&mut self, root: &mut RootClient) -> Result<()> {
        let mut names = Variables::default();
        for definition in collections::collections() {
            let definition = names.fill(&definition.to_string());
            let made =
                root.json(Request::post("/api/collections").bytes("application/json", definition))?;
            self.learn_collection(&made, &mut names)?;
        }
        let users = root.json(Request::get("/api/collections/users"))?;
        let (fields, indexes) = (users["fields"].as_array(), users["indexes"].as_array());
        let patch =
            collections::users_patch(fields.context("no fields")?, indexes.context("no indexes")?);
        let patch = names.fill(&patch.to_string());
        root.json(Request::patch("/api/collections/users").bytes("application/json", patch))?;
        let parent = json!({ "type": "relation", "name": "parent", "maxSelect": 1, "collectionId": "{{categories}}" });
        let mut category = root.json(Request::get("/api/collections/categories"))?;
        category["fields"].as_array_mut().context("no fields")?.push(parent);
        let category = names.fill(&category.to_string());
        root.json(
            Request::patch("/api/collections/categories").bytes("application/json", category),
        )?;
        root.json(Request::patch("/api/settings").json(&settings()))?;
        let all = root.json(Request::get("/api/collections?perPage=100"))?;
        for collection in all["items"].as_array().context("no items")? {
            self.learn_collection(collection, &mut names)?;
            self.definitions.push(collection.clone());
        }
        Ok(())
    }

    fn learn_collection(&mut self, made: &Value, names: &mut Variables) -> Result<()> {
        let name = made["name"].as_str().context("collection without name")?;
        let id = made["id"].as_str().context("collection without id")?;
        names.set(name, id);
        self.collections.insert(name.to_owned(), id.to_owned());
        self.known.insert(id.to_owned());
        Ok(())
    }

    fn make_records(&mut self, root: &mut RootClient, rng: &mut Rng) -> Result<()> {
        let plan = records::plan(rng);
        for request in plan.requests {
            let made = root.json(request)?;
            let record = made["id"].as_str().context("record without id")?.to_owned();
            self.known.insert(record.clone());
            for field in ["cover", "papers", "private"] {
                let names = match &made[field] {
                    Value::String(name) if !name.is_empty() => vec![name.clone()],
                    Value::Array(names) => {
                        names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect()
                    }
                    _ => Vec::new(),
                };
                for name in names {
                    self.known.insert(name.clone());
                    let field = field.to_owned();
                    self.files.push(StoredFile { record: record.clone(), field, name });
                }
            }
        }
        self.ids = plan.ids;
        let superusers = root.json(Request::get("/api/collections/_superusers/records"))?;
        for superuser in superusers["items"].as_array().context("no superusers")? {
            self.known.insert(superuser["id"].as_str().context("no id")?.to_owned());
        }
        Ok(())
    }
}

/// Sends requests of many kinds, so that there are entries about them in the logs.
fn make_logs(server: &Server, token: &str) -> Result<()> {
    let root = |request: Request| request.token(token);
    let users = "/api/collections/users";
    let requests = [
        Request::get("/api/health"),
        Request::get("/api/health?a=1&b=%C3%A9'%22&c=%26").header("Referer", "http://a.b/<c>?d=1"),
        Request::new("HEAD", "/api/health"),
        root(Request::get("/api/collections/posts/records?perPage=1&fields=id")),
        Request::get("/api/collections/unknown/records"),
        Request::get("/api/collections"),
        root(Request::post("/api/collections/users/records").json(&json!({ "email": "x" }))),
        root(Request::patch("/api/settings").json(&json!({ "meta": { "appName": "" } }))),
        Request::post(format!("{users}/auth-with-password"))
            .json(&json!({ "identity": "nobody", "password": "wrong" })),
        Request::post(format!("{users}/auth-with-password")).bytes("application/json", "{"),
        Request::post("/api/health"),
        root(Request::post("/api/batch").json(&json!({ "requests": [] }))),
        root(Request::get("/api/logs?filter=x")),
    ];
    let mut client = server.client();
    for request in requests {
        client.send(&request.header("User-Agent", LOGGED_BY)).context("a request got lost")?;
    }
    Ok(())
}

fn settings() -> Value {
    json!({ "batch": { "enabled": true, "maxRequests": 20, "timeout": 10 } })
}

/// Written once and copied, so that both sides show the same time of modification.
fn write_public_files(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir.join("sub"))?;
    std::fs::write(dir.join("index.html"), "<!doctype html><title>home</title>")?;
    std::fs::write(dir.join("app.js"), "console.log(1)")?;
    std::fs::write(dir.join("sub/page.html"), "<!doctype html><title>page</title>")?;
    std::fs::write(dir.join("sub/data.json"), "{\"a\":1}")?;
    Ok(())
}
