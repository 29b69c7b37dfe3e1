use std::time::{Duration, Instant};

use pando_filter::{Dialect, Sql};
use pando_schema::{Record, Value};
use tempfile::TempDir;

use super::{Access, Readers, connect};
use crate::{Store, StoreError, StoreOptions, WriteError};

async fn store() -> (Store, TempDir) {
    let home = TempDir::new().unwrap();
    let options = StoreOptions { dir: home.path().to_owned(), ..StoreOptions::default() };
    (Store::open(&options).await.unwrap(), home)
}

fn sql(text: &'static str) -> Sql {
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push(text);
    sql
}

async fn add_user(store: &Store, name: String) {
    let users = store.schema().find("users").unwrap().clone();
    let outcome: Result<(), Failure> = store
        .write(move |tx| {
            Box::pin(async move {
                let mut user = Record::new(users);
                user.put("name", Value::Text(name));
                user.fill_new(&mut rand::rng());
                tx.insert(user).await?;
                Ok(())
            })
        })
        .await;
    outcome.unwrap();
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

async fn count(store: &Store) -> i64 {
    let mut reader = store.read().await.unwrap();
    reader.integer(&sql("SELECT COUNT(*) FROM users")).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_read_sees_the_last_commit_and_none_that_comes_while_it_lasts() {
    let (store, _home) = store().await;
    let mut held = store.read().await.unwrap();
    let counting = sql("SELECT COUNT(*) FROM users");
    assert_eq!(held.integer(&counting).await.unwrap(), Some(0));
    for expected in 1..20 {
        add_user(&store, "x".to_owned()).await;
        assert_eq!(count(&store).await, expected);
    }
    assert_eq!(held.integer(&counting).await.unwrap(), Some(0));
    drop(held);
    assert_eq!(count(&store).await, 19);
}

#[tokio::test]
async fn what_other_programs_write_shows_up() {
    let (store, home) = store().await;
    assert_eq!(count(&store).await, 0);
    let other = rusqlite::Connection::open(home.path().join("data.db")).unwrap();
    other.execute("INSERT INTO users (id, email) VALUES ('someone', 'a@b.c')", []).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while count(&store).await == 0 {
        assert!(Instant::now() < deadline, "the row of another program never showed up");
        tokio::task::yield_now().await;
    }
}

/// Without that, the log would grow for as long as somebody reads now and then.
#[tokio::test]
async fn idle_readers_let_the_log_start_over() {
    let (store, home) = store().await;
    let log = home.path().join("data.db-wal");
    for round in 0..60 {
        // The snapshot that this leaves behind is of before the write.
        assert_eq!(count(&store).await, round);
        add_user(&store, "long ".repeat(30_000)).await;
    }
    // Sixty times 150 kB; the log is written back and used again from 4 MB on.
    let length = log.metadata().unwrap().len();
    assert!(length < 6_000_000, "the log has {length} bytes");
    let mut reader = store.read().await.unwrap();
    let long = sql("SELECT id FROM users WHERE length(name) = 150000");
    let found = reader.texts(&long).await.unwrap();
    assert_eq!(found.len(), 60);
}

/// SQLite counts the steps of a statement over all its runs, and looks at the clock now and then.
#[tokio::test]
async fn the_time_of_a_query_does_not_stop_what_begins_and_ends_transactions() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("data.db");
    drop(connect(&path, Access::ReadWrite).unwrap());
    let at_once = Duration::from_nanos(1);
    let readers = Readers::open(&path, 1, Duration::from_secs(10), at_once).unwrap();
    for _ in 0..20_000 {
        let mut reader = readers.take().await.unwrap();
        let outcome = reader.exists(&sql("SELECT 1")).await;
        assert!(matches!(outcome, Ok(true) | Err(StoreError::Timeout)), "{outcome:?}");
        drop(reader);
        readers.renew();
    }
}
