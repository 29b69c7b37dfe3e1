//! Changes of views, and of the collections that views read.

use serde_json::{Value, json};

use super::{PATH, create, delete, view};
use crate::compare::areas::{new_id, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step};
use crate::http::Request;

const INNER: &str = "select id, title, count, kind as sort_of, id as self from ground";

pub(super) fn cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for change in ground_changes() {
        cases.push(after(Step::patch(Actor::Root, at("ground"), &change)));
    }
    for (name, change) in view_changes() {
        cases.push(after(Step::patch(Actor::Root, at(name), &change)));
    }
    for name in ["ground", "inner", "outer"] {
        cases.push(after(delete(name)));
    }
    for body in imports(dataset) {
        let request = Request::new("PUT", format!("{PATH}/import")).json(&body);
        cases.push(after(Step::new(Actor::Root, request)));
    }
    cases
}

/// The collection that a step before created under that name.
fn at(name: &str) -> String {
    format!("{PATH}/{{{{{name}}}}}")
}

/// One step on a collection `ground`, a view of it and a view of that view, and what comes of it.
fn after(step: Step) -> Vec<Step> {
    let ground = json!({ "name": "ground", "fields": ground_fields(), "listRule": "" });
    let row = |number: usize| json!({ "id": new_id("ground", number), "title": format!("t{number}"), "count": number, "kind": ["b", "a"] });
    let mut steps = vec![
        create(&ground),
        Step::post(Actor::Root, records("ground"), &row(1)),
        Step::post(Actor::Root, records("ground"), &row(2)),
        create(
            &json!({ "name": "inner", "type": "view", "viewQuery": INNER, "listRule": "count > 0" }),
        ),
        create(&view("outer", "select i.id, i.title as headline, i.sort_of from inner i")),
        step,
    ];
    for name in ["ground", "inner", "outer"] {
        steps.push(Step::get(Actor::Root, at(name)));
        steps.push(Step::get(Actor::Guest, at(name) + "/records?sort=id"));
        steps.push(Step::get(Actor::Root, format!("{}/records/{}", at(name), new_id("ground", 1))));
    }
    // Something may be broken now: that stands in the way of other changes, too.
    let change = json!({ "fields": [{ "id": "text_x", "type": "text", "name": "name" }] });
    steps.extend([
        create(&json!({ "name": "bystander", "fields": [{ "id": "text_x", "type": "text", "name": "title" }] })),
        Step::patch(Actor::Root, at("bystander"), &change),
        delete("bystander"),
        Step::delete(Actor::Root, format!("{PATH}/added")),
        // A broken view cannot be deleted while another reads it, nor can that one: mend it first.
        Step::patch(Actor::Root, at("ground"), &json!({ "name": "ground", "fields": ground_fields() })),
        Step::patch(Actor::Root, at("inner"), &json!({ "name": "inner", "viewQuery": INNER })),
        delete("outer"),
        delete("inner"),
        delete("ground"),
        delete("bystander"),
    ]);
    steps
}

fn ground_fields() -> Value {
    json!([
        { "id": "text_a", "type": "text", "name": "title" },
        { "id": "number_b", "type": "number", "name": "count" },
        { "id": "select_c", "type": "select", "name": "kind", "values": ["a", "b"], "maxSelect": 2 },
        { "id": "text_d", "type": "text", "name": "unread" },
    ])
}

/// The fields of `ground` with one of them changed, or dropped if `change` is null.
fn changed(index: usize, change: &Value) -> Value {
    let mut fields = ground_fields();
    match (change.as_object(), fields.as_array_mut()) {
        (Some(options), Some(fields)) => {
            for (name, value) in options {
                fields[index][name] = value.clone();
            }
        }
        (None, Some(fields)) => {
            fields.remove(index);
        }
        (_, None) => {}
    }
    json!({ "fields": fields })
}

