//! Several servers on one PostgreSQL: none writes by collections that another one has changed.

use std::time::{Duration, Instant};

use pando_store::{Database, Store, StoreError, StoreOptions};
use pando_testkit::Postgres;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::app::{Failure, create, object};

const DEADLINE: Duration = Duration::from_secs(20);

async fn server(url: &str) -> (Store, TempDir) {
    let home = TempDir::new().unwrap();
    let database = Some(Database { url: url.to_owned() });
    let options = StoreOptions {
        dir: home.path().to_owned(),
        database,
        connections: 4,
        ..StoreOptions::default()
    };
    (Store::open(&options).await.unwrap(), home)
}

async fn make(store: &Store, definition: Json) -> Result<(), Failure> {
    let work = store.write(move |tx| {
        Box::pin(async move {
            tx.create_collection(&object(definition)).await?;
            Ok::<_, Failure>(())
        })
    });
    work.await
}

async fn rename_field(store: &Store, name: &'static str) -> Result<(), Failure> {
    let work = store.write(move |tx| {
        Box::pin(async move {
            tx.alter().await?;
            let things = tx.schema().find("things").unwrap().clone();
            let mut fields = things.to_json()["fields"].take();
            fields[1]["name"] = json!(name);
            tx.update_collection(&things, &object(json!({ "fields": fields }))).await?;
            Ok::<_, Failure>(())
        })
    });
    work.await
}

async fn add(store: &Store, id: &'static str) -> Result<(), Failure> {
    let work = store.write(move |tx| {
        Box::pin(async move {
            let field = tx.schema().find("things").unwrap().fields[1].name.clone();
            create(tx, "things", json!({ "id": id, field: 7 })).await?;
            Ok::<_, Failure>(())
        })
    });
    work.await
}

fn things() -> Json {
    let fields = json!([{ "type": "number", "name": "n", "required": true }]);
    json!({ "name": "things", "type": "base", "fields": fields })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_by_old_collections_is_refused_and_the_next_one_knows() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let ((one, _one), (two, _two)) = (server(&url).await, server(&url).await);
    make(&one, things()).await.unwrap();
    let begun = Instant::now();
    while two.schema().find("things").is_none() {
        assert!(begun.elapsed() < DEADLINE, "the other server never learned of it");
        tokio::task::yield_now().await;
    }
    let mut refused = 0;
    for (round, names) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        rename_field(&one, names).await.unwrap();
        let id = [
            "thing0000000001",
            "thing0000000002",
            "thing0000000003",
            "thing0000000004",
            "thing0000000005",
            "thing0000000006",
        ][round];
        // It may have learned of the change by itself, but never writes a wrong row.
        match add(&two, id).await {
            Ok(()) => continue,
            Err(Failure::Store(StoreError::Outdated)) => refused += 1,
            Err(Failure::Write(pando_store::WriteError::Store(error))) if error.is_outdated() => {
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
        add(&two, id).await.unwrap();
    }
    assert!(refused > 0, "the second server was never behind");
    let things = one.schema().find("things").unwrap().clone();
    for id in ["thing0000000001", "thing0000000006"] {
        let found = one.read().await.unwrap().find(&things, id).await.unwrap().unwrap();
        assert_eq!(crate::app::shown(&found, "f"), "7");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_change_collections_at_once_wait_for_each_other() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let ((one, _one), (two, _two)) = (server(&url).await, server(&url).await);
    let making = async |store: &Store, prefix: &str| {
        for number in 0..8 {
            let name = format!("{prefix}{number}");
            make(store, json!({ "name": name, "type": "base" })).await.unwrap();
        }
    };
    tokio::join!(making(&one, "a"), making(&one, "b"), making(&two, "c"), making(&two, "d"));
    let begun = Instant::now();
    for store in [&one, &two] {
        while store.schema().iter().filter(|other| other.name.len() == 2).count() < 32 {
            assert!(begun.elapsed() < DEADLINE, "a server never learned of all collections");
            tokio::task::yield_now().await;
        }
    }
}
