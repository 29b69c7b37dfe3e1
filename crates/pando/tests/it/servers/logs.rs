//! The logs of all servers are read at any of them, and chores are seen and run at any.

use std::collections::BTreeSet;
use std::time::Duration;

use pando_testkit::{Request, wait_for};
use serde_json::{Value, json};

use super::Servers;

/// Servers write their entries every second.
const DEADLINE: Duration = Duration::from_secs(20);

/// Sends a request of that name to one of the servers, and returns its status.
fn ask(servers: &Servers, server: usize, path: &str, name: &str) -> u16 {
    let request = Request::get(format!("{path}?name={name}"));
    servers.servers[server].client().send(&request).unwrap().status
}

/// The entries about requests of names that begin so, as one of the servers shows them.
fn found(servers: &mut Servers, server: usize, name: &str) -> Vec<Value> {
    let filter = format!("data.url~'name={name}'").replace('=', "%3D");
    let list = Request::get(format!("/api/logs?filter={filter}&sort=data.url"));
    let list = servers.roots[server].json(list).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Waits until one of the servers shows so many of them.
fn wait_until_found(servers: &mut Servers, server: usize, name: &str, count: usize) -> Vec<Value> {
    wait_for("the entries", DEADLINE, || {
        let found = found(servers, server, name);
        Ok((found.len() == count).then_some(found))
    })
    .unwrap()
}

#[test]
fn logs_of_all_servers_are_read_at_any() {
    let mut servers = Servers::start(3);
    for server in 0..3 {
        assert_eq!(ask(&servers, server, "/api/health", &format!("a{server}")), 200);
        assert_eq!(ask(&servers, server, "/api/nowhere", &format!("a{server}x")), 404);
    }
    for reader in 0..3 {
        let entries = wait_until_found(&mut servers, reader, "a", 6);
        let by: BTreeSet<_> =
            entries.iter().map(|entry| entry["data"]["server"].as_str()).collect();
        assert_eq!(by.len(), 3, "{entries:#?}");
        let path = format!("/api/logs/{}", entries[0]["id"].as_str().unwrap());
        assert_eq!(servers.roots[(reader + 1) % 3].json(Request::get(path)).unwrap(), entries[0]);
        let hours = Request::get("/api/logs/stats?filter=level%3D8%26%26data.url~'name%3Da'");
        let hours = servers.roots[reader].json(hours).unwrap();
        let total = |hour: &Value| hour["total"].as_u64().unwrap();
        assert_eq!(hours.as_array().unwrap().iter().map(total).sum::<u64>(), 3);
    }
    servers.roots[1].json(Request::delete("/api/logs")).unwrap();
    assert_eq!(found(&mut servers, 2, "a"), [] as [Value; 0]);
}

#[test]
fn settings_decide_what_all_servers_log() {
    let mut servers = Servers::start(2);
    ask(&servers, 0, "/api/health", "b1");
    ask(&servers, 0, "/api/nowhere", "b2");
    let entries = wait_until_found(&mut servers, 1, "b", 2);
    assert_eq!(entries[0]["data"]["userIP"], "127.0.0.1");
    // What is below the level goes, too.
    let logs = json!({ "maxDays": 1, "minLevel": 5, "logIP": false, "logAuthId": true });
    let change = |logs: Value| Request::patch("/api/settings").json(&json!({ "logs": logs }));
    servers.roots[1].json(change(logs)).unwrap();
    assert_eq!(found(&mut servers, 0, "b").len(), 1);
    ask(&servers, 0, "/api/health", "b3");
    let refused = Request::get("/api/collections/nothing/records?name=b4");
    servers.roots[0].json(refused).unwrap_err();
    // What a server reads is at least what it has logged itself.
    let entries = found(&mut servers, 0, "b");
    let urls: Vec<_> = entries.iter().map(|entry| entry["data"]["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["/api/collections/nothing/records?name=b4", "/api/nowhere?name=b2"]);
    let data = &entries[0]["data"];
    assert_eq!((data.get("userIP"), data["auth"].as_str()), (None, Some("_superusers")));
    assert_eq!(data["authId"].as_str().unwrap().len(), 15);
    // None are kept, so none are made.
    servers.roots[0].json(change(json!({ "maxDays": 0 }))).unwrap();
    ask(&servers, 1, "/api/nowhere", "b5");
    assert_eq!(found(&mut servers, 1, "b"), [] as [Value; 0]);
}

#[test]
fn chores_are_seen_and_run_at_any_server() {
    let mut servers = Servers::start(2);
    let enable = json!({ "rateLimits": { "enabled": true } });
    servers.roots[0].json(Request::patch("/api/settings").json(&enable)).unwrap();
    for root in &mut servers.roots {
        let crons = root.json(Request::get("/api/crons")).unwrap();
        assert_eq!(crons.as_array().unwrap().len(), 5, "{crons}");
        root.json(Request::post("/api/crons/__pbLogsCleanup__")).unwrap();
        root.json(Request::post("/api/crons/nothing")).unwrap_err();
    }
}
