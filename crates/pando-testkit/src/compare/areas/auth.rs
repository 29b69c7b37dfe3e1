//! Logins, refreshes, methods, impersonation and what makes a token void.

use serde_json::{Value, json};

use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, BOB, Dataset, MIA, PASSWORD, ROOT_EMAIL};
use crate::compare::scenario::{Actor, Step};
use crate::http::{Multipart, Request};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "auth", weight: 5, catalog, random };

fn login_path(collection: &str) -> String {
    format!("/api/collections/{collection}/auth-with-password")
}

fn login(collection: &str, body: &Value) -> Step {
    Step::post(Actor::Guest, login_path(collection), body)
}

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = login_cases();
    cases.extend(void_login_cases());
    for collection in [
        "users",
        "members",
        "_superusers",
        "posts",
        "unknown",
        "Users",
        &dataset.collections["users"],
    ] {
        for actor in [Actor::Guest, Actor::Alice] {
            let path = format!("/api/collections/{collection}/auth-methods");
            cases.push(vec![
                Step::get(actor, path.clone()),
                Step::get(actor, path + "?fields=password,mfa.enabled"),
            ]);
        }
        for actor in Actor::ALL {
            let path = format!("/api/collections/{collection}/auth-refresh");
            cases.push(vec![Step::new(actor, Request::post(path))]);
        }
    }
    cases.extend(query_cases());
    cases.extend(impersonate_cases());
    cases.extend(lifecycle_cases());
    cases
}

fn login_cases() -> Vec<Vec<Step>> {
    let good = [
        ("users", "alice@example.com"),
        ("users", "alice"),
        ("users", "ALICE@example.com"),
        ("users", "bob"),
        ("members", "mia@example.com"),
        ("_superusers", ROOT_EMAIL),
    ];
    let mut cases: Vec<Vec<Step>> = good
        .iter()
        .map(|(collection, identity)| {
            vec![login(collection, &json!({ "identity": identity, "password": PASSWORD }))]
        })
        .collect();
    for field in ["email", "username", "", "name", "id", "unknown"] {
        cases.push(vec![login(
            "users",
            &json!({ "identity": "alice", "password": PASSWORD, "identityField": field }),
        )]);
        cases.push(vec![login("users", &json!({ "identity": "alice@example.com", "password": PASSWORD, "identityField": field }))]);
    }
    let form = Multipart::new().text("identity", "alice").text("password", PASSWORD);
    cases.push(vec![Step::form(Actor::Guest, "POST", login_path("users"), &form)]);
    let encoded = Request::post(login_path("users"))
        .bytes("application/x-www-form-urlencoded", "identity=alice&password=1234567890");
    cases.push(vec![Step::new(Actor::Guest, encoded)]);
    // Logging in while logged in.
    cases.push(vec![Step::post(
        Actor::Bob,
        login_path("users"),
        &json!({ "identity": "alice", "password": PASSWORD }),
    )]);
    cases
}

fn void_login_cases() -> Vec<Vec<Step>> {
    let bodies = [
        json!({}),
        json!({ "identity": "", "password": "" }),
        json!({ "identity": "alice" }),
        json!({ "password": PASSWORD }),
        json!({ "identity": "alice", "password": "wrong" }),
        json!({ "identity": "nobody", "password": PASSWORD }),
        json!({ "identity": "nobody@example.com", "password": PASSWORD }),
        json!({ "identity": 1, "password": 2 }),
        json!({ "identity": null, "password": null }),
        json!({ "identity": ["alice"], "password": PASSWORD }),
        json!({ "identity": true, "password": PASSWORD }),
        json!({ "identity": "alice' OR 1=1 --", "password": PASSWORD }),
        json!({ "identity": "alice", "password": "1".repeat(80) }),
        json!({ "identity": "a".repeat(300), "password": PASSWORD }),
        json!({ "identity": " alice ", "password": PASSWORD }),
        json!({ "identity": "alice%", "password": PASSWORD }),
        json!({ "identity": "alice", "password": "1".repeat(300) }),
        json!({ "identity": "alice", "password": PASSWORD, "extra": 1 }),
        json!({ "identity": ALICE, "password": PASSWORD }),
        json!({ "identity": "max@example.com", "password": PASSWORD }),
    ];
    let mut cases = Vec::new();
    for body in &bodies {
        cases.push(vec![login("users", body)]);
    }
    for collection in ["members", "_superusers", "posts", "unknown"] {
        for body in [&bodies[0], &bodies[4], &bodies[5], &bodies[19]] {
            cases.push(vec![login(collection, body)]);
        }
    }
    cases
}

