//! A data directory with collections of all kinds and relations, and a database to move to.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use pando_schema::{Collection, Record, Value};
use pando_store::moving::{MoveError, MoveOptions, Moving, Plan, Progress, Report};
use pando_store::{CollectionError, Store, StoreOptions, WriteError};
use pando_testkit::Postgres;
use serde_json::json;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::gate::TestGate;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) dir: TempDir,
    pub(crate) url: String,
    pub(crate) gate: TestGate,
    pub(crate) server: Arc<Postgres>,
}

impl World {
    /// With collections and no records.
    pub(crate) async fn start() -> World {
        let server = Postgres::start().unwrap();
        let dir = TempDir::new().unwrap();
        let options = StoreOptions { dir: dir.path().to_owned(), ..StoreOptions::default() };
        let store = Store::open(&options).await.unwrap();
        let url = server.database().unwrap();
        let world = World { store, dir, url, gate: TestGate::new(), server };
        for collection in collections() {
            world.create_collection(collection).await;
        }
        world
    }

    pub(crate) async fn create_collection(&self, input: serde_json::Value) {
        create_collection(&self.store, input).await;
    }

    pub(crate) fn collection(&self, name: &str) -> Arc<Collection> {
        Arc::clone(self.store.schema().find(name).unwrap())
    }

    pub(crate) async fn insert(&self, record: Record) -> Result<Arc<Record>, WriteError> {
        self.store.write(move |tx| Box::pin(tx.insert(record))).await
    }

    /// A record of a collection with an id and values.
    pub(crate) fn record(&self, collection: &str, id: &str, values: &[(&str, Value)]) -> Record {
        let mut record = Record::new(self.collection(collection));
        record.put("id", Value::Text(id.to_owned()));
        for (name, value) in values {
            record.put(name, value.clone());
        }
        record
    }

    /// Some records in each collection, `count` of them in the fullest.
    pub(crate) async fn fill(&self, count: usize) {
        for number in 0..count {
            let text = |text: String| Value::Text(text);
            let author = format!("author{:09}", number / 10);
            if number % 10 == 0 {
                let name = text(format!("Author {number}"));
                let record = self.record("authors", &author, &[("name", name)]);
                self.insert(record).await.unwrap();
            }
            let post = format!("post{number:011}");
            let values = [
                ("title", text(format!("Title {number}"))),
                ("slug", text(format!("slug-{number}"))),
                ("author", text(author)),
                ("tags", Value::List(vec!["a".to_owned(), "b".to_owned()])),
                ("views", Value::Number(f64::from(u32::try_from(number).unwrap()) / 8.0)),
                ("public", Value::Bool(number % 2 == 0)),
                ("meta", Value::Json(format!("{{\"n\":{number}, \"x\": [1.50]}}"))),
                ("place", Value::GeoPoint { lon: 1.5, lat: -2.25 }),
            ];
            self.insert(self.record("posts", &post, &values)).await.unwrap();
            let board = format!("board{number:010}");
            let posts = Value::List(vec![post]);
            self.insert(self.record("boards", &board, &[("posts", posts)])).await.unwrap();
        }
    }

    pub(crate) fn moving(&self) -> Moving {
        moving(self.dir.path())
    }

    /// Moves, watched by `watch`, on a thread of its own.
    pub(crate) async fn run_watched(
        &self,
        watch: impl FnMut(&Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Report, MoveError> {
        let (gate, url, mut watch) = (self.gate.clone(), self.url.clone(), watch);
        let done = self
            .moving()
            .on_own_thread(async move |moving| moving.run(&url, &gate, &mut watch).await);
        done.await.unwrap()
    }

    pub(crate) async fn run(&self) -> Result<Report, MoveError> {
        self.run_watched(go_on).await
    }

    pub(crate) async fn plan(&self) -> Result<Plan, MoveError> {
        let url = self.url.clone();
        let done =
            self.moving().on_own_thread(async move |moving| moving.plan(&url, &mut go_on).await);
        done.await.unwrap()
    }

    pub(crate) async fn undo_watched(
        &self,
        watch: impl FnMut(&Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Report, MoveError> {
        let (gate, mut watch) = (self.gate.clone(), watch);
        let done =
            self.moving().on_own_thread(async move |moving| moving.undo(&gate, &mut watch).await);
        done.await.unwrap()
    }

    pub(crate) async fn undo(&self) -> Result<Report, MoveError> {
        self.undo_watched(go_on).await
    }

    /// data.db, past the store.
    pub(crate) fn lite(&self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(self.dir.path().join("data.db")).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        db
    }

    /// The database that is moved to.
    pub(crate) async fn client(&self) -> Client {
        connect(&self.url).await
    }
}

pub(crate) fn go_on(_progress: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn moving(dir: &Path) -> Moving {
    let options = MoveOptions { rest: 0.0, ..MoveOptions::default() };
    Moving { dir: dir.to_owned(), encryption_key: None, options }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
    tokio::spawn(connection);
    client
}

pub(crate) async fn create_collection(store: &Store, input: serde_json::Value) {
    let created: Result<_, CollectionError> = store
        .write(move |tx| {
            Box::pin(async move { tx.create_collection(input.as_object().unwrap()).await })
        })
        .await;
    created.unwrap();
}

pub(crate) async fn update_collection(store: &Store, name: &str, input: serde_json::Value) {
    let original = Arc::clone(store.schema().find(name).unwrap());
    let updated: Result<_, CollectionError> = store
        .write(move |tx| {
            Box::pin(
                async move { tx.update_collection(&original, input.as_object().unwrap()).await },
            )
        })
        .await;
    updated.unwrap();
}

fn collections() -> [serde_json::Value; 5] {
    [
        json!({ "name": "authors", "type": "base", "fields": [
            { "name": "name", "type": "text" },
        ], "indexes": ["CREATE INDEX `a_name` ON `authors` (`name` COLLATE NOCASE)"] }),
        json!({ "name": "posts", "type": "base", "fields": [
            { "name": "title", "type": "text" },
            { "name": "slug", "type": "text" },
            { "name": "author", "type": "relation", "collectionId": "authors_id", "maxSelect": 1 },
            { "name": "tags", "type": "select", "maxSelect": 3, "values": ["a", "b", "c"] },
            { "name": "views", "type": "number" },
            { "name": "public", "type": "bool" },
            { "name": "meta", "type": "json" },
            { "name": "place", "type": "geoPoint" },
            { "name": "doc", "type": "file", "maxSelect": 1 },
            { "name": "at", "type": "date" },
            { "name": "created", "type": "autodate", "onCreate": true },
            { "name": "updated", "type": "autodate", "onCreate": true, "onUpdate": true },
        ], "indexes": [
            "CREATE UNIQUE INDEX `p_slug` ON `posts` (`slug`) WHERE `slug` != ''",
            "CREATE INDEX `p_views` ON `posts` (`views` DESC, `title`)",
        ] }),
        json!({ "name": "boards", "type": "base", "fields": [
            { "name": "posts", "type": "relation", "collectionId": "posts_id", "maxSelect": 9 },
            { "name": "note", "type": "editor" },
        ] }),
        json!({ "name": "members", "type": "auth", "fields": [
            { "name": "name", "type": "text" },
        ] }),
        json!({ "name": "titles", "type": "view", "viewQuery": "SELECT id, title FROM posts" }),
    ]
    .map(with_id)
}

/// The id of a collection follows from its name.
fn with_id(mut collection: serde_json::Value) -> serde_json::Value {
    collection["id"] = json!(format!("{}_id", collection["name"].as_str().unwrap()));
    collection
}
