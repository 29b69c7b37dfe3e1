//! A move that stops anywhere goes on where it was, and ends as if it had not stopped.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pando_schema::Value;
use pando_store::moving::{Home, MoveError, Progress, Step, read_marker};

use crate::compared::same;
use crate::world::World;
use crate::writer::Writers;

/// Stops at the moment with that number.
fn stop_at(moment: usize) -> impl FnMut(&Progress) -> ControlFlow<()> + Send + 'static {
    let mut seen = 0;
    move |progress| {
        seen += 1;
        let stops = seen == moment && progress.step != Step::Done;
        if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Something that a move must notice, each time another.
async fn write(world: &World, number: usize) {
    let id = format!("later{number:010}");
    let values = [("title", Value::Text(format!("Later {number}")))];
    world.insert(world.record("posts", &id, &values)).await.unwrap();
    let old = format!("post{number:011}");
    let posts = world.collection("posts");
    let deleted: Result<(), pando_store::WriteError> = world
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(record) = tx.find(&posts, &old).await? {
                    tx.delete(Arc::new(record)).await?;
                }
                Ok(())
            })
        })
        .await;
    deleted.unwrap();
}

/// The process dies at each moment in turn, at once after it has died at the one before, and
/// something is written in between.
#[tokio::test(flavor = "multi_thread")]
async fn each_time_a_bit_further() {
    let world = World::start().await;
    world.fill(40).await;
    let mut stops = 0;
    for moment in 1.. {
        write(&world, moment).await;
        match world.run_watched(stop_at(moment)).await {
            Ok(_) => break,
            Err(MoveError::Stopped) => stops += 1,
            Err(error) => panic!("moment {moment}: {error:?}"),
        }
        assert_eq!(world.gate.home(), Home::Sqlite);
    }
    assert!(stops > 10, "{stops}");
    same(&world).await;
    assert!(read_marker(world.dir.path(), None).unwrap().moved_to.is_some());
}

/// Once at each moment, and then through.
#[tokio::test(flavor = "multi_thread")]
async fn once_anywhere() {
    let count = {
        let world = World::start().await;
        world.fill(10).await;
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let counting = move |_: &Progress| {
            counted.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        world.run_watched(counting).await.unwrap();
        count.load(Ordering::Relaxed)
    };
    assert!(count > 60, "{count}");
    // Some moments; the test before has all of them.
    for moment in (1..count).step_by(17) {
        let world = World::start().await;
        world.fill(10).await;
        let stopped = world.run_watched(stop_at(moment)).await;
        assert!(matches!(stopped, Err(MoveError::Stopped)), "{moment}: {stopped:?}");
        write(&world, moment % 10).await;
        world.run().await.unwrap();
        same(&world).await;
    }
}

/// With writers at work the whole time.
#[tokio::test(flavor = "multi_thread")]
async fn under_writes() {
    let world = World::start().await;
    world.fill(100).await;
    let writers = Writers::start(&world, 2);
    let mut moment = 5;
    while let Err(error) = world.run_watched(stop_at(moment)).await {
        assert!(matches!(error, MoveError::Stopped), "{error:?}");
        moment += 7;
    }
    writers.finish(false).await;
    same(&world).await;
}

/// After the commit in PostgreSQL and before the decision, data.db is the truth.
#[tokio::test(flavor = "multi_thread")]
async fn just_before_the_decision() {
    let world = World::start().await;
    world.fill(10).await;
    let stop = |progress: &Progress| match progress.step {
        Step::CutOver => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let stopped = world.run_watched(stop).await;
    assert!(matches!(stopped, Err(MoveError::Stopped)), "{stopped:?}");
    assert_eq!(read_marker(world.dir.path(), None).unwrap().moved_to, None);
    write(&world, 3).await;
    world.run().await.unwrap();
    same(&world).await;
}

/// Nothing stays of a move that is given up, and another one may begin.
#[tokio::test(flavor = "multi_thread")]
async fn given_up() {
    let mut world = World::start().await;
    world.fill(10).await;
    let stop = |progress: &Progress| match progress.step {
        Step::Verify => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    world.run_watched(stop).await.unwrap_err();
    world.undo().await.unwrap();
    let left: i64 = world
        .lite()
        .query_row("SELECT count(*) FROM sqlite_master WHERE tbl_name = '_pando_changes' OR type = 'trigger'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
    assert!(matches!(world.undo().await, Err(MoveError::NotMoved)));
    write(&world, 3).await;
    // That one is half full, and its changes are not known any more.
    let refused = world.run().await;
    assert!(matches!(refused, Err(MoveError::Unfit(_))), "{refused:?}");
    world.url = world.server.database().unwrap();
    world.run().await.unwrap();
    same(&world).await;
}
