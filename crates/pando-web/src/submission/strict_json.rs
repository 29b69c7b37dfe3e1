//! JSON as PocketBase 0.40 reads it: an object must not name a member twice, and what follows
//! the first value is not looked at.
//!
//! Invariant: what a text becomes takes bounded memory. Two bytes such as `0,` stand for a value
//! of some 80 bytes, so a [`Budget`] counts the values; PocketBase has no such limit.
//!
//! Source: Go's `encoding/json/v2`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// What the values of one body may cost, in the size of a plain value: together about 160 MB.
/// A JSON field of the default size, 1 MiB, stays below that whatever it holds.
const COST_MAX: usize = 2_000_000;

/// The name of a member, and its place in the index of the object.
const MEMBER_COST: usize = 2;

/// The tables that come with the first member of an object.
const TABLES_COST: usize = 6;

/// What the texts of one body may still cost.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Budget {
        Budget(COST_MAX)
    }
}

impl Budget {
    fn spend<E: Error>(&mut self, cost: usize) -> Result<(), E> {
        let left = self.0.checked_sub(cost);
        self.0 = left.ok_or_else(|| E::custom("too many values"))?;
        Ok(())
    }
}

/// The first JSON value in `text`. Fails where it is not JSON, nests deeper than 128, names an
/// object member twice, or costs more than is left in `budget`.
pub(crate) fn parse(text: &[u8], budget: &mut Budget) -> Result<Json, serde_json::Error> {
    Strict(budget).deserialize(&mut serde_json::Deserializer::from_slice(text))
}

struct Strict<'b>(&'b mut Budget);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict(self.0))? {
            self.0.spend(1)?;
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict(self.0))?;
            self.0.spend(1 + if members.is_empty() { TABLES_COST } else { MEMBER_COST })?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate object member name {name:?}")));
            }
            members.insert(name, value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Json, serde_json::Error> {
        parse(text.as_ref(), &mut Budget::default())
    }

    #[test]
    fn duplicates_are_refused_and_the_rest_ignored() {
        assert!(read(br#"{"a": 1, "a": 2}"#).is_err());
        assert!(read(b"{\"a\": \"\xff\"}").is_err());
        assert!(read(b"").is_err());
        assert_eq!(read(br#"{"a": [1, null]} rest"#).unwrap(), serde_json::json!({"a": [1, null]}));
        assert!(read("[".repeat(1_000)).is_err());
    }

    #[test]
    fn values_are_counted() {
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(read(zeros(COST_MAX)).is_ok());
        let error = read(zeros(COST_MAX + 1)).unwrap_err();
        assert!(error.to_string().starts_with("too many values"), "{error}");
        // A field of the default size, filled with what costs most.
        let objects = format!("[{}{{}}]", "{\"\":0},".repeat((1 << 20) / 7));
        assert!(read(objects).is_ok());
        // Several texts of one body share the budget.
        let mut budget = Budget::default();
        let half = zeros(COST_MAX / 2 + 1);
        assert!(parse(half.as_bytes(), &mut budget).is_ok());
        assert!(parse(half.as_bytes(), &mut budget).is_err());
    }
}
