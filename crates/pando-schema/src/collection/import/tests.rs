use expect_test::{Expect, expect};

use super::*;
use crate::collection::fixture::{NOW, create, object, rng, schema, surroundings};

fn posts() -> Collection {
    create(
        r#"{"name":"posts","fields":[{"type":"text","name":"a","id":"fa"},
            {"type":"text","name":"b","id":"fb"}]}"#,
        &[],
    )
    .unwrap()
}

fn plan(entries: &[&str], missing: Missing) -> Result<ImportPlan, ImportError> {
    let input = entries.iter().map(|entry| object(entry)).collect();
    plan_import(&schema(&[posts()]), input, missing, NOW, &mut rng())
}

/// The deletes, then the saves with their fields.
fn describe(plan: &ImportPlan) -> String {
    let mut lines: Vec<String> =
        plan.deletes.iter().map(|collection| format!("delete {}", collection.name)).collect();
    for save in &plan.saves {
        let collection = &save.draft.collection;
        let fields: Vec<String> =
            collection.fields.iter().map(|field| format!("{}={}", field.id, field.name)).collect();
        let verb = if save.original.is_some() { "update" } else { "create" };
        lines.push(format!("{verb} {} {}", collection.name, fields.join(" ")));
    }
    lines.join("\n")
}

#[track_caller]
fn check(entries: &[&str], missing: Missing, expected: Expect) {
    expected.assert_eq(&describe(&plan(entries, missing).unwrap()));
}

#[test]
fn existing_fields_stay_unless_missing_ones_go() {
    let entry = r#"{"name":"posts","fields":[{"type":"text","name":"b","max":3},
        {"type":"text","name":"c"}]}"#;
    check(
        &[entry],
        Missing::Keep,
        expect!["update posts fb=b text112844655=c text3208210256=id fa=a"],
    );
    check(
        &[entry],
        Missing::Delete,
        expect![[r#"
            delete users
            update posts text1908338681=b text112844655=c text3208210256=id"#]],
    );
}

#[test]
fn views_come_last_and_missing_collections_go() {
    check(
        &[
            r#"{"name":"v","type":"view","viewQuery":"SELECT id FROM n"}"#,
            r#"{"name":"n","fields":[]}"#,
            r#"{"id":"_pb_users_auth_"}"#,
        ],
        Missing::Delete,
        expect![[r#"
            delete posts
            create n text3208210256=id
            update users text3208210256=id password901924565=password text2504183744=tokenKey email3885137012=email bool1547992806=emailVisibility bool256245529=verified
            create v "#]],
    );
}

#[test]
fn new_collections_may_refer_to_each_other() {
    let plan = plan(
        &[
            r#"{"name":"one","fields":[{"type":"relation","name":"r","collectionId":"twotwo"}]}"#,
            r#"{"name":"two","id":"twotwo"}"#,
        ],
        Missing::Keep,
    )
    .unwrap();
    let saved: Vec<_> = plan.saves.iter().map(|save| save.draft.collection.clone()).collect();
    let after = schema(&saved);
    for save in &plan.saves {
        assert_eq!(save.check(&surroundings(&after), &mut rng()), Ok(()));
    }
}

#[test]
fn mistakes_are_told_in_one_text() {
    let plan = plan(
        &[r#"{"name":"n","fields":[{"type":"text","name":""}],"listRule":"bad"}"#],
        Missing::Keep,
    )
    .unwrap();
    let save = &plan.saves[0];
    let after = schema(std::slice::from_ref(&save.draft.collection));
    let problems = save.check(&surroundings(&after), &mut rng()).unwrap_err();
    expect![[r#"
        Data validations failed for collection "n" (pbc_1115506402):
        {
          "fields": {
            "1": {
              "name": "cannot be blank"
            }
          },
          "listRule": "Invalid rule. Raw error: unknown field \"bad\""
        }"#]]
    .assert_eq(problems.messages()["collections"].as_str().unwrap());
}

#[test]
fn what_cannot_be_read_says_where() {
    let error = |entry: &str| plan(&[entry], Missing::Keep).unwrap_err().to_string();
    expect![[r#"json: cannot unmarshal JSON number into Go string within "/id""#]]
        .assert_eq(&error(r#"{"name":"n","id":5}"#));
    expect![[r#"json: cannot unmarshal JSON object into Go core.fieldWithType within "/fields/0": missing or unknown field type in {"type":"nope"}"#]]
        .assert_eq(&error(r#"{"name":"n","fields":[{"type":"nope"}]}"#));
    assert_eq!(plan(&[], Missing::Keep).unwrap_err(), ImportError::Empty);
}
