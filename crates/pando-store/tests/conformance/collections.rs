//! Collections and the tables behind them change, and what is stored stays.

use pando_schema::Missing;
use pando_store::{CollectionError, WriteError};
use serde_json::{Value as Json, json};

use crate::app::{App, Failure, id, object, shown};

crate::cases! {
    a_new_collection_outlives_the_process,
    a_new_field_has_its_zero_value,
    a_renamed_field_keeps_its_values,
    fields_may_swap_their_names,
    a_removed_field_is_forgotten,
    a_field_of_another_type_starts_anew,
    a_list_becomes_one_value_and_back,
    a_renamed_collection_keeps_its_records,
    a_deleted_collection_leaves_its_name,
    what_others_refer_to_stays,
    a_refused_change_leaves_nothing,
    an_import_makes_changes_and_deletes,
    a_truncated_collection_is_empty,
    a_truncation_is_refused_as_a_whole,
    a_view_shows_what_it_reads,
    names_that_databases_have_taken,
}

/// The fields of a collection as JSON, to be changed.
fn fields(app: &App, name: &str) -> Vec<Json> {
    app.collection(name).to_json()["fields"].as_array().unwrap().clone()
}

async fn change_fields(app: &App, name: &str, change: impl FnOnce(&mut Vec<Json>)) {
    let mut fields = fields(app, name);
    change(&mut fields);
    app.alter(name, json!({ "fields": fields })).await.unwrap();
}

async fn a_new_collection_outlives_the_process(app: &mut App) {
    let made = app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    app.create("posts", json!({ "id": id("post", 1), "title": "a" })).await.unwrap();
    let shown = app.collection("posts").to_json();
    app.reopen(|_| {}).await.unwrap();
    assert_eq!(app.collection("posts").to_json(), shown);
    assert_eq!(app.collection(&made.id).name, "posts");
    assert_eq!(app.value("posts", &id("post", 1), "title").await, "\"a\"");
    app.create("posts", json!({ "title": "b" })).await.unwrap();
}

