//! What an answer shows of a record: hidden fields, e-mail addresses, related records.
//!
//! Source: PocketBase `apis/record_helpers.go` (`EnrichRecords`, `autoResolveRecordsFlags`).

use std::sync::Arc;

use pando_filter::{Columns, Purpose, RequestContext};
use pando_schema::{Record, Schema};
use pando_store::Conn;

use super::expand;
use crate::ApiError;
use crate::access;
use crate::request::Request;

/// Makes `records`, all of one collection, what the sender of `request` may see, with the related
/// records that its `expand` parameter asks for.
pub(crate) async fn enrich(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    request: &Request,
    records: &mut [Record],
) -> Result<(), ApiError> {
    let wanted = request.query.first("expand");
    let Some(first) = records.first() else { return Ok(()) };
    if wanted.is_empty() && first.collection.auth.is_none() && !request.by_superuser() {
        return Ok(());
    }
    let context = request.context(Purpose::Default);
    set_visibility(conn, schema, &context, records).await?;
    if !wanted.is_empty() {
        let context = RequestContext { context: Purpose::Expand, ..context };
        expand(conn, schema, &context, records, wanted).await;
    }
    Ok(())
}

/// Like [`enrich`] for the record that has just logged in, which sees its own address.
pub(crate) async fn enrich_auth(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    context: &RequestContext,
    record: &mut Record,
    wanted: &str,
) {
    record.email_shown = true;
    record.hidden_shown = crate::request::is_superuser(record);
    if !wanted.is_empty() {
        let context = RequestContext { context: Purpose::Expand, ..context.clone() };
        expand(conn, schema, &context, std::slice::from_mut(record), wanted).await;
    }
}

/// Sets which of `records` show their hidden fields and their e-mail addresses.
pub(crate) async fn set_visibility(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    context: &RequestContext,
    records: &mut [Record],
) -> Result<(), ApiError> {
    if context.superuser() {
        for record in records {
            record.hidden_shown = true;
            record.email_shown = true;
        }
        return Ok(());
    }
    let Some(first) = records.first() else { return Ok(()) };
    let collection = first.collection.clone();
    let Some(options) = &collection.auth else { return Ok(()) };
    if let Some(auth) = &context.auth {
        for record in records.iter_mut() {
            // Ids are unique over all auth collections.
            record.email_shown |= record.id() == auth.id();
        }
    }
    let Some(rule) = options.manage_rule.as_deref().filter(|rule| !rule.is_empty()) else {
        return Ok(());
    };
    let ids: Vec<String> = records.iter().map(|record| record.id().to_owned()).collect();
    let mut query = access::query(schema, &collection, context)?;
    query.filter(&access::parse(rule)?).map_err(access::unusable)?;
    query.only_ids(&ids);
    query.speak(conn.dialect());
    let sql = query.list(Columns::Id, i64::try_from(ids.len()).unwrap_or(i64::MAX), 0);
    let managed = conn.texts(&sql).await?;
    for record in records {
        record.email_shown |= managed.iter().any(|id| id == record.id());
    }
    Ok(())
}
