//! The real PocketBase opens a directory that is being moved, and one that was.

use std::ops::ControlFlow;

use pando_store::moving::{Progress, Step};
use pando_testkit::{Product, Request, RootClient, Server, fixture, server};

use crate::world::World;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";

/// Reads and writes with PocketBase.
fn works_in_pocketbase(world: &World) {
    let home = tempfile::tempdir().unwrap();
    // It looks for migrations beside its directory.
    let copy = home.path().join("data");
    fixture::copy_dir(world.dir.path(), &copy).unwrap();
    server::upsert_superuser(Product::Oracle, &copy, EMAIL, PASSWORD).unwrap();
    let mut server = Server::start(Product::Oracle, &copy).unwrap();
    let mut root = RootClient::login(&server, EMAIL, PASSWORD).unwrap();
    let list = root.json(Request::get("/api/collections/posts/records?sort=@rowid")).unwrap();
    assert_eq!(list["totalItems"], 5, "{list}");
    let body = serde_json::json!({ "title": "by PocketBase" });
    let made = root.json(Request::post("/api/collections/posts/records").json(&body)).unwrap();
    let path = format!("/api/collections/posts/records/{}", made["id"].as_str().unwrap());
    root.json(Request::delete(&path)).unwrap();
    let fields = serde_json::json!({ "listRule": "" });
    let changed = root.json(Request::patch("/api/collections/posts").json(&fields)).unwrap();
    assert_eq!(changed["name"], "posts", "{changed}");
    server.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pocketbase_opens_the_directory() {
    let world = World::start().await;
    world.fill(5).await;
    let stop = |progress: &Progress| match progress.step {
        Step::Verify => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    world.run_watched(stop).await.unwrap_err();
    works_in_pocketbase(&world);
    world.run().await.unwrap();
    works_in_pocketbase(&world);
    world.undo().await.unwrap();
    works_in_pocketbase(&world);
}
