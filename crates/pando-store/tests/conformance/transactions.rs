//! What a transaction does, it does as a whole and as if alone; others see it once it is done.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use pando_store::journal::{Body, Own};
use pando_store::{Action, StoreError, WriteError};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::app::{App, Failure, create, delete, id, problems, update};

crate::cases! {
    a_failed_work_leaves_nothing,
    a_panic_leaves_nothing_and_nobody_else_notices,
    a_work_sees_what_it_wrote,
    readers_see_what_is_committed,
    a_write_is_seen_by_every_reader_after_it,
    changes_are_told_in_their_order,
    counters_lose_nothing,
    one_of_many_gets_a_unique_value,
    nothing_refers_to_what_is_gone,
    one_superuser_stays_though_all_are_deleted_at_once,
    collections_change_while_records_are_written,
    a_work_goes_on_without_its_caller,
    readers_wait_for_each_other_and_not_for_ever,
    a_closed_store_refuses,
}

const DEADLINE: Duration = Duration::from_secs(20);

async fn things(app: &App) {
    let fields = json!([{ "type": "text", "name": "a" }, { "type": "number", "name": "n" }]);
    let indexes = json!(["CREATE UNIQUE INDEX `i_a` ON `things` (`a`) WHERE `a` != ''"]);
    let things = json!({ "name": "things", "type": "base", "fields": fields, "indexes": indexes });
    app.try_make(things).await.unwrap();
}

async fn a_failed_work_leaves_nothing(app: &mut App) {
    things(app).await;
    app.create("things", json!({ "id": id("thing", 1), "a": "x" })).await.unwrap();
    app.create("things", json!({ "id": id("thing", 2) })).await.unwrap();
    let mut changes = app.store().written();
    let work = app.store().write(|tx| {
        Box::pin(async move {
            create(tx, "things", json!({ "id": id("thing", 3) })).await?;
            update(tx, "things", &id("thing", 1), json!({ "n": 5 })).await?;
            delete(tx, "things", &id("thing", 2)).await?;
            // The database refuses this one.
            create(tx, "things", json!({ "a": "x" })).await
        })
    });
    assert_eq!(problems(work.await), "a: validation_not_unique");
    assert!(app.find("things", &id("thing", 3)).await.is_none());
    assert!(app.find("things", &id("thing", 2)).await.is_some());
    assert_eq!(app.value("things", &id("thing", 1), "n").await, "0");
    assert!(changes.try_recv().is_err());
    app.create("things", json!({ "id": id("thing", 3) })).await.unwrap();
}

async fn a_panic_leaves_nothing_and_nobody_else_notices(app: &mut App) {
    things(app).await;
    let panicking = app.store().write(|tx| {
        Box::pin(async move {
            create(tx, "things", json!({ "id": id("bad", 1) })).await?;
            // Not `panic!`: what follows it must be reachable.
            let none: Option<()> = tx.schema().find("no such collection").map(drop);
            none.expect("this panic belongs to the test");
            Ok::<_, Failure>(())
        })
    });
    let others = join_all((0..20).map(|n| app.create("things", json!({ "id": id("good", n) }))));
    let (outcome, others) = tokio::join!(panicking, others);
    assert!(matches!(outcome, Err(Failure::Store(StoreError::Panicked))), "{outcome:?}");
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(app.find("things", &id("bad", 1)).await.is_none());
    app.create("things", json!({ "id": id("bad", 1) })).await.unwrap();
}

async fn a_work_sees_what_it_wrote(app: &mut App) {
    things(app).await;
    let work = app.store().write(|tx| {
        Box::pin(async move {
            let made = create(tx, "things", json!({ "n": 1 })).await?;
            let things = Arc::clone(&made.collection);
            let found = tx.find(&things, made.id()).await?.unwrap();
            assert_eq!(found.values, made.values);
            update(tx, "things", made.id(), json!({ "n": 2 })).await?;
            let found = tx.find_all(&things, &[made.id().to_owned()]).await?;
            assert_eq!(crate::app::shown(&found[0], "n"), "2");
            delete(tx, "things", made.id()).await?;
            assert!(tx.find_any(&things).await?.is_none());
            // A collection is there at once, too.
            let fields = json!([{ "type": "relation", "name": "to", "collectionId": things.id }]);
            let others = json!({ "name": "others", "type": "base", "fields": fields });
            tx.create_collection(&crate::app::object(others)).await?;
            let made = create(tx, "things", json!({})).await?;
            create(tx, "others", json!({ "id": id("other", 1), "to": made.id() })).await
        })
    });
    work.await.unwrap();
    assert!(app.find("others", &id("other", 1)).await.is_some());
}

