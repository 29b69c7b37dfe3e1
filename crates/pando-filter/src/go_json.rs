//! Prints JSON the way PocketBase does (Go's `encoding/json/v2`, deterministic).

use serde_json::Value as Json;

/// The value as compact JSON text: keys in order, whole numbers without a fraction.
pub(crate) fn text(value: &Json) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null | Json::Bool(_) | Json::String(_) => out.push_str(&value.to_string()),
        Json::Number(number) => write_number(out, number),
        Json::Array(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Json::String(key.clone()).to_string());
                out.push(':');
                write(out, item);
            }
            out.push('}');
        }
    }
}

/// Numbers are doubles in PocketBase, printed as JavaScript prints them.
fn write_number(out: &mut String, number: &serde_json::Number) {
    let double = number.as_f64().unwrap_or(0.0);
    if double == double.trunc() && double.abs() < 1e21 {
        out.push_str(&format!("{double}"));
    } else {
        out.push_str(&number.to_string());
    }
}
