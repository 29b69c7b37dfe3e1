//! Records are written, read, changed and deleted.

use pando_schema::{Record, Value};
use pando_store::{StoreError, WriteError};
use serde_json::json;

use crate::app::{App, Failure, id, problems, shown};

crate::cases! {
    what_is_written_is_read,
    an_update_changes_what_it_names_and_nothing_else,
    a_deleted_record_is_gone_once,
    an_id_is_given_once,
    an_id_is_given_to_one_account_of_all_collections,
    a_record_may_have_hundreds_of_fields,
    the_last_superuser_stays,
    a_new_password_voids_what_the_old_one_gave,
    what_belongs_to_an_account_goes_with_it,
    an_account_is_not_that_of_another_collection,
}

async fn what_is_written_is_read(app: &mut App) {
    let fields = json!([
        { "type": "text", "name": "title" },
        { "type": "number", "name": "views" },
        { "type": "bool", "name": "good" },
        { "type": "autodate", "name": "created", "onCreate": true },
        { "type": "autodate", "name": "updated", "onCreate": true, "onUpdate": true },
    ]);
    app.make("posts", fields).await;
    let given = json!({ "title": "a", "views": 3, "good": true });
    let made = app.create("posts", given).await.unwrap();
    assert_eq!(made.id().len(), 15);
    assert_ne!(made.text("created"), "");
    assert_eq!(made.text("created"), made.text("updated"));
    let found = app.find("posts", made.id()).await.unwrap();
    assert_eq!(found.values, made.values);
    assert_eq!(found.collection.name, "posts");
    assert!(app.find("posts", &id("none", 1)).await.is_none());
    assert!(app.find("users", made.id()).await.is_none());

    app.reopen(|_| {}).await.unwrap();
    assert_eq!(app.find("posts", made.id()).await.unwrap().values, made.values);
}

async fn an_update_changes_what_it_names_and_nothing_else(app: &mut App) {
    let fields = json!([
        { "type": "text", "name": "a" },
        { "type": "text", "name": "b" },
        { "type": "autodate", "name": "updated", "onUpdate": true },
    ]);
    app.make("pairs", fields).await;
    let one = app.create("pairs", json!({ "a": "1", "b": "2" })).await.unwrap();
    let other = app.create("pairs", json!({ "a": "1", "b": "2" })).await.unwrap();
    let changed = app.update("pairs", one.id(), json!({ "a": "3" })).await.unwrap();
    let found = app.find("pairs", one.id()).await.unwrap();
    assert_eq!((found.text("a"), found.text("b")), ("3", "2"));
    assert_ne!(found.text("updated"), "");
    assert_eq!(found.values, changed.values);
    assert_eq!(app.find("pairs", other.id()).await.unwrap().values, other.values);
    // Nothing to change is no mistake.
    app.update("pairs", one.id(), json!({ "a": "3" })).await.unwrap();
}

async fn a_deleted_record_is_gone_once(app: &mut App) {
    app.make("things", json!([{ "type": "text", "name": "a" }])).await;
    let made = app.create("things", json!({ "a": "x" })).await.unwrap();
    let again = made.clone();
    let gone = app.delete("things", made.id()).await.unwrap();
    assert_eq!(gone.iter().map(|record| record.id()).collect::<Vec<_>>(), [made.id()]);
    assert!(app.find("things", made.id()).await.is_none());
    let gone = app.store().write(move |tx| Box::pin(tx.delete(again))).await;
    assert!(gone.unwrap().is_empty(), "somebody else has deleted it");
    // The id is free again.
    app.create("things", json!({ "id": made.id() })).await.unwrap();
}

async fn an_id_is_given_once(app: &mut App) {
    let fields = json!([
        { "type": "text", "name": "id", "primaryKey": true, "required": true,
            "pattern": "^[a-zA-Z0-9]+$" },
    ]);
    app.make("things", fields).await;
    app.create("things", json!({ "id": "abc" })).await.unwrap();
    for taken in ["abc", "ABC", "aBc"] {
        let outcome = app.create("things", json!({ "id": taken })).await;
        assert_eq!(problems(outcome), "id: validation_pk_invalid");
    }
    app.create("things", json!({ "id": "abd" })).await.unwrap();
    // Who does not ask first is refused by the database.
    let things = app.collection("things");
    let twice = app.store().write(move |tx| {
        Box::pin(async move {
            let mut record = Record::new(things);
            record.put("id", Value::Text("abc".to_owned()));
            Ok::<_, Failure>(tx.insert(record).await?)
        })
    });
    assert_eq!(problems(twice.await), "id: validation_not_unique");
}

async fn an_id_is_given_to_one_account_of_all_collections(app: &mut App) {
    app.try_make(json!({ "name": "members", "type": "auth" })).await.unwrap();
    let account = json!({ "id": id("person", 1), "email": "a@b.co", "password": "hash" });
    app.create("users", account.clone()).await.unwrap();
    let outcome = app.create("members", account).await;
    assert_eq!(problems(outcome), "id: validation_invalid_auth_id");
}

