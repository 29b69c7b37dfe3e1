use expect_test::expect;

use crate::Collection;
use crate::collection::fixture::{create, object, system, update};

/// The OAuth2 options as they are stored.
fn stored_oauth2(collection: &Collection) -> String {
    object(&collection.to_stored().options)["oauth2"].to_string()
}

#[test]
fn a_collection_survives_storing() {
    let base = create(
        r#"{"name":"posts","listRule":"","viewRule":"id != ''","fields":[
            {"type":"text","name":"title","help":"<b>","max":9},
            {"type":"number","name":"n","min":1.5,"max":1e21,"onlyInt":false},
            {"type":"date","name":"d","min":"2024-01-01"},
            {"type":"autodate","name":"at","onCreate":true},
            {"type":"select","name":"s","values":["a","b"],"maxSelect":2},
            {"type":"relation","name":"r","collectionId":"_pb_users_auth_","cascadeDelete":true},
            {"type":"file","name":"f","thumbs":["1x2"],"protected":true},
            {"type":"editor","name":"e","convertURLs":true},
            {"type":"url","name":"u","onlyDomains":["a.b"]},
            {"type":"email","name":"m","exceptDomains":["a.b"]},
            {"type":"json","name":"j","maxSize":3},{"type":"geoPoint","name":"g"},
            {"type":"bool","name":"b","required":true},{"type":"password","name":"p","cost":4}],
            "indexes":["create index i on posts (title)"]}"#,
        &[],
    )
    .unwrap();
    for collection in [base, system("users"), system("_superusers")] {
        assert_eq!(Collection::from_stored(collection.to_stored()).unwrap(), collection);
    }
}

#[test]
fn field_options_are_sorted_and_numbers_plain() {
    let posts = create(
        r#"{"name":"posts","fields":[{"type":"number","name":"n","min":1.0,"max":1.5}]}"#,
        &[],
    )
    .unwrap();
    expect![[r#"{"help":"","hidden":false,"id":"number2013832146","max":1.5,"min":1,"name":"n","onlyInt":false,"presentable":false,"required":false,"system":false,"type":"number"}"#]]
        .assert_eq(&posts.field("n").unwrap().to_json().to_string());
}

#[test]
fn the_api_hides_secrets() {
    let users = update(
        &system("users"),
        r#"{"oauth2":{"enabled":true,"providers":[{"name":"google","clientId":"a",
            "clientSecret":"hush","extra":{"z":1.0,"a":"<b>"}}]}}"#,
    )
    .unwrap();
    let shown = users.to_json();
    assert!(!shown.to_string().contains("ecret"));
    expect![[r#"{"providers":[{"pkce":null,"name":"google","clientId":"a","authURL":"","tokenURL":"","userInfoURL":"","displayName":"","extra":{"a":"<b>","z":1}}],"mappedFields":{"id":"","name":"name","username":"","avatarURL":"avatar"},"enabled":true}"#]]
        .assert_eq(&shown["oauth2"].to_string());
    assert!(stored_oauth2(&users).contains("hush"));
}

#[test]
fn a_provider_keeps_what_a_request_leaves_out() {
    let google = r#"{"oauth2":{"enabled":true,"providers":[
        {"name":"google","clientId":"a","clientSecret":"s","extra":{"z":1},"pkce":true},
        {"name":"github","clientId":"h","clientSecret":"hs"}]}}"#;
    let users = update(&system("users"), google).unwrap();
    let users = update(
        &users,
        r#"{"oauth2":{"providers":[{"name":"github"},
            {"name":"google","clientId":"a2","extra":{"q":2},"pkce":null}]}}"#,
    )
    .unwrap();
    expect![[r#"{"providers":[{"pkce":null,"name":"github","clientId":"h","clientSecret":"hs","authURL":"","tokenURL":"","userInfoURL":"","displayName":"","extra":{}},{"pkce":null,"name":"google","clientId":"a2","clientSecret":"s","authURL":"","tokenURL":"","userInfoURL":"","displayName":"","extra":{"q":2,"z":1}}],"mappedFields":{"id":"","name":"name","username":"","avatarURL":"avatar"},"enabled":true}"#]]
        .assert_eq(&stored_oauth2(&users));
}

#[test]
fn a_view_shows_its_query_and_a_base_collection_no_options() {
    let mut view = create(r#"{"name":"posts"}"#, &[]).unwrap();
    assert_eq!(view.to_json().as_object().unwrap().keys().next_back().unwrap(), "system");
    assert_eq!(view.to_stored().options, "{}");
    view.kind = crate::CollectionKind::View;
    view.view_query = "SELECT id FROM users".to_owned();
    assert_eq!(view.to_stored().options, r#"{"viewQuery":"SELECT id FROM users"}"#);
}
