//! Lists of records: filtered, sorted, in pages.
//!
//! Source: PocketBase `apis/record_crud.go` (`recordsList`), `tools/search/provider.go`.

use std::time::Duration;

use http::StatusCode;
use pando_filter::{Columns, Purpose};
use pando_schema::{Collection, Record};

use super::enrich;
use super::page::Page;
use crate::ApiError;
use crate::access::{self, Verdict, superusers_only, unusable, verdict};
use crate::app::SharedApp;
use crate::rate_limit;
use crate::request::Request;
use crate::resources::collection;
use crate::response::{Pick, Response, json_text, picked};

/// PocketBase's, too.
const GUESS_WAIT_MS_MAX: u64 = 500;

/// `GET /api/collections/{collection}/records`
pub(crate) async fn list(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "list").await?;
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
    access::search(&mut query, request)?;
    let mut conn = app.store.read().await?;
    query.speak(conn.dialect());
    let sql = query.list(Columns::All, page.size, page.offset());
    let failed = |error| ApiError::of_query(error, collection, StatusCode::BAD_REQUEST);
    let count = page.counted.then(|| query.count());
    let read = conn.page(collection, &sql, count.as_ref()).await;
    let (mut records, total) = read.map_err(failed)?;
    enrich(&mut conn, &schema, request, &mut records).await?;
    drop(conn);
    let searched = !request.query.first("filter").is_empty();
    if records.is_empty() && searched && matches!(rule, Verdict::Depends(_)) {
        slow_down_guessing(app, request, collection).await;
    }
    let mut text = Vec::with_capacity(256 + 512 * records.len());
    text.extend_from_slice(b"{\"items\":");
    Record::write_json_list(&records, &mut text);
    page.write_end(&mut text, total);
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Items))
}

/// The rule and the client's filter are one query, so its time may tell something of records
/// that the rule hides. After some searches without a hit, chance decides when the answer comes.
async fn slow_down_guessing(app: &SharedApp, request: &Request, collection: &Collection) {
    if rate_limit::too_many_searches(app, request, collection).await {
        let wait_ms = rand::random_range(0..GUESS_WAIT_MS_MAX);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
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
