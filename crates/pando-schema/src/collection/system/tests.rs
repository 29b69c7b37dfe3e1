use expect_test::expect_file;
use serde_json::{Value, json};

use super::*;
use crate::collection::fixture::{NOW, rng};
use crate::scaffolds;

/// Random secrets would make a snapshot depend on the generator.
fn hide_secrets(json: &mut Value) {
    match json {
        Value::Object(object) => {
            for (key, value) in object {
                if key == "secret" {
                    assert_eq!(value.as_str().unwrap().len(), 50);
                    *value = json!("…");
                }
                hide_secrets(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}

#[test]
fn a_new_directory_has_the_collections_of_pocketbase() {
    let mut text = String::new();
    for collection in system_collections(&mut rng(), NOW) {
        let row = collection.to_stored();
        let mut options: Value = serde_json::from_str(&row.options).unwrap();
        hide_secrets(&mut options);
        text += &format!("# {} {} {} system={}\n", row.id, row.kind, row.name, row.system);
        text += &format!("list   {:?}\nview   {:?}\n", row.list_rule, row.view_rule);
        text += &format!("create {:?}\nupdate {:?}\n", row.create_rule, row.update_rule);
        text += &format!("delete {:?}\n", row.delete_rule);
        text += &format!("fields {}\nindexes {}\n", row.fields, row.indexes);
        text += &format!("options {options}\n\n");
    }
    expect_file!["snapshots/system.txt"].assert_eq(&text);
}

#[test]
fn each_secret_is_its_own() {
    let collections = system_collections(&mut rng(), NOW);
    let auths: Vec<&AuthOptions> =
        collections.iter().filter_map(|collection| collection.auth.as_ref()).collect();
    let mut secrets: Vec<&str> = auths
        .iter()
        .flat_map(|auth| {
            [
                &auth.auth_token,
                &auth.password_reset_token,
                &auth.email_change_token,
                &auth.verification_token,
                &auth.file_token,
            ]
        })
        .map(|token| token.secret.as_str())
        .collect();
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 10);
}

#[test]
fn scaffolds_have_no_id_but_named_indexes() {
    let mut text = String::new();
    for scaffold in scaffolds(&mut rng()) {
        assert!(scaffold.id.is_empty());
        let names: Vec<_> = scaffold.fields.iter().map(|field| field.name.as_str()).collect();
        text +=
            &format!("{}: {names:?} {} indexes\n", scaffold.kind.name(), scaffold.indexes.len());
    }
    expect_test::expect![[r#"
        auth: ["id", "password", "tokenKey", "email", "emailVisibility", "verified"] 2 indexes
        base: ["id"] 0 indexes
        view: [] 0 indexes
    "#]]
    .assert_eq(&text);
}
