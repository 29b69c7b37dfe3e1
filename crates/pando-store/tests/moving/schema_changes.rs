//! Collections that change while the database moves.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};

use pando_schema::Value;
use pando_store::moving::{Progress, Step};
use pando_store::{CollectionError, Store};
use serde_json::json;

use crate::compared::same;
use crate::world::{World, create_collection, update_collection};

/// What happens to the collections at one moment.
async fn change(store: Store, number: usize) {
    match number {
        0 => {
            let fields = json!([{ "name": "text", "type": "text" }]);
            let fresh = json!({ "name": "fresh", "type": "base", "fields": fields });
            create_collection(&store, fresh).await;
            let mut record =
                pando_schema::Record::new(Arc::clone(store.schema().find("fresh").unwrap()));
            record.put("id", Value::Text("first0000000001".to_owned()));
            let written: Result<_, pando_store::WriteError> =
                store.write(move |tx| Box::pin(tx.insert(record))).await;
            written.unwrap();
        }
        1 => {
            // Other values in each row, and another name.
            let posts = Arc::clone(store.schema().find("posts").unwrap());
            let mut fields = posts.to_json()["fields"].clone();
            for field in fields.as_array_mut().unwrap() {
                if field["name"] == "tags" {
                    field["maxSelect"] = json!(1);
                    field["name"] = json!("tag");
                }
            }
            let indexes = json!(["CREATE INDEX `p_tag` ON `posts` (`tag`)"]);
            update_collection(&store, "posts", json!({ "fields": fields, "indexes": indexes }))
                .await;
        }
        2 => update_collection(&store, "boards", json!({ "name": "walls" })).await,
        3 => {
            update_collection(&store, "titles", json!({ "viewQuery": "SELECT id FROM posts" }))
                .await
        }
        4 => update_collection(&store, "authors", json!({ "listRule": "" })).await,
        _ => {
            let members = Arc::clone(store.schema().find("members").unwrap());
            let deleted: Result<_, CollectionError> = store
                .write(move |tx| Box::pin(async move { tx.delete_collection(&members).await }))
                .await;
            deleted.unwrap();
        }
    }
}

/// Changes a collection at the `nth` moment of each step, one after the other.
async fn change_at(world: &World, moments: &[(Step, usize)]) {
    let (store, runtime) = (world.store.clone(), tokio::runtime::Handle::current());
    let mut left: Vec<(usize, (Step, usize))> = moments.iter().copied().enumerate().collect();
    let mut seen: BTreeMap<Step, usize> = BTreeMap::new();
    let watch = move |progress: &Progress| {
        let count = seen.entry(progress.step).or_default();
        *count += 1;
        let due = left.iter().position(|(_, moment)| *moment == (progress.step, *count));
        if let Some(due) = due {
            let (number, _) = left.remove(due);
            let (done, waiting) = mpsc::channel();
            let store = store.clone();
            // The move waits meanwhile, as if the change had been quick.
            runtime.spawn(async move {
                change(store, number).await;
                done.send(()).unwrap();
            });
            waiting.recv().unwrap();
        }
        ControlFlow::Continue(())
    };
    world.run_watched(watch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_copied() {
    let world = World::start().await;
    world.fill(30).await;
    let moments = [3, 5, 7, 8, 9, 11].map(|moment| (Step::Copy, moment));
    change_at(&world, &moments).await;
    same(&world).await;
    let schema = world.store.schema();
    assert!(schema.find("fresh").is_some() && schema.find("members").is_none());
    let client = world.client().await;
    let titles = client.query("SELECT * FROM titles", &[]).await.unwrap();
    assert_eq!((titles.len(), titles[0].len()), (30, 1));
    client.query("SELECT id FROM members", &[]).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_compared() {
    let world = World::start().await;
    world.fill(30).await;
    let moments = [
        (Step::Index, 2),
        (Step::Index, 5),
        (Step::Verify, 1),
        (Step::Verify, 4),
        (Step::CatchUp, 2),
        (Step::Verify, 9),
    ];
    change_at(&world, &moments).await;
    same(&world).await;
}
