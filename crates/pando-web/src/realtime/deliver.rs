//! What one group of clients gets to know of a change.

use std::sync::Arc;

use bytes::Bytes;
use pando_filter::{FilterError, Origin, Purpose, Query, RequestContext};
use pando_schema::{Picker, Record, Schema};
use pando_store::{Action, Change, Conn};
use serde_json::Value as Json;
use time::OffsetDateTime;

use super::topic::Topic;
use crate::ApiError;
use crate::access::{self, Verdict, unusable, verdict};
use crate::app::SharedApp;
use crate::resources::records::{expand, set_visibility};

/// The event for those who watch `topic` as `auth`, less its id line; `None` if the change is
/// none of their business.
pub(super) async fn frame(
    app: &SharedApp,
    schema: &Arc<Schema>,
    change: &Change,
    topic: &Topic,
    auth: Option<Arc<Record>>,
) -> Result<Option<Bytes>, ApiError> {
    let mut context = RequestContext::new(Purpose::Realtime, "GET", auth);
    context.query.clone_from(&topic.query);
    context.headers.clone_from(&topic.headers);
    let mut conn = app.store.read().await?;
    if !visible(&mut conn, schema, change, topic, &context).await? {
        return Ok(None);
    }
    let mut records = [Record::clone(&change.record)];
    set_visibility(&mut conn, schema, &context, &mut records).await?;
    if !topic.option("expand").is_empty() {
        expand(&mut conn, schema, &context, &mut records, topic.option("expand")).await;
    }
    drop(conn);
    Ok(Some(write(change.action, &records[0], topic)))
}

/// Whether the rule and the topic's filter let the record be seen.
async fn visible(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    change: &Change,
    topic: &Topic,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    let record = &change.record;
    let rules = &record.collection.rules;
    let rule = if topic.path.ends_with(record.id()) { &rules.view } else { &rules.list };
    let allowed = match verdict(rule.as_deref(), context.superuser()) {
        Verdict::Allowed => true,
        Verdict::Denied => false,
        Verdict::Depends(rule) => {
            let given =
                access::passes_as_given(conn, schema, record, Origin::Stored, rule, context);
            hidden_if_unusable(given.await)?
        }
    };
    let filter = topic.option("filter");
    if !allowed || filter.is_empty() {
        return Ok(allowed);
    }
    if !context.superuser() && (filter.contains("@collection.") || filter.contains("@request.")) {
        return Ok(false);
    }
    hidden_if_unusable(matches(conn, schema, record, filter, context).await)
}

async fn matches(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    record: &Record,
    filter: &str,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    let expr = pando_filter::parse_search(filter);
    let expr = expr.map_err(|error| unusable(FilterError::Parse(error)))?;
    let now = OffsetDateTime::now_utc();
    let query = Query::of_record(schema, record, Origin::Stored, Some(context), now);
    let mut query = query.map_err(unusable)?;
    if !context.superuser() {
        query.only_visible();
    }
    query.filter(&expr).map_err(unusable)?;
    query.speak(conn.dialect());
    Ok(conn.exists(&query.exists()).await?)
}

/// A rule or filter that cannot be used lets nothing be seen.
fn hidden_if_unusable(outcome: Result<bool, ApiError>) -> Result<bool, ApiError> {
    match outcome {
        Err(error) if error.status == http::StatusCode::BAD_REQUEST => Ok(false),
        other => other,
    }
}

fn write(action: Action, record: &Record, topic: &Topic) -> Bytes {
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(b"event:");
    text.extend_from_slice(topic.text.as_bytes());
    text.extend_from_slice(b"\ndata:{\"action\":\"");
    text.extend_from_slice(match action {
        Action::Create => b"create".as_slice(),
        Action::Update => b"update",
        Action::Delete => b"delete",
    });
    text.extend_from_slice(b"\",\"record\":");
    let start = text.len();
    record.write_json(&mut text);
    if let Some(picked) = picked(&text[start..], topic.option("fields")) {
        text.truncate(start);
        text.extend_from_slice(picked.as_bytes());
    }
    text.extend_from_slice(b"}\n\n");
    text.into()
}

/// The wanted fields of a record; `None` to leave it as it is.
fn picked(record: &[u8], wanted: &str) -> Option<String> {
    if wanted.is_empty() {
        return None;
    }
    let mut value: Json = serde_json::from_slice(record).ok()?;
    Picker::parse(wanted).ok()?.pick(&mut value);
    Some(value.to_string())
}
