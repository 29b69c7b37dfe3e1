//! View collections: their queries, the fields that come of them, their records and files, and
//! what happens to them when the collections that they read change.

mod changes;
pub mod queries;

use serde_json::{Value, json};

use super::{Area, record, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step, subscribe, target};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "views", weight: 8, catalog, random };

const PATH: &str = "/api/collections";
const DRY_RUN: &str = "/api/collections/meta/dry-run-view";

/// A view with fields of many kinds, open to everybody.
pub const POSTS_QUERY: &str = "select p.id, p.title, p.views as seen, p.tags, p.cover, p.papers, \
     p.private, p.author, u.id as writer, u.email, u.username name, (p.views * 2) as twice, \
     count(c.id) as comments, cast(p.rating as text) as rated, p.at, p.place, p.meta, p.secret, \
     p.created from posts p left join users u on u.id = p.author \
     left join comments as c on c.post = p.id group by p.id";

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = queries::cases();
    cases.extend(record_cases(dataset));
    cases.push(write_case(dataset));
    cases.push(file_case(dataset));
    cases.push(expand_case(dataset));
    cases.push(realtime_case(dataset));
    cases.extend(changes::cases(dataset));
    cases
}

fn view(name: &str, query: &str) -> Value {
    json!({ "name": name, "type": "view", "viewQuery": query, "listRule": "", "viewRule": "" })
}

fn create(definition: &Value) -> Step {
    let name = definition["name"].as_str().unwrap_or("none");
    Step::post(Actor::Root, PATH, definition).capture(name, "/id")
}

/// Deletes the collection that a step before created under that name, whatever it is called now.
fn delete(name: &str) -> Step {
    Step::delete(Actor::Root, format!("{PATH}/{{{{{name}}}}}"))
}

/// `steps` while there is a view `seen` with `query`.
fn with_view(query: &str, steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut all = vec![create(&view("seen", query))];
    all.extend(steps);
    all.push(delete("seen"));
    all
}

/// Searches of the view of posts.
const LISTS: &[&[(&str, &str)]] = &[
    &[],
    &[("sort", "-seen,id"), ("perPage", "5")],
    &[("sort", "@rowid")],
    &[("sort", "name,-id"), ("filter", "comments > 1")],
    &[("sort", "id"), ("filter", "tags:length > 1 && title ~ 'a'")],
    &[("sort", "id"), ("filter", "writer.team.name != ''"), ("expand", "writer.team,author")],
    &[("sort", "id"), ("filter", "author = writer"), ("skipTotal", "1")],
    &[("sort", "-twice,id"), ("filter", "twice >= 10"), ("fields", "id,twice,seen")],
    &[("sort", "rated,id"), ("filter", "rated ~ '.'")],
    &[("sort", "id"), ("filter", "email ~ 'example'")],
    &[("sort", "id"), ("filter", "secret != ''")],
    &[("sort", "id"), ("filter", "unknown = 1")],
    &[("sort", "id"), ("filter", "place.lat > 0")],
    &[("sort", "id"), ("filter", "meta.a = 1")],
    &[("sort", "created,id"), ("page", "2"), ("perPage", "7")],
    &[("sort", "id"), ("filter", "@collection.seen.comments > 2")],
    &[("sort", "id"), ("filter", "@rowid = 1")],
    &[("sort", "id"), ("filter", "at > '2020-01-01' || cover != ''")],
];

fn record_cases(dataset: &Dataset) -> Vec<Vec<Step>> {
    let post = dataset.nth("posts", 0);
    let list = |actor| move |query| Step::get(actor, target(&records("seen"), query));
    let mut cases = Vec::new();
    for actor in [Actor::Guest, Actor::Alice, Actor::Root] {
        cases.push(with_view(POSTS_QUERY, LISTS.iter().copied().map(list(actor))));
    }
    let ids = [post, "unknown", "%00", "'"];
    cases.push(with_view(
        POSTS_QUERY,
        ids.map(|id| Step::get(Actor::Guest, record("seen", id) + "?expand=writer.team")),
    ));
    cases.extend(rule_cases(post));
    cases
}

fn rule_cases(post: &str) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for (rule, actor) in [
        ("writer = @request.auth.id", Actor::Alice),
        ("comments > 1 || @request.auth.role = 'admin'", Actor::Bob),
        ("writer.team.name ~ 'a' && seen > 3", Actor::Guest),
        ("@collection.users.posts_via_author.title ?= title", Actor::Guest),
    ] {
        let mut definition = view("seen", POSTS_QUERY);
        definition["listRule"] = json!(rule);
        definition["viewRule"] = json!(rule);
        cases.push(vec![
            create(&definition),
            Step::get(actor, records("seen") + "?sort=id"),
            Step::get(actor, record("seen", post)),
            delete("seen"),
        ]);
    }
    let mut locked = view("seen", POSTS_QUERY);
    locked["listRule"] = json!(null);
    let list = Step::get(Actor::Guest, records("seen"));
    cases.push(vec![create(&locked), list, delete("seen")]);
    cases
}

