//! Conversions between the kinds of JSON values, as lenient as Go's `spf13/cast` is.
//!
//! What cannot be converted becomes the zero value; nothing here fails.
//! Source: spf13/cast 1.10 `basic.go`, `number.go`, `slice.go`; PocketBase `tools/list/list.go`,
//! `core/field_file.go` (`toSliceValue`).

use serde_json::Value as Json;

use super::float::{parse_float, plain_format};

/// Scalars as text (numbers without exponent); empty for null, lists and objects.
pub(crate) fn text_of(input: &Json) -> String {
    match input {
        Json::String(text) => text.clone(),
        Json::Bool(on) => on.to_string(),
        Json::Number(number) => plain_format(number.as_f64().unwrap_or(0.0)),
        Json::Null | Json::Array(_) | Json::Object(_) => String::new(),
    }
}

/// Numbers, texts in Go's floating-point syntax, and booleans as 1 or 0; else 0.
pub(crate) fn number_of(input: &Json) -> f64 {
    match input {
        Json::Number(number) => number.as_f64().unwrap_or(0.0),
        Json::String(text) => parse_float(text).unwrap_or(0.0),
        Json::Bool(on) => f64::from(u8::from(*on)),
        Json::Null | Json::Array(_) | Json::Object(_) => 0.0,
    }
}

/// Booleans, non-zero numbers, and the texts that Go's `strconv.ParseBool` knows.
pub(crate) fn bool_of(input: &Json) -> bool {
    match input {
        Json::Bool(on) => *on,
        Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Json::String(text) => parse_bool(text),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
    }
}

pub(crate) fn parse_bool(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// Input as a list of non-empty, unique texts. A text may itself be a JSON list of texts.
pub(crate) fn strings_of(input: &Json) -> Vec<String> {
    match input {
        Json::Null | Json::Object(_) => Vec::new(),
        Json::String(text) => strings_of_text(text),
        Json::Bool(_) | Json::Number(_) => unique(vec![text_of(input)]),
        Json::Array(items) => {
            // One item that has no text form makes the whole list unreadable.
            if items.iter().any(|item| matches!(item, Json::Array(_) | Json::Object(_))) {
                return Vec::new();
            }
            unique(items.iter().map(text_of).collect())
        }
    }
}

/// A text as a list: what its JSON list holds, or else the text itself.
pub(crate) fn strings_of_text(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    if !text.contains('[') {
        return vec![text.to_owned()];
    }
    let (mut items, complete) = read_string_list(text);
    if !complete {
        // What was read before the mistake stays: so does Go's streaming decoder.
        items.push(text.to_owned());
    }
    unique(items)
}

/// The value of a single-valued field, which PocketBase reads as a list each time it is set.
pub(crate) fn single_of(mut text: String) -> String {
    while text.contains('[') {
        let (items, complete) = read_string_list(&text);
        if !complete {
            break;
        }
        text = unique(items).pop().unwrap_or_default();
    }
    text
}

/// Names of files: as `strings_of`, but each item of a list may be a list of one name.
pub(crate) fn file_names_of(input: &Json) -> Vec<String> {
    let Json::Array(items) = input else { return strings_of(input) };
    let mut names = Vec::with_capacity(items.len());
    for item in items {
        let mut inner = file_names_of(item);
        if inner.len() == 1 {
            names.append(&mut inner);
        }
    }
    unique(names)
}

/// The names of a multiple file field as they are read the second time: a name that is itself a
/// list of one name counts as that, other lists count for nothing.
pub(crate) fn single_names(names: Vec<String>) -> Vec<String> {
    if !names.iter().any(|name| name.contains('[')) {
        return names;
    }
    let singles = names.iter().filter_map(|name| {
        let mut inner = strings_of_text(name);
        if inner.len() == 1 { inner.pop() } else { None }
    });
    unique(singles.collect())
}

/// The list without empty and repeated items, in order.
pub(crate) fn unique(mut items: Vec<String>) -> Vec<String> {
    // Lists are short almost always; a set is only worth its allocations for long ones.
    if items.len() > 32 {
        let mut seen = std::collections::BTreeSet::new();
        items.retain(|item| !item.is_empty() && seen.insert(item.clone()));
        return items;
    }
    let mut kept: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        if !item.is_empty() && !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// Reads a JSON list of texts; stops at the first mistake and says whether there was none.
fn read_string_list(text: &str) -> (Vec<String>, bool) {
    use serde::de::Deserializer as _;

    let mut items = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(ListVisitor { items: &mut items });
    let complete = read.is_ok() && reader.end().is_ok();
    (items, complete)
}

struct ListVisitor<'a> {
    items: &'a mut Vec<String>,
}

impl<'de> serde::de::Visitor<'de> for ListVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of texts")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<Option<String>>()? {
            self.items.push(item.unwrap_or_default());
        }
        Ok(())
    }
}