async fn readers_see_what_is_committed(app: &mut App) {
    things(app).await;
    app.create("things", json!({ "id": id("thing", 1) })).await.unwrap();
    let (written, wait_for_write) = mpsc::channel();
    let (go_on, wait_for_reader) = mpsc::channel();
    let wait_for_reader = Arc::new(Mutex::new(wait_for_reader));
    let work = app.store().write(move |tx| {
        Box::pin(async move {
            update(tx, "things", &id("thing", 1), json!({ "n": 1 })).await?;
            create(tx, "things", json!({ "id": id("thing", 2) })).await?;
            written.send(()).unwrap();
            // On SQLite the work must not wait for the runtime.
            let wait = || wait_for_reader.lock().unwrap().recv_timeout(DEADLINE);
            tokio::task::block_in_place(wait).unwrap();
            Ok::<_, Failure>(())
        })
    });
    let reading = async {
        tokio::task::block_in_place(|| wait_for_write.recv_timeout(DEADLINE)).unwrap();
        assert_eq!(app.value("things", &id("thing", 1), "n").await, "0");
        assert!(app.find("things", &id("thing", 2)).await.is_none());
        go_on.send(()).unwrap();
    };
    let (outcome, ()) = tokio::join!(work, reading);
    outcome.unwrap();
    assert_eq!(app.value("things", &id("thing", 1), "n").await, "1");
    assert!(app.find("things", &id("thing", 2)).await.is_some());
}

async fn a_write_is_seen_by_every_reader_after_it(app: &mut App) {
    things(app).await;
    let rounds = (0..8).map(async |client: usize| {
        let mine = id("thing", client);
        app.create("things", json!({ "id": mine })).await.unwrap();
        for n in 1..=30 {
            app.update("things", &mine, json!({ "n": n })).await.unwrap();
            assert_eq!(app.value("things", &mine, "n").await, n.to_string());
        }
        app.delete("things", &mine).await.unwrap();
        assert!(app.find("things", &mine).await.is_none());
    });
    join_all(rounds).await;
}

/// What was announced so far: action, id and value of `n`.
fn told(written: &mut Receiver<Own>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Own::Written { body: Body::Changes(commit), .. }) = written.try_recv() {
        told.extend(commit.iter().map(|change| {
            let n = crate::app::shown(&change.record, "n");
            format!("{:?} {} {n}", change.action, change.record.id())
        }));
    }
    told
}

async fn changes_are_told_in_their_order(app: &mut App) {
    things(app).await;
    let mut changes = app.store().written();
    let work = app.store().write(|tx| {
        Box::pin(async move {
            create(tx, "things", json!({ "id": "a", "n": 1 })).await.map(drop).unwrap_err();
            Ok::<_, Failure>(())
        })
    });
    work.await.unwrap();
    let one = id("one", 1);
    let mine = one.clone();
    let work = app.store().write(move |tx| {
        Box::pin(async move {
            create(tx, "things", json!({ "id": mine, "n": 1 })).await?;
            update(tx, "things", &mine, json!({ "n": 2 })).await?;
            delete(tx, "things", &mine).await?;
            create(tx, "things", json!({ "id": mine, "n": 3 })).await
        })
    });
    work.await.unwrap();
    app.delete("things", &one).await.unwrap();
    let expected =
        ["Create", "Update", "Delete", "Create", "Delete"].into_iter().zip([1, 2, 2, 3, 3]);
    let expected: Vec<String> = expected.map(|(action, n)| format!("{action} {one} {n}")).collect();
    assert_eq!(told(&mut changes), expected);
}

async fn counters_lose_nothing(app: &mut App) {
    const CLIENTS: usize = 16;
    const ROUNDS: usize = 10;
    things(app).await;
    app.create("things", json!({ "id": id("thing", 1), "n": 0 })).await.unwrap();
    let mut changes = app.store().written();
    let clients = (0..CLIENTS).map(async |_| {
        for _ in 0..ROUNDS {
            app.update("things", &id("thing", 1), json!({ "n+": 1 })).await.unwrap();
        }
    });
    join_all(clients).await;
    let count = CLIENTS * ROUNDS;
    assert_eq!(app.value("things", &id("thing", 1), "n").await, count.to_string());
    let expected: Vec<String> =
        (1..=count).map(|n| format!("{:?} {} {n}", Action::Update, id("thing", 1))).collect();
    assert_eq!(told(&mut changes), expected, "in the order of the commits");
}

