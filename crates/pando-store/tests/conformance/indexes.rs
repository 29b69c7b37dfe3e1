//! Unique indexes of all kinds refuse what is there already, and say which field is to blame.

use pando_store::{CollectionError, StoreError, WriteError};
use serde_json::{Value as Json, json};

use crate::app::{App, Failure, id, problems};

crate::cases! {
    a_value_is_unique,
    a_value_is_unique_unless_it_is_empty,
    a_value_is_unique_without_regard_to_case,
    several_values_are_unique_together,
    values_of_all_types_are_unique,
    an_expression_is_unique,
    an_index_comes_and_goes,
    an_index_over_what_is_there_twice_is_refused,
}

const TAKEN: &str = "validation_not_unique";

/// A collection with some fields and an index.
async fn indexed(app: &App, index: &str) {
    let fields = json!([
        { "type": "text", "name": "a" },
        { "type": "text", "name": "b" },
        { "type": "number", "name": "n" },
        { "type": "bool", "name": "flag" },
        { "type": "date", "name": "at" },
        { "type": "select", "name": "many", "maxSelect": 2, "values": ["x", "y"] },
    ]);
    let definition =
        json!({ "name": "things", "type": "base", "fields": fields, "indexes": [index] });
    app.try_make(definition).await.unwrap();
}

async fn add(app: &App, values: Json) {
    app.create("things", values).await.unwrap();
}

async fn refused(app: &App, values: Json) -> String {
    problems(app.create("things", values).await)
}

async fn a_value_is_unique(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_a` ON `things` (`a`)").await;
    add(app, json!({ "id": id("thing", 1), "a": "x" })).await;
    add(app, json!({ "id": id("thing", 2), "a": "X" })).await;
    assert_eq!(refused(app, json!({ "a": "x" })).await, format!("a: {TAKEN}"));
    let outcome = app.update("things", &id("thing", 2), json!({ "a": "x" })).await;
    assert_eq!(problems(outcome), format!("a: {TAKEN}"));
    assert_eq!(app.value("things", &id("thing", 2), "a").await, "\"X\"");
    add(app, json!({ "id": id("thing", 3) })).await;
    assert_eq!(refused(app, json!({ "a": "" })).await, format!("a: {TAKEN}"));
    app.delete("things", &id("thing", 1)).await.unwrap();
    app.update("things", &id("thing", 2), json!({ "a": "x" })).await.unwrap();
}

async fn a_value_is_unique_unless_it_is_empty(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_a` ON `things` (`a`) WHERE `a` != ''").await;
    for _ in 0..3 {
        add(app, json!({})).await;
    }
    add(app, json!({ "id": id("thing", 1), "a": "x" })).await;
    assert_eq!(refused(app, json!({ "a": "x" })).await, format!("a: {TAKEN}"));
    app.update("things", &id("thing", 1), json!({ "a": "" })).await.unwrap();
    add(app, json!({ "a": "x" })).await;
}

async fn a_value_is_unique_without_regard_to_case(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_a` ON `things` (`a` COLLATE NOCASE)").await;
    add(app, json!({ "a": "Abc" })).await;
    for same in ["abc", "ABC", "Abc"] {
        assert_eq!(refused(app, json!({ "a": same })).await, format!("a: {TAKEN}"));
    }
    // SQLite knows the case of ASCII only.
    for other in ["é", "É", "abc ", "ab", "ß", "ss"] {
        add(app, json!({ "a": other })).await;
    }
}

async fn several_values_are_unique_together(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_ab` ON `things` (`a`, `b` DESC)").await;
    add(app, json!({ "a": "1", "b": "2" })).await;
    add(app, json!({ "a": "1", "b": "3" })).await;
    add(app, json!({ "a": "2", "b": "2" })).await;
    let found = refused(app, json!({ "a": "1", "b": "3" })).await;
    assert_eq!(found, format!("a: {TAKEN}, b: {TAKEN}"));
}

async fn values_of_all_types_are_unique(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i` ON `things` (`n`, `flag`, `at`, `many`)").await;
    let given = json!({ "n": 1.5, "flag": true, "at": "2024-01-02 03:04:05.678Z", "many": ["x"] });
    add(app, given.clone()).await;
    for (field, other) in [
        ("n", json!(1.25)),
        ("flag", json!(false)),
        ("at", json!("")),
        ("many", json!(["x", "y"])),
        ("many", json!(["y", "x"])),
    ] {
        let mut values = given.clone();
        values[field] = other;
        add(app, values).await;
    }
    let found = refused(app, given).await;
    assert_eq!(found, format!("at: {TAKEN}, flag: {TAKEN}, many: {TAKEN}, n: {TAKEN}"));
}

async fn an_expression_is_unique(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_lower` ON `things` (lower(`a`))").await;
    add(app, json!({ "a": "Abc" })).await;
    let outcome = app.create("things", json!({ "a": "aBC" })).await;
    let not_unique =
        matches!(outcome, Err(Failure::Write(WriteError::Store(StoreError::NotUnique { .. }))));
    assert!(not_unique, "{outcome:?}");
    add(app, json!({ "a": "É" })).await;
    add(app, json!({ "a": "é" })).await;
}

async fn an_index_comes_and_goes(app: &mut App) {
    indexed(app, "CREATE UNIQUE INDEX `i_a` ON `things` (`a`)").await;
    add(app, json!({ "a": "x" })).await;
    // The same name for another one.
    let other = json!({ "indexes": ["CREATE UNIQUE INDEX `i_a` ON `things` (`b`)"] });
    app.alter("things", other).await.unwrap();
    add(app, json!({ "a": "x", "b": "y" })).await;
    assert_eq!(refused(app, json!({ "b": "y" })).await, format!("b: {TAKEN}"));
    app.alter("things", json!({ "indexes": [] })).await.unwrap();
    add(app, json!({ "b": "y" })).await;
    let plain = json!({ "indexes": ["CREATE INDEX `i_a` ON `things` (`b`, `a`)"] });
    app.alter("things", plain).await.unwrap();
    add(app, json!({ "b": "y" })).await;
}

async fn an_index_over_what_is_there_twice_is_refused(app: &mut App) {
    indexed(app, "CREATE INDEX `i_b` ON `things` (`b`)").await;
    for _ in 0..2 {
        add(app, json!({ "a": "x" })).await;
    }
    let mut fields = app.collection("things").to_json()["fields"].take();
    fields.as_array_mut().unwrap().push(json!({ "type": "text", "name": "c" }));
    let change = json!({ "fields": fields, "indexes": [
        "CREATE INDEX `i_b` ON `things` (`b`)",
        "CREATE UNIQUE INDEX `i_a` ON `things` (`a`)",
    ] });
    let outcome = app.alter("things", change).await;
    let Err(Failure::Collection(CollectionError::Invalid(found))) = outcome else {
        panic!("{outcome:?}");
    };
    let found = Json::Object(found.to_json());
    assert_eq!(found["indexes"]["1"]["code"], "validation_invalid_index_expression", "{found}");
    // Nothing of the change is left.
    assert!(app.collection("things").field("c").is_none());
    add(app, json!({ "a": "x", "b": "y" })).await;
}
