//! What is known of an object, in the headers of requests and answers.
//!
//! Source: PocketBase's `tools/filesystem/internal/s3blob/s3blob.go`: no side files, but the type and
//! the client's name as headers; the MD5 is in the `ETag` of objects that came in one piece.

use std::time::UNIX_EPOCH;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::config::{decode_metadata, encode_metadata};
use crate::attributes::kept_name;
use crate::{Attributes, NewAttributes};

const ORIGINAL_NAME: HeaderName = HeaderName::from_static("x-amz-meta-original-filename");

/// The headers of a new object.
pub(super) fn headers_of(new: &NewAttributes) -> Vec<(HeaderName, HeaderValue)> {
    // A type that is no header value is none.
    let kind = HeaderValue::try_from(new.content_type.as_str());
    let mut headers: Vec<_> = kind.ok().map(|kind| (CONTENT_TYPE, kind)).into_iter().collect();
    if let Some(name) = &new.original_name {
        let name = HeaderValue::try_from(encode_metadata(kept_name(name)));
        headers.push((ORIGINAL_NAME, name.expect("what is encoded is ASCII")));
    }
    headers
}

/// What the headers of an answer tell. `None` if they do not tell the size.
pub(super) fn attributes_of(headers: &HeaderMap) -> Option<Attributes> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let size = match text(CONTENT_RANGE) {
        Some(range) => range.rsplit_once('/')?.1,
        None => text(CONTENT_LENGTH)?,
    };
    let modified = text(LAST_MODIFIED).and_then(|date| httpdate::parse_http_date(date).ok());
    Some(Attributes {
        size_bytes: size.parse().ok()?,
        modified: modified.unwrap_or(UNIX_EPOCH),
        content_type: text(CONTENT_TYPE).unwrap_or_default().to_owned(),
        original_name: text(ORIGINAL_NAME).map(decode_metadata),
        md5: text(ETAG).and_then(md5_of),
    })
}

/// The MD5 that an entity tag is, if it is one.
pub(super) fn md5_of(etag: &str) -> Option<[u8; 16]> {
    let hex = etag.trim_matches('"');
    if hex.len() != 32 || !hex.is_ascii() {
        return None;
    }
    let mut md5 = [0; 16];
    for (index, byte) in md5.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(md5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_comes_back() {
        let new = NewAttributes {
            content_type: "text/plain; charset=utf-8".to_owned(),
            original_name: Some("Ä pic.png".to_owned()),
        };
        let mut headers: HeaderMap = headers_of(&new).into_iter().collect();
        assert_eq!(headers[ORIGINAL_NAME], "%C3%84%20pic.png");
        assert_eq!(attributes_of(&headers), None);
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("5"));
        headers.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 0-4/70"));
        let etag = HeaderValue::from_static("\"098f6bcd4621d373cade4e832627b4f6\"");
        headers.insert(ETAG, etag);
        let found = attributes_of(&headers).unwrap();
        assert_eq!((found.size_bytes, found.content_type), (70, new.content_type));
        assert_eq!(found.original_name, new.original_name);
        assert_eq!(found.md5.unwrap()[..2], [0x09, 0x8f]);
    }

    #[test]
    fn not_every_tag_is_a_checksum() {
        let multipart = "\"f816206b32aa909934734057fefd6d2b-2\"";
        for etag in ["", "\"\"", multipart, "\"zz8f6bcd4621d373cade4e832627b4f6\""] {
            assert_eq!(md5_of(etag), None, "{etag}");
        }
    }
}
