//! What tests of collections start from.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use crate::{Collection, Draft, Problems, Schema, Surroundings, system_collections};

pub(crate) const NOW: &str = "2026-01-02 03:04:05.678Z";

pub(crate) fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

/// The collections of a new data directory and `more`.
pub(crate) fn schema(more: &[Collection]) -> Schema {
    let collections = system_collections(&mut rng(), NOW);
    Schema::new(collections.into_iter().chain(more.iter().cloned()).map(Arc::new))
}

/// Rules with `bad` in them are wrong, `_params` is a table, and there is
/// an index `taken` on the table `users`.
pub(crate) fn surroundings(schema: &Schema) -> Surroundings<'_> {
    Surroundings {
        schema,
        check_rule: &|rule, _| {
            if rule.contains("bad") { Err("unknown field \"bad\"".to_owned()) } else { Ok(()) }
        },
        view_query_problem: None,
        table_exists: &|name| name.eq_ignore_ascii_case("_params"),
        index_table: &|name| name.eq_ignore_ascii_case("taken").then(|| "users".to_owned()),
    }
}

pub(crate) fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
}

/// Creates the collection that `json` describes, beside the system's and `more`.
pub(crate) fn create(json: &str, more: &[Collection]) -> Result<Collection, Problems> {
    let schema = schema(more);
    let mut draft = Draft::create(&object(json), &mut rng()).unwrap();
    draft.prepare(None, &schema, NOW).unwrap();
    draft.check(None, &surroundings(&schema), &mut rng())
}

/// Changes `original` by what `json` says.
pub(crate) fn update(original: &Collection, json: &str) -> Result<Collection, Problems> {
    let schema = schema(std::slice::from_ref(original));
    let mut draft = Draft::update(original, &object(json)).unwrap();
    draft.prepare(Some(original), &schema, NOW).unwrap();
    draft.check(Some(original), &surroundings(&schema), &mut rng())
}

pub(crate) fn system(name: &str) -> Collection {
    schema(&[]).by_name(name).unwrap().as_ref().clone()
}

/// `problems` as the API shows them, or "ok".
pub(crate) fn shown<T>(result: Result<T, Problems>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(problems) => format!("{:#}", Value::Object(problems.to_json())),
    }
}
