//! A stream at one server, its topics set through another one, events from all.

use std::time::Duration;

use pando_testkit::Request;
use pando_testkit::sse::SseClient;
use serde_json::{Value, json};

use super::{RECORDS, Servers, id};

const DEADLINE: Duration = Duration::from_secs(10);

#[test]
fn streams_bring_what_any_server_writes() {
    let mut servers = Servers::start(3);
    let mut stream = SseClient::connect(servers.servers[0].addr(), DEADLINE).unwrap();
    let body = json!({ "clientId": stream.client_id(), "subscriptions": ["things/*"] });
    let subscribe = Request::post("/api/realtime").json(&body);
    servers.servers[1].client().send(&subscribe).unwrap().success().unwrap();
    let thing = id("thing", 1);
    let create = Request::post(RECORDS).json(&json!({ "id": thing, "n": 0 }));
    servers.servers[2].client().send(&create).unwrap().success().unwrap();
    for n in 1..=12 {
        let change = Request::patch(format!("{RECORDS}/{thing}")).json(&json!({ "n": n }));
        servers.servers[n % 3].client().send(&change).unwrap().success().unwrap();
    }
    let mut seen = Vec::new();
    while seen.len() < 13 {
        let event = stream.next_event(DEADLINE).unwrap().expect("an event in time");
        let data: Value = serde_json::from_str(&event.data).unwrap();
        seen.push(data["record"]["n"].as_u64().unwrap());
    }
    assert_eq!(seen, (0..=12).collect::<Vec<_>>());
    // What may be seen changes for all streams, through whichever server.
    servers.change(2, &json!({ "listRule": "n > 100" }));
    for n in [1, 101] {
        let change = Request::patch(format!("{RECORDS}/{thing}")).json(&json!({ "n": n }));
        servers.servers[1].client().send(&change).unwrap().success().unwrap();
    }
    let event = stream.next_event(DEADLINE).unwrap().expect("an event in time");
    assert!(event.data.contains("\"n\":101"), "{}", event.data);
}

#[test]
fn nobody_subscribes_for_a_stream_that_is_not_there() {
    let mut servers = Servers::start(2);
    let stream = SseClient::connect(servers.servers[0].addr(), DEADLINE).unwrap();
    let client_id = stream.client_id().to_owned();
    let ask = |client_id: &str| {
        let body = json!({ "clientId": client_id, "subscriptions": ["things/*"] });
        Request::post("/api/realtime").json(&body)
    };
    let other = &servers.servers[1];
    assert_eq!(other.client().send(&ask(&client_id)).unwrap().status, 204);
    let unknown = format!("{}{}", &client_id[..10], "x".repeat(30));
    assert_eq!(other.client().send(&ask(&unknown)).unwrap().status, 404);
    assert_eq!(other.client().send(&ask("nobody")).unwrap().status, 404);
    // With its server, a stream is gone.
    drop(stream);
    servers.servers[0].kill().unwrap();
    assert_eq!(servers.servers[1].client().send(&ask(&client_id)).unwrap().status, 404);
}
