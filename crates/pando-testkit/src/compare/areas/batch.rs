//! Batches: all or nothing, upserts, errors by index, files, rules inside a batch.

use serde_json::{Value, json};

use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, Dataset};
use crate::compare::scenario::{Actor, Step};
use crate::http::Multipart;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "batch", weight: 4, catalog, random };

fn batch(actor: Actor, requests: &Value) -> Step {
    Step::post(actor, "/api/batch", &json!({ "requests": requests }))
}

fn one(method: &str, url: &str, body: Value) -> Value {
    json!({ "method": method, "url": url, "body": body })
}

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = shape_cases();
    cases.extend(url_cases());
    cases.extend(work_cases(dataset));
    cases.extend(form_cases());
    cases
}

/// Bodies that are no batch.
fn shape_cases() -> Vec<Vec<Step>> {
    let post = one("POST", &records("beacons"), json!({ "mark": "b" }));
    let bodies = [
        json!({}),
        json!({ "requests": [] }),
        json!({ "requests": null }),
        json!({ "requests": {} }),
        json!({ "requests": "x" }),
        json!({ "requests": [null] }),
        json!({ "requests": [1] }),
        json!({ "requests": [{}] }),
        json!({ "requests": [{ "method": "POST" }] }),
        json!({ "requests": [{ "url": "/api/collections/beacons/records" }] }),
        json!({ "requests": [{ "method": 1, "url": 2 }] }),
        json!({ "requests": [post.clone(), {}] }),
        json!({ "requests": vec![post.clone(); 20] }),
        json!({ "requests": vec![post.clone(); 21] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records", "body": [] }] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records", "body": "x" }] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records", "body": null }] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records" }] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records", "headers": { "X-Key": "abc" } }] }),
        json!({ "requests": [{ "method": "POST", "url": "/api/collections/beacons/records", "headers": 1 }] }),
        json!([post]),
    ];
    bodies.iter().map(|body| vec![Step::post(Actor::Guest, "/api/batch", body)]).collect()
}

/// Requests that a batch may not hold.
fn url_cases() -> Vec<Vec<Step>> {
    let urls = [
        ("GET", "/api/collections/beacons/records"),
        ("POST", "/api/health"),
        ("POST", "/api/collections/unknown/records"),
        ("POST", "api/collections/beacons/records"),
        ("POST", "http://localhost/api/collections/beacons/records"),
        ("post", "/api/collections/beacons/records"),
        ("POST", "/api/collections/beacons/records?x=<a> \"b`#c"),
        ("POST", "/api/collections/beacons/records?x=%zz"),
        ("POST", "/api/collections/beacons/records?x=a;b"),
        ("POST", "/api/collections/beacons/records?x=\n"),
        ("POST", "/api/collections/beacons/records#x"),
        ("POST", "/api/collections/%62eacons/records"),
        ("DELETE", "/api/collections/beacons/records/a b"),
        ("DELETE", "/api/collections/beacons/records/<`>"),
        ("POST", "/api/collections/beacons/records/"),
        ("POST", "/api/collections/beacons/records?fields=mark"),
        ("POST", "/api/collections/beacons/records?expand=x&fields=mark:excerpt(1)"),
        ("PUT", "/api/collections/beacons/records"),
        ("PATCH", "/api/collections/beacons/records"),
        ("PATCH", "/api/collections/beacons/records/unknown"),
        ("DELETE", "/api/collections/beacons/records"),
        ("DELETE", "/api/collections/beacons/records/unknown"),
        ("DELETE", "/api/collections/beacons"),
        ("POST", "/api/collections"),
        ("POST", "/api/batch"),
        ("POST", "/api/collections/users/auth-with-password"),
        ("OPTIONS", "/api/collections/beacons/records"),
        ("POST", ""),
        ("", "/api/collections/beacons/records"),
        ("POST", "/api/collections/beacons/records#x"),
        ("POST", "/api/collections/%62eacons/records"),
    ];
    urls.iter()
        .map(|(method, url)| {
            vec![batch(Actor::Guest, &json!([one(method, url, json!({ "mark": "u" }))]))]
        })
        .collect()
}

