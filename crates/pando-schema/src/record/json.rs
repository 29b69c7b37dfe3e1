//! Records as JSON, straight to bytes.
//!
//! The members come in the order of their names. Passwords and token keys are never shown;
//! hidden fields and e-mail addresses depend on the record's flags.
//! Source: PocketBase `core/record_model.go` (`PublicExport`).

use std::ops::Range;

use indexmap::IndexMap;

use super::{Expanded, Record};
use crate::value::write_string;
use crate::{Collection, CollectionKind, FieldKind, Value};

/// What the records of one collection show, in order.
pub struct JsonShape {
    members: Vec<Member>,
    /// The text of all members: names with quotes and colon, and constant values.
    text: Vec<u8>,
}

struct Member {
    /// In the shape's text.
    text: Range<usize>,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    /// The text has name and value.
    Constant,
    Field {
        index: usize,
        hidden: bool,
    },
    /// A field of type password in a collection that is not an auth collection.
    Password {
        hidden: bool,
    },
    Email {
        index: usize,
        hidden: bool,
        visibility: Option<usize>,
    },
    Expand,
}

impl Record {
    /// Appends this record as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let shape = self.collection.json_shape.or_make(|| JsonShape::of(&self.collection));
        out.push(b'{');
        let empty = out.len();
        for member in &shape.members {
            let start = out.len();
            if start > empty {
                out.push(b',');
            }
            out.extend_from_slice(&shape.text[member.text.clone()]);
            if !self.write_content(member.content, out) {
                out.truncate(start);
            }
        }
        out.push(b'}');
    }

    /// Writes a member's value; says whether it is to be shown at all.
    fn write_content(&self, content: Content, out: &mut Vec<u8>) -> bool {
        match content {
            Content::Constant => true,
            Content::Field { index, hidden } => {
                let shown = !hidden || self.hidden_shown;
                if shown {
                    self.values[index].write_json(out);
                }
                shown
            }
            Content::Password { hidden } => {
                out.extend_from_slice(b"\"\"");
                !hidden || self.hidden_shown
            }
            Content::Email { index, hidden, visibility } => {
                let public =
                    visibility.is_some_and(|index| self.values[index] == Value::Bool(true));
                let shown = (!hidden || self.hidden_shown) && (self.email_shown || public);
                if shown {
                    self.values[index].write_json(out);
                }
                shown
            }
            Content::Expand => {
                if let Some(expand) = &self.expand {
                    write_expand(expand, out);
                }
                self.expand.is_some()
            }
        }
    }

    /// Appends `records` as a JSON list.
    pub fn write_json_list(records: &[Record], out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            record.write_json(out);
        }
        out.push(b']');
    }
}

fn write_expand(expand: &IndexMap<String, Expanded>, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = expand.iter().collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (index, (name, expanded)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        match expanded {
            Expanded::One(related) => related.write_json(out),
            Expanded::Many(related) => Record::write_json_list(related, out),
        }
    }
    out.push(b'}');
}

impl JsonShape {
    fn of(collection: &Collection) -> JsonShape {
        let mut named: Vec<(&str, Content)> = Vec::with_capacity(collection.fields.len() + 3);
        for index in 0..collection.fields.len() {
            if let Some(content) = field_content(collection, index) {
                named.push((&collection.fields[index].name, content));
            }
        }
        named.push(("collectionId", Content::Constant));
        named.push(("collectionName", Content::Constant));
        named.push(("expand", Content::Expand));
        named.sort_unstable_by_key(|(name, _)| *name);

        let mut text = Vec::with_capacity(named.len() * 16);
        let mut members = Vec::with_capacity(named.len());
        for (name, content) in named {
            let start = text.len();
            write_string(name, &mut text);
            text.push(b':');
            match name {
                "collectionId" => write_string(&collection.id, &mut text),
                "collectionName" => write_string(&collection.name, &mut text),
                _ => {}
            }
            members.push(Member { text: start..text.len(), content });
        }
        JsonShape { members, text }
    }
}

/// How a field is shown; `None` if never.
fn field_content(collection: &Collection, index: usize) -> Option<Content> {
    let field = &collection.fields[index];
    let hidden = field.hidden;
    let auth = collection.kind == CollectionKind::Auth;
    match (auth, field.name.as_str()) {
        (true, "password" | "tokenKey") => None,
        (true, "email") => {
            let visibility = collection.field_index("emailVisibility");
            Some(Content::Email { index, hidden, visibility })
        }
        _ if matches!(field.kind, FieldKind::Password { .. }) => Some(Content::Password { hidden }),
        _ => Some(Content::Field { index, hidden }),
    }
}
