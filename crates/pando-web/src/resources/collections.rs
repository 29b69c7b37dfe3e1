//! Collections: for superusers only.
//!
//! Source: PocketBase `apis/collection.go`, `apis/collection_import.go`.

mod dry_run;

pub(crate) use dry_run::dry_run;

use std::sync::Arc;

use http::StatusCode;
use pando_blob::Prefix;
use pando_filter::{Columns, Purpose};
use pando_schema::{
    Collection, CollectionKind, DraftError, Missing, Problem, Problems, import_failure,
    scaffolds as new_scaffolds,
};
use pando_store::CollectionError;
use serde_json::{Map, Value as Json};
use tracing::warn;

use super::records::{Obsolete, delete_files, files_of, page::Page};
use super::require_superuser;
use crate::ApiError;
use crate::access;
use crate::app::{App, SharedApp};
use crate::request::Request;
use crate::response::{Pick, Response, json, json_text, no_content, picked};
use crate::submission::Submission;

const BAD_KIND: &str = "Failed to load the collection type data due to invalid formatting.";

const BAD_FORMAT: &str = "Failed to load the submitted data due to invalid formatting.";

/// `GET /api/collections`
pub(crate) async fn list(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let schema = app.store.schema();
    let context = request.context(Purpose::Default);
    let table = Arc::new(table_of_collections());
    let mut query = access::query(&schema, &table, &context)?;
    let page = Page::of(&request.query)?;
    access::search(&mut query, request)?;
    let mut conn = app.store.read().await?;
    query.speak(conn.dialect());
    // Without a sort the order is that of the index or table that SQLite reads: as in PocketBase
    // only if as many columns are asked for. The first one is the id.
    let sql = query.list(Columns::All, page.size, page.offset());
    let ids = conn.texts(&sql).await?;
    let total =
        if page.counted { Some(conn.integer(&query.count()).await?.unwrap_or(0)) } else { None };
    let shown =
        ids.iter().filter_map(|id| schema.by_id(id)).map(|found| found.to_json().to_string());
    let mut text = b"{\"items\":[".to_vec();
    text.extend_from_slice(shown.collect::<Vec<_>>().join(",").as_bytes());
    text.push(b']');
    page.write_end(&mut text, total);
    Ok(picked(request, json_text(StatusCode::OK, text), Pick::Items))
}

/// The table of the collections themselves, as far as it can be searched.
fn table_of_collections() -> Collection {
    let texts = ["id", "created", "updated", "name", "type"].map(|name| (name, "text"));
    let columns = [&texts[..], &[("system", "bool")]].concat();
    Collection::of_table("_collections", &columns)
}

/// `GET /api/collections/{collection}`
pub(crate) async fn view(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let schema = app.store.schema();
    let found = schema.find(name).ok_or_else(|| ApiError::not_found(""))?;
    Ok(shown(request, found))
}

fn shown(request: &Request, collection: &Collection) -> Response {
    picked(request, json(StatusCode::OK, &collection.to_json()), Pick::Answer)
}

/// `GET /api/collections/meta/scaffolds`
pub(crate) async fn scaffolds(request: &mut Request) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let members = new_scaffolds(&mut rand::rng())
        .map(|collection| (collection.kind.name().to_owned(), collection.to_json()));
    let answer = Json::Object(members.into_iter().collect());
    Ok(picked(request, json(StatusCode::OK, &answer), Pick::Answer))
}

/// `POST /api/collections`
pub(crate) async fn create(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    const FAILED: &str = "Failed to create collection.";
    require_superuser(request)?;
    let read = submission(app, request, BAD_KIND).await?;
    if read.xml {
        // PocketBase finds no collection in any document.
        return Err(ApiError::bad_request(BAD_FORMAT));
    }
    let input = std::mem::take(&mut read.fields);
    let saved = app.store.write(move |tx| {
        Box::pin(async move {
            let saved = tx.create_collection(&input).await;
            saved.map_err(|error| refusal(error, FAILED))
        })
    });
    Ok(shown(request, &*saved.await?))
}

