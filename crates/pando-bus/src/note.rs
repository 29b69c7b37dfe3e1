//! Notes: what one server sends to the others so that they need not look into the journal.
//!
//! A note is JSON: `[server, [[number, version, text], …]]`. Without a text, the entry must be
//! looked up; without a version, the number has none.

use std::sync::Arc;

use pando_store::journal::Entry;
use serde_json::{Value as Json, json};

/// What a note says of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Entry(Entry),
    /// There is an entry.
    Known(u64),
    /// There is none and never will be.
    Void(u64),
}

/// Puts what is told into as few notes of at most `bytes_max` as it takes. An entry that fills more
/// than a quarter of a note is only named.
pub(crate) fn pack(server: &str, told: &[Told], bytes_max: usize) -> Vec<String> {
    let frame = json!([server, []]).to_string().len();
    let mut notes = Vec::new();
    let mut parts = Vec::new();
    let mut bytes = frame;
    for one in told {
        let part = part(one, bytes_max / 4);
        if bytes + part.len() + 1 > bytes_max && !parts.is_empty() {
            notes.push(note(server, &parts));
            parts.clear();
            bytes = frame;
        }
        bytes += part.len() + 1;
        parts.push(part);
    }
    if !parts.is_empty() {
        notes.push(note(server, &parts));
    }
    notes
}

fn part(told: &Told, text_bytes_max: usize) -> String {
    match told {
        Told::Entry(entry) => {
            let part = json!([entry.number, entry.version, &*entry.text]).to_string();
            match part.len() <= text_bytes_max {
                true => part,
                false => json!([entry.number, entry.version]).to_string(),
            }
        }
        Told::Known(number) => json!([number, 0]).to_string(),
        Told::Void(number) => json!([number]).to_string(),
    }
}

fn note(server: &str, parts: &[String]) -> String {
    format!("[{},[{}]]", json!(server), parts.join(","))
}

/// What a note tells; nothing if it cannot be read: then the journal tells.
pub(crate) fn unpack(note: &str) -> Vec<Told> {
    let Ok(Json::Array(note)) = serde_json::from_str(note) else { return Vec::new() };
    let [Json::String(server), Json::Array(parts)] = note.as_slice() else { return Vec::new() };
    let server: Arc<str> = server.as_str().into();
    parts.iter().filter_map(|part| told(&server, part)).collect()
}

fn told(server: &Arc<str>, part: &Json) -> Option<Told> {
    let part = part.as_array()?;
    let number = part.first()?.as_u64()?;
    Some(match (part.get(1).and_then(Json::as_u64), part.get(2).and_then(Json::as_str)) {
        (Some(version), Some(text)) => {
            Told::Entry(Entry { number, server: Arc::clone(server), version, text: text.into() })
        }
        (Some(_), None) => Told::Known(number),
        (None, _) => Told::Void(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, text: &str) -> Told {
        let (server, text) = ("one".into(), text.into());
        Told::Entry(Entry { number, server, version: 7, text })
    }

    #[test]
    fn notes_are_small_and_tell_everything() {
        let mut told: Vec<Told> = (1..200).map(|number| entry(number, "[\"é\\\"\"]")).collect();
        told.push(Told::Void(200));
        told.push(Told::Known(201));
        let notes = pack("one", &told, 1_000);
        assert!(notes.iter().all(|note| note.len() <= 1_000), "{notes:?}");
        assert!(notes.len() < 12, "{}", notes.len());
        let read: Vec<Told> = notes.iter().flat_map(|note| unpack(note)).collect();
        assert_eq!(read, told);
    }

    #[test]
    fn a_large_entry_is_only_named() {
        let notes = pack("one", &[entry(1, &"x".repeat(300)), entry(2, "y")], 1_000);
        assert_eq!(notes.len(), 1);
        assert_eq!(unpack(&notes[0]), [Told::Known(1), entry(2, "y")]);
        assert!(pack("one", &[], 1_000).is_empty());
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        for bad in ["", "[]", "{}", "[1,[]]", "[\"one\",[[\"x\"]]]", "[\"one\",[null]]"] {
            assert_eq!(unpack(bad), [], "{bad}");
        }
    }
}
