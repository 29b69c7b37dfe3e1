//! What is evaluated in memory must be what SQLite answers.

use std::sync::Arc;

use pando_schema::{Record, Schema, Value};
use proptest::prelude::*;
use serde_json::json;

use super::{Author, compile};
use crate::fixture::{self, NOW, text};
use crate::{Origin, Purpose, Query, RequestContext};

const TEXTS: [&str; 24] = [
    "",
    "a",
    "A",
    "abc",
    "ABC",
    "5",
    "5.0",
    "05",
    " 5 ",
    "-3",
    "1e3",
    "1",
    "0",
    "%",
    "a%b",
    "a_b",
    "a\\b",
    "it's",
    "é",
    "É",
    "null",
    "true",
    "[]",
    "2024-02-10 11:12:13.456Z",
];
const NUMBERS: [f64; 12] = [
    0.0,
    1.0,
    5.0,
    5.5,
    -3.0,
    1000.0,
    1e15,
    1e20,
    0.1,
    1e-7,
    123_456_789.123,
    9.007_199_254_740_993e15,
];
const FIELDS: [&str; 17] = [
    "id",
    "title",
    "views",
    "pub",
    "at",
    "cat",
    "cats",
    "author",
    "author.id",
    "secret",
    "tags",
    "title:lower",
    "cats:lower",
    "views:lower",
    "cats:length",
    "cat:length",
    "title:length",
];
const REQUEST: [&str; 31] = [
    "@request.auth.id",
    "@request.auth.email",
    "@request.auth.verified",
    "@request.auth.name",
    "@request.auth.age",
    "@request.auth.roles",
    "@request.auth.org",
    "@request.auth.org.id",
    "@request.auth.name:lower",
    "@request.auth.age:lower",
    "@request.auth.missing",
    "@request.auth.collectionName",
    "@request.query.a",
    "@request.query.views",
    "@request.query.missing",
    "@request.query.a:isset",
    "@request.query.a:lower",
    "@request.headers.x_token",
    "@request.method",
    "@request.context",
    "@request.body.title",
    "@request.body.views",
    "@request.body.pub",
    "@request.body.cats",
    "@request.body.n",
    "@request.body.nothing:isset",
    "@request.body.title:changed",
    "@request.body.views:changed",
    "@request.body.cats:length",
    "@request.body.title:lower",
    "@request.body.deep.b.1",
];
const OTHERS: [&str; 12] = [
    "true",
    "false",
    "null",
    "@now",
    "@year",
    "@month",
    "@todayStart",
    "@monthEnd",
    "@weekday",
    "@yesterday",
    "TRUE",
    "Null",
];
const OPERATORS: [&str; 16] = [
    "=", "!=", "~", "!~", "<", "<=", ">", ">=", "?=", "?!=", "?~", "?!~", "?<", "?<=", "?>", "?>=",
];

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&FIELDS[..]).prop_map(str::to_owned),
        3 => prop::sample::select(&REQUEST[..]).prop_map(str::to_owned),
        2 => prop::sample::select(&OTHERS[..]).prop_map(str::to_owned),
        3 => prop::sample::select(&TEXTS[..])
            .prop_map(|text| crate::Operand::Text(text.to_owned()).to_string()),
        2 => prop::sample::select(&NUMBERS[..]).prop_map(|number| format!("{number}")),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let comparison = (operand(), prop::sample::select(&OPERATORS[..]), operand())
        .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    comparison.prop_recursive(3, 8, 3, |inner| {
        let joined = prop::sample::select(&[" && ", " || "][..]);
        (prop::collection::vec((joined, inner), 1..4), any::<bool>()).prop_map(|(parts, group)| {
            let mut text = String::new();
            for (index, (join, part)) in parts.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { join });
                text.push_str(part);
            }
            if group { format!("({text})") } else { text }
        })
    })
}

fn texts() -> impl Strategy<Value = Value> {
    prop::sample::select(&TEXTS[..]).prop_map(text)
}

fn numbers() -> impl Strategy<Value = Value> {
    prop::sample::select(&NUMBERS[..]).prop_map(Value::Number)
}

fn lists() -> impl Strategy<Value = Value> {
    prop::collection::vec(prop::sample::select(&TEXTS[1..]).prop_map(str::to_owned), 0..3)
        .prop_map(Value::List)
}

fn flags() -> impl Strategy<Value = Value> {
    any::<bool>().prop_map(Value::Bool)
}

fn post() -> impl Strategy<Value = Vec<Value>> {
    let rest = (texts(), lists(), texts(), lists());
    (texts(), numbers(), flags(), texts(), rest, texts()).prop_map(
        |(title, views, public, at, (cat, cats, author, tags), secret)| {
            let point = Value::GeoPoint { lon: 1.0, lat: 2.0 };
            let json = Value::Json("null".to_owned());
            vec![
                text("p1"),
                title,
                views,
                public,
                at,
                cat,
                cats,
                author,
                tags,
                text(""),
                json,
                point,
                secret,
            ]
        },
    )
}

