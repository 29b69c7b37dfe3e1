use expect_test::{Expect, expect};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::{CollectionKind, Field, Rules};

/// A field with that type's options all empty.
pub(crate) fn field(name: &str, type_name: &str) -> Field {
    Field {
        id: format!("id_{name}"),
        name: name.to_owned(),
        system: false,
        hidden: false,
        presentable: false,
        help: String::new(),
        kind: FieldKind::blank(type_name).expect("a known type"),
    }
}

pub(crate) fn collection(name: &str, kind: CollectionKind, fields: Vec<Field>) -> Arc<Collection> {
    Arc::new(Collection {
        id: format!("id_{name}"),
        name: name.to_owned(),
        kind,
        system: false,
        fields,
        indexes: Vec::new(),
        rules: Rules::default(),
        auth: None,
        view_query: String::new(),
        created: String::new(),
        updated: String::new(),
        json_shape: crate::Derived::default(),
    })
}

fn id_field() -> Field {
    let mut id = field("id", "text");
    id.kind = FieldKind::Text {
        min: 15,
        max: 15,
        pattern: "^[a-z0-9]+$".to_owned(),
        autogenerate_pattern: "[a-z0-9]{15}".to_owned(),
        primary_key: true,
        required: true,
    };
    id
}

fn posts() -> Arc<Collection> {
    let mut slug = field("slug", "text");
    if let FieldKind::Text { autogenerate_pattern, .. } = &mut slug.kind {
        *autogenerate_pattern = "x[0-9]{3}".to_owned();
    }
    let mut secret = field("secret", "text");
    secret.hidden = true;
    let mut tags = field("tags", "select");
    tags.kind = FieldKind::Select {
        values: ["a", "b", "c"].map(str::to_owned).to_vec(),
        max_select: 3,
        required: false,
    };
    let mut docs = field("docs", "file");
    if let FieldKind::File { max_select, .. } = &mut docs.kind {
        *max_select = 3;
    }
    let mut created = field("created", "autodate");
    created.kind = FieldKind::Autodate { on_create: true, on_update: false };
    let mut updated = field("updated", "autodate");
    updated.kind = FieldKind::Autodate { on_create: true, on_update: true };
    let fields = vec![
        id_field(),
        field("Title", "text"),
        slug,
        secret,
        field("n", "number"),
        tags,
        docs,
        field("cover", "file"),
        field("meta", "json"),
        created,
        updated,
    ];
    collection("posts", CollectionKind::Base, fields)
}

