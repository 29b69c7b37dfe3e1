//! Differences between both sides are found before the decision.

use std::ops::ControlFlow;

use pando_store::moving::{Home, MoveError, Progress, Step};

use crate::compared::same;
use crate::world::World;

fn stop_before_verifying(progress: &Progress) -> ControlFlow<()> {
    match progress.step {
        Step::Index if progress.collection == "members" => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_differences_are_mended_and_counted() {
    let world = World::start().await;
    world.fill(50).await;
    world.run_watched(stop_before_verifying).await.unwrap_err();
    let client = world.client().await;
    let planted = "UPDATE posts SET title = title || ' ' WHERE id = 'post00000000007'; \
         UPDATE posts SET _n = _n + 1000 WHERE id = 'post00000000008'; \
         UPDATE posts SET views = views + 1e-9 WHERE id = 'post00000000009'; \
         UPDATE posts SET meta = '{}' WHERE id = 'post00000000010'; \
         UPDATE posts SET _b = (_b + 1) % 4096 WHERE id = 'post00000000011'; \
         DELETE FROM posts WHERE id = 'post00000000012'; \
         INSERT INTO posts (_b, _n, id) VALUES (1, 3, 'stranger0000001'); \
         UPDATE _params SET value = value || ' ' WHERE id = 'settings';";
    client.batch_execute(planted).await.unwrap();
    let report = world.run().await.unwrap();
    // The one with another `_n` is missing in one piece and too many in none.
    assert_eq!(report.mended, 8, "{report:?}");
    same(&world).await;
}

/// A repair that does not hold is no repair.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_that_stays_ends_the_move() {
    let world = World::start().await;
    world.fill(20).await;
    world.run_watched(stop_before_verifying).await.unwrap_err();
    let client = world.client().await;
    let stubborn = "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN NEW.title := 'spoilt'; RETURN NEW; END $$; \
         CREATE TRIGGER spoil BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION spoil(); \
         DELETE FROM posts WHERE id = 'post00000000005';";
    client.batch_execute(stubborn).await.unwrap();
    let error = world.run().await.unwrap_err();
    assert!(
        matches!(&error, MoveError::Differs { collection, id }
            if collection == "posts" && id == "post00000000005"),
        "{error:?}"
    );
    assert_eq!(world.gate.home(), Home::Sqlite);
    client.batch_execute("DROP TRIGGER spoil ON posts").await.unwrap();
    world.run().await.unwrap();
    same(&world).await;
}
