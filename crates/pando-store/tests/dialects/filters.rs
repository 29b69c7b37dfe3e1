//! Random filters and sorts over all operators, modifiers, kinds of fields and paths.

use std::sync::Arc;

use pando_filter::{Operand, Operator, Purpose, RequestContext};
use pando_schema::{Record, Schema, Value};
use pando_testkit::Rng;
use serde_json::json;

use crate::records::{NUMBERS, TEXTS, records};

const PLAIN: [&str; 23] = [
    "id",
    "title",
    "body",
    "views",
    "score",
    "pub",
    "at",
    "cat",
    "cats",
    "doc",
    "docs",
    "author",
    "tags",
    "meta",
    "loc",
    "link",
    "_n",
    "xmin",
    "title:lower",
    "views:lower",
    "pub:lower",
    "cats:lower",
    "meta:lower",
];
const DEEP: [&str; 50] = [
    "author.id",
    "author.name",
    "author.age",
    "author.verified",
    "author.email",
    "author.roles",
    "author.org",
    "author.org.name",
    "author.org.size",
    "author.prefs.a",
    "author.prefs",
    "author.roles:each",
    "author.roles:length",
    "author.name:lower",
    "tags.id",
    "tags.name",
    "tags.weight",
    "tags.name:lower",
    "comments_via_post.text",
    "comments_via_post.rank",
    "comments_via_post.by",
    "comments_via_post.by.name",
    "comments_via_post.by.age",
    "comments_via_post.extra.a",
    "comments_via_post.extra",
    "comments_via_post.id",
    "boards_via_posts.name",
    "boards_via_posts.id",
    "pg_class_via_post.note",
    "meta.a",
    "meta.b",
    "meta.a.b",
    "meta.b.1.c",
    "meta.a.b.0",
    "meta.0",
    "meta.1",
    "meta.0.0",
    "meta.a.0",
    "meta.c",
    "meta.null",
    "loc.lon",
    "loc.lat",
    "cats:each",
    "cat:each",
    "tags:each",
    "doc:each",
    "docs:length",
    "cats:length",
    "cat:length",
    "tags:length",
];
const REQUEST: [&str; 36] = [
    "@request.auth.id",
    "@request.auth.email",
    "@request.auth.verified",
    "@request.auth.name",
    "@request.auth.age",
    "@request.auth.roles",
    "@request.auth.org",
    "@request.auth.org.name",
    "@request.auth.roles:each",
    "@request.auth.roles:length",
    "@request.auth.prefs.a",
    "@request.auth.name:lower",
    "@request.auth.age:lower",
    "@request.auth.missing",
    "@request.query.a",
    "@request.query.views",
    "@request.query.missing",
    "@request.query.a:isset",
    "@request.query.missing:isset",
    "@request.query.a:lower",
    "@request.method",
    "@request.context",
    "@request.body.title",
    "@request.body.views",
    "@request.body.pub",
    "@request.body.cats",
    "@request.body.cats:each",
    "@request.body.cats:length",
    "@request.body.title:changed",
    "@request.body.views:changed",
    "@request.body.title:lower",
    "@request.body.deep.b.1",
    "@request.body.tags.name",
    "@request.body.author.name",
    "@request.body.meta",
    "@request.body.big",
];
const COLLECTIONS: [&str; 8] = [
    "@collection.tags.name",
    "@collection.tags.weight",
    "@collection.users.id",
    "@collection.users.roles:each",
    "@collection.tags:x.name",
    "@collection.tags:x.weight",
    "@collection.orgs.name",
    "@collection.boards.posts",
];
const OTHERS: [&str; 14] = [
    "true",
    "false",
    "null",
    "@now",
    "@year",
    "@month",
    "@day",
    "@todayStart",
    "@monthEnd",
    "@weekday",
    "@yesterday",
    "@yearStart",
    "@minute",
    "@second",
];
const CALLS: [&str; 5] = [
    "strftime('%Y', 'now')",
    "geoDistance(loc.lon, loc.lat, 23, 42)",
    "geoDistance(views, score, 0, 0)",
    "geoDistance(meta.a, meta.b, title, 1)",
    "geoDistance(author.age, xmin, loc.lon, loc.lat)",
];
const FORMATS: [&str; 12] = [
    "%Y",
    "%Y-%m-%d",
    "%H:%M:%S",
    "%f",
    "%j %U %W %w %u",
    "%G-%V %g",
    "%s",
    "%J",
    "%I %l %p %P %k %e",
    "%F %T %R",
    "%d%%\\",
    "%x",
];
const MODIFIERS: [&str; 26] = [
    "+1 day",
    "-1 days",
    "+1 month",
    "-13 months",
    "+1 year",
    "+1.5 hours",
    "start of month",
    "start of year",
    "start of day",
    "end of month",
    "end of year",
    "weekday 0",
    "weekday -2",
    "unixepoch",
    "auto",
    "julianday",
    "subsec",
    "floor",
    "ceiling",
    "utc",
    "+12:30",
    "-0001-02-03",
    "+0000-01-01 10:00",
    "nonsense",
    "10 seconds",
    "-2.7 minutes",
];
const SORTS: [&str; 26] = [
    "id",
    "title",
    "views",
    "score",
    "pub",
    "at",
    "cat",
    "cats",
    "meta",
    "meta.a",
    "meta.b",
    "loc",
    "loc.lon",
    "author.name",
    "author.age",
    "author.org.name",
    "tags.name",
    "comments_via_post.rank",
    "title:lower",
    "cats:length",
    "@rowid",
    "tags:each",
    "_n",
    "body",
    "author",
    "pg_class_via_post.note",
];

