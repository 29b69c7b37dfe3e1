use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use serde_json::json;

use super::Normalizer;

fn check(texts: &[&str], expected: Expect) {
    let mut normalizer = Normalizer::new(BTreeSet::from(["knownid00000001".to_owned()]));
    let lines: Vec<String> = texts.iter().map(|text| normalizer.text(text)).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn replaces_only_what_a_server_makes_up() {
    check(
        &[
            "abcdefghij12345",
            "knownid00000001",
            "see zzzzzzzzzz00001 and abcdefghij12345 in relationmissing",
            "/api/files/posts/abcdefghij12345/my_cat_0123456789.png?thumb=1x1",
            "label0000000007",
            "a0123456789_abcdefghij.txt a0123456789_abcdefghij_0123456789.txt my_cats_abcdefghij.txt",
            "gen-x1",
            "refused due to existing reference in b, a.",
            "CREATE UNIQUE INDEX `idx_email_yqtebszpp9` ON ``",
            "2022-01-01 10:00:00.123Z",
            "9999-01-01 10:00:00.123Z",
            "naïve 日本",
            "_clone_A1b2 SELECT `temp_view_Ab3dE`.* _clone_A1b2c",
        ],
        expect![[r#"
            <id 1>
            knownid00000001
            see <id 2> and <id 1> in relationmissing
            /api/files/posts/<id 1>/my_cat_<suffix 1>.png?thumb=1x1
            label0000000007
            a<padding 1>_<suffix 2>.txt a<padding 1>_<suffix 2>_<suffix 1>.txt my_cats_<suffix 2>.txt
            <generated 1>
            refused due to existing reference in a, b.
            CREATE UNIQUE INDEX `idx_email_<index 1>` ON ``
            2022-01-01 10:00:00.123Z
            9999-01-01 10:00:00.123Z
            naïve 日本
            _clone_<drawn> SELECT `temp_view_<drawn>`.* _clone_A1b2c"#]],
    );
}

#[test]
fn replaces_times_of_this_run() {
    let mut normalizer = Normalizer::new(BTreeSet::new());
    let date = super::now().format(super::DATE_FORMAT).unwrap();
    // The clock of the run is finer than the milliseconds of a date.
    normalizer.run_started -= time::Duration::milliseconds(1);
    assert_eq!(normalizer.text(&format!("at {date}.")), "at <now>.");
}

#[test]
fn shows_tokens_by_their_claims() {
    let expires = super::now().unix_timestamp() + 600;
    let claims = format!("{{\"type\":\"auth\",\"exp\":{expires},\"id\":\"abcdefghij12345\"}}");
    let encoded = base64::Engine::encode(&super::URL_SAFE_NO_PAD, claims);
    let mut normalizer = Normalizer::new(BTreeSet::new());
    let normal =
        normalizer.json(&json!({ "token": format!("eyJhbGciOiJIUzI1NiJ9.{encoded}.c2ln") }));
    expect![[r#"{"token":"<token {\"exp\":\"in 600 s\",\"id\":\"<id 1>\",\"type\":\"auth\"}>"}"#]]
        .assert_eq(&normal.to_string());
}

#[test]
fn counts_by_name_not_by_place() {
    let mut left = Normalizer::new(BTreeSet::new());
    let mut right = left.clone();
    let a = left.json(&json!({ "a": "aaaaaaaaaaaaaa1", "b": "bbbbbbbbbbbbbb1" }));
    let b = right.json(&json!({ "b": "yyyyyyyyyyyyyy1", "a": "xxxxxxxxxxxxxx1" }));
    assert_eq!(a, b);
}

#[test]
fn a_value_of_one_side_alone_does_not_shift_later_ones() {
    let mut left = Normalizer::new(BTreeSet::new());
    let mut right = left.clone();
    assert_ne!(left.text("aaaaaaaaaaaaaa1"), right.text("refused"));
    left.align(&mut right);
    assert_eq!(left.text("bbbbbbbbbbbbbb1"), right.text("yyyyyyyyyyyyyy1"));
    assert_eq!(left.text("bbbbbbbbbbbbbb1"), "<id 2>");
}
