//! Records: list, view, create, update, delete.
//!
//! Source: PocketBase `apis/record_crud.go`.

mod enrich;
mod expand;
pub(crate) mod files;
mod list;
pub(crate) mod page;
mod write;

use std::sync::Arc;

use http::StatusCode;
use pando_filter::Purpose;
use pando_schema::{Record, Schema};
use pando_store::Conn;

pub(crate) use enrich::{enrich, enrich_auth, set_visibility};
pub(crate) use expand::expand;
pub(crate) use files::{Obsolete, Stored, delete_files};
pub(crate) use list::list;
pub(crate) use write::{Prepared, Target, create, delete, file_key, files_of, prepare, update};

use crate::ApiError;
use crate::access::{self, Verdict, superusers_only, verdict};
use crate::app::SharedApp;
use crate::rate_limit;
use crate::request::Request;
use crate::resources::collection;
use crate::response::{Pick, Response, json_text, picked};

/// `GET /api/collections/{collection}/records/{id}`
pub(crate) async fn view(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
    id: &str,
) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = collection(&schema, name)?;
    rate_limit::check_collection(app, request, collection, "view").await?;
    let rule = verdict(collection.rules.view.as_deref(), request.by_superuser());
    if rule == Verdict::Denied {
        return Err(superusers_only());
    }
    let mut conn = app.store.read().await?;
    let failed = |error| ApiError::of_query(error, collection, StatusCode::NOT_FOUND);
    let found = conn.find(collection, id).await.map_err(failed)?;
    let found = found.ok_or_else(|| ApiError::not_found(""))?;
    if let Verdict::Depends(rule) = rule {
        let context = request.context(Purpose::Default);
        // A rule that cannot be used hides the record, as one that does not hold.
        match access::passes(&mut conn, &schema, &found, rule, &context).await {
            Ok(true) => {}
            Ok(false) => return Err(ApiError::not_found("")),
            Err(error) if error.status == StatusCode::BAD_REQUEST => {
                return Err(ApiError { status: StatusCode::NOT_FOUND, ..error });
            }
            Err(error) => return Err(error),
        }
    }
    let mut records = [found];
    enrich(&mut conn, &schema, request, &mut records).await?;
    Ok(record_response(request, &records[0]))
}

/// The answer that shows one record.
pub(crate) fn record_response(request: &Request, record: &Record) -> Response {
    let mut text = Vec::with_capacity(1024);
    record.write_json(&mut text);
    picked(request, json_text(StatusCode::OK, text), Pick::Answer)
}

/// Enriches one record for the answer to a write.
pub(crate) async fn enrich_one(
    conn: &mut Conn,
    schema: &Arc<Schema>,
    request: &Request,
    record: Record,
) -> Result<Record, ApiError> {
    let mut records = [record];
    enrich(conn, schema, request, &mut records).await?;
    let [record] = records;
    Ok(record)
}
