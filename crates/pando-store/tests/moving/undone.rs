//! The way back.

use std::ops::ControlFlow;
use std::sync::Arc;

use pando_schema::Value;
use pando_store::moving::{Home, MoveError, Progress, Step, UndoRefusal, read_marker};
use pando_store::{Store, StoreOptions};
use tokio_postgres::Client;

use crate::compared::same;
use crate::world::World;

/// What a server would write in PostgreSQL.
async fn write(client: &Client, number: usize) {
    let id = format!("n{number:014}");
    let bucket = i16::try_from(pando_filter::bucket(&id)).unwrap();
    let insert = "INSERT INTO posts (_b, id, title, slug, views, public, meta, tags, place) \
                  VALUES ($1, $2, $3, $2, 0.1, TRUE, '{\"é\": [1.50, 1e400]}', '[\"a\"]', \
                  '{\"lon\":1.5,\"lat\":0}')";
    client.execute(insert, &[&bucket, &id, &format!("New {number}")]).await.unwrap();
    let old = format!("post{number:011}");
    let update = "UPDATE posts SET title = 'changed', views = -0.5, meta = NULL WHERE id = $1";
    client.execute(update, &[&old]).await.unwrap();
    let gone = format!("board{number:010}");
    client.execute("DELETE FROM boards WHERE id = $1", &[&gone]).await.unwrap();
    client.execute("UPDATE _params SET updated = $1 WHERE id = 'settings'", &[&id]).await.unwrap();
}

async fn moved() -> World {
    let world = World::start().await;
    world.fill(60).await;
    world.run().await.unwrap();
    world
}

/// Swaps what is unique.
const SWAP: &str = "BEGIN; UPDATE posts SET slug = 'tmp' WHERE slug = 'slug-50'; \
     UPDATE posts SET slug = 'slug-50' WHERE slug = 'slug-51'; \
     UPDATE posts SET slug = 'slug-51' WHERE slug = 'tmp'; COMMIT";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_meanwhile_comes_back() {
    let world = moved().await;
    let client = world.client().await;
    for number in 0..30 {
        write(&client, number).await;
    }
    client.batch_execute(SWAP).await.unwrap();
    let report = world.undo().await.unwrap();
    assert_eq!(report.mended, 0);
    assert_eq!(world.gate.home(), Home::Sqlite);
    let marker = read_marker(world.dir.path(), None).unwrap();
    assert_eq!((marker.moved_to, marker.epoch), (None, 2));
    same(&world).await;
    let title: String = world
        .lite()
        .query_row("SELECT title FROM posts WHERE slug = 'slug-50'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(title, "Title 51");
    // Everything that the move brought is gone, and it works.
    let left =
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' OR name = '_pando_changes'";
    let left: i64 = world.lite().query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    let record = world.record("posts", "afterwards00001", &[("slug", Value::Text("s".to_owned()))]);
    world.insert(record).await.unwrap();
    let mut again = world;
    again.url = again.server.database().unwrap();
    again.run().await.unwrap();
    same(&again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_anywhere_it_goes_on() {
    let world = moved().await;
    let client = world.client().await;
    for moment in 1.. {
        write(&client, moment).await;
        let mut seen = 0;
        let stop = move |progress: &Progress| {
            seen += 1;
            let stops = seen == moment && progress.step != Step::Done;
            if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match world.undo_watched(stop).await {
            Ok(_) => {
                assert!(moment > 8, "{moment}");
                break;
            }
            Err(error) => assert!(matches!(error, MoveError::Stopped), "{error:?}"),
        }
        assert_eq!(world.gate.home(), Home::Postgres(world.url.clone()));
    }
    same(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_lost_is_not_undone() {
    let refusal = async |world: &World| match world.undo().await {
        Err(MoveError::UndoRefused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    // Another program wrote to data.db.
    let world = moved().await;
    let options = StoreOptions { dir: world.dir.path().to_owned(), ..StoreOptions::default() };
    world.lite().execute("UPDATE posts SET title = 'x' WHERE slug = 'slug-1'", []).unwrap();
    assert_eq!(refusal(&world).await, UndoRefusal::SourceChanged);
    drop((world, options));
    // A collection was changed.
    let world = moved().await;
    let client = world.client().await;
    let change = "UPDATE _collections SET fields = replace(fields::text, 'note', 'memo')::json";
    client.batch_execute(change).await.unwrap();
    let changed = UndoRefusal::Collections(vec!["boards".to_owned()]);
    assert_eq!(refusal(&world).await, changed);
    // Another server is at work.
    let world = moved().await;
    let client = world.client().await;
    let other = "INSERT INTO pando.servers (id, version, seen) VALUES \
                 ('other', 1, now() + interval '1 hour')";
    client.batch_execute(other).await.unwrap();
    assert_eq!(refusal(&world).await, UndoRefusal::OtherServers(1));
    // Too late.
    let world = moved().await;
    world.lite().execute("UPDATE _pando_move SET since = since - 25 * 3600", []).unwrap();
    assert_eq!(refusal(&world).await, UndoRefusal::TooLate(24));
    let expired = world.moving().on_own_thread(async |moving| moving.expire().await);
    assert!(expired.await.unwrap().unwrap());
    let expired = world.moving().on_own_thread(async |moving| moving.expire().await);
    assert!(!expired.await.unwrap().unwrap());
    // Finished.
    let world = moved().await;
    let finished = world.moving().on_own_thread(async |moving| moving.finish().await);
    finished.await.unwrap().unwrap();
    assert_eq!(refusal(&world).await, UndoRefusal::Finished);
    let client = world.client().await;
    write(&client, 1).await;
}

/// A query that takes long neither ends the finishing nor has to wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_finished_while_the_tables_are_read() {
    let world = moved().await;
    let (slow, other) = (world.client().await, world.client().await);
    slow.batch_execute("BEGIN; SELECT count(*) FROM posts").await.unwrap();
    let mut finished = world.moving().on_own_thread(async |moving| moving.finish().await);
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'posts'::regclass";
    // It comes, is refused, and comes again; meanwhile others read.
    let mut seen = 0;
    let reading = async {
        while seen < 3 {
            seen += other.query_one(waits, &[]).await.unwrap().get::<_, i64>(0);
            other.query_one("SELECT count(*) FROM posts", &[]).await.unwrap();
        }
    };
    let minute = std::time::Duration::from_secs(60);
    tokio::time::timeout(minute, reading).await.expect("nobody reads while it waits");
    assert!(finished.try_recv().is_err());
    slow.batch_execute("COMMIT").await.unwrap();
    finished.await.unwrap().unwrap();
    let left = "SELECT count(*) FROM pg_trigger WHERE tgname = '~undo'";
    assert_eq!(other.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// The directory is as PocketBase's, or a start of ours, wants it.
#[tokio::test(flavor = "multi_thread")]
async fn the_directory_opens_as_before() {
    let world = moved().await;
    write(&world.client().await, 1).await;
    world.undo().await.unwrap();
    let World { store, dir, .. } = world;
    store.close().await;
    drop(store);
    let options = StoreOptions { dir: dir.path().to_owned(), ..StoreOptions::default() };
    let store = Store::open(&options).await.unwrap();
    let posts = Arc::clone(store.schema().find("posts").unwrap());
    let found = store.read().await.unwrap().find(&posts, "n00000000000001").await.unwrap();
    assert_eq!(found.unwrap().text("title"), "New 1");
}