/// `PATCH /api/collections/{collection}`
pub(crate) async fn update(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    const FAILED: &str = "Failed to update collection.";
    require_superuser(request)?;
    if app.store.schema().find(name).is_none() {
        return Err(ApiError::not_found(""));
    }
    let input = std::mem::take(&mut submission(app, request, BAD_FORMAT).await?.fields);
    let name = name.to_owned();
    let saved = app.store.write(move |tx| {
        Box::pin(async move {
            tx.alter().await?;
            let original = tx.schema().find(&name).cloned();
            let original = original.ok_or_else(|| ApiError::not_found(""))?;
            let saved = tx.update_collection(&original, &input).await;
            saved.map_err(|error| refusal(error, FAILED))
        })
    });
    Ok(shown(request, &*saved.await?))
}

/// `DELETE /api/collections/{collection}`
pub(crate) async fn delete(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let name = name.to_owned();
    let deleted = app.store.write(move |tx| {
        Box::pin(async move {
            tx.alter().await?;
            let collection = tx.schema().find(&name).cloned();
            let collection = collection.ok_or_else(|| ApiError::not_found(""))?;
            let deleted = tx.delete_collection(&collection).await;
            deleted.map_err(|error| delete_refusal(tx.schema(), &collection, error))?;
            Ok::<_, ApiError>(collection)
        })
    });
    delete_folder(app, &*deleted.await?).await;
    Ok(no_content())
}

fn delete_refusal(
    schema: &pando_schema::Schema,
    collection: &Collection,
    error: CollectionError,
) -> ApiError {
    let mut words = "Failed to delete collection".to_owned();
    let referrers: Vec<&str> =
        schema.referrers(&collection.id).map(|referrer| referrer.name.as_str()).collect();
    if !referrers.is_empty() {
        words.push_str(" probably due to existing reference in ");
        words.push_str(&referrers.join(", "));
    }
    let refusal = match &error {
        CollectionError::ReadByView { source, .. } => match &**source {
            CollectionError::Invalid(problems) => ApiError::invalid(&words, problems),
            _ => ApiError::bad_request(&words),
        },
        _ => ApiError::bad_request(&words),
    };
    refusal.caused_by(error)
}

/// `DELETE /api/collections/{collection}/truncate`
pub(crate) async fn truncate(
    app: &SharedApp,
    request: &mut Request,
    name: &str,
) -> Result<Response, ApiError> {
    require_superuser(request)?;
    let name = name.to_owned();
    let deleted = app.store.write(move |tx| {
        Box::pin(async move {
            let collection = tx.schema().find(&name).cloned();
            let collection = collection.ok_or_else(|| ApiError::not_found(""))?;
            if collection.kind == CollectionKind::View {
                let words = "View collections cannot be truncated since they don't store their own records.";
                return Err(ApiError::bad_request(words));
            }
            let deleted = tx.truncate(&collection).await;
            deleted.map_err(|error| {
                let words = "Failed to truncate collection (most likely due to required cascade \
                             delete record references).";
                ApiError::bad_request(words).caused_by(error)
            })
        })
    });
    delete_files(app, files_of(&deleted.await?)).await;
    Ok(no_content())
}

/// `PUT /api/collections/import`
pub(crate) async fn import(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    const FAILED: &str = "Failed to import collections.";
    require_superuser(request)?;
    let words = "An error occurred while loading the submitted data.";
    let input = std::mem::take(&mut submission(app, request, words).await?.fields);
    let (collections, missing) = import_input(&input)?;
    let deleted = app.store.write(move |tx| {
        Box::pin(async move {
            let deleted = tx.import_collections(collections, missing).await;
            deleted.map_err(|error| import_refusal(error, FAILED))
        })
    });
    for collection in deleted.await? {
        delete_folder(app, &collection).await;
    }
    Ok(no_content())
}

