//! Collections: listing, creating, changing, refusing, importing, truncating, deleting.

mod fields;

use serde_json::{Value, json};

use super::{Area, new_id, record, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step, encode, target};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "collections", weight: 9, catalog, random };

const PATH: &str = "/api/collections";

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = read_cases(dataset);
    cases.extend(create_cases());
    cases.extend(fields::cases());
    cases.extend(rule_cases());
    cases.extend(index_cases());
    cases.extend(auth_cases());
    cases.extend(change_cases(dataset));
    cases.extend(import_cases(dataset));
    cases.extend(end_cases(dataset));
    cases
}

fn read_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in Actor::ALL {
        for path in ["", "/posts", "/meta/scaffolds", "/unknown"] {
            cases.push(vec![Step::get(actor, format!("{PATH}{path}"))]);
        }
        cases.push(vec![Step::post(actor, PATH, &json!({ "name": "forbidden" }))]);
        cases.push(vec![Step::patch(actor, format!("{PATH}/unknown"), &json!({}))]);
    }
    for name in dataset.collections.keys() {
        cases.push(vec![Step::get(Actor::Root, format!("{PATH}/{name}"))]);
    }
    cases.push(vec![Step::get(
        Actor::Root,
        format!("{PATH}/{}?fields=name,fields.name", dataset.collections["posts"]),
    )]);
    for query in [
        &[("fields", "name")][..],
        &[("filter", "name != 'x'"), ("fields", "name")],
        &[("sort", "type"), ("fields", "name")],
        &[("sort", "name"), ("perPage", "5")],
        &[("sort", "-name"), ("page", "2"), ("perPage", "3")],
        &[("filter", "type = 'auth'"), ("sort", "name")],
        &[("filter", "name ~ 'o' && system = false"), ("sort", "name"), ("fields", "name,id")],
        &[("filter", "unknown = 1")],
        &[("sort", "unknown")],
        &[("filter", "listRule = null")],
        &[("filter", "fields ~ 'relation'"), ("fields", "name"), ("sort", "name")],
        &[("filter", "created > '2020'"), ("skipTotal", "1"), ("sort", "name"), ("fields", "name")],
        &[("sort", "@random"), ("perPage", "0"), ("page", "9")],
    ] {
        cases.push(vec![Step::get(Actor::Root, target(PATH, query))]);
    }
    cases
}

/// Creates a collection, looks at it, uses it and deletes it again.
fn cycle(definition: &Value) -> Vec<Step> {
    let name = encode(definition["name"].as_str().unwrap_or("none"));
    let at = format!("{PATH}/{name}");
    vec![
        Step::post(Actor::Root, PATH, definition),
        Step::get(Actor::Root, at.clone()),
        Step::post(Actor::Root, records(&name), &json!({ "id": new_id("first", 1), "title": "t" })),
        Step::get(Actor::Guest, records(&name) + "?sort=%40rowid"),
        Step::delete(Actor::Root, at),
    ]
}