/// Paths from users, whose e-mail addresses not everyone may see.
const USERS: [&str; 20] = [
    "id",
    "email",
    "email:lower",
    "emailVisibility",
    "verified",
    "name",
    "age",
    "roles",
    "roles:each",
    "roles:length",
    "org",
    "org.name",
    "org.size",
    "prefs",
    "prefs.a",
    "posts_via_author.title",
    "posts_via_author.tags.name",
    "posts_via_author.comments_via_post.by.email",
    "comments_via_by.rank",
    "comments_via_by.post.author.email",
];
const USER_SORTS: [&str; 8] =
    ["id", "email", "name", "-age", "-verified", "org.name", "prefs.a", "-roles"];

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) collection: &'static str,
    pub(crate) filter: String,
    pub(crate) sort: String,
    pub(crate) ids: Vec<String>,
    pub(crate) offset: i64,
    /// As a client asks, not an operator.
    pub(crate) visible: bool,
}

pub(crate) struct Filters {
    rng: Rng,
    collection: &'static str,
}

impl Filters {
    pub(crate) fn new(rng: Rng) -> Filters {
        Filters { rng, collection: "posts" }
    }

    pub(crate) fn case(&mut self) -> Case {
        self.collection = if self.rng.percent(15) { "users" } else { "posts" };
        let case = self.posts_case();
        self.collection = "posts";
        case
    }

    /// A case that suits posts.
    pub(crate) fn posts_case(&mut self) -> Case {
        let mut filter = self.comparison();
        for _ in 0..self.rng.below(3) {
            let join = *self.rng.pick(&[" && ", " || "]);
            let next = self.comparison();
            filter = if self.rng.percent(30) {
                format!("({filter}){join}{next}")
            } else {
                format!("{filter}{join}{next}")
            };
        }
        let sorts = self.rng.below(4);
        let sort: Vec<String> = (0..sorts).map(|_| self.sort()).collect();
        // Only where the order is sure: see `ordered`.
        let total = sort.iter().any(|term| term.trim_start_matches(['-', '+']) == "id");
        let repeated = ["comments", "each", "tags."];
        let total =
            total && !sort.iter().any(|term| repeated.iter().any(|part| term.contains(part)));
        let ids = if self.rng.percent(10) { 1 + self.rng.below(4) } else { 0 };
        Case {
            collection: self.collection,
            filter,
            sort: sort.join(","),
            ids: (0..ids)
                .map(|_| format!("{}{}", &self.collection[..1], self.rng.below(30)))
                .collect(),
            offset: if sorts > 0 && total && self.rng.percent(20) { 2 } else { 0 },
            visible: self.rng.percent(30),
        }
    }

