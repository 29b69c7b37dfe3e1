//! Files of records: tokens for protected ones, downloads, thumbs.
//!
//! Source: PocketBase `apis/file.go`.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use pando_blob::{FileRequest, FolderBlob, Key, Object, ThumbSize, parse_download, size_allowed};
use pando_filter::Purpose;
use pando_schema::{CollectionKind, Field, FieldKind, Record, Schema};
use pando_store::Conn;
use serde_json::json;
use tracing::{info, warn};

use super::file_request;
use super::records::file_key;
use crate::access::{self, Verdict, verdict};
use crate::app::{App, SharedApp};
use crate::request::{Request, is_superuser};
use crate::response::{Body, Frameable, Pick, Piece, Response, json as json_response, picked};
use crate::tokens::{self, TokenKind};
use crate::{ApiError, folders, rate_limit};

/// `POST /api/files/token`
pub(crate) async fn token(_app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let Some(auth) = &request.auth else {
        return Err(ApiError::unauthorized(
            "The request requires valid record authorization token.",
        ));
    };
    let token = tokens::issue(TokenKind::File, auth, None, None)?;
    Ok(picked(request, json_response(StatusCode::OK, &json!({ "token": token })), Pick::Answer))
}

/// `GET /api/files/{collection}/{id}/{name}`
pub(crate) async fn download(
    app: &SharedApp,
    request: &mut Request,
    collection: &str,
    id: &str,
    name: &str,
) -> Result<Response, ApiError> {
    let schema = app.store.schema();
    let collection = super::existing(&schema, collection)?;
    rate_limit::check_collection(app, request, collection, "file").await?;
    let mut conn = app.store.read().await?;
    let failed = |error| ApiError::of_query(error, collection, StatusCode::NOT_FOUND);
    let record = conn.find(collection, id).await.map_err(failed)?;
    let record = record.ok_or_else(|| ApiError::not_found(""))?;
    let field = file_field(&record, name).ok_or_else(|| ApiError::not_found(""))?;
    let FieldKind::File { protected, thumbs, .. } = &field.kind else {
        return Err(ApiError::not_found(""));
    };
    if *protected && !may_see(app, &mut conn, &schema, request, &record).await? {
        return Err(ApiError::not_found(""));
    }
    let key = match collection.kind {
        CollectionKind::Base | CollectionKind::Auth => file_key(collection, id, name)?,
        // The file lies with the record that the view read it from.
        CollectionKind::View => {
            let owner = conn.find_by_view_file(&schema, collection, &field.name, name).await?;
            let owner = owner.ok_or_else(|| ApiError::not_found(""))?;
            file_key(&owner.collection, owner.id(), name)?
        }
    };
    drop(conn);
    let (object, name) = served(app, request, &key, thumbs).await?;
    Ok(respond(request, &object, &name))
}

/// Looks after the folder at the start and every hour, until the stop: deletes what uploads of dead
/// processes left behind, and tells if another server on the same database has another folder.
pub(crate) async fn tidy_hourly(
    app: SharedApp,
    folder: FolderBlob,
    dir: String,
) -> anyhow::Result<()> {
    const HOUR: Duration = Duration::from_secs(3600);
    loop {
        if let Err(error) = compare_folders(&app, &folder, &dir).await {
            warn!(error = format!("{:#}", anyhow::Error::from(error)), "folders not compared");
        }
        match app.staging.remove_leftovers().await {
            Ok(0) => {}
            Ok(count) => info!(count, "deleted unfinished uploads"),
            Err(error) => {
                warn!(error = format!("{error:#}"), "failed to delete unfinished uploads")
            }
        }
        if app.life.stopping.run_until_cancelled(tokio::time::sleep(HOUR)).await.is_none() {
            return Ok(());
        }
    }
}

async fn compare_folders(
    app: &App,
    folder: &FolderBlob,
    dir: &str,
) -> Result<(), folders::FoldersError> {
    folders::note(&app.store, folder, dir).await?;
    if app.store.settings().s3.enabled {
        return Ok(());
    }
    let others = folders::others(&app.store, folder).await?;
    if !others.is_empty() {
        let others = others.join(", ");
        warn!(
            dir,
            others,
            "other servers on this database keep files in another folder, so that each hides some: \
             set files.dir of all servers to one folder, or use S3"
        );
    }
    Ok(())
}

/// The file field of `record` that holds the file called `name`.
fn file_field<'a>(record: &'a Record, name: &str) -> Option<&'a Field> {
    let fields = record.collection.fields.iter().zip(&record.values);
    let mut holders = fields.filter(|(field, value)| {
        matches!(field.kind, FieldKind::File { .. })
            && value.entries().iter().any(|entry| entry == name)
    });
    holders.next().map(|(field, _)| field)
}

/// Whether whoever the `token` parameter stands for may view the record, and so its files.
async fn may_see(
    app: &App,
    conn: &mut Conn,
    schema: &Arc<Schema>,
    request: &Request,
    record: &Record,
) -> Result<bool, ApiError> {
    let owner = tokens::owner(conn, schema, request.query.first("token"), TokenKind::File).await?;
    let owner = owner
        .filter(|owner| !is_superuser(owner) || access::superuser_welcome(app, request))
        .map(Arc::new);
    let mut context = request.context(Purpose::ProtectedFile);
    context.auth = owner;
    match verdict(record.collection.rules.view.as_deref(), context.superuser()) {
        Verdict::Allowed => Ok(true),
        Verdict::Denied => Ok(false),
        Verdict::Depends(rule) => {
            // A rule that cannot be used hides the file.
            Ok(access::passes(conn, schema, record, rule, &context).await.unwrap_or(false))
        }
    }
}

/// What is served for `key`: its thumb if one is asked for and can be had, else the file itself.
async fn served(
    app: &App,
    request: &Request,
    key: &Key,
    thumbs: &[String],
) -> Result<(Object, String), ApiError> {
    let size = request.query.first("thumb");
    if !size.is_empty()
        && size_allowed(size, thumbs)
        && let Some(size) = ThumbSize::parse(size)
    {
        match Box::pin(app.thumbs.fetch(&app.blob()?, key, &size)).await {
            Ok(thumb) => return Ok(thumb),
            Err(error) => warn!(error = format!("{error:#}"), "no thumb, serving the original"),
        }
    }
    Ok((app.fetch(key).await?, key.name().to_owned()))
}

fn respond(request: &Request, object: &Object, name: &str) -> Response {
    let download = parse_download(request.query.first("download"));
    let asked = FileRequest { name, download, ..file_request(request) };
    let plan = pando_blob::respond(&object.attributes, &asked, &mut rand::rng());
    let body = match plan.body {
        pando_blob::Body::Empty => Body::Empty,
        pando_blob::Body::Text(text) => Body::Full(text.into()),
        pando_blob::Body::File(range) => Body::pieces([Piece::File(object.read(range))]),
        pando_blob::Body::Parts(parts, end) => {
            let pieces = parts.into_iter().flat_map(|part| {
                [Piece::Bytes(part.head.into()), Piece::File(object.read(part.range))]
            });
            Body::pieces(pieces.chain([Piece::Bytes(end.into())]))
        }
    };
    let mut response = http::Response::new(body);
    // Framing a file is harmless: its own policy lets it do nothing.
    response.extensions_mut().insert(Frameable);
    *response.status_mut() =
        StatusCode::from_u16(plan.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in plan.headers {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