fn create_cases() -> Vec<Vec<Step>> {
    let text = json!([{ "type": "text", "name": "title" }]);
    let definitions = [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "made" }),
        json!({ "name": "made", "type": "base" }),
        json!({ "name": "made", "type": "auth" }),
        json!({ "name": "made", "type": "unknown" }),
        json!({ "name": "made", "type": 1 }),
        json!({ "name": 1 }),
        json!({ "name": null, "fields": null }),
        json!({ "name": "a b" }),
        json!({ "name": "a-b" }),
        json!({ "name": "ünï" }),
        json!({ "name": "1abc" }),
        json!({ "name": "_under" }),
        json!({ "name": "x".repeat(256) }),
        json!({ "name": "sqlite_x" }),
        json!({ "name": "posts" }),
        json!({ "name": "POSTS" }),
        json!({ "name": "users_via_x" }),
        json!({ "name": "made\"; DROP TABLE posts" }),
        json!({ "name": "_collections" }),
        json!({ "name": "_made" }),
        json!({ "name": "made", "id": "short" }),
        json!({ "name": "made", "id": "explicitid00001" }),
        json!({ "name": "made", "id": "bad id with blank" }),
        json!({ "name": "made", "id": "_pb_users_auth_" }),
        json!({ "name": "made", "system": true }),
        json!({ "name": "made", "fields": text, "listRule": "", "created": "2000-01-01 00:00:00.000Z" }),
        json!({ "name": "made", "schema": text }),
        json!({ "name": "made", "fields": {} }),
        json!({ "name": "made", "fields": "x" }),
        json!({ "name": "made", "fields": [null] }),
        json!({ "name": "made", "fields": [1] }),
        json!({ "name": "made", "fields": [{}] }),
        json!({ "name": "made", "fields": [{ "type": "text" }] }),
        json!({ "name": "made", "fields": [{ "name": "x" }] }),
        json!({ "name": "made", "fields": [{ "type": "none", "name": "x" }] }),
        json!({ "name": "made", "fields": [{ "type": "text", "name": "a" }, { "type": "text", "name": "a" }] }),
        json!({ "name": "made", "fields": [{ "type": "text", "name": "a" }, { "type": "text", "name": "A" }] }),
        json!({ "name": "made", "fields": [{ "type": "text", "name": "id", "primaryKey": true, "min": 5, "max": 20, "pattern": "^[a-z]+$" }] }),
        json!({ "name": "made", "fields": [{ "type": "number", "name": "id" }] }),
        json!({ "name": "made", "fields": [{ "type": "text", "name": "x", "primaryKey": true }] }),
        json!({ "name": "made", "unknown": 1, "type": "base" }),
    ];
    definitions.iter().map(cycle).collect()
}

fn rule_cases() -> Vec<Vec<Step>> {
    let rules = [
        json!(null),
        json!(""),
        json!(" "),
        json!("id = 'a'"),
        json!("title = 'a'"),
        json!("unknown = 1"),
        json!("title ="),
        json!("@request.auth.id != ''"),
        json!("@request.auth.unknown != ''"),
        json!("@request.body.title:isset = true"),
        json!("@request.body.unknown = 1"),
        json!("@collection.posts.id ?= id"),
        json!("@collection.unknown.id ?= id"),
        json!("title = 'x' // comment"),
        json!(1),
        json!(true),
        json!([]),
        json!("x".repeat(3000)),
        json!("@request.query.a = 1 && @request.headers.b = 2"),
        json!("title:lower = 'a' && title:length > 1"),
        json!("made_via_x.id = 1"),
        json!("geoDistance(1,2,3,4) < 5"),
        json!("@now > created"),
        json!("((("),
        json!("id = id || id != id"),
    ];
    let mut cases = Vec::new();
    for rule in &rules {
        for name in ["listRule", "createRule"] {
            let definition = json!({ "name": "ruled", "fields": [{ "type": "text", "name": "title" }], name: rule });
            cases.push(cycle(&definition));
        }
    }
    for name in ["viewRule", "updateRule", "deleteRule", "manageRule", "authRule"] {
        for rule in ["title = 'a'", "unknown = 1"] {
            for kind in ["base", "auth"] {
                cases.push(cycle(&json!({ "name": "ruled", "type": kind, "fields": [{ "type": "text", "name": "title" }], name: rule })));
            }
        }
    }
    cases
}

