//! Which pages of other origins may use the API (CORS).
//!
//! Source: PocketBase `apis/middlewares_cors.go`; the Fetch standard, "HTTP extensions".

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue};

use crate::response::{self, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: [HeaderValue; 2] = [
    HeaderValue::from_static("Access-Control-Request-Method"),
    HeaderValue::from_static("Access-Control-Request-Headers"),
];

/// The longest origin that is compared with patterns: scheme, `://`, host name, port.
const ORIGIN_BYTES_MAX: usize = 253 + 3 + 5;
/// The longest host name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// The allowed origins. `*` and `?` in them stand for any text and any one letter.
#[derive(Debug)]
pub(crate) struct Cors {
    origins: Vec<Origin>,
}

#[derive(Debug)]
struct Origin {
    text: String,
    /// `None` if it cannot stand in a header; then no request can send it either.
    header: Option<HeaderValue>,
}

impl Cors {
    pub(crate) fn new(origins: &[String]) -> Cors {
        let parse = |text: &String| Origin { text: text.clone(), header: text.parse().ok() };
        Cors { origins: origins.iter().map(parse).collect() }
    }

    /// What `Access-Control-Allow-Origin` says to a request with `headers`, if anything.
    pub(crate) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let sent = headers.get(ORIGIN)?;
        if sent.is_empty() {
            return None;
        }
        // Only a plain `*` can allow an origin that is no text.
        let origin = sent.to_str().unwrap_or_default();
        for allowed in &self.origins {
            if allowed.text == "*" || allowed.text == origin {
                return allowed.header.clone();
            }
            if subdomain(origin, &allowed.text) {
                return Some(sent.clone());
            }
        }
        let comparable = origin.len() <= ORIGIN_BYTES_MAX && origin.contains("://");
        let matches = |allowed: &Origin| allowed.text != "*" && matches(&allowed.text, origin);
        (comparable && self.origins.iter().any(matches)).then(|| sent.clone())
    }
}

/// Tells the browser, and caches on the way, who may read the answer.
pub(crate) fn mark(headers: &mut HeaderMap, allowed_origin: Option<HeaderValue>) {
    headers.append(VARY, VARY_ORIGIN);
    if let Some(origin) = allowed_origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// The answer to any `OPTIONS` request.
pub(crate) fn preflight(request: &HeaderMap, allowed_origin: Option<HeaderValue>) -> Response {
    let mut response = response::no_content();
    let headers = response.headers_mut();
    let allowed = allowed_origin.is_some();
    mark(headers, allowed_origin);
    if allowed {
        for value in VARY_PREFLIGHT {
            headers.append(VARY, value);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
    }
    response
}

/// Whether the host of `origin` is that of `pattern`, compared label by label from the right up
/// to the first `*`, which stands for all labels left of it.
fn subdomain(origin: &str, pattern: &str) -> bool {
    let (Some((scheme, host)), Some((pattern_scheme, pattern_host))) =
        (origin.split_once("://"), pattern.split_once("://"))
    else {
        return false;
    };
    if scheme != pattern_scheme || host.len() > HOST_BYTES_MAX {
        return false;
    }
    let mut labels = pattern_host.rsplit('.');
    for label in host.rsplit('.') {
        match labels.next() {
            Some("*") => return true,
            Some(expected) if expected == label => {}
            _ => return false,
        }
    }
    false
}

/// Whether all of `text` matches `pattern`. Takes at most `pattern.len() * text.len()` steps.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on if what follows the last `*` does not match: it then takes a letter more.
    let mut retry = None;
    loop {
        let here = text.clone();
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                retry = Some((pattern.clone(), here.clone()));
                text = here;
            }
            (Some('?'), Some(_)) => {}
            (Some(expected), Some(letter)) if expected == letter => {}
            (None, None) => return true,
            (_, _) => {
                let Some((after_star, mut taken)) = retry.take() else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (pattern, text) = (after_star.clone(), taken.clone());
                retry = Some((after_star, taken));
            }
        }
    }
}

#[cfg(test)]
mod tests;
