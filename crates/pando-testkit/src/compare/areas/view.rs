//! Single records: view rules, expand, fields, hidden values and what a wrong id answers.

use super::{Area, record};
use crate::compare::dataset::{ALICE, BOB, Dataset, MIA};
use crate::compare::scenario::{Actor, Step, target};
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "view", weight: 7, catalog, random };

const COLLECTIONS: [&str; 12] = [
    "posts",
    "users",
    "teams",
    "members",
    "categories",
    "comments",
    "kinds",
    "notes",
    "gates",
    "joins",
    "locked",
    "beacons",
];

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in Actor::ALL {
        for collection in COLLECTIONS.iter().filter(|name| dataset.ids.contains_key(**name)) {
            for index in 0..2 {
                let id = dataset.nth(collection, index);
                cases.push(vec![Step::get(actor, record(collection, id))]);
            }
        }
        for (collection, id) in [("users", ALICE), ("users", BOB), ("members", MIA)] {
            cases.push(vec![Step::get(actor, record(collection, id))]);
        }
    }
    let post = dataset.nth("posts", 0);
    for id in
        ["unknown", "000000000000000", "", "a b", "%00", "%2F", "..", "'", "A".repeat(300).as_str()]
    {
        cases.push(vec![Step::get(Actor::Root, record("posts", &id.replace(' ', "%20")))]);
    }
    for id in [
        post.to_uppercase(),
        format!("{post}%20"),
        format!("{post}/"),
        format!("{post}/x"),
        format!("{post}?"),
        format!("{post}%0A"),
    ] {
        cases.push(vec![Step::get(Actor::Root, record("posts", &id))]);
    }
    for collection in ["Posts", "POSTS", "unknown", "%20posts", "users%00"] {
        cases.push(vec![Step::get(Actor::Root, record(collection, post))]);
    }
    // By id instead of name, and a record of another collection.
    cases.push(vec![Step::get(Actor::Root, record(&dataset.collections["posts"], post))]);
    cases.push(vec![Step::get(Actor::Root, record("users", post))]);
    cases
}

fn random(dataset: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let collection = *rng.pick(&[
        "posts", "posts", "posts", "users", "comments", "kinds", "teams", "notes", "gates", "joins",
    ]);
    let id = dataset.any(collection, rng);
    let mut query = Vec::new();
    if rng.percent(60) {
        let expands: &[&str] = match collection {
            "posts" => &[
                "author",
                "editors.team,category.parent",
                "comments_via_post.user",
                "joins_via_post",
                "author.posts_via_author.editors",
            ],
            "users" => &[
                "team",
                "team.owner",
                "posts_via_author",
                "comments_via_user.post",
                "notes_via_owner",
                "teams_via_owner",
            ],
            "comments" => &["post", "user", "post.author,user.team", "post.comments_via_post"],
            "teams" => &["owner", "users_via_team", "kinds_via_rels", "notes_via_parent.owner"],
            _ => &["rel", "rels.owner", "owner", "post", "post.author", "parent", "unknown"],
        };
        query.push(("expand", *rng.pick(expands)));
    }
    if rng.percent(30) {
        query.push((
            "fields",
            *rng.pick(&[
                "id",
                "*,expand.*.name",
                "id,body:excerpt(8,true)",
                "expand",
                "*,expand.author.team",
                "name,email",
            ]),
        ));
    }
    vec![Step::get(*rng.pick(&Actor::ALL), target(&record(collection, id), &query))]
}