fn ground_changes() -> Vec<Value> {
    let mut more = ground_fields();
    if let Some(fields) = more.as_array_mut() {
        fields.push(json!({ "type": "text", "name": "more" }));
    }
    vec![
        json!({}),
        json!({ "name": "renamed" }),
        json!({ "listRule": null }),
        json!({ "fields": more }),
        changed(0, &json!({ "name": "headline" })),
        changed(0, &json!({ "max": 7, "required": true })),
        changed(0, &json!({ "hidden": true })),
        changed(0, &json!(null)),
        changed(0, &json!({ "id": "other" })),
        changed(1, &json!({ "onlyInt": true })),
        changed(1, &json!(null)),
        changed(2, &json!({ "maxSelect": 1 })),
        changed(2, &json!({ "values": ["a", "b", "c"] })),
        changed(2, &json!({ "values": ["A", "B"] })),
        changed(3, &json!({ "name": "still_unread" })),
        changed(3, &json!(null)),
        json!({ "name": "renamed", "fields": changed(0, &json!({ "max": 9 }))["fields"] }),
    ]
}

fn view_changes() -> Vec<(&'static str, Value)> {
    vec![
        ("inner", json!({})),
        ("inner", json!({ "name": "renamed" })),
        ("inner", json!({ "name": "ground" })),
        ("inner", json!({ "listRule": "unknown = 1" })),
        ("inner", json!({ "viewQuery": "" })),
        ("inner", json!({ "viewQuery": "select id from missing" })),
        ("inner", json!({ "viewQuery": "select id from inner" })),
        ("inner", json!({ "viewQuery": "select id from outer" })),
        ("inner", json!({ "viewQuery": "select id, count from ground" })),
        ("inner", json!({ "viewQuery": "select id, title from ground" })),
        (
            "inner",
            json!({ "viewQuery": "select id, count, unread as title, 'x' as sort_of from ground" }),
        ),
        (
            "inner",
            json!({ "viewQuery": "select id, count, title, kind as sort_of, id as self from ground where count > 1" }),
        ),
        (
            "inner",
            json!({ "viewQuery": "select id, id as self, count, title, kind as sort_of from ground", "name": "Inner" }),
        ),
        ("inner", json!({ "fields": [] })),
        ("inner", json!({ "type": "base" })),
        ("inner", json!({ "system": true })),
        ("inner", json!({ "indexes": ["create index i on inner (id)"] })),
        (
            "inner",
            json!({ "viewQuery": "select id, count, title, kind as sort_of, (select id from teams) as self from ground" }),
        ),
        (
            "inner",
            json!({ "viewQuery": "select g.id, g.count, g.title, g.kind as sort_of, t.id as self from ground g left join teams t on 1 = 0" }),
        ),
        ("outer", json!({ "name": "Outer", "viewRule": null })),
        ("ground", json!({ "type": "view", "viewQuery": "select id from teams" })),
    ]
}

/// No import that fails after it changed `ground`: PocketBase then goes on showing, though not
/// using, collections that it rolled back.
fn imports(dataset: &Dataset) -> Vec<Value> {
    let added = |query: &str| json!({ "name": "added", "type": "view", "viewQuery": query });
    let ground = |fields: &Value| json!({ "id": "{{ground}}", "name": "ground", "fields": fields["fields"] });
    let inner = |query: &str| json!({ "id": "{{inner}}", "viewQuery": query });
    let collections = [
        json!([added("select id, name from teams")]),
        json!([added("select id, missing from teams")]),
        json!([added("select name from teams")]),
        json!([added("select id, name, name from teams")]),
        json!([added("")]),
        json!([{ "name": "added", "type": "view" }]),
        json!([added("select 'x' as id from teams")]),
        json!([added("select id, headline from outer")]),
        json!([ground(&changed(0, &json!({ "max": 7 })))]),
        json!([
            ground(&changed(3, &json!({ "name": "still_unread" }))),
            added("select id, still_unread from ground")
        ]),
        json!([inner("select id, title, count, kind as sort_of, unread from ground")]),
        json!([
            inner("select id, title from ground"),
            ground(&changed(2, &json!({ "maxSelect": 1 })))
        ]),
        json!([inner("select id from missing")]),
        json!([{ "id": "{{inner}}", "listRule": "title = 'x'", "createRule": "" }]),
        json!([{ "id": dataset.collections["teams"], "listRule": "" }, added("select id, unread from ground")]),
    ];
    collections.into_iter().map(|collections| json!({ "collections": collections })).collect()
}