fn work_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let ids: Vec<String> = (0..12).map(|number| new_id("batch", number)).collect();
    let beacons = records("beacons");
    let at = |number: usize| record("beacons", &ids[number]);
    let kinds = records("kinds");
    let batches = [
        json!([
            one("POST", &beacons, json!({ "id": ids[0], "mark": "a" })),
            one("POST", &beacons, json!({ "id": ids[1], "mark": "b" }))
        ]),
        json!([one("PATCH", &at(0), json!({ "mark": "a2" })), one("DELETE", &at(1), json!({}))]),
        json!([
            one("POST", &beacons, json!({ "id": ids[2], "mark": "c" })),
            one("POST", &beacons, json!({ "id": ids[2], "mark": "again" }))
        ]),
        json!([
            one("PUT", &beacons, json!({ "id": ids[3], "mark": "upsert" })),
            one("PUT", &beacons, json!({ "id": ids[3], "mark": "upsert 2" }))
        ]),
        json!([one("PUT", &beacons, json!({ "mark": "no id" }))]),
        json!([one("PUT", &beacons, json!({ "id": "bad", "mark": "bad id" }))]),
        json!([
            one("POST", &beacons, json!({ "id": ids[4] })),
            one("PATCH", &at(4), json!({ "mark": "x" })),
            one("DELETE", &at(4), json!({})),
            one("DELETE", &at(4), json!({}))
        ]),
        json!([
            one("POST", &kinds, json!({ "id": ids[5], "number": 1 })),
            one("PATCH", &record("kinds", &ids[5]), json!({ "number+": 5, "many+": "a" })),
            one("PATCH", &record("kinds", &ids[5]), json!({ "many+": "zzz" }))
        ]),
        json!([
            one("POST", &kinds, json!({ "id": ids[6], "number": 1 })),
            one("PATCH", &record("kinds", &ids[6]), json!({ "number+": 5, "many+": "a" }))
        ]),
        json!([
            one("POST", &records("gates"), json!({ "id": ids[7], "name": "x" })),
            one("POST", &records("locked"), json!({ "id": ids[8], "text": "x" }))
        ]),
        json!([one("POST", &records("gates"), json!({ "id": ids[9], "name": "x" }))]),
        json!([one("POST", &records("limits"), json!({ "text": "x" }))]),
        json!([one(
            "POST",
            &records("comments"),
            json!({ "id": ids[10], "text": "in batch", "post": dataset.nth("posts", 0), "user": ALICE })
        )]),
        json!([
            one("POST", &records("posts"), json!({ "id": ids[11], "title": "b", "author": ALICE })),
            one(
                "POST",
                &records("comments"),
                json!({ "text": "on new", "post": ids[11], "user": ALICE })
            ),
            one("DELETE", &record("posts", &ids[11]), json!({}))
        ]),
        json!([
            one(
                "POST",
                &records("users"),
                json!({ "email": "batch@example.com", "password": "1234567890", "passwordConfirm": "1234567890" })
            ),
            one(
                "POST",
                &records("users"),
                json!({ "email": "batch@example.com", "password": "1234567890", "passwordConfirm": "1234567890" })
            )
        ]),
    ];
    let mut cases = Vec::new();
    for requests in &batches {
        for actor in [Actor::Guest, Actor::Alice, Actor::Root] {
            let mut steps = vec![batch(actor, requests)];
            steps.push(Step::get(Actor::Root, format!("{beacons}?sort=id&filter=id~%27batch%27")));
            steps.push(Step::get(Actor::Root, format!("{kinds}?sort=id&filter=id~%27batch%27")));
            cases.push(steps);
        }
    }
    cases
}

fn form_cases() -> Vec<Vec<Step>> {
    let requests = json!([
        one("POST", &records("kinds"), json!({ "id": new_id("batchfile", 1), "text": "a" })),
        one("POST", &records("kinds"), json!({ "id": new_id("batchfile", 2), "text": "b" })),
    ]);
    let payload = json!({ "requests": requests }).to_string();
    let forms = [
        Multipart::new()
            .text("@jsonPayload", &payload)
            .file("requests.0.file", "a.txt", "text/plain", b"aa")
            .file("requests.1.files", "b.txt", "text/plain", b"bb")
            .file("requests.1.files", "c.txt", "text/plain", b"cc"),
        Multipart::new().text("@jsonPayload", &payload).file(
            "requests[0].file",
            "a.txt",
            "text/plain",
            b"aa",
        ),
        Multipart::new().text("@jsonPayload", &payload).file(
            "requests.9.file",
            "a.txt",
            "text/plain",
            b"aa",
        ),
        Multipart::new().text("@jsonPayload", &payload).file("other", "a.txt", "text/plain", b"aa"),
        Multipart::new().text("@jsonPayload", "{").file(
            "requests.0.file",
            "a.txt",
            "text/plain",
            b"aa",
        ),
        Multipart::new(),
        Multipart::new().text("@jsonPayload", "{\"requests\":[").text("@jsonPayload", "]}"),
    ];
    let mut cases = Vec::new();
    for form in &forms {
        cases.push(vec![
            Step::form(Actor::Guest, "POST", "/api/batch", form),
            Step::get(Actor::Root, records("kinds") + "?sort=id&filter=id~%27batchfile%27"),
            Step::delete(Actor::Root, record("kinds", &new_id("batchfile", 1))),
            Step::delete(Actor::Root, record("kinds", &new_id("batchfile", 2))),
        ]);
    }
    cases
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let ids: Vec<String> = (0..3).map(|_| rng.record_id()).collect();
    let mut requests = Vec::new();
    for _ in 0..1 + rng.below(6) {
        let id = rng.pick(&ids).clone();
        let body = json!({ "id": id, "mark": format!("m{}", rng.below(9)) });
        requests.push(match rng.below(4) {
            0 => one("POST", &records("beacons"), body),
            1 | 2 => one("PUT", &records("beacons"), body),
            _ => {
                one(if rng.percent(50) { "PATCH" } else { "DELETE" }, &record("beacons", &id), body)
            }
        });
    }
    let mut steps = vec![batch(*rng.pick(&Actor::ALL), &Value::Array(requests))];
    steps.extend(ids.iter().map(|id| Step::get(Actor::Guest, record("beacons", id))));
    steps
}
