//! Values that PocketBase directories have and PostgreSQL would not take as they are.

use expect_test::expect;
use pando_store::moving::{Finding, Home, MoveError};

use crate::compared::same;
use crate::world::World;

fn told(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { collection, field, what, count, example_id, before, after } in findings {
        let before = before.escape_default();
        text +=
            &format!("{collection}.{field} x{count} {example_id}: {before} -> {after} ({what})\n");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn old_forms_become_the_one_that_clients_see() {
    let world = World::start().await;
    world.fill(3).await;
    let lite = world.lite();
    let old = "PRAGMA ignore_check_constraints = ON; \
        UPDATE posts SET meta = '' WHERE id = 'post00000000000'; \
        UPDATE posts SET meta = 'plain words' WHERE id = 'post00000000001'; \
        UPDATE posts SET meta = 5 WHERE id = 'post00000000002'; \
        UPDATE posts SET tags = 'a' WHERE id = 'post00000000000'; \
        UPDATE posts SET tags = '[\"a\", \"b\"]' WHERE id = 'post00000000001'; \
        UPDATE posts SET tags = '' WHERE id = 'post00000000002'; \
        UPDATE posts SET author = '[\"x\"]' WHERE id = 'post00000000000'; \
        UPDATE posts SET at = '2022-01-01' WHERE id = 'post00000000001'; \
        UPDATE posts SET public = 'true' WHERE id = 'post00000000001'; \
        UPDATE posts SET public = 7 WHERE id = 'post00000000002'; \
        UPDATE posts SET views = 9007199254740993 WHERE id = 'post00000000001'; \
        UPDATE posts SET views = 9e999 WHERE id = 'post00000000002'; \
        UPDATE posts SET place = '{}' WHERE id = 'post00000000001'; \
        UPDATE posts SET title = CAST('bytes' AS BLOB) WHERE id = 'post00000000001'; \
        CREATE TABLE notes (a); INSERT INTO notes VALUES (1);";
    lite.execute_batch(old).unwrap();
    let plan = world.plan().await.unwrap();
    assert!(plan.possible(), "{plan:?}");
    assert_eq!(plan.left, ["notes"]);
    expect![[r#"
        posts.title x1 post00000000001: bytes -> bytes (bytes become text)
        posts.author x1 post00000000000: [\"x\"] -> x (is stored as clients see it)
        posts.tags x3 post00000000000: a -> ["a"] (is stored as clients see it)
        posts.views x1 post00000000001: 9007199254740993 -> 9007199254740992 (digits beyond the 15 that numbers have are rounded, as clients see them)
        posts.public x2 post00000000001: true -> true (becomes true or false)
        posts.meta x2 post00000000000:  -> "" (is stored as clients see it)
        posts.place x1 post00000000001: {} -> {"lon":0,"lat":0} (is stored as clients see it)
        posts.at x1 post00000000001: 2022-01-01 -> 2022-01-01 00:00:00.000Z (is stored as clients see it)
    "#]].assert_eq(&told(&plan.normalised));
    world.run().await.unwrap();
    same(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_told_and_not_moved() {
    let world = World::start().await;
    world.fill(6).await;
    let lite = world.lite();
    let bad = "UPDATE posts SET title = 'a' || char(0) || 'b' WHERE id = 'post00000000000'; \
        UPDATE posts SET title = CAST(x'ff41' AS TEXT) WHERE id > 'post00000000003'; \
        UPDATE posts SET meta = 'a' || char(1) WHERE id = 'post00000000002'; \
        UPDATE posts SET views = 'many' WHERE id = 'post00000000003'; \
        UPDATE posts SET at = 'soon' WHERE id = 'post00000000004'; \
        UPDATE _collections SET indexes = '[\"CREATE INDEX x ON authors (printf(name))\"]' \
        WHERE name = 'authors';";
    lite.execute_batch(bad).unwrap();
    let plan = world.plan().await.unwrap();
    expect![[r#"
        posts.title x1 post00000000000: a\u{0}b ->  (PostgreSQL cannot store the character NUL)
        posts.title x2 post00000000004: \u{fffd}A ->  (it is not valid UTF-8)
        posts.views x1 post00000000003: many ->  (it is a text that is no number)
        posts.meta x1 post00000000002: a\u{1} ->  (it is not valid JSON)
        posts.at x1 post00000000004: soon ->  (it is a text that is no date)
    "#]]
    .assert_eq(&told(&plan.obstacles));
    let untranslated: Vec<&str> = plan.untranslated.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(untranslated, ["CREATE INDEX x ON authors (printf(name))"]);
    let refused = world.run().await;
    assert!(matches!(refused, Err(MoveError::Obstacles(_))), "{refused:?}");
    // Nothing was begun.
    let begun = "SELECT count(*) FROM sqlite_master WHERE name GLOB '_pando_*'";
    assert_eq!(lite.query_row(begun, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// A value that comes only after the plan.
#[tokio::test(flavor = "multi_thread")]
async fn an_obstacle_that_comes_later_stops_the_move_with_its_name() {
    use std::ops::ControlFlow;

    use pando_store::moving::{Obstacle, Step};

    let world = World::start().await;
    world.fill(5).await;
    let lite = world.lite();
    let mut done = false;
    let late = move |progress: &pando_store::moving::Progress| {
        if progress.step == Step::Verify && !done {
            done = true;
            let text = "UPDATE posts SET title = char(0) WHERE id = 'post00000000003'";
            lite.execute(text, []).unwrap();
        }
        ControlFlow::Continue(())
    };
    let error = world.run_watched(late).await.unwrap_err();
    assert!(
        matches!(&error, MoveError::Unstorable { collection, field, id, obstacle: Obstacle::Nul }
            if collection == "posts" && field == "title" && id == "post00000000003"),
        "{error:?}"
    );
    assert_eq!(world.gate.home(), Home::Sqlite);
    world.lite().execute("UPDATE posts SET title = 'x' WHERE title = char(0)", []).unwrap();
    world.run().await.unwrap();
    same(&world).await;
}
