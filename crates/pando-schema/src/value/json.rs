//! JSON text: writing it as PocketBase does, and the values of `json` fields.
//!
//! Strings are written with the fewest escapes (only `"`, `\` and control characters), numbers
//! as JavaScript writes them, the members of objects in the order of their names.
//! Source: Go `encoding/json/v2` (`Deterministic`); PocketBase `core/field_json.go`.

mod check;
mod compact;

pub(crate) use check::check_json;
pub use compact::compact_json;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use super::write_number;

/// Appends `text` as a JSON string.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text.as_bytes(), out);
    out.push(b'"');
}

/// Appends `input` as JSON without white space, members sorted by name.
pub fn write_json_text(input: &Json, out: &mut Vec<u8>) {
    match input {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(number) => write_number(number.as_f64().unwrap_or(0.0), out),
        Json::String(text) => write_string(text, out),
        Json::Array(items) => write_array(items, out, write_json_text),
        Json::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write_json_text(member, out);
            }
            out.push(b'}');
        }
    }
}

/// Appends `items` as a JSON array, each as `write` writes it.
pub(super) fn write_array<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// `input` as JSON text, as `write_json_text` writes it.
pub fn json_of(input: &Json) -> String {
    let mut out = Vec::new();
    write_json_text(input, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Input as the text of a `json` field.
pub(super) fn json_text_of(input: &Json) -> String {
    match input {
        Json::String(text) => json_text_of_text(Cow::Borrowed(text)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            json_of(input)
        }
    }
}

/// A text as the text of a `json` field: itself if it is JSON, so that forms can send JSON, else
/// quoted. The quotes are Go's, not JSON's: control characters make it invalid, on purpose.
pub(super) fn json_text_of_text(text: Cow<'_, str>) -> String {
    let candidate = match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'-' | b'"' | b'[' | b'{') => true,
        _ => matches!(text.as_ref(), "null" | "true" | "false"),
    };
    if candidate && check::well_formed(&text) { text.into_owned() } else { quote(&text) }
}

/// Go's `strconv.Quote`.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        // Writing into a String cannot fail.
        let _ = match character {
            '"' => quoted.write_str("\\\""),
            '\\' => quoted.write_str("\\\\"),
            '\x07' => quoted.write_str("\\a"),
            '\x08' => quoted.write_str("\\b"),
            '\x0c' => quoted.write_str("\\f"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            '\x0b' => quoted.write_str("\\v"),
            ' '..='~' => quoted.write_char(character),
            '\0'..='\x7f' => write!(quoted, "\\x{:02x}", u32::from(character)),
            _ if printable(character) => quoted.write_char(character),
            '\u{80}'..='\u{ffff}' => write!(quoted, "\\u{:04x}", u32::from(character)),
            _ => write!(quoted, "\\U{:08x}", u32::from(character)),
        };
    }
    quoted.push('"');
    quoted
}

/// Go's `strconv.IsPrint` beyond ASCII: letters, marks, numbers, punctuation and symbols.
fn printable(character: char) -> bool {
    static PRINTABLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]").expect("a constant pattern compiles")
    });
    PRINTABLE.is_match(character.encode_utf8(&mut [0; 4]))
}

/// Appends bytes of UTF-8 text, escaped for a JSON string.
pub(super) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    loop {
        let plain = plain_prefix(rest);
        out.extend_from_slice(&rest[..plain]);
        let Some(byte) = rest.get(plain) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        rest = &rest[plain + 1..];
    }
}

/// How many bytes from the start need no escape, looking at eight at a time.
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // High bits mark the zero bytes of a word (and perhaps bytes after those).
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut index = 0;
    while let Some(Ok(chunk)) = bytes.get(index..index + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quotes = zero_bytes(word ^ (ONES * u64::from(b'"')));
        let slashes = zero_bytes(word ^ (ONES * u64::from(b'\\')));
        if control | quotes | slashes != 0 {
            break;
        }
        index += 8;
    }
    let tail = bytes[index..].iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    tail.map_or(bytes.len(), |offset| index + offset)
}
