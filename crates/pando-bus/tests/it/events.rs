//! Everybody gets to know the same, in the same order.

use std::time::Duration;

use pando_bus::BusOptions;
use pando_testkit::Postgres;

use crate::app::{Server, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_alone_hears_itself() {
    let mut alone = Server::start(None, BusOptions::default()).await;
    alone.make_things().await;
    alone.create(&id("a"), "").await;
    alone.bus.send("hello").await.unwrap();
    assert_eq!(alone.next().await, "+a=0");
    assert_eq!(alone.next().await, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_hear_each_other() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let mut one = Server::start(Some(&url), BusOptions::default()).await;
    one.make_things().await;
    one.create(&id("a"), "").await;
    assert_eq!(one.next().await, "+a=0");
    let mut two = Server::start(Some(&url), BusOptions::default()).await;
    assert_eq!(one.next().await, "begun");
    one.count_up(&id("a")).await;
    two.count_up(&id("a")).await;
    // Too large for a note, so it is looked up.
    two.create(&id("b"), &"x".repeat(20_000)).await;
    one.bus.send("y".repeat(100_000)).await.unwrap();
    for server in [&mut one, &mut two] {
        assert_eq!(server.next().await, "a=1");
        assert_eq!(server.next().await, "a=2");
        assert_eq!(server.next().await, "+b=0");
        assert_eq!(server.next().await.len(), 100_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_get_the_same_order_and_that_of_the_commits() {
    const ROUNDS: usize = 40;
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start(Some(&url), BusOptions::default()).await);
    }
    servers[0].make_things().await;
    for label in ["a", "b"] {
        servers[0].create(&id(label), "").await;
    }
    for server in &mut servers {
        server.until("+b=0").await;
    }
    let writers = servers.iter().flat_map(|server| {
        ["a", "b"].map(|label| async move {
            for _ in 0..ROUNDS {
                server.count_up(&id(label)).await;
            }
        })
    });
    futures_util::future::join_all(writers).await;
    servers[1].bus.send("end").await.unwrap();
    let mut orders = Vec::new();
    for server in &mut servers {
        orders.push(server.until("end").await);
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
    for label in ["a=", "b="] {
        let of_one: Vec<_> = orders[0].iter().filter(|event| event.starts_with(label)).collect();
        let expected: Vec<_> = (1..=3 * ROUNDS).map(|n| format!("{label}{n}")).collect();
        assert_eq!(of_one, expected.iter().collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused() {
    let alone = Server::start(None, BusOptions::default()).await;
    let large = "x".repeat((4 << 20) + 1);
    let refused = alone.bus.send(large).await.unwrap_err();
    assert_eq!(refused.to_string(), "a message of 4194305 bytes is too large");
    tokio::time::timeout(Duration::from_secs(5), alone.store.close()).await.unwrap();
}
