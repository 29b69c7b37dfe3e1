use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check(json: &str, expected: Expect) {
    let value = serde_json::from_str(json).unwrap();
    let shown = match Field::from_json(&value, "/fields/0") {
        Ok(field) => field.to_json().to_string(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn missing_options_are_empty_and_unknown_ones_dropped() {
    check(
        r#"{"type":"file","name":"f","maxSelect":2,"zzz":1,"thumbs":null}"#,
        expect![[
            r#"{"help":"","hidden":false,"id":"","maxSelect":2,"maxSize":0,"mimeTypes":[],"name":"f","presentable":false,"protected":false,"required":false,"system":false,"thumbs":[],"type":"file"}"#
        ]],
    );
    check(
        r#"{"type":"autodate","name":"a","help":"not kept"}"#,
        expect![[
            r#"{"hidden":false,"id":"","name":"a","onCreate":false,"onUpdate":false,"presentable":false,"system":false,"type":"autodate"}"#
        ]],
    );
    check(
        r#"{"type":"date","name":"d","min":"2024-05-05T10:00:00+02:00","max":"nope"}"#,
        expect![[
            r#"{"help":"","hidden":false,"id":"","max":"","min":"2024-05-05 08:00:00.000Z","name":"d","presentable":false,"required":false,"system":false,"type":"date"}"#
        ]],
    );
}

#[test]
fn errors_say_what_was_wrong() {
    check(
        r#"{"name":"a"}"#,
        expect![[
            r#"json: cannot unmarshal JSON object into Go core.fieldWithType within "/fields/0": missing or unknown field type in {"name":"a"}"#
        ]],
    );
    check(
        "null",
        expect![[
            r#"json: cannot unmarshal JSON null into Go core.fieldWithType within "/fields/0": missing or unknown field type in null"#
        ]],
    );
    check(
        r#"{"type":"text","min":"1"}"#,
        expect![[
            r#"json: cannot unmarshal JSON object into Go core.fieldWithType within "/fields/0": failed to unmarshal field: json: cannot unmarshal JSON string into Go int within "/min""#
        ]],
    );
}
