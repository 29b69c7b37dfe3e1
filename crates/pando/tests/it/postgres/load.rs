//! A thousand web connections over twenty to the database.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use pando_testkit::{HttpClient, Postgres, Request};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use super::{App, BESIDE, RECORDS, id};

const CLIENTS: usize = 1_000;
const CONNECTIONS: usize = 20;
const ROUNDS: usize = 4;
const STACK_BYTES: usize = 256 << 10;
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How much longer than the middle one the slowest client may take.
const UNFAIRNESS_MAX: u32 = 3;

/// One client with a connection that it keeps: how long its requests took together.
fn client(addr: SocketAddr, number: usize, all_connected: &Barrier) -> Duration {
    let mut client = HttpClient::new(addr).with_timeout(ANSWER_MAX);
    let mine = id("thing", number);
    let path = format!("{RECORDS}/{mine}");
    let connected = client.send(&Request::get("/api/health"));
    // Also who failed arrives, or the others would wait for ever.
    all_connected.wait();
    connected.unwrap().success().unwrap();
    let begun = Instant::now();
    let create = Request::post(RECORDS).json(&json!({ "id": mine, "n": 0 }));
    client.send(&create).unwrap().success().unwrap();
    for round in 1..=ROUNDS {
        let change = Request::patch(&path).json(&json!({ "n": round }));
        client.send(&change).unwrap().success().unwrap();
        let record = client.send(&Request::get(&path)).unwrap().success().unwrap();
        assert_eq!(record.json().unwrap()["n"], round);
        let list = Request::get(format!("{RECORDS}?perPage=5&sort=-n&skipTotal=1"));
        client.send(&list).unwrap().success().unwrap();
    }
    begun.elapsed()
}

#[test]
fn a_thousand_clients_share_twenty_connections() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let postgres = Postgres::start().unwrap();
    let connections = CONNECTIONS.to_string();
    let app = App::start(&postgres, &[("PANDO_DATABASE__CONNECTIONS", &connections)]);
    let (addr, all_connected) = (app.server.addr(), Barrier::new(CLIENTS));
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let builder = thread::Builder::new().stack_size(STACK_BYTES);
                let all_connected = &all_connected;
                builder.spawn_scoped(scope, move || client(addr, number, all_connected)).unwrap()
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    times.sort_unstable();
    let (median, slowest) = (times[CLIENTS / 2], times[CLIENTS - 1]);
    assert!(slowest <= median * UNFAIRNESS_MAX, "median {median:?}, slowest {slowest:?}");
    let (all, in_transaction) = app.connections(&postgres);
    assert!(all <= CONNECTIONS + BESIDE && in_transaction == 0, "{all}, {in_transaction}");
    let stored = postgres.sql(&app.database, "SELECT sum(n) FROM things").unwrap();
    assert_eq!(stored, (CLIENTS * ROUNDS).to_string());
}