async fn a_new_field_has_its_zero_value(app: &mut App) {
    app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    app.create("posts", json!({ "id": id("post", 1), "title": "a" })).await.unwrap();
    let select = |name: &str, max: usize| json!({ "type": "select", "name": name, "maxSelect": max, "values": ["x", "y", "z"] });
    let kinds = ["text", "number", "bool", "date", "json", "geoPoint", "url", "editor"];
    let plain =
        kinds.map(|kind| json!({ "type": kind, "name": format!("a {kind}").replace(' ', "_") }));
    change_fields(app, "posts", |fields| {
        fields.extend(plain);
        fields.extend([select("one", 1), select("many", 3)]);
    })
    .await;
    let found = app.find("posts", &id("post", 1)).await.unwrap();
    let seen: Vec<String> =
        found.collection.fields.iter().skip(1).map(|field| shown(&found, &field.name)).collect();
    let expected = r#""a" "" 0 false "" null {"lon":0,"lat":0} "" "" "" []"#;
    assert_eq!(seen.join(" "), expected);
    let values = json!({ "many": ["y", "x"], "a_number": 4 });
    app.update("posts", &id("post", 1), values).await.unwrap();
    assert_eq!(app.value("posts", &id("post", 1), "many").await, r#"["y","x"]"#);
}

async fn a_renamed_field_keeps_its_values(app: &mut App) {
    app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    app.create("posts", json!({ "id": id("post", 1), "title": "a" })).await.unwrap();
    change_fields(app, "posts", |fields| fields[1]["name"] = json!("headline")).await;
    assert_eq!(app.value("posts", &id("post", 1), "headline").await, "\"a\"");
    app.update("posts", &id("post", 1), json!({ "headline": "b" })).await.unwrap();
    assert_eq!(app.value("posts", &id("post", 1), "headline").await, "\"b\"");
}

async fn fields_may_swap_their_names(app: &mut App) {
    let two = json!([{ "type": "text", "name": "a" }, { "type": "number", "name": "b" }]);
    app.make("posts", two).await;
    app.create("posts", json!({ "id": id("post", 1), "a": "text", "b": 5 })).await.unwrap();
    change_fields(app, "posts", |fields| {
        fields[1]["name"] = json!("b");
        fields[2]["name"] = json!("a");
        // The new one takes a name that was there, too.
        fields.insert(1, json!({ "type": "bool", "name": "c" }));
    })
    .await;
    assert_eq!(app.value("posts", &id("post", 1), "b").await, "\"text\"");
    assert_eq!(app.value("posts", &id("post", 1), "a").await, "5");
    assert_eq!(app.value("posts", &id("post", 1), "c").await, "false");
}

async fn a_removed_field_is_forgotten(app: &mut App) {
    let two = json!([{ "type": "text", "name": "a" }, { "type": "text", "name": "b" }]);
    app.make("posts", two).await;
    app.create("posts", json!({ "id": id("post", 1), "a": "1", "b": "2" })).await.unwrap();
    change_fields(app, "posts", |fields| drop(fields.remove(1))).await;
    let found = app.find("posts", &id("post", 1)).await.unwrap();
    assert_eq!((found.get("a"), shown(&found, "b").as_str()), (None, "\"2\""));
    change_fields(app, "posts", |fields| fields.push(json!({ "type": "text", "name": "a" }))).await;
    assert_eq!(app.value("posts", &id("post", 1), "a").await, "\"\"");
}

async fn a_field_of_another_type_starts_anew(app: &mut App) {
    app.make("posts", json!([{ "type": "text", "name": "a" }])).await;
    app.create("posts", json!({ "id": id("post", 1), "a": "1" })).await.unwrap();
    change_fields(app, "posts", |fields| fields[1] = json!({ "type": "number", "name": "a" }))
        .await;
    assert_eq!(app.value("posts", &id("post", 1), "a").await, "0");
    app.update("posts", &id("post", 1), json!({ "a": 2.5 })).await.unwrap();
    assert_eq!(app.value("posts", &id("post", 1), "a").await, "2.5");
}

async fn a_list_becomes_one_value_and_back(app: &mut App) {
    let field =
        json!({ "type": "select", "name": "tags", "maxSelect": 1, "values": ["x", "y", "it's"] });
    app.make("posts", json!([field])).await;
    app.create("posts", json!({ "id": id("post", 1), "tags": "it's" })).await.unwrap();
    app.create("posts", json!({ "id": id("post", 2) })).await.unwrap();
    change_fields(app, "posts", |fields| fields[1]["maxSelect"] = json!(3)).await;
    assert_eq!(app.value("posts", &id("post", 1), "tags").await, r#"["it's"]"#);
    assert_eq!(app.value("posts", &id("post", 2), "tags").await, "[]");
    app.update("posts", &id("post", 1), json!({ "tags": ["x", "it's", "y"] })).await.unwrap();
    change_fields(app, "posts", |fields| fields[1]["maxSelect"] = json!(1)).await;
    assert_eq!(app.value("posts", &id("post", 1), "tags").await, "\"y\"");
    assert_eq!(app.value("posts", &id("post", 2), "tags").await, "\"\"");
}

async fn a_renamed_collection_keeps_its_records(app: &mut App) {
    let definition = json!({ "name": "posts", "type": "base",
        "fields": [{ "type": "text", "name": "title" }],
        "indexes": ["CREATE UNIQUE INDEX `i_title` ON `posts` (`title`)"] });
    app.try_make(definition).await.unwrap();
    app.create("posts", json!({ "id": id("post", 1), "title": "a" })).await.unwrap();
    app.alter("posts", json!({ "name": "articles" })).await.unwrap();
    assert!(app.store().schema().find("posts").is_none());
    assert_eq!(app.value("articles", &id("post", 1), "title").await, "\"a\"");
    let outcome = app.create("articles", json!({ "title": "a" })).await;
    assert_eq!(crate::app::problems(outcome), "title: validation_not_unique");
    // Its old name is free.
    app.make("posts", json!([{ "type": "number", "name": "title" }])).await;
    app.create("posts", json!({ "title": 1 })).await.unwrap();
    app.alter("articles", json!({ "name": "Articles" })).await.unwrap();
    assert_eq!(app.value("Articles", &id("post", 1), "title").await, "\"a\"");
}

async fn delete_collection(app: &App, name: &str) -> Result<(), Failure> {
    let collection = app.collection(name);
    let deleted = app.store().write(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.delete_collection(&collection).await?) })
    });
    deleted.await
}

