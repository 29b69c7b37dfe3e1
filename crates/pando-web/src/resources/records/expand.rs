//! Related records, shown inside the records that refer to them.
//!
//! A path is a chain of relation fields and back relations (`comments_via_post`); each step loads
//! the related records of all records at once, under their collection's view rule.
//!
//! Source: PocketBase `core/record_query_expand.go`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use pando_filter::{Columns, RequestContext};
use pando_schema::{
    Collection, Expanded, FieldKind, Record, Schema, Value, single_column_unique_index,
};
use pando_store::Conn;
use tracing::debug;

use super::enrich::set_visibility;
use crate::ApiError;
use crate::access::{self, Verdict, verdict};

/// Steps of one path that are followed; the rest is ignored.
const DEPTH_MAX: usize = 6;

/// Records that one back relation shows.
const BACK_RELATED_MAX: i64 = 1_000;

/// Adds to `records`, all of one collection, what the comma-separated `paths` lead to. A path
/// that cannot be followed is left out, as PocketBase does.
pub(crate) async fn expand(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    context: &RequestContext,
    records: &mut [Record],
    paths: &str,
) {
    for path in outermost(paths) {
        if let Err(error) = follow(conn, schema, context, records, &path, 1).await {
            debug!(path, error = format!("{:?}", error.cause), "expand path not followed");
        }
    }
}

/// The paths that are not the beginning of another one.
fn outermost(paths: &str) -> Vec<String> {
    let clean = |path: &str| path.replace(' ', "").trim_matches('.').to_owned();
    let paths: Vec<String> = paths.split(',').map(clean).filter(|path| !path.is_empty()).collect();
    let mut kept: Vec<String> = Vec::new();
    for path in &paths {
        let inner = paths.iter().any(|other| {
            other.len() > path.len()
                && other.starts_with(path)
                && other.as_bytes()[path.len()] == b'.'
        });
        if !inner && !kept.contains(path) {
            kept.push(path.clone());
        }
    }
    kept
}

/// One step of a path: where it leads and which records each record is related to.
struct Step {
    collection: Arc<Collection>,
    /// Whether the step shows a list even for one record.
    multiple: bool,
    /// Ids by position of the record.
    related: Vec<Vec<String>>,
}

fn follow<'a>(
    conn: &'a mut Conn,
    schema: &'a Arc<Schema>,
    context: &'a RequestContext,
    records: &'a mut [Record],
    path: &'a str,
    depth: usize,
) -> Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + 'a>> {
    Box::pin(async move {
        if depth > DEPTH_MAX || records.is_empty() {
            return Ok(());
        }
        let (name, rest) =
            path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let step = step(conn, schema, records, name).await?;
        let mut ids: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for id in step.related.iter().flatten() {
            if seen.insert(id.as_str()) {
                ids.push(id.clone());
            }
        }
        let mut found = fetch(conn, schema, context, &step.collection, &ids).await?;
        if let Some(rest) = rest {
            follow(conn, schema, context, &mut found, rest, depth + 1).await?;
        }
        let found: BTreeMap<String, Record> =
            found.into_iter().map(|record| (record.id().to_owned(), record)).collect();
        for (record, ids) in records.iter_mut().zip(&step.related) {
            attach(record, name, ids, &found, step.multiple);
        }
        Ok(())
    })
}

async fn step(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    records: &[Record],
    name: &str,
) -> Result<Step, ApiError> {
    let unknown = || ApiError::bad_request("").caused_by(anyhow::anyhow!("no relation {name:?}"));
    let collection = &records[0].collection;
    if let Some((source, field)) = name.split_once("_via_") {
        return back_step(conn, schema, records, source, field).await;
    }
    let index = collection.field_index(name).ok_or_else(unknown)?;
    let field = &collection.fields[index];
    let FieldKind::Relation { collection_id, .. } = &field.kind else { return Err(unknown()) };
    let related = schema.by_id(collection_id).ok_or_else(unknown)?;
    let ids = |record: &Record| match &record.values[index] {
        Value::Text(id) if id.is_empty() => Vec::new(),
        Value::Text(id) => vec![id.clone()],
        Value::List(ids) => ids.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Json(_) | Value::GeoPoint { .. } => Vec::new(),
    };
    Ok(Step {
        collection: Arc::clone(related),
        multiple: field.multiple(),
        related: records.iter().map(ids).collect(),
    })
}

