//! Realtime: subscriptions and the transcript of events each subscriber gets.
//!
//! A public record with a mark is written after each change; a stream is read until it shows.

use serde_json::json;

use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, BOB, Dataset};
use crate::compare::scenario::{Action, Actor, Step, subscribe};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "realtime", weight: 4, catalog, random };

fn connect(stream: &'static str) -> Step {
    Step::of(Actor::Guest, Action::Connect(stream)).headers(&["x-accel-buffering"])
}

fn disconnect(stream: &'static str) -> Step {
    Step::of(Actor::Guest, Action::Disconnect(stream))
}

/// Writes a mark, then reads the streams until it shows.
fn mark(number: usize, streams: &[&'static str]) -> Vec<Step> {
    let mark = format!("mark-{number}");
    let mut steps = vec![Step::post(Actor::Guest, records("beacons"), &json!({ "mark": mark }))];
    for stream in streams {
        steps.push(Step::of(Actor::Guest, Action::Events { stream, until: mark.clone() }));
    }
    steps
}

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = refused_cases();
    cases.push(rule_case());
    cases.push(option_case(dataset));
    cases.push(user_case());
    cases.push(change_of_subscription_case());
    cases.push(cascade_case());
    cases.push(batch_case());
    cases
}

fn refused_cases() -> Vec<Vec<Step>> {
    let client = "{{client.r}}";
    let bodies = [
        json!({}),
        json!({ "clientId": "" }),
        json!({ "clientId": "unknown", "subscriptions": [] }),
        json!({ "clientId": client }),
        json!({ "clientId": client, "subscriptions": null }),
        json!({ "clientId": client, "subscriptions": "x" }),
        json!({ "clientId": client, "subscriptions": [""] }),
        json!({ "clientId": client, "subscriptions": ["unknown", "posts/x", "a b", "posts?options=%7B"] }),
        json!({ "clientId": client, "subscriptions": [1] }),
        json!({ "clientId": client, "subscriptions": ["x".repeat(2501)] }),
        json!({ "clientId": client, "subscriptions": vec!["x"; 1001] }),
        json!({ "clientId": 1, "subscriptions": [] }),
        json!({ "clientId": "x".repeat(300), "subscriptions": [] }),
        json!({ "clientId": client, "subscriptions": ["posts/*", "posts", "POSTS/*"] }),
    ];
    bodies
        .iter()
        .map(|body| {
            vec![connect("r"), Step::post(Actor::Guest, "/api/realtime", body), disconnect("r")]
        })
        .collect()
}

/// The same changes seen by a guest, two users and a superuser.
fn rule_case() -> Vec<Step> {
    let streams = [("a", Actor::Guest), ("b", Actor::Alice), ("c", Actor::Bob), ("d", Actor::Root)];
    let names: Vec<&'static str> = streams.iter().map(|(name, _)| *name).collect();
    let mut steps = Vec::new();
    for (name, actor) in streams {
        steps.push(connect(name));
        let all = ["beacons/*", "notes/*", "posts/*", "locked/*", "users/*", "teams", "gates/*"];
        steps.push(subscribe(actor, name, &all));
    }
    let id = |number: usize| new_id("live", number);
    let changes = [
        Step::post(
            Actor::Root,
            records("notes"),
            &json!({ "id": id(1), "text": "of alice", "owner": ALICE }),
        ),
        Step::patch(
            Actor::Root,
            record("notes", &id(1)),
            &json!({ "text": "now of bob", "owner": BOB }),
        ),
        Step::patch(Actor::Root, record("notes", &id(1)), &json!({ "size": 5 })),
        Step::delete(Actor::Root, record("notes", &id(1))),
        Step::post(Actor::Root, records("locked"), &json!({ "id": id(2), "text": "secret" })),
        Step::post(
            Actor::Alice,
            records("posts"),
            &json!({ "id": id(3), "title": "draft", "author": ALICE, "status": "draft", "secret": "s" }),
        ),
        Step::patch(
            Actor::Alice,
            record("posts", &id(3)),
            &json!({ "status": "open", "editors": [BOB] }),
        ),
        Step::patch(Actor::Alice, record("posts", &id(3)), &json!({ "title": "" })),
        Step::delete(Actor::Alice, record("posts", &id(3))),
        Step::post(Actor::Root, records("teams"), &json!({ "id": id(4), "name": "live team" })),
        Step::patch(Actor::Bob, record("users", BOB), &json!({ "name": "Bob live" })),
        Step::post(
            Actor::Guest,
            records("gates"),
            &json!({ "id": id(5), "name": "long name", "level": 1 }),
        ),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        steps.push(change);
        steps.extend(mark(100 + number, &names));
    }
    steps.extend(names.into_iter().map(disconnect));
    steps
}

