//! Updating records: modifiers, odd values, rules that look at the change.

use serde_json::{Value, json};

use super::values::{KINDS, fitting, limit_values, odd};
use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, BOB, Dataset};
use crate::compare::scenario::{Actor, Step};
use crate::http::{Multipart, Request};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "update", weight: 10, catalog, random };

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = modifier_cases(dataset);
    let mut number = 0;
    for field in KINDS {
        let mut steps = vec![fresh(dataset, "odd", number)];
        let path = record("kinds", &new_id("odd", number));
        for value in odd() {
            if *field == "word" || (*field == "id" && value.is_string()) {
                continue; // hashes are slow, and another id would lose the record
            }
            steps.push(Step::patch(Actor::Guest, path.clone(), &json!({ *field: value })));
        }
        steps.push(Step::get(Actor::Root, path));
        cases.push(steps);
        number += 1;
    }
    cases.extend(rule_cases(dataset));
    cases.extend(form_cases(dataset));
    cases
}

/// Creates a record of `kinds` with every modifiable field set.
fn fresh(dataset: &Dataset, label: &str, number: usize) -> Step {
    let teams = &dataset.ids["teams"];
    Step::post(
        Actor::Guest,
        records("kinds"),
        &json!({
            "id": new_id(label, number), "text": "start", "number": 10, "bool": true, "one": "a", "many": ["a", "b"],
            "rel": teams[0], "rels": [teams[0], teams[1]], "json": { "a": 1 }, "date": "2024-01-01 00:00:00.000Z", "geo": { "lon": 1, "lat": 2 },
            "made": "fixed",
        }),
    )
}

fn modifier_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let teams = &dataset.ids["teams"];
    let (a, b, c) = (&teams[0], &teams[1], &teams[2]);
    let changes = [
        json!({ "number+": 5 }),
        json!({ "number-": 3 }),
        json!({ "+number": 5 }),
        json!({ "number+": "2.5" }),
        json!({ "number+": "x" }),
        json!({ "number+": null }),
        json!({ "number+": [1] }),
        json!({ "number-": -1e300 }),
        json!({ "number": 1, "number+": 5 }),
        json!({ "number+": 5, "number": 1 }),
        json!({ "number+": 1, "number-": 2 }),
        json!({ "many+": "c" }),
        json!({ "many+": ["c", "d"] }),
        json!({ "+many": "c" }),
        json!({ "+many": ["d", "c"] }),
        json!({ "many-": "a" }),
        json!({ "many-": ["a", "b"] }),
        json!({ "many-": "x" }),
        json!({ "many+": "a" }),
        json!({ "many+": "x" }),
        json!({ "many+": null }),
        json!({ "many-": null }),
        json!({ "many+": [] }),
        json!({ "many+": "" }),
        json!({ "many": ["d"], "many+": "c" }),
        json!({ "many-": "a", "many+": "c" }),
        json!({ "one+": "b" }),
        json!({ "one-": "a" }),
        json!({ "+one": "b" }),
        json!({ "one-": "b" }),
        json!({ "rels+": c }),
        json!({ "+rels": c }),
        json!({ "rels-": a }),
        json!({ "rels-": [a, b] }),
        json!({ "rels+": "unknown" }),
        json!({ "rels+": [c, c] }),
        json!({ "rels+": teams }),
        json!({ "rel+": b }),
        json!({ "rel-": a }),
        json!({ "rel-": b }),
        json!({ "text+": "x" }),
        json!({ "text-": "x" }),
        json!({ "bool+": 1 }),
        json!({ "json+": { "b": 2 } }),
        json!({ "json.a": 2 }),
        json!({ "geo+": 1 }),
        json!({ "geo.lon": 5 }),
        json!({ "date+": 1 }),
        json!({ "made:autogenerate": "gen-" }),
        json!({ "text:autogenerate": "x" }),
        json!({ "id+": "x" }),
        json!({ "unknown+": 1 }),
        json!({ "created": "2000-01-01 00:00:00.000Z" }),
        json!({ "updated": "2000-01-01 00:00:00.000Z" }),
        json!({}),
        json!({ "file-": "x" }),
        json!({ "files-": ["x", "y"] }),
        json!({ "file+": "x" }),
        json!({ "files": [] }),
    ];
    changes
        .iter()
        .enumerate()
        .map(|(number, change)| {
            let path = record("kinds", &new_id("modify", number));
            vec![
                fresh(dataset, "modify", number),
                Step::patch(Actor::Guest, path.clone(), change),
                Step::patch(Actor::Guest, path.clone(), change),
                Step::get(Actor::Guest, path),
            ]
        })
        .collect()
}