fn index_cases() -> Vec<Vec<Step>> {
    let indexes = [
        json!(["CREATE INDEX idx_a ON indexed (title)"]),
        json!(["CREATE UNIQUE INDEX `idx_a` ON `indexed` (`title`)"]),
        json!([
            "create unique index if not exists idx_a on indexed (title COLLATE NOCASE DESC) where title != ''"
        ]),
        json!(["CREATE INDEX idx_a ON posts (title)"]),
        json!(["CREATE INDEX idx_a ON other (title)"]),
        json!(["CREATE INDEX idx_a ON indexed (unknown)"]),
        json!(["nonsense"]),
        json!([""]),
        json!("x"),
        json!([1]),
        json!(["CREATE INDEX idx_a ON indexed (title)", "CREATE INDEX idx_a ON indexed (id)"]),
        json!(["CREATE INDEX idx_post_slug ON indexed (title)"]),
        json!(["CREATE INDEX ON indexed (title)"]),
        json!(["CREATE INDEX `` ON indexed (title)"]),
        json!(["CREATE INDEX idx_a ON indexed (lower(title))"]),
        json!(["CREATE INDEX idx_a ON indexed (title); DROP TABLE posts"]),
        json!(["CREATE INDEX idx_a ON indexed (title);"]),
        json!(["CREATE INDEX idx_a ON indexed (lower(title)) WHERE (title != ')')"]),
        json!(["create index idx_a on indexed(title)where (1)"]),
        json!(["CREATE INDEX idx_a ON indexed (title, title)"]),
        json!(null),
    ];
    indexes
        .iter()
        .map(|index| cycle(&json!({ "name": "indexed", "fields": [{ "type": "text", "name": "title" }], "indexes": index })))
        .collect()
}

fn auth_cases() -> Vec<Vec<Step>> {
    let options = [
        json!({ "authRule": null }),
        json!({ "authRule": "unknown = 1" }),
        json!({ "manageRule": "" }),
        json!({ "manageRule": "id = 'x'" }),
        json!({ "passwordAuth": { "enabled": true, "identityFields": [] } }),
        json!({ "passwordAuth": { "enabled": true, "identityFields": ["unknown"] } }),
        json!({ "passwordAuth": { "enabled": true, "identityFields": ["title"] } }),
        json!({ "passwordAuth": { "enabled": false, "identityFields": [] } }),
        json!({ "passwordAuth": { "identityFields": ["email", "email"] } }),
        json!({ "authToken": { "duration": 0 } }),
        json!({ "authToken": { "duration": 5 } }),
        json!({ "authToken": { "duration": 99_999_999_999_i64 } }),
        json!({ "authToken": { "duration": 60, "secret": "short" } }),
        json!({ "authToken": { "duration": 60, "secret": "s".repeat(40) } }),
        json!({ "fileToken": { "duration": -1 } }),
        json!({ "mfa": { "enabled": true } }),
        json!({ "mfa": { "enabled": true, "duration": 60, "rule": "bad =" }, "otp": { "enabled": true } }),
        json!({ "mfa": { "enabled": true, "duration": 60 }, "otp": { "enabled": true, "duration": 60, "length": 6 } }),
        json!({ "otp": { "enabled": true, "duration": 0, "length": 1 } }),
        json!({ "oauth2": { "enabled": true, "providers": [{ "name": "unknown" }] } }),
        json!({ "oauth2": { "enabled": true, "providers": [{ "name": "google", "clientId": "a", "clientSecret": "b" }] } }),
        json!({ "oauth2": { "providers": [{ "name": "google", "clientId": "a", "clientSecret": "b" }, { "name": "google", "clientId": "a", "clientSecret": "b" }] } }),
        json!({ "oauth2": { "mappedFields": { "name": "unknown" } } }),
        json!({ "verificationTemplate": { "subject": "", "body": "" } }),
        json!({ "verificationTemplate": { "subject": "s", "body": "no placeholder" } }),
        json!({ "authAlert": { "enabled": false, "emailTemplate": { "subject": "s", "body": "b" } } }),
        json!({ "fields": [{ "type": "text", "name": "email" }] }),
        json!({ "fields": [{ "type": "text", "name": "password" }] }),
        json!({ "fields": [{ "type": "email", "name": "email", "required": false }] }),
        json!({ "fields": [{ "type": "password", "name": "second" }] }),
        json!({ "indexes": [] }),
    ];
    options
        .iter()
        .map(|option| {
            let mut definition = json!({ "name": "accounts", "type": "auth" });
            for (name, value) in option.as_object().into_iter().flatten() {
                definition[name] = value.clone();
            }
            let mut steps = cycle(&definition);
            // The methods of OAuth2 hold a fresh challenge in every answer.
            if definition["oauth2"]["enabled"] != true {
                steps.insert(2, Step::get(Actor::Guest, format!("{PATH}/accounts/auth-methods")));
            }
            steps
        })
        .collect()
}

