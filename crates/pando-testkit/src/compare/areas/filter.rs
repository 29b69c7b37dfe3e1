//! Filters: every operator, modifier, function, macro and way to reach another record.

mod texts;

use super::{Area, records};
use crate::compare::dataset::Dataset;
use crate::compare::scenario::{Actor, Step, target};
use crate::http::Request;
use crate::rng::Rng;
use texts::{GUARDED, MEANING, OTHERS, SYNTAX, absurd};

pub(super) const AREA: Area = Area { name: "filter", weight: 24, catalog, random };

/// The operands of one collection's filters.
struct Terms {
    collection: &'static str,
    fields: &'static [&'static str],
    values: &'static [&'static str],
}

const POSTS: Terms = Terms {
    collection: "posts",
    fields: &[
        "id",
        "title",
        "slug",
        "body",
        "views",
        "rating",
        "published",
        "contact",
        "link",
        "at",
        "tags",
        "tags:each",
        "tags:length",
        "status",
        "cover",
        "papers",
        "papers:each",
        "papers:length",
        "author",
        "author.name",
        "author.name:lower",
        "author.team.name",
        "author.team.owner.role",
        "author.score",
        "editors",
        "editors:each",
        "editors:length",
        "editors.name",
        "editors.id",
        "editors.team.name",
        "category",
        "category.name",
        "category.parent.name",
        "category.rank",
        "meta",
        "meta.a",
        "meta.nested.x",
        "meta.list",
        "meta.list.0",
        "meta.list.1.k",
        "place.lon",
        "place.lat",
        "place",
        "created",
        "updated",
        "title:lower",
        "comments_via_post.text",
        "comments_via_post.likes",
        "comments_via_post.user.name",
        "comments_via_post.id",
        "comments_via_post.user.team.name",
        "joins_via_post.label",
        "collectionId",
        "collectionName",
    ],
    values: &[
        "''",
        "'open'",
        "\"closed\"",
        "'draft'",
        "0",
        "1",
        "5",
        "30",
        "-3.5",
        "1e1",
        "2.50",
        "true",
        "false",
        "null",
        "'red'",
        "'dark blue'",
        "'ünï'",
        "'alpha'",
        "'%a%'",
        "'beta'",
        "'it\\'s'",
        "\"say \\\"hi\\\"\"",
        "'back\\\\slash'",
        "'zeta%'",
        "'eta_1'",
        "'_'",
        "'team 1'",
        "'cat 2'",
        "'2022-01-01 00:00:00.000Z'",
        "'2022-05-05'",
        "'2021'",
        "@now",
        "@todayStart",
        "@todayEnd",
        "@monthStart",
        "@yearEnd",
        "@yesterday",
        "@tomorrow",
        "@request.auth.id",
        "@request.auth.email",
        "@request.auth.team.name",
        "@request.auth.role",
        "@request.query.q",
        "@request.headers.x_test",
        "@request.method",
        "@request.context",
        "@collection.categories.name",
        "@collection.users.name",
        "@collection.teams:t.name",
        "title",
        "views",
        "status",
        "author",
        "'plain'",
        "'日本'",
        "'two\nlines'",
        "geoDistance(place.lon, place.lat, 10, 20)",
        "strftime('%Y', at)",
        "'0x10'",
        "+5",
        "'1'",
    ],
};

const COMMENTS: Terms = Terms {
    collection: "comments",
    fields: &[
        "text",
        "text:lower",
        "likes",
        "post",
        "post.title",
        "post.status",
        "post.tags",
        "post.tags:each",
        "post.tags:length",
        "post.author.name",
        "post.author.team.name",
        "post.editors.name",
        "post.editors.id",
        "user",
        "user.name",
        "user.verified",
        "user.email",
        "user.team.owner.name",
        "created",
        "post.comments_via_post.likes",
        "post.meta.a",
        "post.category.name",
        "user.comments_via_user.text",
        "user.posts_via_author.views",
        "user.posts_via_editors.title",
    ],
    values: &[
        "''",
        "'alpha'",
        "'a'",
        "3",
        "5",
        "true",
        "'open'",
        "'red'",
        "2",
        "@request.auth.id",
        "user",
        "likes",
        "post.views",
        "'team 0'",
        "null",
        "@now",
        "'gamma'",
    ],
};

