//! Several servers on one PostgreSQL: none writes by collections that another one has changed.

use std::time::{Duration, Instant};

use pando_store::journal::Own;
use pando_store::{Database, Store, StoreOptions};
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
async fn a_write_by_old_collections_is_begun_anew() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    // Not servers yet, so nobody waits until they know of a change.
    let ((one, _one), (two, _two)) = (server(&url).await, server(&url).await);
    make(&one, things()).await.unwrap();
    assert!(two.catch_up().await.unwrap());
    let ids = ["thing0000000001", "thing0000000002", "thing0000000003", "thing0000000004"];
    let mut behind = 0;
    for (id, name) in ids.into_iter().zip(["a", "b", "c", "d"]) {
        rename_field(&one, name).await.unwrap();
        behind += u32::from(two.version() < one.version());
        add(&two, id).await.unwrap();
        assert_eq!(two.version(), one.version());
    }
    assert!(behind > 0, "the second server was never behind");
    let things = one.schema().find("things").unwrap().clone();
    for id in ids {
        let found = one.read().await.unwrap().find(&things, id).await.unwrap().unwrap();
        assert_eq!(crate::app::shown(&found, "d"), "7");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_servers_know_of_a_change_before_it_is_answered() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let (one, _one) = server(&url).await;
    one.join().await.unwrap();
    make(&one, things()).await.unwrap();
    assert!(!one.shared_with_others());
    let (two, _two) = server(&url).await;
    two.join().await.unwrap();
    assert!(one.shared_with_others() && two.shared_with_others());
    for (changing, other, name) in [(&one, &two, "a"), (&two, &one, "b"), (&one, &two, "c")] {
        rename_field(changing, name).await.unwrap();
        assert_eq!(changing.version(), other.version());
        assert_eq!(other.schema().find("things").unwrap().fields[1].name, name);
    }
    // One that has left is not waited for.
    two.close().await;
    let begun = Instant::now();
    rename_field(&one, "d").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_in_the_journal_as_soon_as_there_are_two() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let (one, _one) = server(&url).await;
    one.join().await.unwrap();
    make(&one, things()).await.unwrap();
    let mut written = one.written();
    add(&one, "thing0000000001").await.unwrap();
    assert!(matches!(written.recv().await.unwrap(), Own::Written { entry: None, .. }));
    let (two, _two) = server(&url).await;
    two.join().await.unwrap();
    add(&one, "thing0000000002").await.unwrap();
    let Own::Written { entry: Some(entry), .. } = written.recv().await.unwrap() else {
        panic!("no entry");
    };
    let (mut link, _notes) = two.link().await.unwrap().unwrap();
    assert_eq!(
        link.entries(entry.number, entry.number).await.unwrap(),
        std::slice::from_ref(&entry)
    );
    let (head, gone) = link.ends().await.unwrap();
    assert!(head >= entry.number && gone == 0);
    link.shorten(entry.number).await.unwrap();
    assert_eq!(link.entries(0, head).await.unwrap(), []);
    assert_eq!(link.ends().await.unwrap(), (head, entry.number));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_count_together_and_do_chores_once() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let ((one, _one), (two, _two)) = (server(&url).await, server(&url).await);
    let window = Duration::from_secs(60);
    assert_eq!(one.count("a", window).await.unwrap(), None, "it is alone");
    one.join().await.unwrap();
    two.join().await.unwrap();
    let mut counts = Vec::new();
    for store in [&one, &two, &one] {
        let (count, left) = store.count("a", window).await.unwrap().unwrap();
        assert!(left <= window && left > window / 2, "{left:?}");
        counts.push(count);
    }
    assert_eq!(counts, [1, 2, 3]);
    two.forget_count("a").await.unwrap();
    assert_eq!(one.count("a", window).await.unwrap().unwrap().0, 1);
    let claims = [(&one, 7), (&two, 7), (&two, 6), (&two, 8), (&one, 8)];
    let mut claimed = Vec::new();
    for (store, due) in claims {
        claimed.push(store.claim("tidy", due).await.unwrap());
    }
    assert_eq!(claimed, [true, false, false, true, false]);
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
