//! Headers that tell browsers to be careful, on every answer of the API and the site.
//!
//! Source: PocketBase `apis/middlewares.go`, `securityHeaders`.

use http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION};
use http::{HeaderName, HeaderValue};

use crate::response::{Frameable, Response};

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAMEORIGIN: HeaderValue = HeaderValue::from_static("SAMEORIGIN");
const XSS_BLOCK: HeaderValue = HeaderValue::from_static("1; mode=block");

/// Sets the headers, in place of what a handler may have set.
pub(crate) fn secure(response: &mut Response) {
    let frameable = response.extensions().get::<Frameable>().is_some();
    let headers = response.headers_mut();
    // One growth instead of two: these, CORS and the caller's own.
    headers.reserve(8);
    headers.insert(X_XSS_PROTECTION, XSS_BLOCK);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    if !frameable {
        headers.insert(X_FRAME_OPTIONS, SAMEORIGIN);
    }
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, SAME_ORIGIN);
}
