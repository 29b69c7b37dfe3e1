//! How a stored file is answered: status, headers and which bytes, decided without I/O.
//!
//! Invariant: the plan's `Content-Length` is the length of its body, or for HEAD of the body that
//! GET would get.
//!
//! Source: `System.Serve` in PocketBase's `tools/filesystem` and Go's `http.ServeContent`
//! (RFC 9110, sections 13 and 14). PocketBase sends no `ETag` for files, so conditions with
//! entity tags other than `*` never match.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{Rng, RngCore};

use crate::Attributes;

mod condition;
mod range;

use condition::Decision;
use range::Ranges;

/// Files of these types are shown by browsers, all others are downloaded.
const INLINE_TYPES: [&str; 25] = [
    "image/png",
    "image/jpg",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/x-icon",
    "image/bmp",
    "video/webm",
    "video/mp4",
    "video/3gpp",
    "video/quicktime",
    "video/x-ms-wmv",
    "audio/basic",
    "audio/aiff",
    "audio/mpeg",
    "audio/midi",
    "audio/mp3",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-mpeg",
    "audio/x-m4a",
    "audio/aac",
    "application/pdf",
    "application/x-pdf",
];

/// Types that go by the extension, because detection does not tell them or browsers insist.
const EXTENSION_TYPES: [(&str, &str); 7] = [
    (".svg", "image/svg+xml"),
    (".css", "text/css"),
    (".js", "text/javascript"),
    (".mjs", "text/javascript"),
    (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];

/// A file may style itself and play itself, and nothing else.
const SECURITY_POLICY: &str =
    "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox";
/// Fresh for 30 days, and for a day more while it is revalidated.
const CACHE_CONTROL: &str = "max-age=2592000, stale-while-revalidate=86400";
/// Bytes of randomness in the boundary of a multipart body, as Go takes them.
const BOUNDARY_BYTES: usize = 30;

/// What of a request decides how a file is served.
#[derive(Debug, Clone, Default)]
pub struct FileRequest<'a> {
    pub method: Method,
    /// The name in `Content-Disposition`, whose extension may decide the type.
    pub name: &'a str,
    /// Whether the client asks to download what could be shown (see [`parse_download`]).
    pub download: bool,
    pub range: Option<&'a str>,
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub if_modified_since: Option<&'a str>,
    pub if_unmodified_since: Option<&'a str>,
    pub if_range: Option<&'a str>,
}

/// The methods that files are served for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Head,
}

/// An answer before its body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsePlan {
    pub status: u16,
    /// Values may hold bytes outside ASCII (a file's name), never control characters.
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// What the body consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Empty,
    Text(&'static str),
    /// These bytes of the file.
    File(Range<u64>),
    /// `multipart/byteranges`: each part's head and then its bytes, and at last the end.
    Parts(Vec<Part>, String),
}

/// One range of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub head: String,
    pub range: Range<u64>,
}

