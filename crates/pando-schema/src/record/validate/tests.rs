use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::NewFile;
use crate::record::tests::{collection, field};

/// What is wrong with each input for a field of that kind; empty if nothing is.
fn check(kind: FieldKind, inputs: &[serde_json::Value], expected: &Expect) {
    let mut tested = field("f", "text");
    tested.kind = kind;
    let collection = collection("test", CollectionKind::Base, vec![tested.clone()]);
    let mut rng: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(1);
    let lines: Vec<String> = inputs
        .iter()
        .map(|input| {
            let mut record = Record::new(std::sync::Arc::clone(&collection));
            record.set("f", input, &mut rng);
            let (problems, _) = validate(&record, None);
            let problem = problems.to_json().remove("f").unwrap_or_default();
            format!("{input} {problem}")
        })
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

fn text(min: i64, max: i64, pattern: &str, primary_key: bool) -> FieldKind {
    FieldKind::Text {
        min,
        max,
        pattern: pattern.to_owned(),
        autogenerate_pattern: String::new(),
        primary_key,
        required: false,
    }
}

#[test]
fn texts() {
    check(
        text(2, 4, "^[a-c]+$", false),
        &[json!(""), json!("a"), json!("abcab"), json!("xyz"), json!("abc")],
        &expect![[r#"
            "" null
            "a" {"code":"validation_min_text_constraint","message":"Must be at least 2 character(s).","params":{"min":2}}
            "abcab" {"code":"validation_max_text_constraint","message":"Must be no more than 4 character(s).","params":{"max":4}}
            "xyz" {"code":"validation_invalid_format","message":"Invalid value format."}
            "abc" null"#]],
    );
    check(
        text(0, 0, r"^\S+$", true),
        &[json!(""), json!("a.b"), json!("com1"), json!("ok-1")],
        &expect![[r#"
            "" {"code":"validation_required","message":"Cannot be blank."}
            "a.b" {"code":"validation_forbidden_pk_character","message":"'.' is not a valid primary key character.","params":{"ch":"."}}
            "com1" {"code":"validation_reserved_pk","message":"The primary key 'COM1' is reserved and cannot be used.","params":{"reserved":"COM1"}}
            "ok-1" null"#]],
    );
}

#[test]
fn numbers_and_flags() {
    check(
        FieldKind::Number { min: Some(1.5), max: Some(1e6), only_int: true, required: true },
        &[json!(0), json!(1), json!(2.5), json!(2e6), json!("nan"), json!(2)],
        &expect![[r#"
            0 {"code":"validation_required","message":"Cannot be blank."}
            1 {"code":"validation_min_number_constraint","message":"Must be greater or equal than 1.5.","params":{"min":1.5}}
            2.5 {"code":"validation_only_int_constraint","message":"Decimal numbers are not allowed."}
            2000000.0 {"code":"validation_max_number_constraint","message":"Must be less or equal than 1e+06.","params":{"max":1000000}}
            "nan" {"code":"validation_not_a_number","message":"The submitted number is not properly formatted."}
            2 null"#]],
    );
    check(
        FieldKind::Bool { required: true },
        &[json!(true), json!("no")],
        &expect![[r#"
            true null
            "no" {"code":"validation_required","message":"Cannot be blank."}"#]],
    );
}

#[test]
fn dates() {
    check(
        FieldKind::Date {
            min: "2022-01-01 00:00:00.000Z".to_owned(),
            max: "2022-02-01 00:00:00.500Z".to_owned(),
            required: true,
        },
        &[
            json!("x"),
            json!("2021-12-31 23:59:59.999Z"),
            json!("2022-02-01 00:00:00.501Z"),
            json!("2022-01-01"),
            json!("0000-01-01T00:00:00+01:00"),
            json!("9999-12-31T23:59:59-01:00"),
        ],
        &expect![[r#"
            "x" {"code":"validation_required","message":"Cannot be blank."}
            "2021-12-31 23:59:59.999Z" {"code":"validation_min_greater_equal_than_required","message":"Must be no less than 2022-01-01 00:00:00 +0000 UTC.","params":{"threshold":"2022-01-01T00:00:00Z"}}
            "2022-02-01 00:00:00.501Z" {"code":"validation_max_less_equal_than_required","message":"Must be no greater than 2022-02-01 00:00:00.5 +0000 UTC.","params":{"threshold":"2022-02-01T00:00:00.5Z"}}
            "2022-01-01" null
            "0000-01-01T00:00:00+01:00" {"code":"validation_min_greater_equal_than_required","message":"Must be no less than 2022-01-01 00:00:00 +0000 UTC.","params":{"threshold":"2022-01-01T00:00:00Z"}}
            "9999-12-31T23:59:59-01:00" {"code":"validation_max_less_equal_than_required","message":"Must be no greater than 2022-02-01 00:00:00.5 +0000 UTC.","params":{"threshold":"2022-02-01T00:00:00.5Z"}}"#]],
    );
}

#[test]
fn lists() {
    let values = ["a", "b", "c"].map(str::to_owned).to_vec();
    check(
        FieldKind::Select { values: values.clone(), max_select: 2, required: true },
        &[json!([]), json!(["a", "b"]), json!(["a", "b", "c"]), json!(["a", "z"])],
        &expect![[r#"
            [] {"code":"validation_required","message":"Cannot be blank."}
            ["a","b"] null
            ["a","b","c"] {"code":"validation_too_many_values","message":"Select no more than 2.","params":{"maxSelect":2}}
            ["a","z"] {"code":"validation_invalid_value","message":"Invalid value z.","params":{"value":"z"}}"#]],
    );
    check(
        FieldKind::Select { values, max_select: 1, required: false },
        &[json!(["a", "z"]), json!(r#"["a",1]"#)],
        &expect![[r#"
            ["a","z"] {"code":"validation_invalid_value","message":"Invalid value z.","params":{"value":"z"}}
            "[\"a\",1]" {"code":"validation_too_many_values","message":"Select no more than 1.","params":{"maxSelect":1}}"#]],
    );
    check(
        FieldKind::Relation {
            collection_id: "rel".to_owned(),
            cascade_delete: false,
            min_select: 2,
            max_select: 3,
            required: false,
        },
        &[json!("a"), json!(["a", "b"])],
        &expect![[r#"
            "a" {"code":"validation_not_enough_values","message":"Select at least 2.","params":{"minSelect":2}}
            ["a","b"] null"#]],
    );
}

#[test]
fn json_points_editors_passwords() {
    check(
        FieldKind::Json { max_size: 8, required: true },
        &[
            json!(null),
            json!({}),
            json!([1, 2, 3, 4]),
            json!(r#"{"a":1,"a":2}"#),
            json!("1e400"),
            json!("\u{1}"),
        ],
        &expect![[r#"
            null {"code":"validation_required","message":"Cannot be blank."}
            {} {"code":"validation_required","message":"Cannot be blank."}
            [1,2,3,4] {"code":"validation_json_size_limit","message":"The maximum allowed JSON size is 8 bytes.","params":{"maxSize":8}}
            "{\"a\":1,\"a\":2}" {"code":"validation_json_size_limit","message":"The maximum allowed JSON size is 8 bytes.","params":{"maxSize":8}}
            "1e400" {"code":"validation_invalid_json","message":"Must be a valid json value."}
            "\u0001" {"code":"validation_invalid_json","message":"Must be a valid json value."}"#]],
    );
    check(
        FieldKind::GeoPoint { required: true },
        &[json!(null), json!({"lon": 181, "lat": 91}), json!({"lon": 181}), json!({"lon": 180})],
        &expect![[r#"
            null {"code":"validation_required","message":"Cannot be blank."}
            {"lon":181,"lat":91} {"code":"validation_invalid_latitude","message":"Latitude must be between -90 and 90 degrees."}
            {"lon":181} {"code":"validation_invalid_longitude","message":"Longitude must be between -180 and 180 degrees."}
            {"lon":180} null"#]],
    );
    check(
        FieldKind::Editor { max_size: 5, convert_urls: false, required: false },
        &[json!("ééé"), json!("12345")],
        &expect![[r#"
            "ééé" {"code":"validation_content_size_limit","message":"The maximum allowed content size is 5 bytes.","params":{"maxSize":5}}
            "12345" null"#]],
    );
    check(
        FieldKind::Password { pattern: "^x".to_owned(), min: 2, max: 0, cost: 0, required: true },
        &[
            json!(""),
            json!("x"),
            json!("y".repeat(72)),
            json!("é".repeat(37)),
            json!("yy"),
            json!("xy"),
        ],
        &expect![[r#"
            "" {"code":"validation_required","message":"Cannot be blank."}
            "x" {"code":"validation_min_text_constraint","message":"Must be at least 2 character(s)."}
            "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" {"code":"validation_max_text_constraint","message":"Must be less than 71 character(s)."}
            "ééééééééééééééééééééééééééééééééééééé" {"code":"validation_invalid_value","message":"Invalid value."}
            "yy" {"code":"validation_invalid_format","message":"Invalid value format."}
            "xy" null"#]],
    );
}

#[test]
fn addresses() {
    let valid = [
        "a@b.c",
        "a@b.co.",
        "ü@ü.de",
        "a@b_c.de",
        "a+b@c.de",
        "a@b..c.de",
        "a@b.d-e",
        "A@B.CO",
        "\"a\"@b.co",
        "\" a\"@b.co",
        "\"a\"b\"@b.co",
        "\"@b.co",
        "\"@\"@b.co",
    ];
    let invalid = [
        "a",
        "a@b",
        "A <a@b.co>",
        "a.b.@c.de",
        ".a@b.co",
        "a..b@c.de",
        "a@-b.de",
        "a@b-.de",
        "a@b.c1",
        "a@[1.2.3.4]",
        "a@b..c",
        "a@b.co\n",
        "😀@b.co",
        "\"ab\"@b.co",
        "\"\"@b.co",
        "@b.co",
    ];
    for address in valid {
        assert!(format::email_valid(address), "{address}");
    }
    for address in invalid {
        assert!(!format::email_valid(address), "{address}");
    }
}

#[test]
fn urls() {
    let valid = [
        ("http://a", "a"),
        ("http://localhost:80/x", "localhost:80"),
        ("https://www.example.com/d?e#f", "www.example.com"),
        ("http//a.b", ""),
        ("mailto:a@b.co", ""),
        ("http://é.com", "é.com"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("http://[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]"),
        ("ftp://[::ffff:1.2.3.4]/", "[::ffff:1.2.3.4]"),
        ("http://[fe80::1%25en0]:8080/", "[fe80::1%25en0]:8080"),
        ("http://user:pw@a.b", "a.b"),
        ("127.0.0.1", ""),
        ("example.com/path", ""),
    ];
    let invalid = [
        "a",
        "a.b",
        "https://a.b.c/d?e#f",
        "javascript:alert(1)",
        "a b.c",
        "//a.b",
        "http://%zz",
        "http://[1::2::3]/",
        "http://[1:2:3:4:5::1.2.3.4]/",
        "http://[::300.2.3.4]/",
        "http://[fe80::1%en0]",
        "http://[fe80::1%25]",
        "http://[::1%25eth0]/",
        "http://a.b/%zz",
        ".a.b",
        "http://a_b.c",
        "http://a..b",
        "h://a.b",
        "http://a.b c",
        "http://a.b/\u{7f}",
        "http://a.b:999999/",
        "/path",
    ];
    for (url, host) in valid {
        assert_eq!(format::url_host(url), Some(host), "{url}");
    }
    for url in invalid {
        assert_eq!(format::url_host(url), None, "{url}");
    }
    let only = ["b.co".to_owned()];
    let problem = text::url_problem("http://b.co:80", &only, &[], false).map(|p| p.code);
    assert_eq!(problem, Some("validation_url_domain_not_allowed"));
    assert_eq!(text::url_problem("http://b.co/x", &only, &[], false), None);
    let problem = text::email_problem("a@b.co", &[], &only, false).map(|p| p.code);
    assert_eq!(problem, Some("validation_email_domain_not_allowed"));
}

#[test]
fn files() {
    let mut docs = field("docs", "file");
    docs.kind = FieldKind::File {
        max_size: 10,
        max_select: 2,
        mime_types: vec!["image/png".to_owned(), "application/x-zip".to_owned()],
        thumbs: Vec::new(),
        protected: false,
        required: true,
    };
    let upload = |name: &str, size_bytes, mime: &str| NewFile {
        name: name.to_owned(),
        original_name: "orig".to_owned(),
        size_bytes,
        mime: mime.to_owned(),
    };
    let uploads = [
        upload("ok.png", 10, "image/png"),
        upload("ok.zip", 1, "application/zip"),
        upload("big.png", 11, "image/png"),
        upload("no.txt", 1, "text/plain; charset=utf-8"),
        upload(".x", 1, "image/png"),
    ];
    let problem = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let problem = file::file_problem(&docs, &names, &["old".to_owned()], &uploads);
        problem.map(|problem| format!("{}: {}", problem.code, problem.message))
    };
    assert_eq!(problem(&["old", "ok.png"]), None);
    assert_eq!(problem(&["ok.zip"]), None);
    let found: Vec<String> = [
        problem(&[]),
        problem(&["x", "old", "y"]),
        problem(&["old", "ok.png", "ok.zip"]),
        problem(&["big.png"]),
        problem(&["no.txt"]),
        problem(&[".x"]),
    ]
    .into_iter()
    .map(Option::unwrap_or_default)
    .collect();
    expect![[r#"
        validation_required: cannot be blank
        validation_invalid_file: Invalid new files: [x y].
        validation_too_many_files: The maximum allowed files is 2.
        validation_file_size_limit: Failed to upload orig - the maximum allowed file size is 10 bytes.
        validation_invalid_mime_type: "no.txt" mime type must be one of: image/png, application/x-zip
        validation_match_invalid: Must be in a valid format."#]]
    .assert_eq(&found.join("\n"));
}

#[test]
fn the_store_is_asked_what_only_it_knows() {
    let mut id = field("id", "text");
    id.kind = text(0, 0, "^[A-Z]+$", true);
    let mut relation = field("rel", "relation");
    if let FieldKind::Relation { collection_id, .. } = &mut relation.kind {
        *collection_id = "other".to_owned();
    }
    let collection = collection("u", CollectionKind::Auth, vec![id, relation]);
    let mut record = Record::new(collection);
    record.put("id", Value::Text("ABC".to_owned()));
    record.put("rel", Value::Text("r1".to_owned()));
    let (problems, checks) = validate(&record, None);
    assert!(problems.is_empty());
    let related = StoreCheck::RelatedExist {
        field: "rel".to_owned(),
        collection_id: "other".to_owned(),
        ids: vec!["r1".to_owned()],
    };
    let id_free = StoreCheck::IdFree { id: "ABC".to_owned() };
    let auth_free = StoreCheck::AuthIdFree { id: "ABC".to_owned() };
    assert_eq!(checks, [id_free.clone(), related.clone(), auth_free.clone()]);

    let mut problems = Problems::default();
    auth_free.fail(&mut problems);
    id_free.fail(&mut problems);
    related.fail_without_collection(&mut problems);
    related.fail(&mut problems);
    let json = problems.to_json();
    assert_eq!(json["id"]["code"], "validation_pk_invalid");
    assert_eq!(json["rel"]["code"], "validation_missing_rel_collection");

    let mut changed = record.clone();
    changed.put("id", Value::Text("abc".to_owned()));
    let (problems, _) = validate(&changed, Some(&record));
    assert_eq!(problems.to_json()["id"]["code"], "validation_pk_change");
    // A stored id need not fit the pattern of today.
    assert!(validate(&changed, Some(&changed)).0.is_empty());

    let unique = unique_problems(&record.collection, ["REL", "nope"]).expect("a known column");
    assert_eq!(
        unique.to_json()["rel"],
        json!({ "code": "validation_not_unique", "message": "Value must be unique." })
    );
    assert!(unique_problems(&record.collection, ["nope"]).is_none());
}

proptest! {
    #[test]
    fn any_address_is_survived(text in "[a-c@.\"\\\\/:%0-9\\[\\]#? é_-]{0,30}") {
        format::email_valid(&text);
        format::url_host(&text);
    }
}
