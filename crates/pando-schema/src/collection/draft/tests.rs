use expect_test::{Expect, expect};

use super::*;
use crate::collection::fixture::{NOW, create, object, rng, schema, system, update};

#[track_caller]
fn check_create_error(json: &str, expected: Expect) {
    let error = Draft::create(&object(json), &mut rng()).unwrap_err();
    expected.assert_debug_eq(&error);
}

fn describe(collection: &Collection) -> String {
    let fields: Vec<_> =
        collection.fields.iter().map(|field| format!("{}={}", field.id, field.name)).collect();
    format!("{} {}\n{}", collection.id, fields.join(" "), collection.indexes.join("\n"))
}

#[test]
fn a_new_collection_gets_id_system_fields_and_indexes() {
    let collection = create(
        r#"{"name":"c8","type":"auth","fields":[{"type":"text","name":"password"},
            {"type":"text","name":"a"}],"indexes":["create index i on x (a)"]}"#,
        &[],
    )
    .unwrap();
    expect![[r#"
        pbc_2266185546 text3208210256=id text901924565=password text3904355907=a text2504183744=tokenKey email3885137012=email bool1547992806=emailVisibility bool256245529=verified
        CREATE INDEX `i` ON `c8` (`a`)
        CREATE UNIQUE INDEX `idx_tokenKey_pbc_2266185546` ON `c8` (`tokenKey`)
        CREATE UNIQUE INDEX `idx_email_pbc_2266185546` ON `c8` (`email`) WHERE `email` != ''"#]]
    .assert_eq(&describe(&collection));
    assert_eq!(collection.field("password").unwrap().kind.type_name(), "password");
    assert_eq!((collection.created.as_str(), collection.updated.as_str()), (NOW, NOW));
}

#[test]
fn the_default_id_gets_a_number_when_taken_and_indexes_follow() {
    let mut other = create(r#"{"name":"other"}"#, &[]).unwrap();
    other.id = "pbc_2266185546".to_owned();
    let collection = create(r#"{"name":"c8","type":"auth"}"#, &[other]).unwrap();
    expect![[r#"
        pbc_22661855462 text3208210256=id password901924565=password text2504183744=tokenKey email3885137012=email bool1547992806=emailVisibility bool256245529=verified
        CREATE UNIQUE INDEX `idx_tokenKey_pbc_22661855462` ON `c8` (`tokenKey`)
        CREATE UNIQUE INDEX `idx_email_pbc_22661855462` ON `c8` (`email`) WHERE `email` != ''"#]]
    .assert_eq(&describe(&collection));
}

#[test]
fn a_given_id_stays_and_an_empty_one_is_made_up() {
    assert_eq!(create(r#"{"name":"c6","id":"abc"}"#, &[]).unwrap().id, "abc");
    assert!(create(r#"{"name":"c6","id":""}"#, &[]).unwrap().id.starts_with("pbc_"));
}

#[test]
fn values_of_the_wrong_type_are_refused_whatever_the_kind() {
    check_create_error(
        r#"{"name":1}"#,
        expect![[r#"
            Kind(
                Malformed {
                    found: "JSON number",
                    wanted: "string",
                    path: "/name",
                    detail: "",
                },
            )
        "#]],
    );
    for json in [
        r#"{"name":"a","fields":"a"}"#,
        r#"{"name":"a","fields":[{"type":"nope","name":"a"}]}"#,
        r#"{"name":"a","fields":[null]}"#,
        r#"{"name":"a","fields":[{"type":"text","name":"a","min":3.0}]}"#,
        r#"{"name":"a","listRule":1}"#,
        r#"{"name":"a","system":"x"}"#,
        r#"{"name":"a","authToken":5}"#,
        r#"{"name":"a","viewQuery":5}"#,
        r#"{"name":"a","created":5}"#,
        r#"{"name":"a","indexes":[5]}"#,
    ] {
        let result = Draft::create(&object(json), &mut rng());
        assert!(matches!(result, Err(DraftError::Body(_))), "{json}");
    }
}

#[test]
fn an_update_keeps_what_it_does_not_name_and_null_clears() {
    let users = system("users");
    let changed = update(&users, r#"{"listRule":null,"unknown":3,"NAME":"other"}"#).unwrap();
    assert_eq!(changed.rules.list, None);
    let restored = Collection {
        rules: crate::Rules { list: users.rules.list.clone(), ..changed.rules.clone() },
        ..changed
    };
    assert_eq!(restored, Collection { updated: NOW.to_owned(), ..users });
}

#[test]
fn fields_match_by_id_then_name() {
    let posts = create(
        r#"{"name":"posts","fields":[{"type":"text","name":"a"},{"type":"text","name":"b"}]}"#,
        &[],
    )
    .unwrap();
    let id_of_a = posts.field("a").unwrap().id.clone();
    let changed = update(
        &posts,
        &format!(
            r#"{{"fields":[{{"type":"text","name":"renamed","id":"{id_of_a}"}},
            {{"type":"text","name":"b","max":3}},{{"type":"text","name":"b","max":4}}]}}"#
        ),
    )
    .unwrap();
    assert_eq!(changed.field("renamed").unwrap().id, id_of_a);
    assert_eq!(changed.field("b").unwrap().id, posts.field("b").unwrap().id);
    assert_eq!(changed.fields.len(), 3);
}

#[test]
fn indexes_follow_a_rename() {
    let posts = create(
        r#"{"name":"c1","fields":[{"type":"text","name":"title"}],
            "indexes":["CREATE INDEX i1 ON c1 (title, id DESC)"]}"#,
        &[],
    )
    .unwrap();
    let renamed = update(&posts, r#"{"name":"c2"}"#).unwrap();
    expect![[r#"
        CREATE INDEX `i1` ON `c2` (
          `title`,
          `id` DESC
        )"#]]
    .assert_eq(&renamed.indexes[0]);
}

#[test]
fn a_login_rule_change_makes_old_tokens_invalid() {
    let users = system("users");
    let secret = |collection: &Collection| collection.auth.clone().unwrap().auth_token.secret;
    let same = update(&users, r#"{"authRule":""}"#).unwrap();
    assert_eq!(secret(&same), secret(&users));
    let other = update(&users, r#"{"authRule":"verified = true"}"#).unwrap();
    assert_ne!(secret(&other), secret(&users));
}

#[test]
fn mapped_fields_that_are_gone_are_unset() {
    let users = system("users");
    let avatar = users.field("avatar").unwrap().to_json();
    let changed = update(&users, &format!(r#"{{"fields":[{avatar}]}}"#)).unwrap();
    let mapped = changed.auth.unwrap().oauth2.mapped_fields;
    assert_eq!((mapped.name.as_str(), mapped.avatar_url.as_str()), ("", "avatar"));
}

#[test]
fn an_unknown_id_in_an_update_is_refused() {
    let users = system("users");
    let mut draft = Draft::update(&users, &object(r#"{"id":"zzz"}"#)).unwrap();
    let error = draft.prepare(Some(&users), &schema(&[]), NOW);
    assert_eq!(error, Err(DraftError::NoSuchId));
}

#[test]
fn superusers_log_in_with_a_password() {
    let superusers = update(
        &system("_superusers"),
        r#"{"otp":{"enabled":true},"passwordAuth":{"enabled":false},"oauth2":{"enabled":true,
            "providers":[{"name":"google","clientId":"a","clientSecret":"b"}]}}"#,
    )
    .unwrap();
    let auth = superusers.auth.unwrap();
    assert!(auth.password_auth.enabled && auth.otp.enabled && auth.mfa.enabled);
    assert!(!auth.oauth2.enabled && auth.oauth2.providers.is_empty());
}
