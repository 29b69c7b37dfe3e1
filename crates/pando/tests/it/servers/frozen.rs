//! A server that was frozen does not go on as if nothing had happened.

use std::thread;
use std::time::{Duration, Instant};

use pando_testkit::Request;
use serde_json::json;

use super::{RECORDS, Servers};

#[test]
fn a_server_that_was_frozen_looks_before_it_answers() {
    let mut servers = Servers::start(2);
    let create = Request::post(RECORDS).json(&json!({ "n": 1 }));
    servers.servers[0].client().send(&create).unwrap().success().unwrap();
    let list = Request::get(RECORDS);
    let mut kept = servers.servers[1].client();
    assert_eq!(kept.send(&list).unwrap().json().unwrap()["totalItems"], 1);

    servers.servers[1].freeze().unwrap();
    let begun = Instant::now();
    servers.change(0, &json!({ "listRule": "n > 5" }));
    // It waits for the other one, but not for ever.
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");
    thread::scope(|scope| {
        // Sent while it is frozen, on a connection that it knows.
        let asked = scope.spawn(|| kept.send(&list).unwrap());
        servers.servers[1].thaw().unwrap();
        let answer = asked.join().unwrap().success().unwrap();
        assert_eq!(answer.json().unwrap()["totalItems"], 0, "the old rule");
    });
    servers.change(1, &json!({ "listRule": "" }));
    let answer = servers.servers[0].client().send(&Request::get(RECORDS)).unwrap();
    assert_eq!(answer.json().unwrap()["totalItems"], 1);
}
