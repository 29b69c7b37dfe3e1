//! A move while writes go on.

use pando_store::moving::{Home, Status};

use crate::compared::same;
use crate::world::World;
use crate::writer::Writers;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_added_or_changed_while_writes_go_on() {
    let world = World::start().await;
    world.fill(600).await;
    let writers = Writers::start(&world, 4);
    let report = world.run().await.unwrap();
    assert_eq!(world.gate.home(), Home::Postgres(world.url.clone()));
    let written = writers.finish(false).await;
    assert!(written > 100, "only {written} writes went on meanwhile");
    let count = same(&world).await;
    assert!(count > 1200, "{count}");
    assert_eq!(report.mended, 0);
    // Not a promise of speed, but of nothing being done that does not have to.
    assert!(report.gate.as_millis() < 500, "{report:?}");
    let status = world.moving().on_own_thread(async |moving| moving.status().await);
    let status = status.await.unwrap().unwrap();
    assert!(matches!(status, Status::Moved { undoing: false, undo_left_s: 1.., .. }), "{status:?}");
}

/// Rows that are made in PostgreSQL come after those that came over.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_rows_goes_on() {
    let world = World::start().await;
    world.fill(20).await;
    let writers = Writers::start(&world, 1);
    world.run().await.unwrap();
    writers.finish(false).await;
    let client = world.client().await;
    client.batch_execute("INSERT INTO posts (_b, id) VALUES (1, 'x')").await.unwrap();
    let last: String = client
        .query_one("SELECT id FROM posts ORDER BY _n DESC LIMIT 1", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(last, "x");
}
