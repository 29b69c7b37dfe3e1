//! A store moves and moves back while it serves: each client finds what it wrote, before, while
//! and after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pando_schema::{Record, Value};
use pando_store::moving::{HomeError, MoveError, Report, StoreGate};
use pando_store::{Database, Store, StoreError, StoreOptions, WriteError};
use pando_testkit::Rng;
use tokio::task::JoinSet;

use crate::compared::same;
use crate::world::{World, go_on};

/// A client that knows what it wrote.
struct Client {
    store: Store,
    rng: Rng,
    number: u64,
    /// The titles of its posts, by id.
    known: BTreeMap<String, String>,
}

impl Client {
    async fn write(&mut self) {
        let id = format!("c{:02}x{:011}", self.number, self.rng.below(300));
        let title = self.rng.text("abcdefgh", 12);
        let posts = Arc::clone(self.store.schema().find("posts").unwrap());
        let delete = self.rng.percent(20);
        let (wanted, written) = (id.clone(), title.clone());
        let outcome: Result<(), WriteError> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    match (tx.find(&posts, &id).await?, delete) {
                        (Some(old), true) => drop(tx.delete(Arc::new(old)).await?),
                        (Some(old), false) => {
                            let mut new = old.clone();
                            new.put("title", Value::Text(title));
                            drop(tx.update(new, &old).await?);
                        }
                        (None, true) => {}
                        (None, false) => {
                            let mut new = Record::new(posts);
                            new.put("id", Value::Text(id));
                            new.put("title", Value::Text(title));
                            drop(tx.insert(new).await?);
                        }
                    }
                    Ok(())
                })
            })
            .await;
        outcome.unwrap();
        if delete {
            self.known.remove(&wanted);
        } else {
            self.known.insert(wanted, written);
        }
    }

    async fn read(&mut self) {
        let posts = Arc::clone(self.store.schema().find("posts").unwrap());
        let id = format!("c{:02}x{:011}", self.number, self.rng.below(300));
        let found = self.store.read().await.unwrap().find(&posts, &id).await.unwrap();
        let found = found.map(|record| record.text("title").to_owned());
        assert_eq!(found.as_ref(), self.known.get(&id), "{id}");
    }
}

struct Clients {
    tasks: JoinSet<Client>,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
}

impl Clients {
    fn start(store: &Store, count: u64) -> Clients {
        let (stop, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            let (store, rng) = (store.clone(), Rng::new(number));
            let mut client = Client { store, rng, number, known: BTreeMap::new() };
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.write().await;
                    written.fetch_add(1, Ordering::Relaxed);
                    client.read().await;
                }
                client
            });
        }
        Clients { tasks, stop, written }
    }

    /// Waits until some more was written.
    async fn go_on(&self) {
        let enough = self.written.load(Ordering::Relaxed) + 50;
        let more = async {
            while self.written.load(Ordering::Relaxed) < enough {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), more).await.unwrap();
    }

    /// Stops them and looks whether all is there that they wrote.
    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let clients = self.tasks.join_all().await;
        for mut client in clients {
            for _ in 0..100 {
                client.read().await;
            }
        }
    }
}

async fn run(world: &World) -> Result<Report, MoveError> {
    let (gate, url) = (StoreGate::new(world.store.clone()), world.url.clone());
    let moved =
        world.moving().on_own_thread(async move |moving| moving.run(&url, &gate, &mut go_on).await);
    moved.await.unwrap()
}

async fn undo(world: &World) -> Result<Report, MoveError> {
    let gate = StoreGate::new(world.store.clone());
    let undone =
        world.moving().on_own_thread(async move |moving| moving.undo(&gate, &mut go_on).await);
    undone.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_notice_nothing() {
    let mut world = World::start().await;
    world.fill(200).await;
    let clients = Clients::start(&world.store, 6);
    clients.go_on().await;
    run(&world).await.unwrap();
    clients.go_on().await;
    let back = undo(&world).await.unwrap();
    assert_eq!(back.mended, 0);
    clients.go_on().await;
    world.url = world.server.database().unwrap();
    run(&world).await.unwrap();
    clients.go_on().await;
    clients.finish().await;
    // Once more, so that both sides can be compared.
    undo(&world).await.unwrap();
    same(&world).await;
}

/// Changes of collections and settings, which each engine counts by itself.
#[tokio::test(flavor = "multi_thread")]
async fn collections_change_after_the_move() {
    let world = World::start().await;
    world.fill(5).await;
    run(&world).await.unwrap();
    let fields = serde_json::json!([{ "name": "text", "type": "text" }]);
    let fresh = serde_json::json!({ "name": "fresh", "type": "base", "fields": fields });
    world.create_collection(fresh).await;
    let record = world.record("fresh", "first0000000001", &[("text", Value::Text("x".to_owned()))]);
    world.insert(record).await.unwrap();
    let client = world.client().await;
    let row = client.query_one("SELECT text FROM fresh", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "x");
    let refused = undo(&world).await.unwrap_err();
    assert!(refused.to_string().contains("fresh"), "{refused}");
}

/// A start finds the records where they are, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_finds_the_records() {
    let world = World::start().await;
    world.fill(5).await;
    let options = |url: Option<&str>| StoreOptions {
        dir: world.dir.path().to_owned(),
        database: url.map(|url| Database { url: url.to_owned() }),
        connections: 2,
        ..StoreOptions::default()
    };
    let other = world.server.database().unwrap();
    run(&world).await.unwrap();
    let World { store, dir, url, server, .. } = &world;
    store.close().await;
    // The lock goes with the last clone.
    let options = [options(None), options(Some(url)), options(Some(&other))];
    let (dir, _server) = (dir.path().to_owned(), Arc::clone(server));
    let World { store, dir: _kept, .. } = world;
    drop(store);
    for at in &options[..2] {
        let store = Store::open(at).await.unwrap();
        let posts = Arc::clone(store.schema().find("posts").unwrap());
        assert!(
            store.read().await.unwrap().find(&posts, "post00000000003").await.unwrap().is_some()
        );
        let mut record = Record::new(posts);
        record.put("title", Value::Text("after".to_owned()));
        record.fill_new(&mut rand::rng());
        let written: Result<_, WriteError> =
            store.write(move |tx| Box::pin(tx.insert(record))).await;
        written.unwrap();
        store.close().await;
    }
    let refused = Store::open(&options[2]).await.err().unwrap();
    assert!(matches!(refused, StoreError::Home(HomeError::Elsewhere)), "{refused:?}");
    assert!(pando_store::moving::read_marker(&dir, None).unwrap().moved_to.is_some());
}

/// What is not moved is not left behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_configured_database_needs_the_records() {
    let world = World::start().await;
    world.fill(1).await;
    let World { store, dir, url, .. } = world;
    store.close().await;
    drop(store);
    let database = Some(Database { url });
    let options = StoreOptions {
        dir: dir.path().to_owned(),
        database,
        connections: 2,
        ..StoreOptions::default()
    };
    let refused = Store::open(&options).await.err().unwrap();
    assert!(matches!(refused, StoreError::Home(HomeError::NotMoved)), "{refused:?}");
}