async fn a_record_may_have_hundreds_of_fields(app: &mut App) {
    let kinds = ["text", "number", "bool", "json", "date"];
    let field = |number: usize| json!({ "type": kinds[number % 5], "name": format!("f{number}") });
    app.make("wide", (0..300).map(field).collect()).await;
    let mut values = json!({});
    for number in 0..300 {
        values[format!("f{number}")] = match number % 5 {
            0 => json!(format!("text {number}")),
            1 => json!(number),
            2 => json!(true),
            3 => json!({ "number": number }),
            _ => json!("2024-01-02 03:04:05.678Z"),
        };
    }
    let made = app.create("wide", values).await.unwrap();
    assert_eq!(app.find("wide", made.id()).await.unwrap().values, made.values);
    let cleared: Vec<(String, _)> = (0..300).map(|n| (format!("f{n}"), json!(null))).collect();
    let changed = app.update("wide", made.id(), cleared.into_iter().collect()).await.unwrap();
    let found = app.find("wide", made.id()).await.unwrap();
    assert_eq!(found.values, changed.values);
    assert_eq!(shown(&found, "f298"), "null");
}

fn superuser(number: usize) -> serde_json::Value {
    json!({ "id": id("root", number), "email": format!("root{number}@b.co"), "password": "hash" })
}

async fn the_last_superuser_stays(app: &mut App) {
    for number in [1, 2] {
        app.create("_superusers", superuser(number)).await.unwrap();
    }
    app.delete("_superusers", &id("root", 1)).await.unwrap();
    let outcome = app.delete("_superusers", &id("root", 2)).await;
    assert!(matches!(outcome, Err(Failure::Write(WriteError::LastSuperuser))), "{outcome:?}");
    assert!(app.find("_superusers", &id("root", 2)).await.is_some());
}

async fn a_new_password_voids_what_the_old_one_gave(app: &mut App) {
    let account = json!({ "id": id("person", 1), "email": "a@b.co", "password": "one" });
    let made = app.create("users", account).await.unwrap();
    let users = made.collection.id.clone();
    let origin =
        json!({ "collectionRef": users, "recordRef": made.id(), "fingerprint": "browser" });
    let origin = app.create("_authOrigins", origin).await.unwrap();
    let link = json!({ "collectionRef": users, "recordRef": made.id(), "provider": "google",
        "providerId": "1" });
    let link = app.create("_externalAuths", link).await.unwrap();

    let renamed = app.update("users", made.id(), json!({ "name": "Ann" })).await.unwrap();
    assert_eq!(renamed.text("tokenKey"), made.text("tokenKey"));
    let changed = app.update("users", made.id(), json!({ "password": "two" })).await.unwrap();
    assert_ne!(changed.text("tokenKey"), made.text("tokenKey"));
    assert_eq!(app.find("users", made.id()).await.unwrap().values, changed.values);
    assert!(app.find("_authOrigins", origin.id()).await.is_none());
    assert!(app.find("_externalAuths", link.id()).await.is_some());
    app.update("users", made.id(), json!({ "verified": true })).await.unwrap();
    assert!(app.find("_externalAuths", link.id()).await.is_none());
}

async fn what_belongs_to_an_account_goes_with_it(app: &mut App) {
    let mut links = Vec::new();
    for number in [1, 2] {
        let (person, email) = (id("person", number), format!("{number}@b.co"));
        let account = json!({ "id": person, "email": email, "password": "one" });
        let made = app.create("users", account).await.unwrap();
        let link = json!({ "collectionRef": made.collection.id, "recordRef": person,
            "provider": "google", "providerId": person });
        links.push(app.create("_externalAuths", link).await.unwrap());
    }
    app.delete("users", &id("person", 1)).await.unwrap();
    assert!(app.find("_externalAuths", links[0].id()).await.is_none());
    assert!(app.find("_externalAuths", links[1].id()).await.is_some());
}

async fn an_account_is_not_that_of_another_collection(app: &mut App) {
    app.try_make(json!({ "name": "members", "type": "auth" })).await.unwrap();
    let account = json!({ "email": "a@b.co", "password": "one" });
    app.create("users", account.clone()).await.unwrap();
    let member = app.create("members", account.clone()).await.unwrap();
    let mut reader = app.store().read().await.unwrap();
    let users = app.collection("users");
    assert!(reader.find(&users, member.id()).await.unwrap().is_none());
    drop(reader);
    assert_eq!(problems(app.create("members", account).await), "email: validation_not_unique");
    let nobody = app.store().write(move |tx| {
        Box::pin(async move { Ok::<_, StoreError>(tx.find(&users, member.id()).await?.is_none()) })
    });
    assert!(nobody.await.unwrap());
}
