use expect_test::{Expect, expect};

use super::*;
use crate::collection::fixture::{create, shown, update};

fn posts() -> Collection {
    create(
        r#"{"name":"posts","fields":[{"type":"text","name":"a","id":"fa"},
            {"type":"select","name":"s","id":"fs","values":["x","y"],"maxSelect":2},
            {"type":"text","name":"gone","id":"fg"}],
            "indexes":["create index i on posts (a)"]}"#,
        &[],
    )
    .unwrap()
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    let old = posts();
    let new = update(&old, json).unwrap();
    expected.assert_debug_eq(&new.changes_from(&old).unwrap());
}

#[test]
fn columns_follow_their_ids() {
    check(
        r#"{"name":"articles","fields":[{"type":"text","name":"s","id":"fa"},
            {"type":"select","name":"a","id":"fs","values":["x","y"]},
            {"type":"number","name":"n","id":"fn"}],"indexes":["create index j on posts (s)"]}"#,
        expect![[r#"
            TableChanges {
                dropped_indexes: [
                    "i",
                ],
                renamed_table: Some(
                    (
                        "posts",
                        "articles",
                    ),
                ),
                dropped_columns: [
                    "gone",
                ],
                added_columns: [
                    Column {
                        name: "n",
                        definition: "NUMERIC DEFAULT 0 NOT NULL",
                    },
                ],
                renamed_columns: [
                    (
                        "a",
                        "s",
                    ),
                    (
                        "s",
                        "a",
                    ),
                ],
                conversions: [
                    Conversion {
                        column: Column {
                            name: "a",
                            definition: "TEXT DEFAULT '' NOT NULL",
                        },
                        to: Single,
                    },
                ],
                created_indexes: [
                    NewIndex {
                        position: 0,
                        name: "j",
                        statement: "CREATE INDEX `j` ON `articles` (`s`)",
                    },
                ],
            }
        "#]],
    );
}

#[test]
fn rules_do_not_touch_the_table() {
    let old = posts();
    let new = update(&old, r#"{"listRule":"","name":"Posts"}"#).unwrap();
    // Only the case of the name differs: the table stays, the index statement names it anew.
    let changes = new.changes_from(&old).unwrap();
    assert_eq!(changes.renamed_table, None);
    let new = update(&old, r#"{"listRule":""}"#).unwrap();
    assert!(new.changes_from(&old).unwrap().is_empty());
}

#[test]
fn a_new_table_has_sorted_columns() {
    let columns = posts().columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["a", "gone", "id", "s"]);
    assert_eq!(columns[3].definition, "JSON DEFAULT '[]' NOT NULL");
}

#[test]
fn refused_indexes_are_reported_by_their_place() {
    let mut posts = posts();
    let index = posts.new_indexes().unwrap().remove(0);
    let failure = shown::<()>(Err(index_failure(&index, "SQL logic error: no such column: x (1)")));
    expect![[r#"
        {
          "indexes": {
            "0": {
              "code": "validation_invalid_index_expression",
              "message": "Failed to create index i - SQL logic error: no such column: x (1)."
            }
          }
        }"#]]
    .assert_eq(&failure);
    posts.indexes.push("nonsense".to_owned());
    expect![[r#"
        {
          "indexes": {
            "1": {
              "code": "validation_invalid_index_expression",
              "message": "Invalid CREATE INDEX expression."
            }
          }
        }"#]]
    .assert_eq(&shown(posts.new_indexes()));
}