/// Nothing can be written to a view.
fn write_case(dataset: &Dataset) -> Vec<Step> {
    let post = dataset.nth("posts", 0);
    let body = json!({ "title": "x" });
    let one = record("seen", post);
    let batch = json!({ "requests": [{ "method": "POST", "url": records("seen"), "body": body }] });
    with_view(
        POSTS_QUERY,
        [
            Step::post(Actor::Root, records("seen"), &body),
            Step::post(Actor::Guest, records("seen"), &body),
            Step::patch(Actor::Root, one.clone(), &body),
            Step::patch(Actor::Guest, one.clone(), &body),
            Step::delete(Actor::Root, one.clone()),
            Step::delete(Actor::Guest, one),
            Step::delete(Actor::Root, record("seen", "unknown")),
            Step::post(Actor::Root, "/api/batch", &batch),
            Step::delete(Actor::Root, format!("{PATH}/seen/truncate")),
            Step::delete(Actor::Guest, format!("{PATH}/seen")),
            Step::get(Actor::Guest, format!("{PATH}/seen/auth-methods")),
            Step::patch(Actor::Root, format!("{PATH}/seen"), &json!({ "createRule": "" })),
            Step::patch(Actor::Root, format!("{PATH}/seen"), &json!({ "type": "base" })),
        ],
    )
}

/// Files of a view, and of a view of it, are those of the records that it reads.
fn file_case(dataset: &Dataset) -> Vec<Step> {
    let outer = "select id, cover as picture, papers pages, private from seen";
    let mut steps = vec![create(&view("outer", outer))];
    for field in ["cover", "papers", "private"] {
        let Some(file) = dataset.files.iter().find(|file| file.field == field) else { continue };
        for view in ["seen", "outer"] {
            let path = format!("/api/files/{view}/{}/{}", file.record, file.name);
            steps.push(Step::get(Actor::Guest, path.clone()));
            steps.push(Step::get(Actor::Guest, path + "?thumb=20x20").picture());
        }
        let other = dataset.nth("posts", 1);
        steps.push(Step::get(Actor::Guest, format!("/api/files/seen/{other}/{}", file.name)));
    }
    steps.push(Step::get(Actor::Guest, "/api/files/seen/unknown/unknown.png"));
    steps.push(Step::post(Actor::Root, "/api/files/token", &json!({})).capture("file", "/token"));
    if let Some(file) = dataset.files.iter().find(|file| file.field == "private") {
        let path = format!("/api/files/outer/{}/{}?token={{{{file}}}}", file.record, file.name);
        steps.push(Step::get(Actor::Guest, path));
    }
    steps.push(delete("outer"));
    with_view(POSTS_QUERY, steps)
}

/// Relations to, from and between views.
fn expand_case(dataset: &Dataset) -> Vec<Step> {
    let query = "select id, team, username, (select max(id) from seen) as last from users";
    let expand = |name: &str, expand: &str| {
        Step::get(Actor::Root, target(&records(name), &[("sort", "id"), ("expand", expand)]))
    };
    let base = json!({
        "name": "pointing",
        "fields": [{ "type": "relation", "name": "to", "collectionId": "{{seen}}" }],
    });
    with_view(
        "select p.id, p.author, p.editors, t.id as team from posts p \
         left join users u on u.id = p.author left join teams t on t.id = u.team",
        [
            create(&view("people", query)),
            create(&view(
                "linked",
                "select s.id, s.id as other, p.id person from seen s, people p where p.id = s.author",
            )),
            create(&base),
            expand("seen", "author,editors,team.owner"),
            expand("people", "team.owner"),
            expand("linked", "other.author,person.team"),
            expand("users", "seen_via_author,linked_via_person"),
            expand("teams", "seen_via_team,people_via_team"),
            Step::get(
                Actor::Root,
                target(
                    &records("linked"),
                    &[("filter", "other.team.name ~ 'a' && person.username != ''"), ("sort", "id")],
                ),
            ),
            Step::get(
                Actor::Root,
                target(
                    &records("teams"),
                    &[("filter", "people_via_team.username ?~ 'a'"), ("sort", "id")],
                ),
            ),
            Step::delete(Actor::Root, format!("{PATH}/{}", dataset.collections["teams"])),
            delete("people"),
            delete("linked"),
            delete("people"),
            delete("pointing"),
        ],
    )
}

/// A view tells nobody of the changes of what it reads.
fn realtime_case(dataset: &Dataset) -> Vec<Step> {
    let team = dataset.nth("teams", 0);
    let update = Step::patch(Actor::Root, record("teams", team), &json!({ "labels": ["seen"] }));
    with_view(
        "select id, name, labels from teams",
        [
            Step::of(Actor::Guest, crate::compare::scenario::Action::Connect("onlooker")),
            subscribe(Actor::Guest, "onlooker", &["seen", "seen/*", "teams/*"]),
            update,
            Step::of(
                Actor::Guest,
                crate::compare::scenario::Action::Events {
                    stream: "onlooker",
                    until: team.to_owned(),
                },
            ),
            Step::of(Actor::Guest, crate::compare::scenario::Action::Disconnect("onlooker")),
        ],
    )
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let query = queries::random(rng);
    let search = target(&records("seen"), &[("sort", "id"), ("filter", queries::filter(rng))]);
    // Not the sample: which records come first is up to the planner and its statistics.
    let dry_run = format!("{DRY_RUN}?fields=fields");
    let dry_run = Request::post(dry_run).json(&json!({ "query": query }));
    with_view(
        &query,
        [
            Step::get(Actor::Root, format!("{PATH}/seen")),
            Step::get(Actor::Guest, records("seen") + "?sort=id&perPage=10"),
            Step::get(*rng.pick(&Actor::ALL), search),
            Step::new(Actor::Root, dry_run),
        ],
    )
}
