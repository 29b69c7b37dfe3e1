//! Lists of records: filtered, sorted, in pages.
//!
//! Source: PocketBase `apis/record_crud.go` (`recordsList`), `tools/search/provider.go`.

use http::StatusCode;
use pando_filter::{Columns, FilterError, Purpose};
use pando_schema::Record;

use super::enrich;
use super::page::Page;
use crate::ApiError;
use crate::access::{self, Verdict, superusers_only, unusable, verdict};
use crate::app::SharedApp;
use crate::rate_limit;
use crate::request::Request;
use crate::resources::collection;
use crate::response::{Pick, Response, json_text, picked};

/// `GET /api/collections/{collection}/records`
pub(crate) async fn list(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "list")?;
    let superuser = request.by_superuser();
    let rule = verdict(collection.rules.list.as_deref(), superuser);
    if rule == Verdict::Denied {
        return Err(superusers_only());
    }
    check_superuser_params(request)?;
    let context = request.context(Purpose::Default);
    let mut query = access::query(&schema, collection, &context)?;
    if let Verdict::Depends(rule) = rule {
        query.filter(&access::parse(rule)?).map_err(unusable)?;
    }
    if !superuser {
        query.only_visible();
    }
    let page = Page::of(&request.query)?;
    let filter = request.query.first("filter");
    if !filter.is_empty() {
        let expr = pando_filter::parse_search(filter);
        query
            .filter(&expr.map_err(|error| unusable(FilterError::Parse(error)))?)
            .map_err(unusable)?;
    }
    let sort = request.query.first("sort");
    if !sort.is_empty() {
        query.sort(sort).map_err(unusable)?;
    }

    let mut conn = app.store.read().await?;
    let sql = query.list(Columns::All, page.size, page.offset());
    let failed = |error| ApiError::of_query(error, collection, StatusCode::BAD_REQUEST);
    let mut records = conn.records(collection, &sql.text, &sql.values).await.map_err(failed)?;
    let total = if page.counted {
        let sql = query.count();
        Some(conn.integer(&sql.text, &sql.values).await.map_err(failed)?.unwrap_or(0))
    } else {
        None
    };
    enrich(&mut conn, &schema, request, &mut records).await?;
    let mut text = Vec::with_capacity(256 + 512 * records.len());
    text.extend_from_slice(b"{\"items\":[");
    write_items(&mut text, &records);
    page.write_end(&mut text, total);
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Items))
}

fn write_items(text: &mut Vec<u8>, records: &[Record]) {
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        record.write_json(text);
    }
}

/// Only superusers filter and sort by what the request or other collections say.
fn check_superuser_params(request: &Request) -> Result<(), ApiError> {
    if request.by_superuser() {
        return Ok(());
    }
    for parameter in ["filter", "sort"] {
        let text = request.query.first(parameter);
        for field in ["@collection.", "@request."] {
            if text.contains(field) {
                return Err(ApiError::forbidden(&format!("Only superusers can filter by {field}")));
            }
        }
    }
    Ok(())
}
