//! Compressed answers (gzip), for clients that take them. Off unless set so: PocketBase compresses
//! only its dashboard.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::response::{Body, Response};

/// Below this the frame and the time cost more than the bytes saved.
const BYTES_MIN: u64 = 1 << 10;
/// More than this is compressed aside, so that other requests of the thread do not wait.
const INLINE_BYTES_MAX: usize = 16 << 10;
/// A third of the default level's time for a tenth more bytes.
const LEVEL: Compression = Compression::new(3);

/// Compresses an answer of the API if that pays and the client can read it.
pub(crate) async fn compress(request: &HeaderMap, mut response: Response) -> Response {
    let Body::Full(body) = response.body() else { return response };
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let worthwhile = worthwhile(kind, body.len() as u64);
    if !worthwhile
        || response.status() == StatusCode::PARTIAL_CONTENT
        || response.headers().contains_key(CONTENT_ENCODING)
    {
        return response;
    }
    let body = body.clone();
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
    if accepted(request)
        && let Some(packed) = pack(body).await
    {
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, encoding);
        *response.body_mut() = Body::Full(packed);
    }
    response
}

/// Whether content of that type and size gets much smaller.
pub(crate) fn worthwhile(content_type: &str, bytes: u64) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim_end();
    bytes >= BYTES_MIN
        && (kind.starts_with("text/")
            || matches!(
                kind,
                "application/json"
                    | "application/javascript"
                    | "application/manifest+json"
                    | "application/wasm"
                    | "application/xml"
                    | "image/svg+xml"
                    | "image/vnd.microsoft.icon"
            ))
}

/// Whether the client takes gzip (RFC 9110, 12.5.3).
pub(crate) fn accepted(request: &HeaderMap) -> bool {
    let lists = request.get_all(ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1").parse::<f32>();
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// `content` as a gzip file. `None` only if the process runs out of threads.
pub(crate) async fn pack(content: Bytes) -> Option<Bytes> {
    if content.len() <= INLINE_BYTES_MAX {
        return pack_now(&content);
    }
    tokio::task::spawn_blocking(move || pack_now(&content)).await.ok().flatten()
}

fn pack_now(content: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(content.len() / 3), LEVEL);
    encoder.write_all(content).ok()?;
    Some(encoder.finish().ok()?.into())
}

#[cfg(test)]
mod tests;
