//! Entries of the journal as JSON, and back.
//!
//! Changes are `["changes", [[action, collection id, {field id: value, …}], …]]` with values as
//! columns hold them. Fields go by their ids, so that a reader who has renamed one still knows it.

use std::fmt::Write as _;
use std::sync::Arc;

use pando_schema::{Collection, Field, FieldKind, Record, Schema, SqlValue, Value};
use serde_json::{Value as Json, json};

use super::{BODY_BYTES_MAX, Body};
use crate::{Action, Change};

/// What entries about records begin with.
pub(super) const CHANGES: &str = r#"["changes","#;

/// An entry that cannot be understood, as one of a newer Pando.
#[derive(Debug, thiserror::Error)]
#[error("an entry of the journal cannot be read: {0}")]
pub struct BadEntry(&'static str);

impl Body {
    /// As it is stored. Never larger than some megabytes.
    pub(crate) fn write(&self) -> String {
        match self {
            Body::Changes(changes) => match write_changes(changes) {
                Some(text) => text,
                None => Body::TooMany.write(),
            },
            Body::Message(text) => json!(["message", text]).to_string(),
            Body::Nothing => r#"["nothing"]"#.to_owned(),
            Body::TooMany => r#"["too many"]"#.to_owned(),
        }
    }

    /// Reads what `Body::write` wrote, with collections of the same version or a later one.
    /// Changes of collections that are gone are left out.
    pub fn read(text: &str, schema: &Schema) -> Result<Body, BadEntry> {
        let Json::Array(parts) = serde_json::from_str(text).map_err(|_| BadEntry("no JSON"))?
        else {
            return Err(BadEntry("no list"));
        };
        let mut parts = parts.into_iter();
        let kind = parts.next();
        match (kind.as_ref().and_then(Json::as_str), parts.next()) {
            (Some("changes"), Some(Json::Array(changes))) => {
                let changes = changes.into_iter().filter_map(|one| read_change(one, schema));
                Ok(Body::Changes(changes.collect::<Result<Vec<_>, _>>()?.into()))
            }
            (Some("message"), Some(Json::String(text))) => Ok(Body::Message(text.into())),
            (Some("nothing"), None) => Ok(Body::Nothing),
            (Some("too many"), None) => Ok(Body::TooMany),
            _ => Err(BadEntry("of an unknown kind")),
        }
    }
}

/// `None` if that is too much.
fn write_changes(changes: &[Change]) -> Option<String> {
    let mut text = String::with_capacity(256 * changes.len());
    text.push_str(CHANGES);
    text.push('[');
    for (index, change) in changes.iter().enumerate() {
        let record = &change.record;
        let separator = if index == 0 { "" } else { "," };
        let id = json!(record.collection.id);
        // Writing into a text does not fail.
        let _ = write!(text, "{separator}[\"{}\",{id},{{", letter(change.action));
        let fields = record.collection.fields.iter().zip(&record.values);
        for (index, (field, value)) in fields.filter(|(field, _)| travels(field)).enumerate() {
            let separator = if index == 0 { "" } else { "," };
            let _ = write!(text, "{separator}{}:{}", json!(field.id), json_of(value.to_sql()));
        }
        text.push_str("}]");
        if text.len() > BODY_BYTES_MAX {
            return None;
        }
    }
    text.push_str("]]");
    Some(text)
}

/// Nobody who watches may see a password's hash, so it stays where it is.
fn travels(field: &Field) -> bool {
    !matches!(field.kind, FieldKind::Password { .. })
}

fn json_of(value: SqlValue) -> Json {
    match value {
        SqlValue::Null => Json::Null,
        SqlValue::Int(number) => number.into(),
        SqlValue::Real(number) => number.into(),
        SqlValue::Text(text) => text.into(),
    }
}

/// `None` if its collection is gone.
fn read_change(change: Json, schema: &Schema) -> Option<Result<Change, BadEntry>> {
    let Json::Array(parts) = change else { return Some(Err(BadEntry("no change"))) };
    let [Json::String(action), Json::String(id), Json::Object(values)] = parts.as_slice() else {
        return Some(Err(BadEntry("no change")));
    };
    let Some(action) = action_of(action) else { return Some(Err(BadEntry("an unknown action"))) };
    let collection: &Arc<Collection> = schema.by_id(id)?;
    let value = |field: &Field| match values.get(&field.id) {
        Some(value) => value_of(field, value),
        None => Value::zero(field),
    };
    let values = collection.fields.iter().map(value).collect();
    let record = Arc::new(Record::from_values(Arc::clone(collection), values));
    Some(Ok(Change { action, record }))
}

fn value_of(field: &Field, value: &Json) -> Value {
    match value {
        Json::String(text) => Value::from_sql_text(field, text.as_str()),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from_sql_int(field, whole),
            None => Value::from_sql_real(field, number.as_f64().unwrap_or_default()),
        },
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
            Value::from_sql_null(field)
        }
    }
}