fn user() -> impl Strategy<Value = Vec<Value>> {
    (texts(), flags(), flags(), texts(), numbers(), lists(), texts(), texts()).prop_map(
        |(email, visible, verified, name, age, roles, org, id)| {
            vec![id, email, visible, verified, text("hash"), name, age, roles, org]
        },
    )
}

fn request(auth: Option<Record>, body: (Value, Value, Value)) -> RequestContext {
    let auth = auth.map(Arc::new);
    let mut request = RequestContext::new(Purpose::Default, "PATCH", auth);
    request.query.insert("a".to_owned(), "AbC".to_owned());
    request.query.insert("views".to_owned(), "5".to_owned());
    request.headers.insert("x_token".to_owned(), "5".to_owned());
    let (title, views, cats) = body;
    request.body.insert("title".to_owned(), title.to_json());
    request.body.insert("views".to_owned(), views.to_json());
    request.body.insert("pub".to_owned(), json!(true));
    request.body.insert("cats".to_owned(), cats.to_json());
    request.body.insert("n".to_owned(), json!(null));
    request.body.insert("deep".to_owned(), json!({"b": [1, "x"]}));
    request
}

/// What SQLite says, asked of the table and of the record as it is given.
fn sql_answers(
    schema: &Schema,
    record: &Record,
    origin: Origin,
    rule: &crate::Expr,
    request: &RequestContext,
) -> Vec<bool> {
    let db = fixture::database(schema);
    let mut queries = vec![Query::of_record(schema, record, origin, Some(request), NOW).unwrap()];
    if origin == Origin::Stored {
        fixture::insert(&db, record);
        queries.push(Query::new(schema, &record.collection, Some(request), NOW).unwrap());
    }
    let mut answers = Vec::new();
    for mut query in queries {
        query.filter(rule).unwrap();
        let statement = query.exists();
        let found = fixture::rows(&db, &statement)
            .unwrap_or_else(|error| panic!("{error}: {}", statement.text));
        answers.push(!found.is_empty());
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_agrees_with_sqlite(
        rule in rule(),
        post in post(),
        user in prop::option::of(user()),
        body in (texts(), numbers(), lists()),
        stored in any::<bool>(),
    ) {
        let schema = fixture::schema();
        let record = fixture::record(&schema, "posts", post);
        let auth = user.map(|values| fixture::record(&schema, "users", values));
        let request = request(auth, body);
        let compiled = compile(&rule, &record.collection, &schema, Author::Operator).unwrap();
        prop_assert!(!compiled.needs_sql(), "{}", rule);
        let origin = if stored { Origin::Stored } else { Origin::Submitted };
        if let Some(answer) = compiled.eval(&record, origin, Some(&request), NOW) {
            for expected in sql_answers(&schema, &record, origin, compiled.expr(), &request) {
                prop_assert_eq!(answer, expected, "{}", &rule);
            }
        }
    }
}

/// The answers in memory for a post titled `Abc` with 5 views: for the operator and for a client.
#[track_caller]
fn check(rule: &str, expected: [Option<bool>; 2]) {
    let schema = fixture::schema();
    let list = Value::List(vec!["a".to_owned()]);
    let values = vec![
        text("p1"),
        text("Abc"),
        Value::Number(5.0),
        Value::Bool(true),
        text(""),
        text(""),
        list,
    ];
    let record = fixture::record(&schema, "posts", values);
    let answers = [Author::Operator, Author::Client].map(|author| {
        let compiled = compile(rule, &record.collection, &schema, author).unwrap();
        compiled.eval(&record, Origin::Stored, None, NOW)
    });
    assert_eq!(answers, expected, "{rule}");
}

#[test]
fn common_rules_are_answered() {
    let (yes, no) = ([Some(true); 2], [Some(false); 2]);
    check("title = 'Abc'", yes);
    check("title ~ 'B'", yes);
    check("views > 4 && pub = true", yes);
    check("@request.auth.id != ''", no);
    check("author = @request.auth.id", yes);
    check("at <= @now", yes);
    check("title = 5", no);
    check("views = '5'", yes);
    check("cats:length = 1", yes);
}

#[test]
fn what_needs_the_database_is_left_to_it() {
    check("author.name = ''", [None; 2]);
    check("cats:each = 'a'", [None; 2]);
    check("meta.a = 1", [None; 2]);
    check("@collection.posts.title = 'x'", [None; 2]);
    check("strftime('%Y', at) = ''", [None; 2]);
    check("missing = 1", [None; 2]);
    check("title = 'Abc' || author.name = ''", [None; 2]);
}

#[test]
fn clients_do_not_see_hidden_fields() {
    check("secret = ''", [Some(true), None]);
}

#[test]
fn clients_match_only_visible_addresses() {
    let schema = fixture::schema();
    for visible in [true, false] {
        let values = vec![text("u1"), text("a@b.co"), Value::Bool(visible)];
        let record = fixture::record(&schema, "users", values);
        let compiled =
            compile("email ~ 'b.co'", &record.collection, &schema, Author::Client).unwrap();
        assert_eq!(compiled.eval(&record, Origin::Stored, None, NOW), Some(visible));
    }
}