/// `options`: query and headers that belong to one subscription.
fn option_case(dataset: &Dataset) -> Vec<Step> {
    let options = |value: serde_json::Value| super::super::scenario::encode(&value.to_string());
    let keyed = format!("gates/*?options={}", options(json!({ "headers": { "x-key": "abc" } })));
    let queried = format!("gates/*?options={}", options(json!({ "query": { "key": "ccc" } })));
    let expanded = format!(
        "comments/*?options={}",
        options(
            json!({ "query": { "expand": "post.author,user", "fields": "id,text,expand.user.name,expand.post.title" } })
        )
    );
    let filtered =
        format!("comments/*?options={}", options(json!({ "query": { "filter": "likes > 3" } })));
    let broken = "comments/*?options=nonsense".to_owned();
    let single = format!("posts/{}", dataset.nth("posts", 0));
    let mut steps = vec![
        connect("o"),
        subscribe(
            Actor::Alice,
            "o",
            &["beacons/*", &keyed, &queried, &expanded, &filtered, &broken, &single, "comments"],
        ),
    ];
    let comment = new_id("livecomment", 1);
    let changes = [
        Step::post(Actor::Root, records("gates"), &json!({ "name": "ccc", "level": 2 })),
        Step::post(Actor::Root, records("gates"), &json!({ "name": "ddd", "level": 2 })),
        Step::post(
            Actor::Root,
            records("comments"),
            &json!({ "id": comment, "text": "live one", "post": dataset.nth("posts", 0), "user": BOB, "likes": 2 }),
        ),
        Step::patch(Actor::Root, record("comments", &comment), &json!({ "likes+": 5 })),
        Step::patch(Actor::Root, record("posts", dataset.nth("posts", 0)), &json!({ "views+": 1 })),
        Step::delete(Actor::Root, record("comments", &comment)),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        steps.push(change);
        steps.extend(mark(200 + number, &["o"]));
    }
    steps.push(disconnect("o"));
    steps
}

/// A subscriber whose own record changes or goes.
fn user_case() -> Vec<Step> {
    let user = new_id("listener", 1);
    let account = json!({ "id": user, "email": "listener@example.com", "password": "1234567890", "passwordConfirm": "1234567890" });
    let login = json!({ "identity": "listener@example.com", "password": "1234567890" });
    let subscribe_own = |token: &str| {
        let body = json!({ "clientId": "{{client.u}}", "subscriptions": ["users/*", "beacons/*", "notes/*"] });
        Step::new(
            Actor::Guest,
            crate::http::Request::post("/api/realtime").header("Authorization", token).json(&body),
        )
    };
    let mut steps = vec![
        Step::post(Actor::Root, records("users"), &account),
        Step::post(Actor::Guest, "/api/collections/users/auth-with-password", &login)
            .capture("listener", "/token"),
        connect("u"),
        subscribe_own("{{listener}}"),
        // Another user may not take over the stream.
        subscribe_own("{{token.bob}}"),
        Step::post(
            Actor::Root,
            records("notes"),
            &json!({ "text": "for listener", "owner": user }),
        ),
    ];
    steps.extend(mark(300, &["u"]));
    steps.push(Step::patch(Actor::Root, record("users", &user), &json!({ "name": "renamed" })));
    steps.extend(mark(301, &["u"]));
    steps.push(Step::delete(Actor::Root, record("users", &user)));
    steps.push(disconnect("u"));
    steps
}