fn letter(action: Action) -> &'static str {
    match action {
        Action::Create => "c",
        Action::Update => "u",
        Action::Delete => "d",
    }
}

fn action_of(letter: &str) -> Option<Action> {
    [Action::Create, Action::Update, Action::Delete]
        .into_iter()
        .find(|action| self::letter(*action) == letter)
}

#[cfg(test)]
mod tests {
    use pando_schema::{CollectionKind, system_collections};

    use super::*;

    fn users() -> (Schema, Arc<Collection>) {
        let collections = system_collections(&mut rand::rng(), "2026-01-01 00:00:00.000Z");
        let users = collections.iter().find(|one| one.name == "users").unwrap().clone();
        let users = Arc::new(users);
        (Schema::new([Arc::clone(&users)]), users)
    }

    fn user(collection: &Arc<Collection>) -> Record {
        let mut record = Record::new(Arc::clone(collection));
        record.put("id", Value::Text("u00000000000001".to_owned()));
        record.put("email", Value::Text("ann@example.com".to_owned()));
        record.put("verified", Value::Bool(true));
        record.put("password", Value::Text("$2a$10$hash".to_owned()));
        record.put("tokenKey", Value::Text("key".to_owned()));
        record
    }

    #[test]
    fn changes_come_back_as_they_were_but_for_passwords() {
        let (schema, users) = users();
        let record = Arc::new(user(&users));
        for action in [Action::Create, Action::Update, Action::Delete] {
            let change = Change { action, record: Arc::clone(&record) };
            let text = Body::Changes([change].into()).write();
            assert!(!text.contains("hash"), "{text}");
            let Body::Changes(read) = Body::read(&text, &schema).unwrap() else { panic!("{text}") };
            assert_eq!(read.len(), 1);
            assert_eq!(read[0].action, action);
            let mut expected = Record::clone(&record);
            expected.put("password", Value::Text(String::new()));
            assert_eq!(read[0].record.values, expected.values);
        }
    }

    #[test]
    fn fields_are_known_by_their_ids_and_collections_may_be_gone() {
        let (_, users) = users();
        let change = Change { action: Action::Update, record: Arc::new(user(&users)) };
        let text = Body::Changes([change].into()).write();
        let mut renamed = Collection::clone(&users);
        renamed.fields.retain(|field| field.name != "verified");
        let schema = Schema::new([Arc::new(renamed)]);
        let Body::Changes(read) = Body::read(&text, &schema).unwrap() else { panic!("{text}") };
        assert_eq!(read[0].record.text("email"), "ann@example.com");
        let none = Schema::new([Arc::new(Collection::new(
            CollectionKind::Base,
            "other",
            "",
            &mut rand::rng(),
        ))]);
        let Body::Changes(read) = Body::read(&text, &none).unwrap() else { panic!("{text}") };
        assert!(read.is_empty());
    }

    #[test]
    fn other_entries_come_back_and_bad_ones_are_refused() {
        let schema = Schema::new([]);
        let said = Body::Message("a \"b\"\n".into());
        let read = Body::read(&said.write(), &schema).unwrap();
        assert!(matches!(read, Body::Message(text) if &*text == "a \"b\"\n"));
        for body in [Body::Nothing, Body::TooMany] {
            let read = Body::read(&body.write(), &schema).unwrap();
            assert_eq!(format!("{read:?}"), format!("{body:?}"));
        }
        for bad in ["", "{}", "[]", r#"["changes"]"#, r#"["changes",[1]]"#, r#"["message",1]"#] {
            assert!(Body::read(bad, &schema).is_err(), "{bad}");
        }
    }

    #[test]
    fn too_many_changes_are_told_as_such() {
        let (schema, users) = users();
        let mut record = user(&users);
        record.put("name", Value::Text("x".repeat(BODY_BYTES_MAX)));
        let change = Change { action: Action::Create, record: Arc::new(record) };
        let text = Body::Changes([change].into()).write();
        assert!(matches!(Body::read(&text, &schema).unwrap(), Body::TooMany));
    }
}
