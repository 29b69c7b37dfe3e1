//! Tells where two JSON values differ.

use serde_json::Value;

/// More lines than this help nobody.
const LINES_MAX: usize = 12;
const VALUE_CHARS_MAX: usize = 160;

/// One line per difference: path, left value, right value.
pub(super) fn diff(left: &Value, right: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    walk("$", left, right, &mut lines);
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn walk(path: &str, left: &Value, right: &Value, lines: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                match b.get(name) {
                    Some(other) => walk(&format!("{path}.{name}"), value, other, lines),
                    None => lines.push(format!("{path}.{name}: {} | missing", short(value))),
                }
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                lines.push(format!("{path}.{name}: missing | {}", short(value)));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (value, other)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}[{index}]"), value, other, lines);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            lines.push(format!("{path}: {} items | {} items", a.len(), b.len()));
            if let Some(at) = a.iter().zip(b).position(|(a, b)| a != b) {
                walk(&format!("{path}[{at}]"), &a[at], &b[at], lines);
            }
        }
        _ if left == right => {}
        _ => lines.push(format!("{path}: {} | {}", short(left), short(right))),
    }
}

fn short(value: &Value) -> String {
    shorten(&value.to_string(), VALUE_CHARS_MAX)
}

/// At most `chars_max` characters of a text.
pub(super) fn shorten(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn names_each_place() {
        let left = json!({ "a": 1, "b": [1, 2], "c": { "d": null }, "e": [1] });
        let right = json!({ "a": 1.0, "b": [1, 3], "c": { "x": true }, "e": [2, 1] });
        expect![[r#"
            $.a: 1 | 1.0
            $.b[1]: 2 | 3
            $.c.d: null | missing
            $.c.x: missing | true
            $.e: 1 items | 2 items
            $.e[0]: 1 | 2"#]]
        .assert_eq(&super::diff(&left, &right).join("\n"));
    }
}