fn query_cases() -> Vec<Vec<Step>> {
    let body = json!({ "identity": "alice", "password": PASSWORD });
    [
        "?expand=team.owner&fields=record.id,record.expand",
        "?fields=token",
        "?fields=*,record.expand.team.name&expand=team",
        "?expand=unknown",
        "?fields=record.email,meta",
        "?fields=record.email:excerpt(3)",
    ]
    .iter()
    .map(|query| {
        let refresh = format!("/api/collections/users/auth-refresh{query}");
        vec![
            Step::post(Actor::Guest, login_path("users") + query, &body),
            Step::new(Actor::Alice, Request::post(refresh)),
        ]
    })
    .collect()
}

fn impersonate_cases() -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for (collection, id) in [
        ("users", BOB),
        ("members", MIA),
        ("users", "unknown"),
        ("members", BOB),
        ("posts", BOB),
        ("unknown", BOB),
    ] {
        let path = format!("/api/collections/{collection}/impersonate/{id}");
        for actor in Actor::ALL {
            cases.push(vec![Step::post(actor, path.clone(), &json!({}))]);
        }
        for duration in [
            json!(0),
            json!(60),
            json!(-1),
            json!("90"),
            json!("a"),
            json!(null),
            json!(1.5),
            json!(99_999_999),
        ] {
            cases.push(vec![Step::post(
                Actor::Root,
                path.clone(),
                &json!({ "duration": duration }),
            )]);
        }
    }
    cases.push(vec![
        Step::new(
            Actor::Root,
            Request::post(
                "/api/collections/users/impersonate/bob000000000002?expand=team&fields=*",
            ),
        )
        .capture("as_bob", "/token"),
        Step::new(
            Actor::Guest,
            Request::get(records("notes") + "?sort=id").header("Authorization", "{{as_bob}}"),
        ),
        // A token of impersonation is not refreshable.
        Step::new(
            Actor::Guest,
            Request::post("/api/collections/users/auth-refresh")
                .header("Authorization", "{{as_bob}}"),
        ),
    ]);
    cases
}

/// A user of its own for each: signs up, logs in, changes what voids tokens, leaves.
fn lifecycle_cases() -> Vec<Vec<Step>> {
    let changes = [
        json!({ "password": "newpassword1", "passwordConfirm": "newpassword1", "oldPassword": PASSWORD }),
        json!({ "password": "newpassword1", "passwordConfirm": "newpassword1" }),
        json!({ "password": "newpassword1", "passwordConfirm": "newpassword1", "oldPassword": "wrong" }),
        json!({ "password": "newpassword1", "passwordConfirm": "other12345", "oldPassword": PASSWORD }),
        json!({ "password": "short", "passwordConfirm": "short", "oldPassword": PASSWORD }),
        json!({ "email": "changed@example.com" }),
        json!({ "verified": true }),
        json!({ "emailVisibility": true, "name": "n" }),
        json!({ "tokenKey": "k".repeat(40) }),
        json!({ "username": "alice" }),
        json!({ "username": "" }),
        json!({ "role": "admin" }),
        json!({ "id": "other0000000001" }),
        json!({ "password": "" }),
        json!({ "oldPassword": PASSWORD }),
    ];
    let mut cases = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let id = new_id("life", number);
        let name = format!("life{number}");
        let body = json!({ "id": id, "email": format!("{name}@example.com"), "username": name, "password": PASSWORD, "passwordConfirm": PASSWORD });
        let with_token =
            |request: Request| Step::new(Actor::Guest, request.header("Authorization", "{{own}}"));
        let login_body = |password: &str| json!({ "identity": name, "password": password });
        cases.push(vec![
            Step::post(Actor::Guest, records("users"), &body),
            login("users", &login_body(PASSWORD)).capture("own", "/token"),
            with_token(Request::get(record("users", &id))),
            with_token(Request::patch(record("users", &id)).json(change)),
            with_token(Request::get(record("users", &id))),
            with_token(Request::post("/api/collections/users/auth-refresh")),
            login("users", &login_body("newpassword1")),
            Step::patch(Actor::Alice, record("users", &id), change),
            Step::patch(Actor::Root, record("users", &id), change),
            Step::get(Actor::Root, record("users", &id)),
            Step::patch(Actor::Bob, record("users", &id), &json!({ "name": "x" })),
            with_token(Request::delete(record("users", &id))),
            with_token(Request::post("/api/collections/users/auth-refresh")),
            Step::delete(Actor::Root, record("users", &id)),
        ]);
    }
    cases
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let collection = *rng.pick(&["users", "members", "_superusers"]);
    let identity = *rng.pick(&[
        "alice",
        "bob",
        "user3",
        "mia@example.com",
        ROOT_EMAIL,
        "alice@example.com",
        "nobody",
    ]);
    let password = *rng.pick(&[PASSWORD, PASSWORD, "wrong password"]);
    vec![login(collection, &json!({ "identity": identity, "password": password }))]
}
