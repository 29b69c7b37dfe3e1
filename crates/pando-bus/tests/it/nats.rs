//! NATS brings entries; without it they come all the same.

use pando_bus::BusOptions;
use pando_testkit::{Nats, Postgres};

use crate::app::{Server, id};

#[tokio::test(flavor = "multi_thread")]
async fn nats_comes_and_goes_and_no_event_is_lost() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    let mut nats = Nats::start().unwrap();
    let options = || BusOptions { nats: vec![nats.url()] };
    let mut one = Server::start(Some(&url), options()).await;
    let mut two = Server::start(Some(&url), options()).await;
    one.make_things().await;
    one.create(&id("a"), "").await;
    one.until("+a=0").await;
    two.until("+a=0").await;
    let mut n = 0;
    for fault in ["none", "frozen", "thawed", "restarted"] {
        match fault {
            "frozen" => nats.freeze().unwrap(),
            "thawed" => nats.thaw().unwrap(),
            "restarted" => nats.restart().unwrap(),
            _ => {}
        }
        for _ in 0..5 {
            one.count_up(&id("a")).await;
            two.count_up(&id("a")).await;
            n += 2;
            for server in [&mut one, &mut two] {
                assert_eq!(server.next().await, format!("a={}", n - 1), "{fault}");
                assert_eq!(server.next().await, format!("a={n}"), "{fault}");
            }
        }
    }
    // Notes go by NATS: the database carries none.
    let listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    assert_eq!(postgres.sql("postgres", listening).unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_begin_without_nats() {
    let postgres = Postgres::start().unwrap();
    let url = postgres.url(&postgres.new_database().unwrap());
    // Nobody listens there.
    let options = || BusOptions { nats: vec!["nats://127.0.0.1:1".to_owned()] };
    let mut one = Server::start(Some(&url), options()).await;
    let two = Server::start(Some(&url), options()).await;
    one.make_things().await;
    assert_eq!(one.next().await, "begun");
    two.create(&id("a"), "").await;
    assert_eq!(one.next().await, "+a=0");
}