fn import_input(input: &Map<String, Json>) -> Result<(Vec<Map<String, Json>>, Missing), ApiError> {
    let malformed = || ApiError::bad_request("An error occurred while loading the submitted data.");
    let missing = match input.get("deleteMissing") {
        Some(Json::Bool(true)) => Missing::Delete,
        None | Some(Json::Bool(false) | Json::Null) => Missing::Keep,
        Some(_) => return Err(malformed()),
    };
    let entries = match input.get("collections") {
        Some(Json::Array(entries)) => entries.as_slice(),
        None | Some(Json::Null) => &[],
        Some(_) => return Err(malformed()),
    };
    if entries.is_empty() {
        let mut problems = Problems::default();
        problems.add("collections", Problem::new("validation_required", "cannot be blank"));
        let words = "An error occurred while validating the submitted data.";
        return Err(ApiError::invalid(words, &problems));
    }
    let maps = entries.iter().map(|entry| match entry {
        Json::Object(members) => Ok(members.clone()),
        Json::Null => Ok(Map::new()),
        _ => Err(malformed()),
    });
    Ok((maps.collect::<Result<_, _>>()?, missing))
}

async fn submission<'a>(
    app: &App,
    request: &'a mut Request,
    failed: &str,
) -> Result<&'a mut Submission, ApiError> {
    let read = request.submission(&app.staging, app.config.body_max.bytes()).await;
    read.map_err(|error| match error.status {
        StatusCode::BAD_REQUEST => ApiError { message: failed.to_owned(), ..error },
        _ => error,
    })
}

/// Deletes the files of all records of a collection that is gone.
async fn delete_folder(app: &SharedApp, collection: &Collection) {
    let Ok(folder) = Prefix::parse(&format!("{}/", collection.id)) else { return };
    delete_files(app, vec![Obsolete::Folder(folder)]).await;
}

fn refusal(error: CollectionError, failed: &str) -> ApiError {
    let raw = |text: String| ApiError::bad_request(&format!("{failed} Raw error: \n{text}"));
    match error {
        CollectionError::Malformed(DraftError::Kind(error)) => {
            ApiError::bad_request(BAD_KIND).caused_by(error)
        }
        CollectionError::Malformed(DraftError::Body(error)) => {
            ApiError::bad_request(BAD_FORMAT).caused_by(error)
        }
        CollectionError::Malformed(error @ DraftError::NoSuchId) => raw(error.to_string()),
        CollectionError::Invalid(problems) => ApiError::invalid(failed, &problems),
        CollectionError::Store(error) => match ApiError::from(error) {
            error if error.status == StatusCode::INTERNAL_SERVER_ERROR => {
                // PocketBase answers 400, but it is not the client's fault.
                let cause = error.cause.as_ref().map(|cause| format!("{cause:#}"));
                warn!(error = cause, "failed to save collections");
                let message = crate::error::sentence(failed);
                ApiError { status: StatusCode::BAD_REQUEST, message, ..error }
            }
            error => error,
        },
        other @ (CollectionError::Import(_)
        | CollectionError::System(_)
        | CollectionError::Referenced { .. }
        | CollectionError::Records(_)
        | CollectionError::View(_)
        | CollectionError::ReadByView { .. }
        | CollectionError::Table { .. }
        | CollectionError::ImportSave { .. }) => raw(other.to_string()),
    }
}

fn import_refusal(error: CollectionError, failed: &str) -> ApiError {
    match &error {
        CollectionError::Store(_) => refusal(error, failed),
        CollectionError::Invalid(problems) => ApiError::invalid(failed, problems),
        CollectionError::Import(import) => ApiError::invalid(failed, &import.problems()),
        other => {
            let problems = import_failure(&other.to_string());
            ApiError::invalid(failed, &problems).caused_by(error)
        }
    }
}
