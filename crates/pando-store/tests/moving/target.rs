//! Databases that cannot be moved to.

use std::ops::ControlFlow;

use pando_store::moving::{MoveError, Progress, TargetProblem};

use crate::world::{World, connect};

async fn problems(world: &World, url: String) -> Vec<TargetProblem> {
    let planned = world
        .moving()
        .on_own_thread(async move |moving| moving.plan(&url, &mut crate::world::go_on).await);
    planned.await.unwrap().unwrap().target
}

fn at(world: &World, database: &str, user: &str, more: &str) -> String {
    let host = world.url.split(' ').next().unwrap();
    format!("{host} user={user} dbname={database} {more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_what_to_do() {
    let world = World::start().await;
    let client = world.client().await;
    assert_eq!(problems(&world, world.url.clone()).await, []);

    let read_only = format!("{} options='-c default_transaction_read_only=on'", world.url);
    assert_eq!(problems(&world, read_only).await, [TargetProblem::ReadOnly]);

    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 \
                 LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'";
    client.batch_execute(latin).await.unwrap();
    let found = problems(&world, at(&world, "latin", "postgres", "")).await;
    assert_eq!(found, [TargetProblem::Encoding("LATIN1".to_owned())]);

    client.batch_execute("CREATE ROLE guest LOGIN PASSWORD 'guest'").await.unwrap();
    client.batch_execute("CREATE DATABASE foreign_one").await.unwrap();
    let found = problems(&world, at(&world, "foreign_one", "guest", "password=guest")).await;
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    expect_test::expect![[r#"
        [
            "\"guest\" may not create a schema in it\nhint: GRANT CREATE ON DATABASE foreign_one TO guest",
            "\"guest\" may not create a table in it\nhint: GRANT CREATE ON SCHEMA public TO guest, in that database",
        ]
    "#]]
    .assert_debug_eq(&shown);

    let other = connect(&at(&world, "foreign_one", "postgres", "")).await;
    other.batch_execute("CREATE TABLE somebody (id int)").await.unwrap();
    let found = problems(&world, at(&world, "foreign_one", "postgres", "")).await;
    assert_eq!(found, [TargetProblem::NotEmpty("public.somebody".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_move_s_database_is_left_alone() {
    let (first, mut second) = (World::start().await, World::start().await);
    first.fill(3).await;
    let stop = |_: &Progress| ControlFlow::Break(());
    first.run_watched(stop).await.unwrap_err();
    first.run().await.unwrap();
    second.url.clone_from(&first.url);
    assert_eq!(problems(&second, first.url.clone()).await, [TargetProblem::Taken]);
    let refused = second.run().await;
    assert!(
        matches!(&refused, Err(MoveError::Unfit(found)) if *found == [TargetProblem::Taken]),
        "{refused:?}"
    );
    let again = first.run().await;
    assert!(matches!(again, Err(MoveError::AlreadyMoved)), "{again:?}");
}

/// What a mover that has died has sent may still be written: the next one waits for its session.
#[tokio::test(flavor = "multi_thread")]
async fn one_mover_at_a_time() {
    let world = World::start().await;
    world.fill(3).await;
    let client = world.client().await;
    client.batch_execute("SELECT pg_advisory_lock(8097874982634090358)").await.unwrap();
    let (gate, url) = (world.gate.clone(), world.url.clone());
    let mut moved = world
        .moving()
        .on_own_thread(async move |moving| moving.run(&url, &gate, &mut crate::world::go_on).await);
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(std::time::Instant::now() < deadline, "it does not wait");
    }
    assert!(moved.try_recv().is_err());
    drop(client);
    moved.await.unwrap().unwrap();
    crate::compared::same(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there() {
    let mut world = World::start().await;
    world.url = "host=/nowhere user=postgres".to_owned();
    let refused = world.run().await;
    assert!(matches!(refused, Err(MoveError::Connect(_))), "{refused:?}");
}