/// Changes of a collection that holds records.
fn change_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let old = json!([
        { "id": "text_a", "type": "text", "name": "title" }, { "id": "number_b", "type": "number", "name": "count" }, { "id": "select_c", "type": "select", "name": "kind", "values": ["a", "b"], "maxSelect": 2 }, { "id": "rel_d", "type": "relation", "name": "team", "collectionId": dataset.collections["teams"] },
    ]);
    let changes = [
        json!({}),
        json!({ "name": "renamed" }),
        json!({ "name": "posts" }),
        json!({ "type": "auth" }),
        json!({ "id": "otherid00000001" }),
        json!({ "listRule": "title = 'x'" }),
        json!({ "listRule": "nothing = 1" }),
        json!({ "fields": [] }),
        json!({ "fields": [{ "id": "text_a", "type": "text", "name": "headline" }] }),
        json!({ "fields": [{ "id": "text_a", "type": "number", "name": "title" }] }),
        json!({ "fields": [{ "id": "other", "type": "text", "name": "title" }] }),
        json!({ "fields": [{ "type": "text", "name": "title" }] }),
        json!({ "fields": [{ "id": "select_c", "type": "select", "name": "kind", "values": ["a"], "maxSelect": 1 }] }),
        json!({ "fields": [{ "id": "rel_d", "type": "relation", "name": "team", "collectionId": dataset.collections["posts"] }] }),
        json!({ "fields": [{ "id": "rel_d", "type": "relation", "name": "team", "collectionId": dataset.collections["teams"], "maxSelect": 5 }] }),
        json!({ "fields": [{ "id": "number_b", "type": "number", "name": "title" }, { "id": "text_a", "type": "text", "name": "count" }] }),
        json!({ "indexes": ["CREATE UNIQUE INDEX idx_changed ON changing (title)"] }),
        json!({ "indexes": ["CREATE UNIQUE INDEX idx_changed ON changing (count)"] }),
        json!({ "system": true }),
        json!({ "unknown": 1 }),
    ];
    let mut cases = Vec::new();
    for change in &changes {
        let definition = json!({ "name": "changing", "fields": old, "listRule": "" });
        let id = |number: usize| new_id("changing", number);
        let row = |number: usize, title: &str| json!({ "id": id(number), "title": title, "count": 1, "kind": ["b", "a"], "team": dataset.nth("teams", 0) });
        let at = format!("{PATH}/{{{{changing}}}}");
        cases.push(vec![
            Step::post(Actor::Root, PATH, &definition).capture("changing", "/id"),
            Step::post(Actor::Root, records("changing"), &row(1, "one")),
            Step::post(Actor::Root, records("changing"), &row(2, "two")),
            Step::patch(Actor::Root, at.clone(), change),
            Step::get(Actor::Root, at.clone()),
            Step::get(Actor::Root, format!("{at}/records?sort=id")),
            Step::delete(Actor::Root, at),
        ]);
    }
    for (name, change) in [
        ("users", json!({ "name": "people" })),
        ("_superusers", json!({ "listRule": "" })),
        ("_superusers", json!({ "name": "x" })),
        ("posts", json!({ "fields": [] })),
        ("users", json!({ "type": "base" })),
        ("users", json!({ "fields": [] })),
    ] {
        // Refused, or undone at once: other areas need these.
        if name == "_superusers" || change.get("type").is_some() {
            cases.push(vec![Step::patch(Actor::Root, format!("{PATH}/{name}"), &change)]);
        }
    }
    cases
}

