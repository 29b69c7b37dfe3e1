//! What refers to a record when that goes.

use pando_store::WriteError;
use serde_json::{Value as Json, json};

use crate::app::{App, Failure, id, problems};

crate::cases! {
    children_go_with_their_parent,
    a_list_loses_what_is_gone,
    a_required_reference_keeps_its_record,
    circles_and_long_chains_end,
    thousands_of_references,
    what_is_referred_to_must_exist,
    a_list_may_refer_to_hundreds,
}

/// A relation field to `parents`.
async fn children(app: &App, options: Json) {
    let parents = app.make("parents", json!([{ "type": "text", "name": "name" }])).await;
    let mut field = json!({ "type": "relation", "name": "of", "collectionId": parents.id });
    for (option, value) in crate::app::object(options) {
        field[option] = value;
    }
    app.make("children", json!([field])).await;
    for number in 1..=3 {
        app.create("parents", json!({ "id": id("parent", number) })).await.unwrap();
    }
}

async fn child(app: &App, number: usize, of: Json) {
    app.create("children", json!({ "id": id("child", number), "of": of })).await.unwrap();
}

async fn children_go_with_their_parent(app: &mut App) {
    children(app, json!({ "cascadeDelete": true })).await;
    let toys = json!([{ "type": "relation", "name": "owner", "cascadeDelete": true,
        "collectionId": app.collection("children").id }]);
    app.make("toys", toys).await;
    for number in 1..=3 {
        child(app, number, json!(id("parent", 1 + number % 2))).await;
        let toy = json!({ "id": id("toy", number), "owner": id("child", number) });
        app.create("toys", toy).await.unwrap();
    }
    // The first and the third belong to the second parent.
    let gone = app.delete("parents", &id("parent", 2)).await.unwrap();
    let mut ids: Vec<&str> = gone.iter().map(|record| record.id()).collect();
    ids.sort_unstable();
    let expected = [id("child", 1), id("child", 3), id("parent", 2), id("toy", 1), id("toy", 3)];
    assert_eq!(ids, expected);
    for number in 1..=3 {
        let stays = number == 2;
        assert_eq!(app.find("children", &id("child", number)).await.is_some(), stays);
        assert_eq!(app.find("toys", &id("toy", number)).await.is_some(), stays);
    }
}

async fn a_list_loses_what_is_gone(app: &mut App) {
    children(app, json!({ "maxSelect": 9, "cascadeDelete": true })).await;
    let [one, two, three] = [1, 2, 3].map(|number| id("parent", number));
    child(app, 1, json!([three, one, two])).await;
    child(app, 2, json!([one])).await;
    child(app, 3, json!([])).await;
    app.delete("parents", &one).await.unwrap();
    let left = app.value("children", &id("child", 1), "of").await;
    assert_eq!(left, json!([three, two]).to_string());
    assert!(app.find("children", &id("child", 2)).await.is_none(), "it lost its only one");
    assert_eq!(app.value("children", &id("child", 3), "of").await, "[]");
}

async fn a_required_reference_keeps_its_record(app: &mut App) {
    children(app, json!({ "required": true })).await;
    child(app, 1, json!(id("parent", 1))).await;
    let outcome = app.delete("parents", &id("parent", 1)).await;
    let Err(Failure::Write(WriteError::Required { collection, id: of })) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((collection.as_str(), of), ("children", id("child", 1)));
    assert!(app.find("parents", &id("parent", 1)).await.is_some());
    app.delete("parents", &id("parent", 2)).await.unwrap();
    // Without the demand the reference is cleared.
    let mut fields = app.collection("children").to_json()["fields"].take();
    fields[1]["required"] = json!(false);
    app.alter("children", json!({ "fields": fields })).await.unwrap();
    app.delete("parents", &id("parent", 1)).await.unwrap();
    assert_eq!(app.value("children", &id("child", 1), "of").await, "\"\"");
}

async fn circles_and_long_chains_end(app: &mut App) {
    const LENGTH: usize = 300;
    let links = app.make("links", json!([{ "type": "text", "name": "a" }])).await;
    let mut fields = links.to_json()["fields"].take();
    let next = json!({ "type": "relation", "name": "next", "collectionId": links.id,
        "cascadeDelete": true });
    fields.as_array_mut().unwrap().push(next);
    app.alter("links", json!({ "fields": fields })).await.unwrap();
    let link = |number: usize| match number {
        0 => json!({ "id": id("link", 0) }),
        _ => json!({ "id": id("link", number), "next": id("link", number - 1) }),
    };
    app.create_all("links", (0..LENGTH).map(link).collect()).await;
    let last = json!({ "next": id("link", LENGTH - 1) });
    app.update("links", &id("link", 0), last).await.unwrap();
    let gone = app.delete("links", &id("link", 7)).await.unwrap();
    assert_eq!(gone.len(), LENGTH);
    let mut reader = app.store().read().await.unwrap();
    assert!(reader.find_any(&app.collection("links")).await.unwrap().is_none());
}

async fn thousands_of_references(app: &mut App) {
    const COUNT: usize = 4_100;
    children(app, json!({})).await;
    let of = |number: usize| json!({ "id": id("child", number), "of": id("parent", 1) });
    app.create_all("children", (0..COUNT).map(of).collect()).await;
    assert_eq!(app.delete("parents", &id("parent", 1)).await.unwrap().len(), 1);
    let ids: Vec<String> = (0..COUNT).map(|number| id("child", number)).collect();
    let mut reader = app.store().read().await.unwrap();
    let found = reader.find_all(&app.collection("children"), &ids).await.unwrap();
    assert_eq!(found.len(), COUNT);
    assert!(found.iter().all(|child| child.text("of").is_empty()));
}

async fn what_is_referred_to_must_exist(app: &mut App) {
    children(app, json!({ "maxSelect": 9 })).await;
    let nobody = id("nobody", 1);
    for of in [json!([nobody]), json!([id("parent", 1), nobody])] {
        let outcome = app.create("children", json!({ "of": of })).await;
        assert_eq!(problems(outcome), "of: validation_missing_rel_records");
    }
    child(app, 1, json!([id("parent", 1), id("parent", 3)])).await;
    let outcome = app.update("children", &id("child", 1), json!({ "of+": nobody })).await;
    assert_eq!(problems(outcome), "of: validation_missing_rel_records");
}

async fn a_list_may_refer_to_hundreds(app: &mut App) {
    children(app, json!({ "maxSelect": 2_000 })).await;
    let parent = |number: usize| json!({ "id": id("other", number) });
    app.create_all("parents", (0..1_100).map(parent).collect()).await;
    let all: Vec<String> = (0..1_100).rev().map(|number| id("other", number)).collect();
    child(app, 1, json!(all)).await;
    assert_eq!(app.value("children", &id("child", 1), "of").await, json!(all).to_string());
    app.delete("parents", &all[500]).await.unwrap();
    let found = app.find("children", &id("child", 1)).await.unwrap();
    assert_eq!(found.get("of").unwrap().entries().len(), 1_099);
}
