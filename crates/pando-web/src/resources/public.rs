//! The static site: files of a folder, with `index.html` for folders and, if wanted, for
//! whatever is not there, as single-page apps need it.
//!
//! Invariant: nothing outside the folder is served; a symbolic link that leads out of it is not
//! there. (PocketBase follows such links.)
//!
//! Source: PocketBase `apis/base.go` (`Static`), `tools/router/event.go` (`FileFS`).

mod content_type;
mod kept;
mod packed;
mod percent;
mod site;
mod sniff;

use std::sync::Arc;

use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, LOCATION, VARY,
};
use http::{Method, StatusCode};
use pando_blob::Attributes;

use super::file_request;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{Body, Response};
use crate::{ApiError, compress};

use percent::escaped;
pub(crate) use site::Site;
use site::{Entry, File, INDEX, Piece};

/// What is told of files of records, but not of the site's.
const RECORD_FILES_ONLY: [&str; 3] =
    ["cache-control", "content-disposition", "content-security-policy"];
/// The dashboard's folder; nothing of the site is found there.
const DASHBOARD: &str = "_";

/// Answers with the file that `path`, decoded segments, names.
pub(crate) async fn show(
    app: &SharedApp,
    request: &mut Request,
    path: &[&str],
) -> Result<Response, ApiError> {
    if request.method != Method::GET && request.method != Method::HEAD {
        return Err(ApiError::not_found(""));
    }
    if path.first() == Some(&DASHBOARD) {
        return Err(file_not_found());
    }
    let site = &app.front.site;
    let url_path = format!("/{}", path.join("/"));
    let Some(name) = clean_name(&url_path) else {
        return send_index(app, request).await;
    };
    match site.look(name.clone()).await {
        Entry::Missing => send_index(app, request).await,
        Entry::Folder if !url_path.ends_with('/') => Ok(moved(&format!("{url_path}/"))),
        Entry::Folder => {
            let index = if name == "." { INDEX.to_owned() } else { format!("{name}/{INDEX}") };
            match site.look(index).await {
                Entry::File(file) => Ok(send(app, request, file).await),
                Entry::Folder | Entry::Missing => send_index(app, request).await,
            }
        }
        Entry::File(_) if url_path.ends_with('/') => Ok(moved(url_path.trim_end_matches('/'))),
        Entry::File(_) if url_path.ends_with(INDEX) => {
            Ok(moved(url_path.strip_suffix(INDEX).unwrap_or_default()))
        }
        Entry::File(file) => Ok(send(app, request, file).await),
    }
}

/// The page that stands for all that is not there, if there is one.
async fn send_index(app: &SharedApp, request: &Request) -> Result<Response, ApiError> {
    if !app.config.index_fallback {
        return Err(file_not_found());
    }
    match app.front.site.look(INDEX.to_owned()).await {
        Entry::File(file) => Ok(send(app, request, file).await),
        Entry::Folder | Entry::Missing => Err(file_not_found()),
    }
}

async fn send(app: &SharedApp, request: &Request, file: Arc<File>) -> Response {
    let content_type = content_type::content_type(&file.name, &file.start);
    let packable = app.front.compression && compress::worthwhile(&content_type, file.size_bytes);
    let attributes = Attributes {
        size_bytes: file.size_bytes,
        modified: file.modified,
        content_type,
        original_name: None,
        md5: None,
    };
    let plan = pando_blob::respond(&attributes, &file_request(request), &mut rand::rng());
    let mut response = Response::new(Body::Empty);
    *response.status_mut() =
        StatusCode::from_u16(plan.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // Conditions fail before the type is known.
    let failed = plan.status == 412;
    let told = plan.headers.into_iter().filter(|(name, _)| {
        let left_out = RECORD_FILES_ONLY.contains(name) || failed && name.starts_with("content-");
        !left_out
    });
    headers.extend(told.filter_map(|(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
    }));
    if packable && plan.status == 200 {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
        if request.method == Method::GET
            && compress::accepted(&request.headers)
            && let Some(packed) = app.front.site.packed(&file).await
        {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            // The length is another one, and a rest fetched later would be one of the plain file.
            headers.remove(CONTENT_LENGTH);
            headers.remove(ACCEPT_RANGES);
            *response.body_mut() = Body::Full(packed);
            return response;
        }
    }
    *response.body_mut() = match plan.body {
        pando_blob::Body::Empty => Body::Empty,
        pando_blob::Body::Text(text) => Body::Full(text.into()),
        pando_blob::Body::File(range) => file.body(&app.life, vec![Piece::Content(range)]),
        pando_blob::Body::Parts(parts, end) => {
            let pieces = parts
                .into_iter()
                .flat_map(|part| [Piece::Text(part.head.into()), Piece::Content(part.range)]);
            file.body(&app.life, pieces.chain([Piece::Text(end.into())]).collect())
        }
    };
    response
}

/// The name within the folder that a path means, `.` for the folder itself. `None` if it leads
/// out of the folder or can name nothing.
fn clean_name(url_path: &str) -> Option<String> {
    // One slash begins every path; a further one comes from an encoded one.
    let path = url_path.strip_prefix('/').unwrap_or(url_path);
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// 301 to `path` on this host: several slashes at the start would name another one.
fn moved(path: &str) -> Response {
    let rest = path.trim_start_matches(['/', '\\']);
    let several = path.len() - rest.len() > 1;
    let location = if several { escaped(&format!("/{rest}")) } else { escaped(path) };
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, location);
    response
}

fn file_not_found() -> ApiError {
    ApiError::not_found("File not found")
}

#[cfg(test)]
mod tests;