fn change_of_subscription_case() -> Vec<Step> {
    let mut steps = vec![connect("s"), subscribe(Actor::Guest, "s", &["beacons/*"])];
    steps.extend(mark(400, &["s"]));
    steps.push(subscribe(Actor::Guest, "s", &["beacons/*", "teams/*"]));
    steps.push(Step::post(Actor::Guest, records("teams"), &json!({ "name": "seen" })));
    steps.extend(mark(401, &["s"]));
    steps.push(subscribe(Actor::Guest, "s", &["beacons"]));
    steps.push(Step::post(Actor::Guest, records("teams"), &json!({ "name": "not seen" })));
    steps.extend(mark(402, &["s"]));
    steps.push(disconnect("s"));
    steps
}

fn cascade_case() -> Vec<Step> {
    let id = |number: usize| new_id("livetree", number);
    let mut steps = vec![
        connect("t"),
        subscribe(
            Actor::Root,
            "t",
            &["beacons/*", "posts/*", "comments/*", "categories/*", "joins/*"],
        ),
        Step::post(
            Actor::Root,
            records("categories"),
            &json!({ "id": id(1), "name": "live category" }),
        ),
        Step::post(
            Actor::Root,
            records("posts"),
            &json!({ "id": id(2), "title": "live", "category": id(1) }),
        ),
        Step::post(
            Actor::Root,
            records("comments"),
            &json!({ "id": id(3), "text": "live", "post": id(2) }),
        ),
        Step::post(
            Actor::Root,
            records("joins"),
            &json!({ "id": id(4), "label": "live", "post": id(2) }),
        ),
    ];
    steps.extend(mark(500, &["t"]));
    steps.push(Step::delete(Actor::Root, record("categories", &id(1))));
    steps.extend(mark(501, &["t"]));
    steps.push(disconnect("t"));
    steps
}

fn batch_case() -> Vec<Step> {
    let teams = records("teams");
    let good = json!({ "requests": [
        { "method": "POST", "url": teams, "body": { "name": "batch 1" } }, { "method": "POST", "url": teams, "body": { "name": "batch 2" } },
    ] });
    let bad = json!({ "requests": [
        { "method": "POST", "url": teams, "body": { "name": "rolled back" } }, { "method": "POST", "url": teams, "body": {} },
    ] });
    let mut steps = vec![connect("b"), subscribe(Actor::Guest, "b", &["beacons/*", "teams/*"])];
    steps.push(Step::post(Actor::Guest, "/api/batch", &good));
    steps.extend(mark(600, &["b"]));
    steps.push(Step::post(Actor::Guest, "/api/batch", &bad));
    steps.extend(mark(601, &["b"]));
    steps.push(disconnect("b"));
    steps
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let topics =
        ["kinds/*", "teams/*", "notes/*", "posts/*", "gates/*", "users/*", "kinds", "comments/*"];
    let mut chosen = vec!["beacons/*"];
    for _ in 0..1 + rng.below(4) {
        chosen.push(*rng.pick(&topics));
    }
    let actor = *rng.pick(&Actor::ALL);
    let mut steps = vec![connect("x"), subscribe(actor, "x", &chosen)];
    for _ in 0..3 {
        let collection = *rng.pick(&["kinds", "teams", "gates", "notes"]);
        let id = dataset.any(collection, rng);
        let change = match collection {
            "kinds" => json!({ "number+": 1 }),
            "teams" => json!({ "name": "changed" }),
            "gates" => json!({ "level": rng.below(9) }),
            _ => json!({ "owner": rng.pick(&[ALICE, BOB]) }),
        };
        steps.push(Step::patch(Actor::Root, record(collection, id), &change));
        steps.extend(mark(rng.below(1 << 30), &["x"]));
    }
    steps.push(disconnect("x"));
    steps
}
