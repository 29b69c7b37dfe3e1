use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::record::tests::field;

/// The JSON of `input` as a value of a field of that type.
fn cast(field: &Field, input: &Json) -> String {
    let mut out = Vec::new();
    Value::from_json(field, input).write_json(&mut out);
    String::from_utf8(out).unwrap()
}

fn check(type_name: &str, cases: &[(Json, &str)]) {
    let field = field("f", type_name);
    for (input, expected) in cases {
        assert_eq!(cast(&field, input), *expected, "{type_name} {input}");
    }
}

fn multiple(type_name: &str) -> Field {
    let mut field = field("f", type_name);
    match &mut field.kind {
        FieldKind::Select { max_select, .. }
        | FieldKind::File { max_select, .. }
        | FieldKind::Relation { max_select, .. } => *max_select = 3,
        _ => panic!("{type_name} has no multiple form"),
    }
    field
}

#[test]
fn scalars_become_text() {
    check(
        "text",
        &[
            (json!("a"), r#""a""#),
            (json!(1e21), r#""1000000000000000000000""#),
            (json!(1e-7), r#""0.0000001""#),
            (json!(-0.0), r#""-0""#),
            (json!(true), r#""true""#),
            (json!(null), r#""""#),
            (json!([1]), r#""""#),
            (json!({"a": 1}), r#""""#),
        ],
    );
}

#[test]
fn texts_become_numbers_as_in_go() {
    let cases = [
        ("", 0.0),
        ("+5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        (" 5", 0.0),
        ("1e5", 1e5),
        ("1e400", 0.0),
        ("1_000", 1000.0),
        ("1__0", 0.0),
        ("_1", 0.0),
        ("0x1p-2", 0.25),
        ("0X1.8P3", 12.0),
        ("0x_1p2", 4.0),
        ("0x10", 0.0),
        ("0x.p1", 0.0),
        ("0b11", 0.0),
        ("true", 0.0),
        ("-Inf", f64::NEG_INFINITY),
        ("+infinity", f64::INFINITY),
    ];
    for (text, number) in cases {
        assert_eq!(cast::number_of(&json!(text)), number, "{text}");
    }
    assert!(cast::number_of(&json!("nan")).is_nan());
    assert_eq!(cast::number_of(&json!(true)), 1.0);
}

#[test]
fn booleans_come_from_few_words() {
    for yes in [json!("t"), json!("TRUE"), json!("1"), json!(2), json!(-0.5), json!(true)] {
        assert!(bool_of(&yes), "{yes}");
    }
    for no in [json!("yes"), json!("tRUE"), json!(0), json!([true]), json!({}), json!(null)] {
        assert!(!bool_of(&no), "{no}");
    }
}

#[test]
fn lists_are_unique_texts() {
    let single = field("f", "select");
    let multiple = multiple("select");
    let cases = [
        (json!(["a", "b"]), r#""b""#, r#"["a","b"]"#),
        (json!(["a", "a", "", null]), r#""a""#, r#"["a"]"#),
        (json!([1, true, 0.5]), r#""0.5""#, r#"["1","true","0.5"]"#),
        (json!(["a", [1]]), r#""""#, "[]"),
        (json!({"a": 1}), r#""""#, "[]"),
        (json!(r#"["a","b"]"#), r#""b""#, r#"["a","b"]"#),
        (json!(r#"["a",1]"#), r#""[\"a\",1]""#, r#"["a","[\"a\",1]"]"#),
        (json!([r#"["a"]"#]), r#""a""#, r#"["[\"a\"]"]"#),
        (json!("["), r#""[""#, r#"["["]"#),
    ];
    for (input, one, many) in cases {
        assert_eq!(cast(&single, &input), one, "{input}");
        assert_eq!(cast(&multiple, &input), many, "{input}");
    }
}

#[test]
fn names_of_files_may_be_nested_once() {
    let multiple = multiple("file");
    assert_eq!(cast(&multiple, &json!([["a"], ["b", "c"], "d", 5])), r#"["a","d","5"]"#);
    assert_eq!(cast(&multiple, &json!(r#"["a",1]"#)), r#"["a"]"#);
}

#[test]
fn json_fields_take_json_from_text() {
    check(
        "json",
        &[
            (json!(null), "null"),
            (
                json!({"b": [1, 2.5, 1000.0, 1e30], "a": {"z": 1, "Z": 2}}),
                r#"{"a":{"Z":2,"z":1},"b":[1,2.5,1000,1e+30]}"#,
            ),
            (json!("2.50"), "2.50"),
            (json!(" 1"), r#"" 1""#),
            (json!("1 "), "1"),
            (json!("0123"), r#""0123""#),
            (json!("[1,2"), r#""[1,2""#),
            (json!(""), r#""""#),
            (json!("true"), "true"),
            (json!(r#"{"b": 1,  "a" : [ 1 ] }"#), r#"{"b":1,"a":[1]}"#),
            (json!(r#""\u0041\/\ud83d\ude00\ud800\n""#), "\"A/😀\u{fffd}\\n\""),
        ],
    );
    let field = field("f", "json");
    let go_quoted = Value::from_json(&field, &json!("\u{1}\u{200b}\u{e0001}😀\t"));
    assert_eq!(go_quoted, Value::Json(r#""\x01\u200b\U000e0001😀\t""#.to_owned()));
}

#[test]
fn strictness_is_about_names_and_range() {
    for loose in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, "1e400", r#"[{"x":-1e999}]"#] {
        assert!(json::json_text_of(&json!(loose)) == loose && !check_json(loose), "{loose}");
    }
    for valid in [r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, "[[],{}]", r#"["\u0000"]"#] {
        assert!(check_json(valid), "{valid}");
    }
    assert!(!check_json(&"[".repeat(1_000_000)));
}

#[test]
fn points_are_read_up_to_the_first_mistake() {
    check(
        "geoPoint",
        &[
            (json!({"lon": 5, "lat": 6.5, "x": 1}), r#"{"lon":5,"lat":6.5}"#),
            (json!({"lon": null, "lat": 3}), r#"{"lon":0,"lat":3}"#),
            (json!(r#"{"lat":5,"lon":true}"#), r#"{"lon":0,"lat":5}"#),
            (json!(r#"{"lon":5,"lon":6}"#), r#"{"lon":5,"lat":0}"#),
            (json!(r#"{"lon":5,"lat":6} x"#), r#"{"lon":5,"lat":6}"#),
            (json!([5, 6]), r#"{"lon":0,"lat":0}"#),
            (json!("x"), r#"{"lon":0,"lat":0}"#),
        ],
    );
}

#[test]
fn numbers_are_written_as_in_javascript() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (-17.0, "-17"),
        (1e15, "1000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (-1.25e-9, "-1.25e-9"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.05, "-0.05"),
        (123456.789, "123456.789"),
        (5e-324, "5e-324"),
    ];
    for (number, text) in cases {
        let mut out = Vec::new();
        write_number(number, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
    assert_eq!(general_format(1e6), "1e+06");
    assert_eq!(general_format(123_456_789.0), "1.23456789e+08");
    assert_eq!(general_format(0.00001), "1e-05");
    assert_eq!(general_format(999_999.0), "999999");
}

#[test]
fn strings_have_few_escapes() {
    let mut out = Vec::new();
    write_string("<>&\u{2028}\u{7f}\u{1}\u{8}\u{c}\n\r\t\"\\/é😀 and some more", &mut out);
    let expected = "\"<>&\u{2028}\u{7f}\\u0001\\b\\f\\n\\r\\t\\\"\\\\/é😀 and some more\"";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn columns_come_back_as_values() {
    let json = field("f", "json");
    assert_eq!(Value::from_sql_int(&json, 5), Value::Json("5".to_owned()));
    assert_eq!(Value::from_sql_real(&json, 1e30), Value::Json("1e+30".to_owned()));
    assert_eq!(Value::from_sql_null(&json), Value::Json("null".to_owned()));
    assert_eq!(Value::from_sql_text(&json, "x"), Value::Json(r#""x""#.to_owned()));
    assert_eq!(Value::from_sql_int(&field("f", "bool"), 1), Value::Bool(true));
    assert_eq!(Value::from_sql_int(&field("f", "number"), 7), Value::Number(7.0));
    assert_eq!(Value::from_sql_int(&field("f", "text"), 7), Value::Text("7".to_owned()));
    let date = Value::from_sql_text(&field("f", "date"), "2022-01-02");
    assert_eq!(date, Value::Text("2022-01-02 00:00:00.000Z".to_owned()));
    let list = Value::from_sql_text(&multiple("relation"), r#"["a","b"]"#);
    assert_eq!(list.entries(), ["a", "b"]);
    assert_eq!(list.to_sql(), SqlValue::Text(r#"["a","b"]"#.to_owned()));
    assert_eq!(Value::Json("null".to_owned()).to_sql(), SqlValue::Null);
    assert_eq!(Value::Bool(true).to_sql(), SqlValue::Int(1));
    assert_eq!(
        SqlValue::from_json(&json!({"b": 1, "a": [2.0]})),
        SqlValue::Text(r#"{"a":[2],"b":1}"#.to_owned())
    );
}

#[test]
fn unset_values_are_zero_like() {
    for (type_name, text) in [("json", "[]"), ("json", "{} "), ("text", "")] {
        assert!(Value::from_sql_text(&field("f", type_name), text).zero_like(), "{text}");
    }
    assert!(!Value::Json("[1]".to_owned()).zero_like());
    assert!(!Value::GeoPoint { lon: 0.0, lat: 1.0 }.zero_like());
}

const TYPES: [&str; 14] = [
    "text", "editor", "number", "bool", "email", "url", "date", "autodate", "select", "file",
    "relation", "json", "geoPoint", "password",
];

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::String),
        "[\\[\\]{}\",:0-9a-z\\\\. -]{0,16}".prop_map(Json::String),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec(("[a-c\u{e9}]{1,3}", inner), 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_input_becomes_a_value(input in any_json(), type_index in 0..TYPES.len()) {
        let mut field = field("f", TYPES[type_index]);
        for max in [1, 3] {
            if let FieldKind::Select { max_select, .. }
            | FieldKind::File { max_select, .. }
            | FieldKind::Relation { max_select, .. } = &mut field.kind
            {
                *max_select = max;
            }
            let value = Value::from_json(&field, &input);
            let zero = Value::zero(&field);
            prop_assert_eq!(std::mem::discriminant(&value), std::mem::discriminant(&zero));
            let mut out = Vec::new();
            value.write_json(&mut out);
            let text = String::from_utf8(out).unwrap();
            // Text that is no JSON is quoted as Go does it, which may be no JSON: `validate` says.
            let judged = match &value {
                Value::Json(json) => check_json(json),
                _ => true,
            };
            prop_assert_eq!(serde_json::from_str::<Json>(&text).is_ok(), judged || check_json(&text));
        }
    }

    #[test]
    fn stored_values_come_back(input in any_json(), type_index in 0..TYPES.len()) {
        let field = field("f", TYPES[type_index]);
        let value = Value::from_json(&field, &input);
        let back = match value.to_sql() {
            SqlValue::Null => Value::from_sql_null(&field),
            SqlValue::Int(number) => Value::from_sql_int(&field, number),
            SqlValue::Real(number) => Value::from_sql_real(&field, number),
            SqlValue::Text(text) => Value::from_sql_text(&field, text),
        };
        let valid = match &value {
            Value::Json(text) => check_json(text),
            Value::Number(number) => number.is_finite(),
            // Years before 0 and after 9999 cannot be read again.
            Value::Text(text) if matches!(field.kind, FieldKind::Date { .. }) => text.len() <= 24,
            _ => true,
        };
        prop_assert!(!valid || back == value, "{:?} {:?}", value, back);
    }

    #[test]
    fn json_text_is_compact_and_sorted(input in any_json()) {
        let text = json_of(&input);
        prop_assert!(check_json(&text));
        let mut compact = Vec::new();
        compact_json(&text, &mut compact);
        prop_assert_eq!(compact, text.as_bytes());
        prop_assert_eq!(json_of(&serde_json::from_str(&text).unwrap()), text);
    }

    #[test]
    fn spaced_json_is_made_compact(input in any_json()) {
        let spaced = serde_json::to_string_pretty(&input).unwrap();
        let mut compact = Vec::new();
        compact_json(&spaced, &mut compact);
        let compact: Json = serde_json::from_slice(&compact).unwrap();
        prop_assert_eq!(json_of(&compact), json_of(&input));
    }

    #[test]
    fn grammar_agrees_with_serde(text in "[\\[\\]{}\",:0-9eE+.truefalsn\\\\u -]{0,20}") {
        let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(json::json_text_of(&Json::String(text.clone())) == text, known
            && !text.starts_with(' '));
        let mut out = Vec::new();
        compact_json(&text, &mut out);
    }

    #[test]
    fn written_numbers_read_back(number: f64) {
        prop_assume!(number.is_finite());
        let mut out = Vec::new();
        write_number(number, &mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
    }

    #[test]
    fn short_decimals_are_written_shortest(scaled in -999_999_999_999_i64..999_999_999_999, decimals in 0_i32..7) {
        let number = scaled as f64 / 10_f64.powi(decimals);
        let mut out = Vec::new();
        write_number(number, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
    }

    #[test]
    fn any_text_is_a_float_or_not(text in "[0-9xXpPeE._+infaN-]{0,14}") {
        float::parse_float(&text);
    }
}
