//! Records are found by id, by many ids, and by a value.

use std::collections::BTreeSet;

use serde_json::json;

use crate::app::{App, id};

crate::cases! {
    many_ids_at_once,
    by_a_value,
    by_a_value_without_regard_to_case,
    any_record,
}

async fn many_ids_at_once(app: &mut App) {
    let things = app.make("things", json!([{ "type": "number", "name": "number" }])).await;
    let of = |number: usize| json!({ "id": id("thing", number), "number": number });
    app.create_all("things", (0..1_203).map(of).collect()).await;
    let mut wanted: Vec<String> = (0..1_203).step_by(2).map(|n| id("thing", n)).collect();
    wanted.extend((0..700).map(|number| id("nothing", number)));
    let mut reader = app.store().read().await.unwrap();
    let found = reader.find_all(&things, &wanted).await.unwrap();
    assert_eq!(found.len(), 602, "each once");
    let ids: BTreeSet<&str> = found.iter().map(|record| record.id()).collect();
    assert!(wanted[..602].iter().all(|id| ids.contains(id.as_str())));
    assert!(reader.find_all(&things, &[]).await.unwrap().is_empty());
    let twice = [id("thing", 1), id("thing", 1)];
    assert_eq!(reader.find_all(&things, &twice).await.unwrap().len(), 1);
}

const NAMES: [&str; 11] = [
    "ann",
    "Ann",
    "O'Hara",
    "a\"b",
    "back\\slash",
    "per%cent",
    "under_score",
    "日本",
    "é",
    "É",
    "?1",
];

async fn by_a_value(app: &mut App) {
    let people = app.make("people", json!([{ "type": "text", "name": "order" }])).await;
    app.create_all("people", NAMES.map(|name| json!({ "order": name })).to_vec()).await;
    let mut reader = app.store().read().await.unwrap();
    for name in NAMES {
        let found = reader.find_by(&people, "order", name, false).await.unwrap();
        assert_eq!(found.unwrap().text("order"), name);
    }
    for nobody in ["ANN", "o'hara", "per_cent", "%", "", "é ", "$1"] {
        assert!(reader.find_by(&people, "order", nobody, false).await.unwrap().is_none());
    }
}

async fn by_a_value_without_regard_to_case(app: &mut App) {
    let people = app.make("people", json!([{ "type": "text", "name": "order" }])).await;
    app.create_all("people", NAMES.map(|name| json!({ "order": name })).to_vec()).await;
    let mut reader = app.store().read().await.unwrap();
    let same = [("o'HARA", "O'Hara"), ("PER%cent", "per%cent"), ("É", "É"), ("é", "é")];
    for (asked, name) in same {
        let found = reader.find_by(&people, "order", asked, true).await.unwrap();
        assert_eq!(found.unwrap().text("order"), name, "only ASCII letters have a case");
    }
    let ann = reader.find_by(&people, "order", "aNN", true).await.unwrap().unwrap();
    assert!(ann.text("order").eq_ignore_ascii_case("ann"));
    for nobody in ["anne", "per_cent", "under%score", ""] {
        assert!(reader.find_by(&people, "order", nobody, true).await.unwrap().is_none());
    }
}

async fn any_record(app: &mut App) {
    let things = app.make("things", json!([{ "type": "number", "name": "number" }])).await;
    assert!(app.store().read().await.unwrap().find_any(&things).await.unwrap().is_none());
    app.create("things", json!({ "number": 7 })).await.unwrap();
    assert!(app.store().read().await.unwrap().find_any(&things).await.unwrap().is_some());
}
