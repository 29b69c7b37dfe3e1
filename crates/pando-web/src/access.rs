//! Who may do what: rules put to the question, in memory where the record and the request say it
//! all, in the database where they do not.

use std::sync::Arc;

use pando_filter::{
    Expr, FilterError, Origin, ParseError, Purpose, Query, RequestContext, header_name,
};
use pando_runtime::network::listed;
use pando_schema::{Collection, Record, Schema};
use pando_store::Conn;
use time::OffsetDateTime;

use crate::ApiError;
use crate::app::App;
use crate::real_ip::real_ip;
use crate::request::Request;

impl Request {
    /// The request as rules see it, on behalf of `purpose`.
    pub(crate) fn context(&self, purpose: Purpose) -> RequestContext {
        let mut context = RequestContext::new(purpose, self.method.as_str(), self.auth.clone());
        for (name, value) in self.query.iter() {
            if !context.query.contains_key(name) {
                context.query.insert(name.to_owned(), value.to_owned());
            }
        }
        for (name, value) in &self.headers {
            let name = header_name(name.as_str());
            if !context.headers.contains_key(&name) {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                context.headers.insert(name, value);
            }
        }
        context
    }
}

/// What a rule says before any record is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    Allowed,
    /// Only superusers may, and this is none.
    Denied,
    /// It depends on the record.
    Depends(&'a str),
}

/// What `rule` means for who asks.
pub(crate) fn verdict(rule: Option<&str>, superuser: bool) -> Verdict<'_> {
    match rule {
        _ if superuser => Verdict::Allowed,
        None => Verdict::Denied,
        Some("") => Verdict::Allowed,
        Some(rule) => Verdict::Depends(rule),
    }
}

/// The usual answer when only superusers may.
pub(crate) fn superusers_only() -> ApiError {
    ApiError::forbidden("Only superusers can perform this action.")
}

/// Whether `record`, as it is stored, passes `rule`.
pub(crate) async fn passes(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    record: &Record,
    rule: &str,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    let compiled = conn.rule(schema, &record.collection, rule).map_err(broken)?;
    let now = OffsetDateTime::now_utc();
    if let Some(answer) = compiled.eval(record, Origin::Stored, Some(context), now) {
        return Ok(answer);
    }
    let mut query = query(schema, &record.collection, context)?;
    query.filter(compiled.expr()).map_err(unusable)?;
    query.only_id(record.id());
    query.speak(conn.dialect());
    Ok(conn.exists(&query.exists()).await?)
}

/// Whether `record`, of which the values at hand count and not the stored ones, passes `rule`.
pub(crate) async fn passes_as_given(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    record: &Record,
    origin: Origin,
    rule: &str,
    context: &RequestContext,
) -> Result<bool, ApiError> {
    let compiled = conn.rule(schema, &record.collection, rule).map_err(broken)?;
    let now = OffsetDateTime::now_utc();
    if let Some(answer) = compiled.eval(record, origin, Some(context), now) {
        return Ok(answer);
    }
    let query = Query::of_record(schema, record, origin, Some(context), now);
    let mut query = query.map_err(unusable)?;
    query.filter(compiled.expr()).map_err(unusable)?;
    query.speak(conn.dialect());
    Ok(conn.exists(&query.exists()).await?)
}

fn broken(error: ParseError) -> ApiError {
    unusable(FilterError::Parse(error))
}

/// A query for records of `collection` as `context` sees them.
pub(crate) fn query<'a>(
    schema: &'a Schema,
    collection: &'a Arc<Collection>,
    context: &'a RequestContext,
) -> Result<Query<'a>, ApiError> {
    Query::new(schema, collection, Some(context), OffsetDateTime::now_utc()).map_err(unusable)
}

/// A rule or filter as a tree.
pub(crate) fn parse(text: &str) -> Result<Expr, ApiError> {
    pando_filter::parse(text).map_err(|error| unusable(FilterError::Parse(error)))
}

/// Narrows and sorts `query` by the `filter` and `sort` that a request asks for.
pub(crate) fn search(query: &mut Query<'_>, request: &Request) -> Result<(), ApiError> {
    let filter = request.query.first("filter");
    if !filter.is_empty() {
        let expr = pando_filter::parse_search(filter);
        let expr = expr.map_err(|error| unusable(FilterError::Parse(error)))?;
        query.filter(&expr).map_err(unusable)?;
    }
    let sort = request.query.first("sort");
    if !sort.is_empty() {
        query.sort(sort).map_err(unusable)?;
    }
    Ok(())
}

/// The answer to a filter, sort or rule that cannot be used; the reason goes to the log only.
pub(crate) fn unusable(error: FilterError) -> ApiError {
    ApiError::bad_request("").caused_by(error)
}

/// Whether superusers may come from the address of `request`.
pub(crate) fn superuser_welcome(app: &App, request: &Request) -> bool {
    let settings = app.store.settings();
    let allowed = &settings.superuser_ips;
    allowed.is_empty() || listed(allowed, real_ip(request, &settings))
}
