//! What the database refuses while the server runs.

use std::time::Duration;

use pando_testkit::{HttpClient, Postgres, PostgresSetup, Request, wait_for};
use serde_json::{Value, json};

use super::{App, RECORDS, id};

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn a_nul_is_a_mistake_of_the_client() {
    let postgres = Postgres::start().unwrap();
    let app = App::start(&postgres, &[]);
    let mut client = app.server.client();
    let answer = client.send(&Request::post(RECORDS).json(&json!({ "title": "a\0b" }))).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer: Value = answer.json().unwrap();
    let told = answer["data"]["title"]["message"].as_str().unwrap_or_default();
    assert!(told.contains("NUL"), "{answer}");
    let made = json!({ "id": id("thing", 1), "title": "a" });
    client.send(&Request::post(RECORDS).json(&made)).unwrap().success().unwrap();
    let path = format!("{RECORDS}/{}", id("thing", 1));
    let answer = client.send(&Request::patch(&path).json(&json!({ "title": "\0" }))).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    // As PocketBase answers: no filter can have one, and no record is called so.
    for (query, status) in [("?filter=title%3D%22a%00b%22", 400), ("/no%00ne", 404)] {
        let answer = client.send(&Request::get(format!("{RECORDS}{query}"))).unwrap();
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
    }
}

#[test]
fn a_database_that_only_reads_for_a_while_is_read() {
    let postgres = Postgres::own(PostgresSetup::default()).unwrap();
    // Longer ones wait for it to end.
    let app = App::start(&postgres, &[("PANDO_DATABASE__HOLD_TIMEOUT", "1s")]);
    let mut client = app.server.client();
    let create = Request::post(RECORDS).json(&json!({ "title": "a" }));
    client.send(&create).unwrap().success().unwrap();
    let only_read = |on: &str| {
        let set = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        // One that only reads can be told so all the same.
        postgres.sql("postgres", &set).unwrap();
        postgres.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    };
    only_read("on");
    let refused = wait_for("a refused write", DEADLINE, || {
        let answer = client.send(&create)?;
        Ok((answer.status != 200).then_some(answer))
    });
    let refused = refused.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    client.send(&Request::get(RECORDS)).unwrap().success().unwrap();
    only_read("off");
    wait_for("a write", DEADLINE, || Ok((client.send(&create)?.status == 200).then_some(())))
        .unwrap();
}

/// What the pool wants is more than the server has.
#[test]
fn requests_share_the_connections_that_there_are() {
    let postgres = Postgres::own(PostgresSetup::default().setting("max_connections=8")).unwrap();
    let app = App::start(&postgres, &[("PANDO_DATABASE__CONNECTIONS", "50")]);
    let made = json!({ "id": id("thing", 1), "title": "a" });
    app.server.client().send(&Request::post(RECORDS).json(&made)).unwrap().success().unwrap();
    let addr = app.server.addr();
    let ask = move |number: usize| {
        let mut client = HttpClient::new(addr);
        for round in 0..20 {
            let request = match (number + round) % 3 {
                0 => Request::post(RECORDS).json(&json!({ "title": "b" })),
                1 => Request::get(format!("{RECORDS}/{}", id("thing", 1))),
                _ => Request::get(format!("{RECORDS}?perPage=5")),
            };
            let answer = client.send(&request).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    };
    std::thread::scope(|scope| {
        for number in 0..40 {
            scope.spawn(move || ask(number));
        }
    });
}
