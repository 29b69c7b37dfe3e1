//! Creating records: every field with fitting, odd and forbidden values, rules, ids, uniqueness.

use serde_json::{Value, json};

use super::values::{KINDS, fitting, limit_values, odd, valid_limits};
use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, BOB, Dataset, PASSWORD};
use crate::compare::scenario::{Actor, Step};
use crate::http::{Multipart, Request};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "create", weight: 12, catalog, random };

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for field in KINDS {
        for value in odd() {
            if *field == "word"
                && value.is_string()
                && value.as_str().is_some_and(|text| text.len() > 3)
            {
                continue; // a hash of default cost each: the auth area has enough of them
            }
            cases.push(vec![Step::post(Actor::Guest, records("kinds"), &json!({ *field: value }))]);
        }
    }
    for (field, value) in limit_values(dataset) {
        cases.push(limit_case(dataset, field, &value));
    }
    cases.extend(required_cases(dataset));
    cases.extend(rule_cases(dataset));
    cases.extend(id_cases());
    cases.extend(user_cases());
    cases
}

/// All other fields are valid, so that the answer names this field alone.
fn limit_case(dataset: &Dataset, field: &str, value: &Value) -> Vec<Step> {
    let mut body = valid_limits(dataset);
    body[field] = value.clone();
    let mut form = Multipart::new().text("@jsonPayload", &body.to_string());
    if field != "file" {
        form = form.file("file", "small.txt", "text/plain", b"small");
    }
    vec![Step::form(Actor::Guest, "POST", records("limits"), &form)]
}

fn required_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let valid = valid_limits(dataset);
    let mut cases = vec![
        vec![Step::post(Actor::Guest, records("limits"), &json!({}))],
        vec![Step::post(Actor::Guest, records("limits"), &valid)],
        vec![Step::post(Actor::Root, records("limits"), &json!({ "unknown": 1 }))],
    ];
    for field in valid.as_object().into_iter().flat_map(|members| members.keys()) {
        let mut body = valid.clone();
        body.as_object_mut().map(|members| members.shift_remove(field));
        cases.push(vec![Step::post(Actor::Guest, records("limits"), &body)]);
    }
    cases
}

fn rule_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let (open, other) = (dataset.nth("posts", 0), dataset.nth("posts", 3));
    let bodies = [
        ("posts", json!({ "title": "by alice", "author": ALICE, "status": "open" })),
        ("posts", json!({ "title": "for bob", "author": BOB })),
        ("posts", json!({ "title": "none" })),
        ("posts", json!({ "author": ALICE })),
        ("posts", json!({ "title": "", "author": ALICE, "views": -1 })),
        ("comments", json!({ "text": "a comment", "post": open, "user": ALICE })),
        ("comments", json!({ "text": "x", "post": other })),
        ("comments", json!({ "text": "long enough", "post": "unknown" })),
        ("notes", json!({ "text": "mine", "owner": ALICE })),
        ("notes", json!({ "text": "no owner" })),
        ("gates", json!({ "name": "abc" })),
        ("gates", json!({ "name": "ab" })),
        ("gates", json!({})),
        ("joins", json!({ "label": "x", "post": open })),
        ("locked", json!({ "text": "x" })),
        ("beacons", json!({ "mark": "x" })),
        ("unknown", json!({})),
        ("teams", json!({ "name": "" })),
        ("teams", json!({ "name": "new team", "labels": [1] })),
        ("categories", json!({ "name": "cat 1" })),
        ("categories", json!({ "name": "CAT 1", "rank": 1.5 })),
        ("members", json!({ "email": "new@example.com" })),
        ("_authOrigins", json!({})),
        ("_mfas", json!({})),
        ("_otps", json!({})),
        ("_externalAuths", json!({})),
        ("_superusers", json!({ "email": "x@example.com" })),
    ];
    let mut cases = Vec::new();
    for (collection, body) in &bodies {
        for actor in Actor::ALL {
            cases.push(vec![Step::post(actor, records(collection), body)]);
        }
    }
    let query = "?expand=author.team,editors&fields=*,title:excerpt(3),expand.author.name";
    let body = json!({ "title": "with query", "author": ALICE, "editors": [BOB, ALICE] });
    cases.push(vec![Step::post(Actor::Alice, records("posts") + query, &body)]);
    cases.push(vec![Step::post(
        Actor::Root,
        format!("{}?expand=unknown&fields=unknown", records("posts")),
        &body,
    )]);
    let urlencoded =
        "title=form&author=alice0000000001&tags=red&tags=blue&views=5&published=true&views%2B=2";
    let request =
        Request::post(records("posts")).bytes("application/x-www-form-urlencoded", urlencoded);
    cases.push(vec![Step::new(Actor::Alice, request)]);
    cases
}

