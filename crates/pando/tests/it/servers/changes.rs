//! Collections change on any server while all of them work.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pando_testkit::rng::Rng;
use pando_testkit::{HttpClient, Request};
use serde_json::{Value, json};

use super::{RECORDS, Servers, id};

const CLIENTS: usize = 12;
const CHANGES: usize = 20;

/// What the clients have done and seen.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    /// Ids of records and their number.
    created: Mutex<Vec<(String, usize)>>,
    wrong: Mutex<Vec<String>>,
}

impl Seen {
    /// Creates, changes, views and lists, each time at another server.
    fn client(&self, number: usize, addrs: &[SocketAddr]) {
        let mut clients: Vec<_> = addrs.iter().map(|addr| HttpClient::new(*addr)).collect();
        let mut rng = Rng::new(1).fork(&number.to_string());
        let mut count = 0;
        while !self.over.load(Ordering::Relaxed) {
            let mine = id(&format!("c{number}x"), count);
            let tag = format!("tag {count}");
            // Whatever the other fields are called by now: unknown ones are left out.
            let body = json!({ "id": mine, "n": count, "tag": tag, "x1": 1, "x2": 2, "x3": 3 });
            let path = format!("{RECORDS}/{mine}");
            let requests = [
                Request::post(RECORDS).json(&body),
                Request::get(&path),
                Request::patch(&path).json(&json!({ "tag": tag, "x2": 5 })),
                Request::get(format!(
                    "{RECORDS}?filter=n={count}%26%26tag~'tag'&sort=-n&perPage=5"
                )),
            ];
            for request in requests {
                let client = &mut clients[rng.below(addrs.len())];
                match client.send(&request) {
                    Ok(answer) if answer.status == 200 => {
                        if request.method == "POST" {
                            self.created.lock().unwrap().push((mine.clone(), count));
                        }
                    }
                    Ok(answer) => {
                        let (status, text) = (answer.status, answer.text());
                        let what =
                            format!("{} {}: {status} {text}", request.method, request.target);
                        self.wrong.lock().unwrap().push(what);
                    }
                    Err(error) => self.wrong.lock().unwrap().push(format!("{error:#}")),
                }
            }
            count += 1;
        }
    }
}

#[test]
fn collections_change_on_any_server_under_load() {
    let mut servers = Servers::start(3);
    let addrs: Vec<_> = servers.servers.iter().map(|server| server.addr()).collect();
    let (seen, mut rng) = (Seen::default(), Rng::new(1));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (seen, addrs) = (&seen, &addrs);
            scope.spawn(move || seen.client(number, addrs));
        }
        for round in 0..CHANGES {
            change(&mut servers, rng.below(3), round);
        }
        seen.over.store(true, Ordering::Relaxed);
    });
    let wrong = seen.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} answers like {:#?}", wrong.len(), &wrong[..wrong.len().min(3)]);
    let created = seen.created.into_inner().unwrap();
    assert!(created.len() > CLIENTS, "{}", created.len());
    for (number, (id, n)) in created.iter().enumerate() {
        let path = Request::get(format!("{RECORDS}/{id}"));
        let record = servers.roots[number % 3].json(path).unwrap();
        assert_eq!((&record["n"], &record["tag"]), (&json!(n), &json!(format!("tag {n}"))), "{id}");
    }
}

/// Adds a field, renames it, makes another kind of it, drops it, changes rules and indexes.
fn change(servers: &mut Servers, server: usize, round: usize) {
    let mut fields = servers.fields(server);
    let own = |fields: &[Value]| {
        fields.iter().position(|field| field["name"].as_str().unwrap().starts_with('x'))
    };
    let change = match (round % 5, own(&fields)) {
        (0, _) => {
            fields.push(json!({ "type": "number", "name": "x1" }));
            json!({ "fields": fields })
        }
        (1, Some(index)) => {
            fields[index]["name"] = json!("x2");
            json!({ "fields": fields })
        }
        (2, Some(index)) => {
            fields[index] = json!({ "type": "text", "name": "x3" });
            json!({ "fields": fields, "indexes": ["CREATE INDEX idx_x ON things (x3)"] })
        }
        (3, Some(index)) => {
            fields.remove(index);
            json!({ "fields": fields, "indexes": [] })
        }
        _ => json!({ "listRule": if round.is_multiple_of(2) { "n >= 0" } else { "" } }),
    };
    servers.change(server, &change);
}
