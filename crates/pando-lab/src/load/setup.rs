//! Collections and users for a load, made anew through a superuser.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pando_history::Counter;
use serde_json::{Value, json};

use super::LoadOptions;
use crate::http::{HttpClient, Request};
use crate::wait::wait_for;

pub(super) const RECORDS: &str = "lab_records";
pub(super) const COUNTERS: &str = "lab_counters";
const USERS: &str = "lab_users";

/// Sessions share users, since each login takes a password hash.
const USERS_MAX: usize = 8;
const PASSWORD: &str = "a-password-for-load";

/// Counters that all sessions increase.
const SHARED_COUNTERS: u32 = 3;

/// A server may just have started, and sees a new collection soon.
const SERVERS_WITHIN: Duration = Duration::from_secs(30);

/// What a load stands on.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) root_token: String,
    /// Addresses and tokens of the users.
    pub(super) users: Vec<(String, String)>,
    /// The record of each shared counter, whose number is its place.
    pub(super) counters: Vec<String>,
}

pub(super) fn prepare(options: &LoadOptions) -> Result<Ground> {
    ensure!(!options.servers.is_empty(), "there is no server to load");
    ensure!(options.clients > 0, "a load needs at least one client");
    let (mut root, root_token) = wait_for("a login as superuser", SERVERS_WITHIN, || {
        Ok(options.servers.iter().find_map(|server| login_root(options, *server)))
    })?;
    let mut root = |request: Request| root_request(&mut root, &root_token, request);
    for name in [RECORDS, COUNTERS, USERS] {
        // It may not be there.
        let _ = root(Request::delete(format!("/api/collections/{name}")));
    }
    for definition in definitions() {
        root(Request::post("/api/collections").json(&definition))?;
    }
    let mut users = Vec::new();
    for number in 0..options.clients.clamp(1, USERS_MAX) {
        let email = format!("client{number}@example.com");
        let user = json!({ "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD });
        root(Request::post(format!("/api/collections/{USERS}/records")).json(&user))?;
        let answer = root(login_request(&email))?;
        let token = answer["token"].as_str().context("a login without token")?;
        users.push((email, token.to_owned()));
    }
    let mut counters = Vec::new();
    for number in 0..SHARED_COUNTERS {
        let answer = root(new_counter(Counter(number)))?;
        counters.push(answer["id"].as_str().context("a record without id")?.to_owned());
    }
    let ground = Ground { root_token: root_token.clone(), users, counters };
    await_servers(options, &ground)?;
    Ok(ground)
}

/// The request of a user's login.
pub(super) fn login_request(email: &str) -> Request {
    let body = json!({ "identity": email, "password": PASSWORD });
    Request::post(format!("/api/collections/{USERS}/auth-with-password")).json(&body)
}

/// The request that makes a counter.
pub(super) fn new_counter(counter: Counter) -> Request {
    let body = json!({ "number": counter.0, "n": 0 });
    Request::post(format!("/api/collections/{COUNTERS}/records")).json(&body)
}

fn definitions() -> [Value; 3] {
    // Rules that must look at who asks, as those of most applications do.
    let rules = |mut definition: Value| {
        for rule in ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"] {
            definition[rule] = json!("@request.auth.id != ''");
        }
        definition
    };
    [
        json!({ "name": USERS, "type": "auth" }),
        rules(json!({
            "name": RECORDS, "type": "base",
            "fields": [
                // Not unique: what is made twice must show.
                { "name": "key", "type": "text" },
                { "name": "owner", "type": "number" },
                { "name": "version", "type": "number" },
                { "name": "text", "type": "text" },
            ],
            "indexes": [format!("CREATE INDEX idx_{RECORDS}_owner ON {RECORDS} (owner)")],
        })),
        rules(json!({
            "name": COUNTERS, "type": "base",
            "fields": [{ "name": "number", "type": "number" }, { "name": "n", "type": "number" }],
        })),
    ]
}

/// Logs the superuser in; `None` if that server does not let him.
pub(super) fn login_root(
    options: &LoadOptions,
    server: SocketAddr,
) -> Option<(HttpClient, String)> {
    let mut client = HttpClient::new(server).with_timeout(options.deadline);
    let (email, password) = &options.superuser;
    let body = json!({ "identity": email, "password": password });
    let path = "/api/collections/_superusers/auth-with-password";
    let answer = client.send(&Request::post(path).json(&body)).ok()?.success().ok()?.json().ok()?;
    Some((client, answer["token"].as_str()?.to_owned()))
}

fn root_request(client: &mut HttpClient, token: &str, request: Request) -> Result<Value> {
    let title = format!("{} {}", request.method, request.target);
    let answer = client.send(&request.token(token))?.success();
    let answer = answer.with_context(|| format!("{title} failed"))?;
    if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
}

/// Until each server that answers at all knows the new collections and users.
fn await_servers(options: &LoadOptions, ground: &Ground) -> Result<()> {
    for server in &options.servers {
        let mut client = HttpClient::new(*server).with_timeout(options.deadline);
        wait_for(&format!("the collections at {server}"), SERVERS_WITHIN, || {
            let path = format!("/api/collections/{COUNTERS}/records?perPage=1");
            let request = Request::get(path).token(&ground.users[0].1);
            Ok(match client.send(&request) {
                Ok(answer) => {
                    let count = answer.json().ok().and_then(|json| json["totalItems"].as_u64());
                    (count == Some(u64::from(SHARED_COUNTERS))).then_some(())
                }
                // It is down; the load will see.
                Err(_) => Some(()),
            })
        })?;
    }
    Ok(())
}