/// Explicit ids, the same id twice, a unique value twice, keys that occur twice.
fn id_cases() -> Vec<Vec<Step>> {
    let id = new_id("same", 1);
    let body = json!({ "id": id, "mark": "first" });
    let slug = json!({ "title": "a", "slug": "unique-slug" });
    let twice = Request::post(records("beacons"))
        .bytes("application/json", "{\"mark\":\"a\",\"mark\":\"b\"}");
    vec![
        vec![
            Step::post(Actor::Guest, records("beacons"), &body),
            Step::post(Actor::Guest, records("beacons"), &body),
            Step::get(Actor::Guest, record("beacons", &id)),
            Step::delete(Actor::Guest, record("beacons", &id)),
            Step::post(Actor::Guest, records("beacons"), &body),
        ],
        vec![
            Step::post(Actor::Root, records("posts"), &slug),
            Step::post(Actor::Root, records("posts"), &slug),
        ],
        vec![Step::new(Actor::Guest, twice)],
    ]
}

fn user_cases() -> Vec<Vec<Step>> {
    let (p, q) = (PASSWORD, "other-password");
    let bodies = [
        json!({}),
        json!({ "password": p }),
        json!({ "password": p, "passwordConfirm": q, "email": "u1@example.com" }),
        json!({ "password": "short", "passwordConfirm": "short", "email": "u2@example.com" }),
        json!({ "password": p, "passwordConfirm": p }),
        json!({ "password": p, "passwordConfirm": p, "email": "bad" }),
        json!({ "password": p, "passwordConfirm": p, "email": "alice@example.com" }),
        json!({ "password": p, "passwordConfirm": p, "email": "ALICE@EXAMPLE.COM" }),
        json!({ "password": p, "passwordConfirm": p, "email": "u3@example.com", "verified": true }),
        json!({ "password": p, "passwordConfirm": p, "email": "u4@example.com", "username": "alice" }),
        json!({ "password": p, "passwordConfirm": p, "email": "u5@example.com", "role": "none", "score": "x" }),
        json!({ "password": "ü".repeat(40), "passwordConfirm": "ü".repeat(40), "email": "u6@example.com" }),
        json!({ "password": p, "passwordConfirm": p, "email": "u7@example.com", "tokenKey": "short" }),
        json!({ "password": p, "passwordConfirm": p, "email": "u8@example.com", "emailVisibility": true, "name": "Eight" }),
        json!({ "password": 1_234_567_890, "passwordConfirm": "1234567890", "email": "u9@example.com" }),
        json!({ "password": "1".repeat(73), "passwordConfirm": "1".repeat(73), "email": "u10@example.com" }),
    ];
    let mut cases = Vec::new();
    for body in &bodies {
        for collection in ["users", "members"] {
            cases.push(vec![Step::post(Actor::Guest, records(collection), body)]);
        }
        cases.push(vec![Step::post(Actor::Alice, records("users"), body)]);
        cases.push(vec![Step::post(Actor::Root, records("users"), body)]);
    }
    cases
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    if rng.percent(25) {
        let values = limit_values(dataset);
        let (field, value) = rng.pick(&values);
        return limit_case(dataset, field, value);
    }
    let odd = odd();
    let mut body = json!({ "id": rng.record_id() });
    for _ in 0..=rng.below(6) {
        let field = *rng.pick(&KINDS[..15]);
        let fits = rng.percent(70);
        body[field] = if fits { fitting(field, dataset, rng) } else { rng.pick(&odd).clone() };
    }
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    vec![
        Step::post(Actor::Guest, records("kinds"), &body),
        Step::get(Actor::Guest, record("kinds", &id)),
    ]
}