async fn a_deleted_collection_leaves_its_name(app: &mut App) {
    app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    app.create("posts", json!({ "title": "a" })).await.unwrap();
    delete_collection(app, "posts").await.unwrap();
    assert!(app.store().schema().find("posts").is_none());
    let posts = app.make("posts", json!([{ "type": "number", "name": "title" }])).await;
    let mut reader = app.store().read().await.unwrap();
    assert!(reader.find_any(&posts).await.unwrap().is_none());
}

async fn what_others_refer_to_stays(app: &mut App) {
    let posts = app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    let field = json!({ "type": "relation", "name": "post", "collectionId": posts.id });
    app.make("comments", json!([field])).await;
    let outcome = delete_collection(app, "posts").await;
    let referrers = match outcome {
        Err(Failure::Collection(CollectionError::Referenced { referrers, .. })) => referrers,
        other => panic!("{other:?}"),
    };
    assert_eq!(referrers, ["comments"]);
    let outcome = delete_collection(app, "_superusers").await;
    assert!(matches!(outcome, Err(Failure::Collection(CollectionError::System(_)))));
    delete_collection(app, "comments").await.unwrap();
    delete_collection(app, "posts").await.unwrap();
}

async fn a_refused_change_leaves_nothing(app: &mut App) {
    let posts = app.make("posts", json!([{ "type": "text", "name": "title" }])).await;
    app.create("posts", json!({ "id": id("post", 1), "title": "a" })).await.unwrap();
    let work = app.store().write(move |tx| {
        Box::pin(async move {
            let mut fields = posts.to_json()["fields"].take();
            fields[1]["name"] = json!("headline");
            let change = object(json!({ "name": "articles", "fields": fields }));
            tx.update_collection(&posts, &change).await?;
            let other = json!({ "name": "others", "type": "base" });
            tx.create_collection(&object(other)).await?;
            Err::<(), _>(Failure::Undone)
        })
    });
    work.await.unwrap_err();
    assert!(app.store().schema().find("articles").is_none());
    assert!(app.store().schema().find("others").is_none());
    assert_eq!(app.value("posts", &id("post", 1), "title").await, "\"a\"");
    app.make("others", json!([])).await;
    app.reopen(|_| {}).await.unwrap();
    assert_eq!(app.value("posts", &id("post", 1), "title").await, "\"a\"");
}

async fn import(app: &App, collections: Json, missing: Missing) -> Result<Vec<String>, Failure> {
    let input: Vec<_> = collections.as_array().unwrap().iter().cloned().map(object).collect();
    let work = app.store().write(move |tx| {
        Box::pin(async move {
            let deleted = tx.import_collections(input, missing).await?;
            Ok::<_, Failure>(deleted.iter().map(|collection| collection.name.clone()).collect())
        })
    });
    work.await
}

async fn an_import_makes_changes_and_deletes(app: &mut App) {
    app.make("old", json!([{ "type": "text", "name": "a" }])).await;
    app.make("kept", json!([{ "type": "text", "name": "a" }])).await;
    app.create("kept", json!({ "id": id("kept", 1), "a": "x" })).await.unwrap();
    let mut kept = app.collection("kept").to_json();
    kept["fields"][1]["name"] = json!("b");
    // Two new ones that refer to each other.
    let relation = |to: &str| json!([{ "type": "relation", "name": "other", "collectionId": to }]);
    let one = json!({ "id": "one000000000000", "name": "one", "type": "base",
        "fields": relation("two000000000000") });
    let two = json!({ "id": "two000000000000", "name": "two", "type": "base",
        "fields": relation("one000000000000") });
    let input = json!([kept, one, two]);
    assert!(import(app, input.clone(), Missing::Keep).await.unwrap().is_empty());
    assert!(app.store().schema().find("old").is_some());
    assert!(import(app, input, Missing::Delete).await.unwrap().contains(&"old".to_owned()));
    assert!(app.store().schema().find("old").is_none());
    assert_eq!(app.value("kept", &id("kept", 1), "b").await, "\"x\"");
    let first = app.create("one", json!({})).await.unwrap();
    app.create("two", json!({ "other": first.id() })).await.unwrap();
    let bad = json!([{ "name": "bad", "type": "base", "fields": [
        { "type": "relation", "name": "to", "collectionId": "nothing" } ] }]);
    import(app, bad, Missing::Keep).await.unwrap_err();
    assert!(app.store().schema().find("bad").is_none());
}