fn users() -> Arc<Collection> {
    let mut token_key = field("tokenKey", "text");
    token_key.hidden = true;
    if let FieldKind::Text { autogenerate_pattern, .. } = &mut token_key.kind {
        *autogenerate_pattern = "[a-zA-Z0-9]{50}".to_owned();
    }
    let mut password = field("password", "password");
    password.hidden = true;
    password.kind =
        FieldKind::Password { pattern: String::new(), min: 8, max: 0, cost: 0, required: true };
    let mut role = field("role", "text");
    role.hidden = true;
    let fields = vec![
        id_field(),
        password,
        token_key,
        field("email", "email"),
        field("emailVisibility", "bool"),
        field("verified", "bool"),
        role,
    ];
    collection("users", CollectionKind::Auth, fields)
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn shown(record: &Record) -> String {
    let mut out = Vec::new();
    record.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

fn upload(key: &str, name: &str) -> (String, NewFile) {
    let file = NewFile {
        name: name.to_owned(),
        original_name: name.to_owned(),
        size_bytes: 4,
        mime: "text/plain; charset=utf-8".to_owned(),
    };
    (key.to_owned(), file)
}

fn check_set(steps: &[(&str, Json)], expected: &Expect) {
    let mut record = Record::new(posts());
    record.hidden_shown = true;
    let mut lines = Vec::new();
    for (key, input) in steps {
        let index = record.set(key, input, &mut rng());
        let mut line = format!("{key} {input}: ").into_bytes();
        match index {
            Some(index) => record.values[index].write_json(&mut line),
            None => line.extend_from_slice(b"no field"),
        }
        lines.push(String::from_utf8(line).unwrap());
    }
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn modifiers_change_what_is_there() {
    check_set(
        &[
            ("n", json!(5)),
            ("n+", json!("2.5")),
            ("n-", json!(10)),
            ("+n", json!(1)),
            ("tags", json!(["a"])),
            ("tags+", json!(["b", "a"])),
            ("+tags", json!("c")),
            ("tags-", json!(["a", "x"])),
            ("cover+", json!("one.png")),
            ("+cover", json!("two.png")),
            ("cover-", json!("one.png")),
            ("slug:autogenerate", json!("pre-")),
            ("Title:autogenerate", json!("as is")),
            ("Title+", json!("x")),
            ("created", json!("2022-01-01")),
            ("unknown", json!(1)),
        ],
        &expect![[r#"
            n 5: 5
            n+ "2.5": 7.5
            n- 10: -2.5
            +n 1: no field
            tags ["a"]: ["a"]
            tags+ ["b","a"]: ["a","b"]
            +tags "c": ["c","a","b"]
            tags- ["a","x"]: ["c","b"]
            cover+ "one.png": "one.png"
            +cover "two.png": "one.png"
            cover- "one.png": ""
            slug:autogenerate "pre-": "pre-x401"
            Title:autogenerate "as is": "as is"
            Title+ "x": no field
            created "2022-01-01": ""
            unknown 1: no field"#]],
    );
}

#[test]
fn a_record_shows_sorted_members() {
    let mut record = Record::new(posts());
    record.set("meta", &json!({"b": 1, "a": "<"}), &mut rng());
    record.set("secret", &json!("s"), &mut rng());
    let related = Record::new(collection("rel", CollectionKind::Base, vec![id_field()]));
    record
        .expand
        .get_or_insert_default()
        .insert("z".to_owned(), Expanded::One(Box::new(related.clone())));
    record
        .expand
        .get_or_insert_default()
        .insert("a".to_owned(), Expanded::Many(vec![related.clone(), related]));
    expect![[r#"{"Title":"","collectionId":"id_posts","collectionName":"posts","cover":"","created":"","docs":[],"expand":{"a":[{"collectionId":"id_rel","collectionName":"rel","id":""},{"collectionId":"id_rel","collectionName":"rel","id":""}],"z":{"collectionId":"id_rel","collectionName":"rel","id":""}},"id":"","meta":{"a":"<","b":1},"n":0,"slug":"","tags":[],"updated":""}"#]]
    .assert_eq(&shown(&record));
    record.hidden_shown = true;
    assert!(shown(&record).contains(r#""secret":"s""#));
}

#[test]
fn auth_records_keep_their_secrets() {
    let mut record = Record::new(users());
    record.set("email", &json!("a@b.co"), &mut rng());
    record.set("password", &json!("12345678"), &mut rng());
    record.fill_new(&mut rng());
    assert!(!shown(&record).contains("email\":"));
    record.email_shown = true;
    record.hidden_shown = true;
    let all = shown(&record);
    assert!(all.contains(r#""email":"a@b.co""#) && all.contains(r#""role":"""#));
    assert!(!all.contains("tokenKey") && !all.contains("password"));
    record.email_shown = false;
    record.set("emailVisibility", &json!("true"), &mut rng());
    assert!(shown(&record).contains(r#""email":"a@b.co""#));
}

#[test]
fn saving_fills_in_what_is_missing() {
    let mut record = Record::new(posts());
    record.set("slug", &json!("own"), &mut rng());
    record.fill_new(&mut rng());
    assert_eq!(record.id().len(), 15);
    assert_eq!(record.text("slug"), "own");
    record.fill_saved(true, "T1");
    record.fill_saved(false, "T2");
    assert_eq!((record.text("created"), record.text("updated")), ("T1", "T2"));

    let fields = users().fields.clone();
    let mut superuser = Record::new(collection("_superusers", CollectionKind::Auth, fields));
    superuser.fill_saved(true, "T1");
    assert!(superuser.bool("verified"));
}

#[test]
fn the_token_key_changes_with_password_and_email() {
    let mut saved = Record::new(users());
    saved.fill_new(&mut rng());
    let key = saved.text("tokenKey").to_owned();
    assert_eq!(key.len(), 50);
    let renewed = |change: &dyn Fn(&mut Record)| {
        let mut record = saved.clone();
        change(&mut record);
        record.renew_token_key(&saved, &mut StdRng::seed_from_u64(8));
        record.text("tokenKey") != key
    };
    assert!(!renewed(&|_| {}));
    assert!(!renewed(&|r| r.put("verified", Value::Bool(true))));
    assert!(renewed(&|r| r.put("email", Value::Text("x@y.co".to_owned()))));
    assert!(renewed(&|r| {
        r.set("password", &json!("12345678"), &mut rng());
    }));
    assert!(renewed(&|r| r.put_password_hash(1, "$2a$hash".to_owned())));
}

#[test]
fn passwords_wait_for_their_hash() {
    let mut record = Record::new(users());
    record.set("password", &json!(12345678), &mut rng());
    let pending: Vec<_> = record.plain_passwords().collect();
    assert_eq!(pending, [PlainPassword { field_index: 1, plain: "12345678", cost: 10 }]);
    record.put_password_hash(1, "$2a$hash".to_owned());
    assert_eq!(record.plain_passwords().count(), 0);
    assert_eq!(record.text("password"), "$2a$hash");
    record.set("password", &json!("x".repeat(73)), &mut rng());
    assert!(record.password_too_long());
}

/// Loads `body` into a stored user and tells what the form says.
fn form_problems(access: Access, stored: bool, body: Json) -> Json {
    let mut upsert = if stored {
        let mut user = Record::new(users());
        user.put("email", Value::Text("a@b.co".to_owned()));
        user.put("password", Value::Text("hash of old".to_owned()));
        Upsert::update(user, access)
    } else {
        Upsert::create(users(), access)
    };
    upsert.load(&object(body), Vec::new(), &mut rng());
    let problems = upsert.check(|plain, hash| plain == "old" && hash == "hash of old");
    Json::Object(problems.to_json())
}

#[test]
fn the_form_guards_auth_fields() {
    let blank = json!({ "code": "validation_required", "message": "Cannot be blank." });
    let differs = json!({ "code": "validation_values_mismatch", "message": "Values don't match." });
    let wrong = json!({
        "code": "validation_invalid_old_password",
        "message": "Missing or invalid old password.",
    });
    let changed = json!({ "email": "c@d.co", "verified": true });
    let form = form_problems;
    assert_eq!(
        form(Access::User, true, changed.clone()),
        json!({ "email": differs, "verified": differs })
    );
    assert_eq!(form(Access::User, false, changed.clone())["verified"], differs);
    assert_eq!(form(Access::Manager, true, changed), json!({}));
    assert_eq!(
        form(Access::User, false, json!({})),
        json!({ "password": blank, "passwordConfirm": blank })
    );
    let new = json!({ "password": "12345678", "passwordConfirm": "12345678" });
    assert_eq!(form(Access::User, false, new.clone()), json!({}));
    assert_eq!(form(Access::User, true, new.clone()), json!({ "oldPassword": blank }));
    assert_eq!(form(Access::Manager, true, new.clone()), json!({}));
    let with_old = |old: &str| {
        let mut body = object(new.clone());
        body.insert("oldPassword".to_owned(), json!(old));
        Json::Object(body)
    };
    assert_eq!(form(Access::User, true, with_old("old")), json!({}));
    assert_eq!(form(Access::User, true, with_old("other")), json!({ "oldPassword": wrong }));
    let unlike = json!({ "password": "12345678", "passwordConfirm": "x" });
    assert_eq!(form(Access::Superuser, true, unlike), json!({ "passwordConfirm": differs }));
}

#[test]
fn hidden_fields_are_for_superusers() {
    let body = object(json!({ "role": "boss", "password": "12345678", "n": 1 }));
    for (access, role) in [(Access::User, ""), (Access::Superuser, "boss")] {
        let mut upsert = Upsert::create(users(), access);
        upsert.load(&body, Vec::new(), &mut rng());
        assert_eq!(upsert.record.text("role"), role);
        let seen = upsert.resolved_body(&body, &[]);
        assert_eq!(seen.contains_key("role"), access == Access::Superuser);
        assert_eq!(seen["password"], "12345678");
        assert_eq!(seen["n"], 1);
    }
}

#[test]
fn rules_see_the_body_resolved() {
    let mut original = Record::new(posts());
    original.set("n", &json!(1), &mut rng());
    original.set("tags", &json!(["a"]), &mut rng());
    let body = object(json!({
        "n+": 2, "tags+": "b", "meta": "[1]", "other": { "x": 1 }, "secret": "s",
    }));
    let mut upsert = Upsert::update(original, Access::User);
    upsert.load(&body, vec![upload("docs", "f1.txt")], &mut rng());
    let seen = Json::Object(upsert.resolved_body(&body, &["docs"]));
    assert_eq!(
        seen,
        json!({ "n": 3, "tags": ["a", "b"], "meta": [1], "other": { "x": 1 }, "docs": [{ "name": "f1.txt", "originalName": "f1.txt", "size": 4 }] })
    );
}

#[test]
fn uploads_join_the_names_given() {
    let mut original = Record::new(posts());
    original.set("docs", &json!(["old1", "old2"]), &mut rng());
    let loaded = |body: Json, uploads| {
        let mut upsert = Upsert::update(original.clone(), Access::User);
        upsert.load(&object(body), uploads, &mut rng());
        let removed = files_removed(&original, &upsert.record);
        (upsert.record, removed)
    };
    let docs = |record: &Record| record.get("docs").unwrap().entries().join(" ");

    let (record, removed) = loaded(json!({}), vec![upload("docs", "n1"), upload("docs", "n2")]);
    assert_eq!((docs(&record), removed.join(" ")), ("n1 n2".to_owned(), "old1 old2".to_owned()));
    let (record, removed) = loaded(json!({ "docs": ["old2"] }), vec![upload("docs", "n1")]);
    assert_eq!((docs(&record), removed.join(" ")), ("old2 n1".to_owned(), "old1".to_owned()));
    let (record, _) = loaded(json!({ "docs-": "old1" }), vec![upload("docs+", "n1")]);
    assert_eq!(docs(&record), "old2 n1");
    let (record, _) = loaded(json!({}), vec![upload("+docs", "n1"), upload("docs-", "x")]);
    assert_eq!(docs(&record), "n1 old1 old2");
    let (record, _) = loaded(json!({}), vec![upload("cover", "n1"), upload("cover", "n2")]);
    assert_eq!(record.text("cover"), "n2");
    assert_eq!(record.new_files.len(), 1);
    assert_eq!(record.file_names().collect::<Vec<_>>(), ["old1", "old2", "n2"]);
}

proptest! {
    #[test]
    fn appending_and_subtracting_are_opposites(
        first in prop::collection::btree_set("[a-d]{1,2}", 0..5),
        second in prop::collection::btree_set("[e-h]{1,2}", 0..5),
    ) {
        let mut record = Record::new(posts());
        record.set("tags", &json!(first), &mut rng());
        let before = record.clone();
        record.set("tags+", &json!(second), &mut rng());
        prop_assert_eq!(record.get("tags").unwrap().entries().len(), first.len() + second.len());
        record.set("+tags", &json!(second), &mut rng());
        record.set("tags-", &json!(second), &mut rng());
        prop_assert_eq!(record.values, before.values);
    }

    #[test]
    fn any_key_is_survived(key in "[+-]?(n|tags|docs|slug|x)?[+-]?(:autogenerate)?", number: f64) {
        let mut record = Record::new(posts());
        record.set(&key, &json!(number), &mut rng());
        prop_assert_eq!(record.values.len(), record.collection.fields.len());
    }
}
