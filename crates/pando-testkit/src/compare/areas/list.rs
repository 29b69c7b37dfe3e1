//! Lists: sorting, paging, fields, expanding, rules and what a bad query answers.

use super::{Area, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step, target};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "list", weight: 13, catalog, random };

const SORTS: &[&str] = &[
    "id",
    "-id",
    "+id",
    "title",
    "-title,id",
    "views,-rating,id",
    "author.name,id",
    "-author.team.name,id",
    "category.rank,-id",
    "category.parent.name,id",
    "at,id",
    "-at,id",
    "published,id",
    "status,-views,id",
    "@rowid",
    "-@rowid",
    "meta.a,id",
    "place.lon,id",
    "tags,id",
    "tags:length,id",
    "editors.name,id",
    "rating",
    "created,id",
    "updated",
    "comments_via_post.likes,id",
    "title:lower,id",
    " title , -id ",
    "slug,id",
    "collectionName,id",
    "-views",
];
const BAD_SORTS: &[&str] = &[
    "unknown",
    "-unknown,id",
    "title desc",
    "--title",
    "title:unknown",
    "author.unknown",
    "'title'",
    "1",
    "secret",
    "author.secret",
    "author.password",
    "password",
    "@request.auth.id",
    "@collection.teams.name",
    "@now",
    ",",
    "id,,id",
    "id;",
    "",
    "geoDistance(1,2,3,4)",
    "author.email",
    "title,title,title",
    "unknown_via_post.id",
];
const EXPANDS: &[&str] = &[
    "author",
    "editors",
    "category",
    "author,editors,category",
    "author.team",
    "author.team.owner",
    "editors.team",
    "category.parent",
    "comments_via_post",
    "comments_via_post.user",
    "comments_via_post.user.team",
    "author.posts_via_author",
    "author.comments_via_user.post",
    "unknown",
    "author.unknown",
    "title",
    "author,author",
    " author , editors ",
    "author.",
    ".author",
    "comments_via_unknown",
    "unknown_via_post",
    "joins_via_post",
    "author.notes_via_owner",
    "author.team.owner.team.owner.team.owner",
    "category.posts_via_category.author",
    "editors.posts_via_editors",
    "comments_via_user",
    "author.teams_via_owner",
    "comments_via_post(user)",
    "posts_via_author",
    "",
];
const FIELDS: &[&str] = &[
    "id",
    "id,title",
    "*",
    "*,expand.author.name",
    "title:excerpt(5)",
    "body:excerpt(10)",
    "body:excerpt(10,true)",
    "body:excerpt(10,false)",
    "body:excerpt()",
    "body:excerpt(a)",
    "body:excerpt(10,true,1)",
    "body:unknown(1)",
    "id,body:excerpt(3, true)",
    "expand.author.id,expand.author.team",
    "expand.*.name",
    "expand.author.*",
    "*,expand.editors.id",
    "unknown",
    "id,unknown",
    "meta.a",
    "meta.list",
    "meta.*",
    "place.lon",
    "tags",
    "items.id",
    "page,totalItems",
    "totalItems",
    " id , title ",
    "id,,title",
    ",",
    "collectionName,id",
    "expand.comments_via_post.text",
    "expand.comments_via_post.expand.user.name",
    "secret,id",
    "*,body:excerpt(4,true)",
    "title:excerpt(200,true)",
    "views:excerpt(2)",
    "tags:excerpt(2)",
    "meta:excerpt(3)",
    "body:excerpt(-1)",
    "body:excerpt(0)",
    "expand.author.expand.team.name",
    "expand",
    "id:excerpt(3),id",
];