/// Whether the value of the `download` parameter asks for a download (Go's `ParseBool`).
pub fn parse_download(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// Decides how a file is answered. Randomness is only taken for the boundary of a multipart body.
pub fn respond(
    file: &Attributes,
    request: &FileRequest<'_>,
    random: &mut dyn RngCore,
) -> ResponsePlan {
    let content_type = served_type(&file.content_type, request.name);
    // Times before 1970 cannot be told; zero is Go's "unknown".
    let modified = whole_second(file.modified).filter(|at| *at > UNIX_EPOCH);
    let mut headers = describe(file, request, content_type, modified);
    let ranges = match condition::decide(request, modified) {
        Decision::Serve { ranges: true } => range::parse(request.range, file.size_bytes),
        Decision::Serve { ranges: false } => Ranges::All,
        Decision::NotModified => {
            headers.retain(|(name, _)| *name != "content-type");
            return ResponsePlan { status: 304, headers, body: Body::Empty };
        }
        Decision::Failed => {
            headers.push(("content-length", "0".to_owned()));
            return ResponsePlan { status: 412, headers, body: Body::Empty };
        }
    };
    let (status, length, body) = match ranges {
        Ranges::All => (200, file.size_bytes, Body::File(0..file.size_bytes)),
        Ranges::One(range) => {
            headers.push(("content-range", content_range(&range, file.size_bytes)));
            (206, range.end - range.start, Body::File(range))
        }
        Ranges::Many(ranges) => {
            let boundary = boundary(random);
            set(&mut headers, "content-type", format!("multipart/byteranges; boundary={boundary}"));
            let (length, body) = parts(ranges, content_type, file.size_bytes, &boundary);
            (206, length, body)
        }
        Ranges::Invalid => return not_satisfiable(headers, request, "invalid range\n"),
        Ranges::Outside => {
            headers.push(("content-range", format!("bytes */{}", file.size_bytes)));
            return not_satisfiable(headers, request, "invalid range: failed to overlap\n");
        }
    };
    headers.push(("accept-ranges", "bytes".to_owned()));
    headers.push(("content-length", length.to_string()));
    let body = if request.method == Method::Head { Body::Empty } else { body };
    ResponsePlan { status, headers, body }
}

/// The headers that do not depend on conditions and ranges.
fn describe(
    file: &Attributes,
    request: &FileRequest<'_>,
    content_type: &str,
    modified: Option<SystemTime>,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::with_capacity(8);
    headers.push(("content-disposition", disposition(file, request)));
    headers.push(("content-type", content_type.to_owned()));
    headers.push(("content-security-policy", SECURITY_POLICY.to_owned()));
    headers.push(("cache-control", CACHE_CONTROL.to_owned()));
    if let Some(modified) = modified {
        headers.push(("last-modified", httpdate::fmt_http_date(modified)));
    }
    headers
}

/// The type in the response, which differs from the stored one for a few extensions.
fn served_type<'a>(stored: &'a str, name: &str) -> &'a str {
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    EXTENSION_TYPES.iter().find(|(known, _)| *known == extension).map_or(stored, |(_, mime)| mime)
}

fn disposition(file: &Attributes, request: &FileRequest<'_>) -> String {
    let inline = !request.download && INLINE_TYPES.contains(&file.content_type.as_str());
    let kind = if inline { "inline" } else { "attachment" };
    let mut value = format!("{kind}; filename=\"");
    for char in request.name.chars() {
        match char {
            '"' | '\\' => value.extend(['\\', char]),
            char if char.is_control() => value.extend(char.escape_default()),
            char => value.push(char),
        }
    }
    value.push('"');
    value
}

fn not_satisfiable(
    mut headers: Vec<(&'static str, String)>,
    request: &FileRequest<'_>,
    text: &'static str,
) -> ResponsePlan {
    headers.retain(|(name, _)| !matches!(*name, "cache-control" | "last-modified"));
    set(&mut headers, "content-type", "text/plain; charset=utf-8".to_owned());
    headers.push(("x-content-type-options", "nosniff".to_owned()));
    headers.push(("content-length", text.len().to_string()));
    let body = if request.method == Method::Head { Body::Empty } else { Body::Text(text) };
    ResponsePlan { status: 416, headers, body }
}

/// The heads of the parts, and the length of the whole body.
fn parts(
    ranges: Vec<Range<u64>>,
    content_type: &str,
    size_bytes: u64,
    boundary: &str,
) -> (u64, Body) {
    let end = format!("\r\n--{boundary}--\r\n");
    let mut length = end.len() as u64;
    let mut parts = Vec::with_capacity(ranges.len());
    for range in ranges {
        let lead = if parts.is_empty() { "" } else { "\r\n" };
        let content_range = content_range(&range, size_bytes);
        let head = format!(
            "{lead}--{boundary}\r\nContent-Range: {content_range}\r\nContent-Type: {content_type}\r\n\r\n"
        );
        length += head.len() as u64 + (range.end - range.start);
        parts.push(Part { head, range });
    }
    (length, Body::Parts(parts, end))
}

fn content_range(range: &Range<u64>, size_bytes: u64) -> String {
    // An empty range (a suffix of 0 bytes) has its end before its start, as in Go.
    format!("bytes {}-{}/{size_bytes}", range.start, range.end as i64 - 1)
}

fn boundary(random: &mut dyn RngCore) -> String {
    let bytes: [u8; BOUNDARY_BYTES] = random.random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(headers: &mut [(&'static str, String)], name: &str, value: String) {
    if let Some(header) = headers.iter_mut().find(|(known, _)| *known == name) {
        header.1 = value;
    }
}

/// HTTP dates have no fractions. `None` for times before 1970.
fn whole_second(time: SystemTime) -> Option<SystemTime> {
    let age = time.duration_since(UNIX_EPOCH).ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(age.as_secs()))
}

#[cfg(test)]
mod tests;
