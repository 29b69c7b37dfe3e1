use crate::collection::fixture::{create, schema};

#[test]
fn collections_are_found_by_id_and_by_name_in_any_case() {
    let schema = schema(&[]);
    assert_eq!(schema.find("_pb_users_auth_").unwrap().name, "users");
    assert_eq!(schema.find("USERS").unwrap().name, "users");
    assert!(schema.find("_PB_USERS_AUTH_").is_none());
    assert!(schema.by_id("users").is_none());
}

#[test]
fn references_are_the_collections_with_relations() {
    let posts = create(
        r#"{"name":"p","fields":[{"type":"relation","name":"r","collectionId":"_pb_users_auth_"}]}"#,
        &[],
    )
    .unwrap();
    let schema = schema(&[posts]);
    let names = |id| schema.references(id).map(|c| c.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names("_pb_users_auth_"), ["p"]);
    assert!(names("pbc_2279338944").is_empty());
}