fn import_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let put = |body: &Value| {
        Step::new(Actor::Root, Request::new("PUT", format!("{PATH}/import")).json(body))
    };
    let one = |name: &str| json!({ "name": name, "type": "base", "fields": [{ "type": "text", "name": "title" }] });
    let bodies = [
        json!({}),
        json!({ "collections": [] }),
        json!({ "collections": null }),
        json!({ "collections": [{}] }),
        json!({ "collections": [one("imported")] }),
        json!({ "collections": [one("imported"), one("imported")] }),
        json!({ "collections": [one("imported"), one("bad name")] }),
        json!({ "collections": [one("posts")] }),
        json!({ "collections": [{ "name": "imported", "fields": [{ "type": "relation", "name": "r", "collectionId": "unknown" }] }] }),
        json!({ "collections": [{ "id": "importedid00001", "name": "imported", "fields": [{ "type": "relation", "name": "self", "collectionId": "importedid00001" }] }] }),
        json!({ "collections": "x" }),
        json!({ "collections": [{ "id": dataset.collections["teams"], "name": "teams", "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "" }] }),
        json!({ "collections": [one("imported")], "deleteMissing": "x" }),
    ];
    let mut cases = Vec::new();
    for body in &bodies {
        cases.push(vec![
            put(body),
            Step::get(Actor::Root, format!("{PATH}/imported")),
            Step::get(Actor::Root, format!("{PATH}/teams")),
            Step::delete(Actor::Root, format!("{PATH}/imported")),
        ]);
    }
    for actor in [Actor::Guest, Actor::Alice] {
        cases.push(vec![Step::new(
            actor,
            Request::new("PUT", format!("{PATH}/import")).json(&bodies[4]),
        )]);
    }
    cases
}

/// Truncating and deleting, also where other collections refer to it.
fn end_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in [Actor::Guest, Actor::Alice] {
        cases.push(vec![
            Step::delete(actor, format!("{PATH}/beacons")),
            Step::delete(actor, format!("{PATH}/beacons/truncate")),
        ]);
    }
    for name in [
        "teams",
        "users",
        "categories",
        "_superusers",
        "_mfas",
        "unknown",
        &dataset.collections["teams"],
    ] {
        cases.push(vec![Step::delete(Actor::Root, format!("{PATH}/{name}"))]);
    }
    for name in ["unknown", "_mfas"] {
        cases.push(vec![Step::delete(Actor::Root, format!("{PATH}/{name}/truncate"))]);
    }
    let linked = json!({ "name": "linked", "fields": [{ "type": "text", "name": "title" }] });
    cases.push(vec![
        Step::post(Actor::Root, PATH, &linked).capture("linked", "/id"),
        Step::post(Actor::Root, PATH, &json!({ "name": "linking", "fields": [{ "type": "relation", "name": "to", "collectionId": "{{linked}}", "cascadeDelete": true }] })),
        Step::post(Actor::Root, records("linked"), &json!({ "id": new_id("linked", 1), "title": "a" })),
        Step::post(Actor::Root, records("linking"), &json!({ "id": new_id("linking", 1), "to": new_id("linked", 1) })),
        Step::delete(Actor::Root, format!("{PATH}/linked")),
        Step::delete(Actor::Root, format!("{PATH}/linked/truncate")),
        Step::get(Actor::Root, records("linked")),
        Step::get(Actor::Root, record("linking", &new_id("linking", 1))),
        Step::delete(Actor::Root, format!("{PATH}/linking")),
        Step::delete(Actor::Root, format!("{PATH}/linked")),
        Step::get(Actor::Root, records("linked")),
    ]);
    cases
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let all = fields::definitions();
    let mut chosen = Vec::new();
    for _ in 0..1 + rng.below(4) {
        chosen.push(rng.pick(&all).clone());
    }
    let definition = json!({ "name": "generated", "type": rng.pick(&["base", "base", "auth"]), "fields": chosen, "listRule": rng.pick(&[json!(null), json!("")]) });
    cycle(&definition)
}