async fn truncate(app: &App, name: &str) -> Result<usize, Failure> {
    let collection = app.collection(name);
    let work = app.store().write(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.truncate(&collection).await?.len()) })
    });
    work.await
}

async fn a_truncated_collection_is_empty(app: &mut App) {
    let posts = app.make("posts", json!([{ "type": "number", "name": "n" }])).await;
    let field = json!({ "type": "relation", "name": "post", "collectionId": posts.id,
        "cascadeDelete": true });
    app.make("comments", json!([field])).await;
    let post = |n: usize| json!({ "id": id("post", n), "n": n });
    app.create_all("posts", (0..1_050).map(post).collect()).await;
    for n in [0, 999] {
        app.create("comments", json!({ "post": id("post", n) })).await.unwrap();
    }
    assert_eq!(truncate(app, "posts").await.unwrap(), 1_052);
    assert_eq!(truncate(app, "comments").await.unwrap(), 0);
    app.create("posts", json!({ "id": id("post", 1) })).await.unwrap();
}

async fn a_truncation_is_refused_as_a_whole(app: &mut App) {
    let posts = app.make("posts", json!([])).await;
    let field = json!({ "type": "relation", "name": "post", "collectionId": posts.id,
        "required": true });
    app.make("comments", json!([field])).await;
    for number in 0..5 {
        app.create("posts", json!({ "id": id("post", number) })).await.unwrap();
    }
    app.create("comments", json!({ "post": id("post", 3) })).await.unwrap();
    let outcome = truncate(app, "posts").await;
    let required = matches!(
        outcome,
        Err(Failure::Collection(CollectionError::Records(WriteError::Required { .. })))
    );
    assert!(required, "{outcome:?}");
    for number in 0..5 {
        assert!(app.find("posts", &id("post", number)).await.is_some());
    }
}

async fn a_view_shows_what_it_reads(app: &mut App) {
    let fields = json!([{ "type": "text", "name": "title" }, { "type": "number", "name": "n" }]);
    app.make("posts", fields).await;
    let query = "SELECT id, title AS headline, n FROM posts WHERE n > 1";
    let view = json!({ "name": "heads", "type": "view", "viewQuery": query });
    app.try_make(view).await.unwrap();
    app.create("posts", json!({ "id": id("post", 1), "title": "a", "n": 1 })).await.unwrap();
    app.create("posts", json!({ "id": id("post", 2), "title": "b", "n": 2 })).await.unwrap();
    assert_eq!(app.value("heads", &id("post", 2), "headline").await, "\"b\"");
    assert!(app.find("heads", &id("post", 1)).await.is_none());
    let outcome = delete_collection(app, "posts").await;
    outcome.unwrap_err();
    delete_collection(app, "heads").await.unwrap();
    delete_collection(app, "posts").await.unwrap();
}

async fn names_that_databases_have_taken(app: &mut App) {
    let names =
        ["order", "group", "user", "table", "xmin", "ctid", "tableoid", "Mixed", "_n", "_b"];
    let field = |name: &str| json!({ "type": "text", "name": name });
    for name in ["select", "user", "pg_class", "Mixed"] {
        app.make(name, names.iter().map(|name| field(name)).collect()).await;
        let values =
            names.iter().map(|&field| (field.to_owned(), json!(format!("{name}.{field}"))));
        let made = app.create(name, values.collect()).await.unwrap();
        let found = app.find(name, made.id()).await.unwrap();
        for field in names {
            assert_eq!(found.text(field), format!("{name}.{field}"));
        }
    }
}