/// The step from records to those of `source` whose relation `field` names them.
async fn back_step(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    records: &[Record],
    source: &str,
    field: &str,
) -> Result<Step, ApiError> {
    let unknown = || {
        ApiError::bad_request("").caused_by(anyhow::anyhow!("no back relation {source}.{field}"))
    };
    let source = schema.find(source).ok_or_else(unknown)?;
    let field = source.field(field).ok_or_else(unknown)?;
    match &field.kind {
        FieldKind::Relation { collection_id, .. } if *collection_id == records[0].collection.id => {
        }
        _ => return Err(unknown()),
    }
    let mut related = Vec::with_capacity(records.len());
    for record in records {
        related.push(conn.referring_ids(source, field, record.id(), BACK_RELATED_MAX).await?);
    }
    let multiple = single_column_unique_index(&source.indexes, &field.name).is_none();
    Ok(Step { collection: Arc::clone(source), multiple, related })
}

/// Those of the records with `ids` that `context` may view.
async fn fetch(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    context: &RequestContext,
    collection: &Arc<Collection>,
    ids: &[String],
) -> Result<Vec<Record>, ApiError> {
    let mut found = match verdict(collection.rules.view.as_deref(), context.superuser()) {
        Verdict::Denied => return Err(access::superusers_only()),
        Verdict::Allowed => conn.find_all(collection, ids).await?,
        Verdict::Depends(rule) => {
            let mut query = access::query(schema, collection, context)?;
            query.filter(&access::parse(rule)?).map_err(access::unusable)?;
            query.only_ids(ids);
            let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
            query.speak(conn.dialect());
            conn.records(collection, &query.list(Columns::All, limit, 0)).await?
        }
    };
    set_visibility(conn, schema, context, &mut found).await?;
    Ok(found)
}

/// Shows in `record`, under `name`, those of the records with `ids` that were found.
fn attach(
    record: &mut Record,
    name: &str,
    ids: &[String],
    found: &BTreeMap<String, Record>,
    multiple: bool,
) {
    let expand = record.expand.get_or_insert_default();
    let mut shown: Vec<Record> = ids.iter().filter_map(|id| found.get(id).cloned()).collect();
    if shown.is_empty() {
        return;
    }
    // A path that shares its beginning with another adds to what that one showed.
    let before = match expand.shift_remove(name) {
        None => Vec::new(),
        Some(Expanded::One(record)) => vec![*record],
        Some(Expanded::Many(records)) => records,
    };
    for earlier in before {
        if let Some(same) = shown.iter_mut().find(|other| other.id() == earlier.id()) {
            merge(same, earlier);
        }
    }
    let value = if multiple {
        Expanded::Many(shown)
    } else {
        Expanded::One(Box::new(shown.swap_remove(0)))
    };
    expand.insert(name.to_owned(), value);
}

/// Adds to `record` what `other`, the same record, shows and it does not.
fn merge(record: &mut Record, other: Record) {
    let Some(others) = other.expand else { return };
    let expand = record.expand.get_or_insert_default();
    for (name, value) in others {
        match (expand.get_mut(&name), value) {
            (None, value) => {
                expand.insert(name, value);
            }
            (Some(Expanded::One(mine)), Expanded::One(theirs)) => merge(mine, *theirs),
            (Some(Expanded::Many(mine)), Expanded::Many(theirs)) => {
                for theirs in theirs {
                    match mine.iter_mut().find(|mine| mine.id() == theirs.id()) {
                        Some(mine) => merge(mine, theirs),
                        None => mine.push(theirs),
                    }
                }
            }
            (Some(Expanded::One(_)), Expanded::Many(_))
            | (Some(Expanded::Many(_)), Expanded::One(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::outermost;

    #[test]
    fn a_path_inside_another_is_not_followed_twice() {
        assert_eq!(
            outermost("a.b.c, a.b ,  , a.bx, test,test,.x."),
            ["a.b.c", "a.bx", "test", "x"]
        );
    }
}
