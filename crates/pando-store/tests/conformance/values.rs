//! Every value comes back as it went in.

use expect_test::expect;
use pando_schema::{Record, Value};
use serde_json::{Value as Json, json};

use crate::app::{App, Engine, Failure, id, shown};

crate::cases! {
    texts,
    long_texts,
    nul_is_kept_or_refused,
    numbers,
    a_zero_has_no_sign,
    what_is_no_number_is_refused,
    dates,
    bools,
    json_keeps_its_bytes,
    a_number_as_json_is_a_number,
    places,
    lists_keep_their_order,
    unset_values,
}

/// Writes each value with a new record and with an update, and reads it back.
async fn check(app: &App, field: Json, values: Vec<Value>) {
    let name = field["name"].as_str().unwrap().to_owned();
    let things = app.make("things", json!([field])).await;
    for (number, value) in values.into_iter().enumerate() {
        for (label, first) in [("insert", Some(value.clone())), ("update", None)] {
            let mut record = Record::new(things.clone());
            record.put("id", Value::Text(id(label, number)));
            let blank = record.clone();
            if let Some(value) = first {
                record.put(&name, value);
            }
            insert(app, record).await.unwrap_or_else(|error| panic!("{value:?}: {error:?}"));
            if label == "update" {
                let mut changed = blank.clone();
                changed.put(&name, value.clone());
                let work = app.store().write(move |tx| {
                    Box::pin(async move { Ok::<_, Failure>(tx.update(changed, &blank).await?) })
                });
                work.await.unwrap_or_else(|error| panic!("{value:?}: {error:?}"));
            }
            let found = app.find("things", &id(label, number)).await.unwrap();
            assert_eq!(found.get(&name), Some(&value), "{label}");
        }
    }
}

async fn insert(app: &App, record: Record) -> Result<(), Failure> {
    let written = app.store().write(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.insert(record).await.map(|_| ())?) })
    });
    written.await
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

async fn texts(app: &mut App) {
    let texts = [
        "",
        " ",
        "a",
        "NULL",
        "null",
        "0",
        "it's",
        "\"",
        "`",
        "\\",
        "\\x00",
        "\\N",
        "\\.",
        "a\r\nb\tc",
        "$1",
        "?",
        "?1",
        "%s",
        "E'x'",
        "é",
        "e\u{301}",
        "日本",
        "\u{1f600}",
        "\u{10ffff}",
        "\u{feff}",
        "\u{202e}abc",
        "\u{1}\u{7f}",
        "[\"a\"]",
        "{\"a\":1}",
        "-- no",
        "/* no */",
        "; DROP TABLE things",
    ];
    check(app, json!({ "type": "text", "name": "select" }), texts.map(text).to_vec()).await;
}

async fn long_texts(app: &mut App) {
    let texts = [8_191, 8_192, 65_536, 2_700_000].map(|length| "ab é ".repeat(length / 6));
    check(app, json!({ "type": "editor", "name": "body" }), texts.map(text).to_vec()).await;
}

async fn nul_is_kept_or_refused(app: &mut App) {
    let things = app.make("things", json!([{ "type": "text", "name": "a" }])).await;
    let mut record = Record::new(things);
    record.put("id", text(id("nul", 1)));
    record.put("a", text("a\0b"));
    let outcome = insert(app, record).await;
    match app.engine {
        Engine::Sqlite => {
            outcome.unwrap();
            assert_eq!(app.value("things", &id("nul", 1), "a").await, "\"a\\u0000b\"");
        }
        Engine::Postgres => {
            outcome.unwrap_err();
            assert!(app.find("things", &id("nul", 1)).await.is_none());
        }
    }
    // Nobody has it, so asking for it is no mistake.
    let mut reader = app.store().read().await.unwrap();
    let things = app.collection("things");
    assert!(reader.find(&things, "no\0ne").await.unwrap().is_none());
    assert!(reader.find_by(&things, "a", "no\0ne", false).await.unwrap().is_none());
    assert!(reader.find_all(&things, &["no\0ne".to_owned()]).await.unwrap().is_empty());
}

async fn numbers(app: &mut App) {
    let numbers = [
        0.0,
        1.0,
        -1.0,
        0.1,
        1.0 / 3.0,
        -2.5e-9,
        1e15,
        1e16,
        1e17,
        1e21,
        123_456_789.123_456_79,
        1e308,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        -9_007_199_254_740_994.0,
        9_223_372_036_854_775_807.0,
        -9_223_372_036_854_775_808.0,
        18_446_744_073_709_551_615.0,
        4.2,
        0.30000000000000004,
    ];
    check(app, json!({ "type": "number", "name": "n" }), numbers.map(Value::Number).to_vec()).await;
}

async fn a_zero_has_no_sign(app: &mut App) {
    app.make("things", json!([{ "type": "number", "name": "n" }])).await;
    app.create("things", json!({ "id": id("zero", 1), "n": -0.0 })).await.unwrap();
    assert_eq!(app.value("things", &id("zero", 1), "n").await, "0");
}