fn rule_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    let mut add = |collection: &str, id: &str, change: &Value| {
        for actor in Actor::ALL {
            cases.push(vec![
                Step::patch(actor, record(collection, id), change),
                Step::get(Actor::Root, record(collection, id)),
            ]);
        }
    };
    for index in [7, 8, 9] {
        add("posts", dataset.nth("posts", index), &json!({ "views+": 1 }));
        add("posts", dataset.nth("posts", index), &json!({ "author": BOB, "title": "taken" }));
        add("comments", dataset.nth("comments", index), &json!({ "likes": 4 }));
        add("comments", dataset.nth("comments", index), &json!({ "likes": 8, "text": "changed" }));
        add("gates", dataset.nth("gates", index), &json!({ "level": 3 }));
        add("gates", dataset.nth("gates", index), &json!({ "name": "b", "open": true }));
        add("joins", dataset.nth("joins", index), &json!({ "label": "changed" }));
        add("notes", dataset.nth("notes", index), &json!({ "text": "changed" }));
    }
    add("users", ALICE, &json!({ "name": "Alice A.", "score+": 1 }));
    add("users", BOB, &json!({ "name": "Bob B.", "email": "bob2@example.com" }));
    add("users", BOB, &json!({ "verified": true, "password": "x" }));
    add("members", "mia000000000001", &json!({ "nick": "m", "email": "mia2@example.com" }));
    add("locked", dataset.nth("locked", 0), &json!({ "text": "opened" }));
    add("categories", dataset.nth("categories", 0), &json!({ "name": "cat 2" }));
    add(
        "categories",
        dataset.nth("categories", 0),
        &json!({ "parent": dataset.nth("categories", 1) }),
    );
    add("posts", "000000000000000", &json!({ "title": "x" }));
    add("unknown", "000000000000000", &json!({ "title": "x" }));
    add(
        "posts",
        dataset.nth("posts", 9),
        &json!({ "slug": "post-1", "contact": "bad", "tags": ["red", "none"] }),
    );
    cases
}

fn form_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let forms = [
        Multipart::new().text("number", "5").text("many", "c").text("many", "d"),
        Multipart::new().text("number+", "5").text("many+", "c"),
        Multipart::new().text("many", "").text("rels", ""),
        Multipart::new().text("json", "{\"x\":1}").text("geo", "{\"lon\":3,\"lat\":4}"),
        Multipart::new().text("json", "plain").text("bool", "false"),
        Multipart::new().text("@jsonPayload", "{\"text\":\"a\"}").text("text", "b"),
        Multipart::new()
            .text("@jsonPayload", "{\"text\":\"a\"}")
            .text("@jsonPayload", "{\"number\":3}"),
        Multipart::new().text("@jsonPayload", "broken"),
        Multipart::new().text("text", "[1]").text("number", "[2]"),
        Multipart::new().text("many", "[\"a\",\"c\"]"),
        Multipart::new().text("unknown", "1"),
        Multipart::new(),
        Multipart::new().text("bool", "true").text("bool", "false"),
        Multipart::new().text("text", "a").text("text", "b"),
        Multipart::new().text("date", "2022-01-01").text("made", ""),
    ];
    forms
        .iter()
        .enumerate()
        .map(|(number, form)| {
            let path = record("kinds", &new_id("form", number));
            vec![
                fresh(dataset, "form", number),
                Step::form(Actor::Guest, "PATCH", path.clone(), form),
                Step::get(Actor::Guest, path),
            ]
        })
        .collect()
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let odd = odd();
    let mut change = json!({});
    for _ in 0..=rng.below(4) {
        let field = *rng.pick(&KINDS[..15]);
        let value =
            if rng.percent(75) { fitting(field, dataset, rng) } else { rng.pick(&odd).clone() };
        let name = match rng.below(10) {
            0 => format!("{field}+"),
            1 => format!("{field}-"),
            2 => format!("+{field}"),
            _ => field.to_owned(),
        };
        change[name] = value;
    }
    if rng.percent(20) {
        let values = limit_values(dataset);
        let (field, value) = rng.pick(&values);
        change[*field] = value.clone();
    }
    let path = record("kinds", dataset.any("kinds", rng));
    let request = Request::patch(path.clone()).json(&change);
    vec![Step::new(Actor::Guest, request), Step::get(Actor::Guest, path)]
}
