//! PostgreSQL: the same answers from typed columns as SQLite gives from its dynamic ones.
//!
//! What columns hold: texts, dates and single references are `text COLLATE "C"`; numbers
//! `double precision`; bools `boolean`; lists, JSON and points `json`, which keeps the text as it
//! was stored and is always valid, so that no function ever fails on it. Rows bring the columns in
//! these types.
//!
//! Comparisons of one type are plain operators, which indexes serve. Only where SQLite would
//! compare values of several types are both sides turned into a `pando.value`, a pair of type and
//! value that orders the way SQLite orders. The functions are in `functions.sql` of pando-store.

mod compare;
mod constant;
mod names;
mod operand;
pub(crate) mod real;
mod stored;
mod term;

pub(crate) use compare::write_form;
pub use names::name;
pub(crate) use operand::{Operand, Shape};
pub(crate) use stored::{bind_given, bind_stored};
pub use stored::{holds_nul, stored_value};
pub(crate) use term::{
    sort_nullable, write_each, write_holds_id, write_items, write_matched, write_sort_key,
    write_term,
};

use crate::SqlValue;

/// A value that PostgreSQL takes: its texts cannot hold NUL. No stored text does either, so the
/// next character there is compares the same with all of them.
pub(crate) fn bindable(value: SqlValue) -> SqlValue {
    match value {
        SqlValue::Text(text) if text.contains('\0') => SqlValue::Text(text.replace('\0', "\u{1}")),
        other => other,
    }
}

/// Ids as the text of an array of texts, so that one placeholder takes any number of them.
pub(crate) fn array_text(items: &[String]) -> String {
    let mut text = String::from("{");
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        for character in item.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text
}

/// The buckets of ids as the text of an array of numbers.
pub(crate) fn buckets_text(ids: &[String]) -> String {
    let buckets: Vec<String> = ids.iter().map(|id| crate::bucket(id).to_string()).collect();
    format!("{{{}}}", buckets.join(","))
}
