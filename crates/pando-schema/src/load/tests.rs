use serde_json::json;

use super::*;

fn with<T>(value: Value, keys: KeyMatch, act: impl FnOnce(&Loader<'_>) -> T) -> T {
    act(&Loader::new(value.as_object().unwrap(), keys))
}

#[test]
fn missing_keeps_null_clears_and_a_value_sets() {
    for (value, expected) in [(json!({}), 7), (json!({"n":null}), 0), (json!({"n":3}), 3)] {
        let mut number = 7;
        with(value, KeyMatch::Exact, |json| json.int("n", &mut number)).unwrap();
        assert_eq!(number, expected);
    }
}

#[test]
fn integers_are_written_without_fraction_or_exponent() {
    for value in [json!({"n":1.0}), json!({"n":1e3}), json!({"n":"1"}), json!({"n":true})] {
        let mut number = 7;
        assert!(with(value, KeyMatch::Exact, |json| json.int("n", &mut number)).is_err());
    }
}

#[test]
fn loose_keys_prefer_the_exact_one() {
    let value = json!({"USE_IP":"loose","useIp":"exact"});
    let mut text = String::new();
    with(value.clone(), KeyMatch::Loose, |json| json.text("useIp", &mut text)).unwrap();
    assert_eq!(text, "exact");
    with(value.clone(), KeyMatch::Loose, |json| json.text("use-ip", &mut text)).unwrap();
    assert_eq!(text, "loose");
    with(value, KeyMatch::Exact, |json| json.text("use-ip", &mut text)).unwrap();
    assert_eq!(text, "loose");
}

#[test]
fn errors_name_the_place() {
    let value = json!({"a":{"b":["x",5]}});
    let mut texts = Vec::new();
    let error = with(value, KeyMatch::Exact, |json| {
        json.object("a", "T", &mut texts, |json, texts| json.texts("b", texts)).unwrap_err()
    });
    assert_eq!(
        error.to_string(),
        r#"json: cannot unmarshal JSON number into Go string within "/a/b/1""#
    );
}

#[test]
fn whole_numbers_have_no_fraction() {
    let shown: Vec<String> =
        [1.0, -2.0, 1.5, 1e21].iter().map(|number| number_json(*number).to_string()).collect();
    assert_eq!(shown, ["1", "-2", "1.5", "1e+21"]);
}