    fn sort(&mut self) -> String {
        if self.collection == "users" {
            return (*self.rng.pick(&USER_SORTS)).to_owned();
        }
        let sign = *self.rng.pick(&["", "-", "+"]);
        format!("{sign}{}", self.rng.pick(&SORTS))
    }

    fn comparison(&mut self) -> String {
        let left = self.path();
        let right = if self.rng.percent(60) { self.literal() } else { self.path() };
        let operator = self.rng.pick(&Operator::ALL).0;
        if self.rng.percent(15) {
            format!("{right} {operator} {left}")
        } else {
            format!("{left} {operator} {right}")
        }
    }

    fn path(&mut self) -> String {
        let rng = &mut self.rng;
        match rng.below(20) {
            0..=14 if self.collection == "users" => (*rng.pick(&USERS)).to_owned(),
            0..=6 => (*rng.pick(&PLAIN)).to_owned(),
            7..=14 => (*rng.pick(&DEEP)).to_owned(),
            15..=16 => (*rng.pick(&REQUEST)).to_owned(),
            17 => (*rng.pick(&COLLECTIONS)).to_owned(),
            18 => (*rng.pick(&CALLS)).to_owned(),
            _ => self.strftime(),
        }
    }

    fn strftime(&mut self) -> String {
        let rng = &mut self.rng;
        let time = *rng.pick(&[
            "at",
            "at",
            "at",
            "views",
            "title",
            "meta.a",
            "comments_via_post.extra",
            "'12:30:15.25+02:00'",
            "'2023-02-31T10:00'",
            "@now",
        ]);
        let mut text = format!("strftime('{}', {time}", rng.pick(&FORMATS).replace('\\', "\\\\"));
        for _ in 0..rng.below(3) {
            text.push_str(&format!(", '{}'", rng.pick(&MODIFIERS)));
        }
        text + ")"
    }

    fn literal(&mut self) -> String {
        let rng = &mut self.rng;
        match rng.below(10) {
            // No record holds NUL, but anyone may ask for it.
            0 if rng.percent(10) => "'a\0b'".to_owned(),
            0..=4 => Operand::Text((*rng.pick(&TEXTS)).to_owned()).to_string(),
            5..=7 => format!("{}", rng.pick(&NUMBERS)),
            _ => (*rng.pick(&OTHERS)).to_owned(),
        }
    }
}

/// A request by a user, or by a guest.
pub(crate) fn request(schema: &Schema, rng: &mut Rng) -> RequestContext {
    let users: Vec<Record> = records(schema, rng)
        .into_iter()
        .filter(|record| record.collection.name == "users")
        .collect();
    let auth = rng.percent(80).then(|| Arc::new(rng.pick(&users).clone()));
    let mut request = RequestContext::new(Purpose::Default, "PATCH", auth);
    request.query.insert("a".to_owned(), (*rng.pick(&TEXTS)).to_owned());
    request.query.insert("views".to_owned(), "5".to_owned());
    let title = Value::Text((*rng.pick(&TEXTS)).to_owned());
    request.body.insert("title".to_owned(), title.to_json());
    request.body.insert("views".to_owned(), json!(*rng.pick(&NUMBERS)));
    request.body.insert("pub".to_owned(), json!(rng.percent(50)));
    request
        .body
        .insert("cats".to_owned(), json!(["a", *rng.pick(&TEXTS), 5, 5.5, null, true, {"k": [1]}]));
    request.body.insert("tags".to_owned(), json!(["t1", "t2"]));
    request.body.insert("author".to_owned(), json!("u1"));
    request.body.insert("meta".to_owned(), json!({"a": 1}));
    request.body.insert("deep".to_owned(), json!({"b": [1, "x"]}));
    request.body.insert("big".to_owned(), json!(12_345_678_901_234_567_890_u64));
    request
}