fn catalog(_: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    let mut add = |actor, collection: &str, query: &[(&str, &str)]| {
        cases.push(vec![Step::get(actor, target(&records(collection), query))]);
    };
    for sort in SORTS.iter().chain(BAD_SORTS) {
        // Ties have no defined order, so enough of the page is compared only where there are none.
        add(Actor::Root, "posts", &[("sort", sort), ("fields", "id"), ("perPage", "200")]);
    }
    for sort in BAD_SORTS {
        add(Actor::Alice, "posts", &[("sort", sort), ("fields", "id")]);
    }
    for expand in EXPANDS {
        add(Actor::Root, "posts", &[("expand", expand), ("sort", "id"), ("perPage", "4")]);
        add(
            Actor::Alice,
            "posts",
            &[("expand", expand), ("sort", "id"), ("perPage", "7"), ("fields", "id,expand")],
        );
    }
    for fields in FIELDS {
        let expand = "author.team,editors,comments_via_post.user";
        add(
            Actor::Root,
            "posts",
            &[("fields", fields), ("sort", "id"), ("perPage", "3"), ("expand", expand)],
        );
    }
    for (name, values) in PAGING {
        for value in *values {
            add(Actor::Guest, "posts", &[(name, value), ("sort", "id"), ("fields", "*")]);
        }
    }
    for actor in Actor::ALL {
        for collection in [
            "posts",
            "users",
            "teams",
            "members",
            "categories",
            "comments",
            "kinds",
            "limits",
            "notes",
            "gates",
            "joins",
            "locked",
            "beacons",
            "_superusers",
            "_externalAuths",
            "_mfas",
            "_otps",
            "_authOrigins",
            "unknown",
            "pbc_1",
        ] {
            if actor == Actor::Root && collection.starts_with("_authOrigins") {
                continue; // one row per login of this run: both sides have their own
            }
            add(actor, collection, &[("sort", "id"), ("perPage", "5")]);
        }
    }
    // A random order can only be compared by its size.
    let random = [("sort", "@random"), ("fields", "totalItems"), ("perPage", "3")];
    cases.push(vec![Step::get(Actor::Root, target(&records("posts"), &random))]);
    cases.extend(rule_cases());
    cases
}

/// Rules that look at the request.
fn rule_cases() -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for actor in [Actor::Guest, Actor::Alice, Actor::Mia] {
        for query in [
            "",
            "?key=a",
            "?key=ccc",
            "?key=",
            "?key=a&key=bb",
            "?sort=id&key=zz",
            "?filter=level%3E3&key=a",
        ] {
            cases.push(vec![Step::get(actor, format!("{}{query}", records("gates")))]);
        }
        let keyed =
            |value: &str| Request::get(records("gates") + "?sort=id").header("X-Key", value);
        cases.push(vec![Step::new(actor, keyed("abc"))]);
        cases.push(vec![Step::new(actor, keyed("abcd"))]);
        cases.push(vec![Step::get(actor, "/api/collections/pbc_1125843985/records?sort=id")]);
    }
    for query in [
        "filter=%ZZ",
        "filter",
        "sort=%",
        "page=1&page=2&sort=id",
        "%66ields=id&sort=id",
        "fields=id&sort=id&unknown=1",
        "Filter=id%3D''&fields=id&sort=id",
        "filter=id%21%3D%27%27&filter=id%3D%27%27&fields=id",
        "expand[]=author&sort=id&fields=id,expand",
        ";a=b&sort=id",
        "sort=id;perPage=1",
        "perPage=2&sort=%2Did",
        "perPage=2&sort=+id",
        "?&&sort=id&perPage=1",
    ] {
        cases.push(vec![Step::get(Actor::Root, format!("{}?{query}", records("posts")))]);
    }
    cases
}

const PAGING: &[(&str, &[&str])] = &[
    (
        "page",
        &[
            "1",
            "2",
            "3",
            "0",
            "-1",
            "999",
            "1.5",
            "a",
            "",
            "99999999999999999999",
            " 2",
            "+2",
            "0x2",
        ],
    ),
    (
        "perPage",
        &["1", "2", "0", "-1", "30", "500", "501", "1000", "1001", "5000", "a", "1.5", "", "1e1"],
    ),
    ("skipTotal", &["1", "0", "true", "false", "TRUE", "t", "yes", "", "2", "True"]),
];

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let page = rng.below(5).to_string();
    let per_page = (1 + rng.below(12)).to_string();
    let mut query = vec![("page", page.as_str()), ("perPage", per_page.as_str())];
    let sort = format!("{},id", rng.pick(&SORTS[..25]).trim());
    query.push(("sort", &sort));
    if rng.percent(60) {
        query.push(("expand", *rng.pick(EXPANDS)));
    }
    if rng.percent(40) {
        query.push(("fields", *rng.pick(FIELDS)));
    }
    if rng.percent(30) {
        query.push(("skipTotal", *rng.pick(&["1", "true", "false"])));
    }
    if rng.percent(40) {
        query.push((
            "filter",
            *rng.pick(&[
                "status = 'open'",
                "views > 20",
                "author.verified = true",
                "tags:each ?= 'red'",
            ]),
        ));
    }
    let actor = *rng.pick(&Actor::ALL);
    vec![Step::get(actor, target(&records("posts"), &query))]
}