const USERS: Terms = Terms {
    collection: "users",
    fields: &[
        "name",
        "username",
        "role",
        "score",
        "team",
        "team.name",
        "team.labels.index",
        "verified",
        "active",
        "posts_via_author.title",
        "posts_via_author.views",
        "posts_via_editors.status",
        "comments_via_user.likes",
        "teams_via_owner.name",
        "created",
        "team.labels.list",
        "team.labels.deep.on",
        "email",
        "emailVisibility",
        "posts_via_author.comments_via_post.text",
    ],
    values: &[
        "''",
        "'alpha'",
        "1",
        "3",
        "true",
        "false",
        "'team 1'",
        "'admin'",
        "@request.auth.role",
        "@request.auth.team",
        "score",
        "'open'",
        "20",
        "'alice'",
    ],
};

const KINDS: Terms = Terms {
    collection: "kinds",
    fields: &[
        "text",
        "editor",
        "number",
        "bool",
        "email",
        "url",
        "date",
        "one",
        "many",
        "many:each",
        "many:length",
        "rel",
        "rel.name",
        "rels",
        "rels.name",
        "rels:length",
        "rels.owner.name",
        "json",
        "json.a",
        "json.list",
        "json.0",
        "json.nested.x",
        "json.list.0.k",
        "geo.lon",
        "geo.lat",
        "created",
        "made",
        "json:length",
        "json:each",
    ],
    values: &[
        "''",
        "'a'",
        "'d'",
        "0",
        "1",
        "-2.5",
        "7",
        "true",
        "null",
        "'plain'",
        "'2015-03-01'",
        "'team 2'",
        "number",
        "'1'",
        "'text'",
        "2",
        "'<p>'",
        "@yearStart",
        "geo.lat",
    ],
};

const OPERATORS: [&str; 16] = [
    "=", "!=", ">", ">=", "<", "<=", "~", "!~", "?=", "?!=", "?>", "?>=", "?<", "?<=", "?~", "?!~",
];

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let terms = match rng.below(10) {
        0..6 => &POSTS,
        6 | 7 => &COMMENTS,
        8 => &USERS,
        _ => &KINDS,
    };
    let filter = expression(terms, 0, rng);
    let sort = if rng.percent(75) { "id" } else { "" };
    let actor = *rng.pick(&[Actor::Root, Actor::Root, Actor::Alice, Actor::Bob, Actor::Guest]);
    vec![list(actor, terms.collection, &filter, sort)]
}

/// A list request; only ids come back, so that a difference is the filter's.
fn list(actor: Actor, collection: &str, filter: &str, sort: &str) -> Step {
    let mut query = vec![("filter", filter), ("fields", "id,totalItems"), ("q", "alpha")];
    query.push(("perPage", "100"));
    if !sort.is_empty() {
        query.push(("sort", sort));
    }
    let request = Request::get(target(&records(collection), &query)).header("X-Test", "open");
    Step::new(actor, request)
}

fn expression(terms: &Terms, depth: usize, rng: &mut Rng) -> String {
    let count = match rng.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    let parts: Vec<String> = (0..count)
        .map(|_| {
            if depth < 2 && rng.percent(12) {
                format!("({})", expression(terms, depth + 1, rng))
            } else {
                comparison(terms, rng)
            }
        })
        .collect();
    let mut text = parts[0].clone();
    for part in &parts[1..] {
        let joint = *rng.pick(&[" && ", " || ", "&&", "||", "  &&\n"]);
        text = format!("{text}{joint}{part}");
    }
    text
}

fn comparison(terms: &Terms, rng: &mut Rng) -> String {
    let mut left = (*rng.pick(terms.fields)).to_owned();
    let mut right =
        if rng.percent(12) { *rng.pick(terms.fields) } else { *rng.pick(terms.values) }.to_owned();
    if rng.percent(10) {
        std::mem::swap(&mut left, &mut right);
    }
    let operator = rng.pick(&OPERATORS);
    let space = if rng.percent(85) { " " } else { "" };
    format!("{left}{space}{operator}{space}{right}")
}

fn catalog(_: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for filter in SYNTAX.iter().chain(MEANING) {
        cases.push(vec![list(Actor::Root, "posts", filter, "id")]);
    }
    for filter in GUARDED {
        for actor in [Actor::Guest, Actor::Alice, Actor::Root] {
            cases.push(vec![list(actor, "posts", filter, "id")]);
        }
    }
    for (collection, filter) in OTHERS {
        for actor in [Actor::Alice, Actor::Root] {
            cases.push(vec![list(actor, collection, filter, "id")]);
        }
    }
    for filter in absurd() {
        cases.push(vec![list(Actor::Alice, "posts", &filter, "id")]);
    }
    cases
}
