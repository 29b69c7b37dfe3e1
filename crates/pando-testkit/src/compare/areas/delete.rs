//! Deleting: rules, cascades, references that are unset or forbid it.

use serde_json::json;

use super::{Area, new_id, record, records};
use crate::compare::dataset::{ALICE, BOB, Dataset};
use crate::compare::scenario::{Actor, Step};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "delete", weight: 4, catalog, random };

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for collection in
        ["posts", "comments", "gates", "joins", "notes", "locked", "categories", "kinds"]
    {
        for index in [2, 3] {
            let path = record(collection, dataset.nth(collection, index));
            for actor in
                [Actor::Guest, Actor::Bob, Actor::Mia, Actor::Alice, Actor::Root, Actor::Root]
            {
                cases.push(vec![
                    Step::delete(actor, path.clone()),
                    Step::get(Actor::Root, path.clone()),
                ]);
            }
        }
    }
    for path in [
        "posts/records/unknown",
        "unknown/records/x",
        "posts/records/000000000000000",
        "posts/records/%00",
    ] {
        cases.push(vec![Step::delete(Actor::Root, format!("/api/collections/{path}"))]);
    }
    for (label, cascade) in [("tree", false), ("chain", true)] {
        cases.push(tree_case(label, cascade));
    }
    cases.push(user_case());
    cases.push(last_case(dataset));
    cases
}

/// A category, a post of it (cascades) and comments on that post (cascade too).
fn tree_case(label: &str, root_deletes: bool) -> Vec<Step> {
    let id = |number: usize| new_id(label, number);
    let category = json!({ "id": id(1), "name": format!("{label} category") });
    let child = json!({ "id": id(2), "name": format!("{label} child"), "parent": id(1) });
    let post = json!({ "id": id(3), "title": "in category", "category": id(1), "author": ALICE, "editors": [BOB], "status": "open" });
    let comment =
        |number: usize| json!({ "id": id(number), "text": "in tree", "post": id(3), "user": BOB });
    let join = json!({ "id": id(6), "label": label, "post": id(3) });
    let deleter = if root_deletes { Actor::Root } else { Actor::Guest };
    let mut steps = vec![
        Step::post(Actor::Root, records("categories"), &category),
        Step::post(Actor::Root, records("categories"), &child),
        Step::post(Actor::Root, records("posts"), &post),
        Step::post(Actor::Bob, records("comments"), &comment(4)),
        Step::post(Actor::Root, records("comments"), &comment(5)),
        Step::post(Actor::Root, records("joins"), &join),
        Step::delete(deleter, record("categories", &id(1))),
        Step::delete(deleter, record("categories", &id(1))),
    ];
    for (collection, number) in [
        ("categories", 1),
        ("categories", 2),
        ("posts", 3),
        ("comments", 4),
        ("comments", 5),
        ("joins", 6),
    ] {
        steps.push(Step::get(Actor::Root, record(collection, &id(number))));
    }
    steps
}

/// A user whom several records name: some go with him, some forget him.
fn user_case() -> Vec<Step> {
    let user = new_id("leaver", 1);
    let id = |number: usize| new_id("left", number);
    let account = json!({ "id": user, "email": "leaver@example.com", "password": "1234567890", "passwordConfirm": "1234567890" });
    let mut steps = vec![
        Step::post(Actor::Guest, records("users"), &account),
        Step::post(
            Actor::Root,
            records("teams"),
            &json!({ "id": id(1), "name": "left team", "owner": user }),
        ),
        Step::post(
            Actor::Root,
            records("notes"),
            &json!({ "id": id(2), "text": "goes", "owner": user, "parent": [id(1)] }),
        ),
        Step::post(
            Actor::Root,
            records("posts"),
            &json!({ "id": id(3), "title": "stays", "author": user, "editors": [ALICE, user, BOB] }),
        ),
        Step::post(
            Actor::Root,
            records("notes"),
            &json!({ "id": id(4), "text": "of alice", "owner": ALICE, "parent": [id(1)] }),
        ),
        Step::delete(Actor::Alice, record("users", &user)),
        Step::delete(Actor::Root, record("users", &user)),
    ];
    for (collection, number) in [("teams", 1), ("notes", 2), ("posts", 3), ("notes", 4)] {
        steps.push(Step::get(Actor::Root, record(collection, &id(number))));
    }
    // A team that notes list among others: the note loses it, then goes with the last one.
    steps.push(Step::delete(Actor::Guest, record("teams", &id(1))));
    steps.push(Step::get(Actor::Root, record("notes", &id(4))));
    steps
}

/// What is left after the deletes of this area.
fn last_case(dataset: &Dataset) -> Vec<Step> {
    let mut steps = Vec::new();
    for collection in ["posts", "comments", "notes", "categories", "joins", "gates"] {
        for page in 1..=4 {
            let query = format!("?sort=%40rowid&perPage=40&page={page}");
            steps.push(Step::get(Actor::Root, records(collection) + &query));
        }
    }
    steps.push(Step::delete(Actor::Root, record("teams", dataset.nth("teams", 3))));
    steps.push(Step::get(
        Actor::Root,
        records("users") + "?sort=%40rowid&fields=id,team&perPage=100&filter=created%3C%3D%40now",
    ));
    steps.push(Step::get(
        Actor::Root,
        records("kinds") + "?sort=%40rowid&fields=id,rel,rels&perPage=20",
    ));
    steps
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let collection = *rng.pick(&["comments", "kinds", "gates", "joins", "notes"]);
    let path = record(collection, dataset.any(collection, rng));
    vec![Step::delete(*rng.pick(&Actor::ALL), path.clone()), Step::get(Actor::Root, path)]
}