async fn what_is_no_number_is_refused(app: &mut App) {
    let things = app.make("things", json!([{ "type": "number", "name": "n" }])).await;
    for (number, odd) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().enumerate() {
        let mut record = Record::new(things.clone());
        record.put("id", text(id("odd", number)));
        record.put("n", Value::Number(odd));
        let (problems, _) = pando_schema::validate(&record, None);
        assert!(!problems.is_empty() || insert(app, record).await.is_err(), "{odd}");
    }
    assert!(app.find("things", &id("odd", 0)).await.is_none());
}

async fn dates(app: &mut App) {
    let dates = [
        "",
        "2024-02-29 12:00:00.123Z",
        "0001-01-01 00:00:00.000Z",
        "9999-12-31 23:59:59.999Z",
        "1969-12-31 23:59:59.999Z",
    ];
    check(app, json!({ "type": "date", "name": "at" }), dates.map(text).to_vec()).await;
}

async fn bools(app: &mut App) {
    check(app, json!({ "type": "bool", "name": "on" }), [true, false].map(Value::Bool).to_vec())
        .await;
}

async fn json_keeps_its_bytes(app: &mut App) {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let long = format!("[{}0]", "1234567890, ".repeat(20_000));
    let documents = [
        "null",
        "true",
        "0",
        "17",
        "[1.0, 1e2, 1E+2, -0, 0.1000, 123456789012345678901234567890]",
        "\"\"",
        "\"a\"",
        "\"\\u0041\\/\\n\"",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"日本 é\"",
        "[]",
        "{}",
        "[1, 2,3 ]",
        "{\"b\":1,  \"a\" : 2}",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"'\":\"`\"}}",
        &deep,
        &long,
    ];
    let values = documents.map(|document| Value::Json(document.to_owned()));
    check(app, json!({ "type": "json", "name": "data" }), values.to_vec()).await;
}

/// SQLite's column holds a number then, not the text of one.
async fn a_number_as_json_is_a_number(app: &mut App) {
    let things = app.make("things", json!([{ "type": "json", "name": "data" }])).await;
    let documents = [
        "-0",
        "1.0",
        "-1.50",
        "1e2",
        "1E+2",
        "0.1000",
        "1e-400",
        "9007199254740993",
        "9223372036854775808",
        "123456789012345678901234567890",
        " 1 ",
        "\"1\"",
    ];
    let mut seen = String::new();
    for (number, document) in documents.into_iter().enumerate() {
        let mut record = Record::new(things.clone());
        record.put("id", text(id("json", number)));
        record.put("data", Value::Json(document.to_owned()));
        insert(app, record).await.unwrap();
        let found = app.find("things", &id("json", number)).await.unwrap();
        let Some(Value::Json(found)) = found.get("data") else { panic!("{found:?}") };
        seen.push_str(&format!("{document} => {found}\n"));
    }
    expect![[r#"
        -0 => 0
        1.0 => 1
        -1.50 => -1.5
        1e2 => 100
        1E+2 => 100
        0.1000 => 0.1
        1e-400 => 0
        9007199254740993 => 9007199254740993
        9223372036854775808 => 9.223372036854776e+18
        123456789012345678901234567890 => 1.2345678901234568e+29
         1  => 1
        "1" => "1"
    "#]]
    .assert_eq(&seen);
}

async fn places(app: &mut App) {
    let places = [(0.0, 0.0), (12.5, -45.25), (180.0, 90.0), (-180.0, -90.0), (0.1, 1e-7)];
    let values = places.map(|(lon, lat)| Value::GeoPoint { lon, lat });
    check(app, json!({ "type": "geoPoint", "name": "place" }), values.to_vec()).await;
}

async fn lists_keep_their_order(app: &mut App) {
    let lists: [&[&str]; 7] = [
        &[],
        &["b", "a"],
        &["a", "b", "c"],
        &["c"],
        &["ünï", "it's", "\"quoted\"", "back\\slash"],
        &["a,b", "[c]", "{d}"],
        &["null", "true", "1"],
    ];
    let values = lists.map(|list| Value::List(list.iter().map(|&item| item.to_owned()).collect()));
    let field =
        json!({ "type": "select", "name": "tags", "maxSelect": 3, "values": ["a", "b", "c"] });
    check(app, field, values.to_vec()).await;
}

async fn unset_values(app: &mut App) {
    let kinds = ["text", "editor", "number", "bool", "email", "url", "date", "json", "geoPoint"];
    let fields = kinds.map(|kind| json!({ "type": kind, "name": kind }));
    app.make("things", fields.into_iter().collect()).await;
    let made = app.create("things", json!({})).await.unwrap();
    let found = app.find("things", made.id()).await.unwrap();
    let seen = kinds.map(|kind| shown(&found, kind)).join(" ");
    assert_eq!(seen, r#""" "" 0 false "" "" "" null {"lon":0,"lat":0}"#);
    assert_eq!(found.values, made.values);
}