async fn one_of_many_gets_a_unique_value(app: &mut App) {
    things(app).await;
    for round in 0..5 {
        let value = format!("round {round}");
        let all = join_all((0..20).map(|_| app.create("things", json!({ "a": value })))).await;
        let (won, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        for outcome in lost {
            assert_eq!(problems(outcome), "a: validation_not_unique");
        }
    }
}

async fn nothing_refers_to_what_is_gone(app: &mut App) {
    let parents = app.make("parents", json!([])).await;
    let field = json!({ "type": "relation", "name": "of", "collectionId": parents.id,
        "cascadeDelete": true });
    let children = app.make("children", json!([field])).await;
    for round in 0..20 {
        let parent = id("parent", round);
        app.create("parents", json!({ "id": parent })).await.unwrap();
        let births = join_all((0..6).map(|_| app.create("children", json!({ "of": parent }))));
        let (born, gone) = tokio::join!(births, app.delete("parents", &parent));
        gone.unwrap();
        for outcome in born.into_iter().filter(Result::is_err) {
            assert_eq!(problems(outcome), "of: validation_missing_rel_records");
        }
        let mut reader = app.store().read().await.unwrap();
        let orphan = reader.find_by(&children, "of", &parent, false).await.unwrap();
        assert!(orphan.is_none(), "round {round}: {orphan:?}");
    }
}

async fn one_superuser_stays_though_all_are_deleted_at_once(app: &mut App) {
    for round in 0..5 {
        let ids: Vec<String> = (0..4).map(|n| id("root", 10 * round + n)).collect();
        for root in &ids {
            let email = format!("{root}@example.com");
            let account = json!({ "id": root, "email": email, "password": "hash" });
            app.create("_superusers", account).await.unwrap();
        }
        let all = join_all(ids.iter().map(|root| app.delete("_superusers", root))).await;
        let mut refused = 0;
        for outcome in all {
            match outcome {
                Ok(_) => {}
                Err(Failure::Write(WriteError::LastSuperuser)) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        // One that an earlier round left may have been enough.
        assert!(refused <= 1);
        let mut reader = app.store().read().await.unwrap();
        let superusers = app.collection("_superusers");
        assert!(reader.find_any(&superusers).await.unwrap().is_some());
    }
}

async fn collections_change_while_records_are_written(app: &mut App) {
    things(app).await;
    let changing = async {
        for round in 0..6 {
            let mut fields = app.collection("things").to_json()["fields"].take();
            let fields = fields.as_array_mut().unwrap();
            fields.retain(|field| !field["name"].as_str().unwrap().starts_with("extra"));
            let extra = json!({ "type": "number", "name": format!("extra{round}") });
            fields.insert(1 + round % 2, extra);
            app.alter("things", json!({ "fields": fields })).await.unwrap();
        }
    };
    let writing = join_all((0..8).map(async |client: usize| {
        for number in 0..20 {
            let one = id("thing", 100 * client + number);
            let values = json!({ "id": one, "a": one, "n": number });
            app.create("things", values).await.unwrap();
            app.update("things", &one, json!({ "n+": 1 })).await.unwrap();
            let found = app.find("things", &one).await.unwrap();
            assert_eq!(found.text("a"), one);
            assert_eq!(crate::app::shown(&found, "n"), (number + 1).to_string());
        }
    }));
    tokio::join!(changing, writing);
    let found = app.find("things", &id("thing", 719)).await.unwrap();
    assert_eq!(crate::app::shown(&found, "extra5"), "0");
}

async fn a_work_goes_on_without_its_caller(app: &mut App) {
    things(app).await;
    for number in 0..5 {
        let mut writing = Box::pin(app.create("things", json!({ "id": id("thing", number) })));
        // Once is enough to hand the work over.
        let _ = writing.as_mut().now_or_never();
        drop(writing);
    }
    let deadline = Instant::now() + DEADLINE;
    for number in 0..5 {
        while app.find("things", &id("thing", number)).await.is_none() {
            assert!(Instant::now() < deadline, "work {number} was dropped with its caller");
            tokio::task::yield_now().await;
        }
    }
}

async fn readers_wait_for_each_other_and_not_for_ever(app: &mut App) {
    app.reopen(|options| {
        options.readers = 2;
        options.read_wait_max = Duration::from_millis(100);
        options.connections = 2;
    })
    .await
    .unwrap();
    things(app).await;
    let one = app.store().read().await.unwrap();
    let other = app.store().read().await.unwrap();
    let begun = Instant::now();
    let outcome = app.store().read().await;
    assert!(matches!(outcome, Err(StoreError::Busy)));
    assert!(begun.elapsed() >= Duration::from_millis(90), "it waited");
    drop(outcome);
    drop(one);
    drop(app.store().read().await.unwrap());
    drop(other);
    let many = join_all((0..50).map(|_| app.find("things", "none"))).await;
    assert!(many.iter().all(Option::is_none));
}

async fn a_closed_store_refuses(app: &mut App) {
    things(app).await;
    let store = app.store().clone();
    store.close().await;
    let outcome = store.write(|_| Box::pin(async { Ok::<_, StoreError>(()) })).await;
    assert!(matches!(outcome, Err(StoreError::Stopping)), "{outcome:?}");
    assert!(store.read().await.is_err());
    drop(store);
    app.reopen(|_| {}).await.unwrap();
    app.create("things", json!({})).await.unwrap();
}
