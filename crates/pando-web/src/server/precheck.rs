//! What is answered before anything else looks at a request: bad HTTP and untidy paths.
//!
//! Source: Go's `net/http` server and `ServeMux`.

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HOST, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version};

use super::path::{self, Form};
use crate::response::{Body, Response};

/// The answer, if the request goes no further.
pub(super) fn refuse(request: &Parts) -> Option<Response> {
    if let Some(text) = wrong_host(request) {
        return Some(bad_request(request, text));
    }
    let path = request.uri.path();
    if request.method == Method::CONNECT {
        return Some(method_not_allowed());
    }
    if path == "*" {
        // `OPTIONS *` asks whether the server as a whole is there.
        return Some(Response::new(Body::Empty));
    }
    match path::form(path) {
        Form::Clean => None,
        Form::Untidy => Some(redirect(request)),
        Form::Malformed => Some(bad_request(request, "400 Bad Request")),
    }
}

fn wrong_host(request: &Parts) -> Option<&'static str> {
    if request.version != Version::HTTP_11 {
        return None;
    }
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => None,
        (None, _) => Some("400 Bad Request: missing required Host header"),
        (Some(_), Some(_)) => Some("400 Bad Request"),
    }
}

fn bad_request(request: &Parts, text: &'static str) -> Response {
    let mut response = plain(StatusCode::BAD_REQUEST, text);
    if request.version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn method_not_allowed() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::Full(text.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// To the same path, written cleanly.
fn redirect(request: &Parts) -> Response {
    let mut location = escaped(&path::cleaned(request.uri.path()));
    if let Some(query) = request.uri.query() {
        location.push('?');
        location.push_str(&escaped(query));
    }
    let body = match request.method {
        Method::GET => {
            let text = format!("<a href=\"{}\">Temporary Redirect</a>.\n\n", html(&location));
            Body::Full(text.into())
        }
        _ => Body::Empty,
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    if request.method == Method::GET || request.method == Method::HEAD {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    headers.extend(HeaderValue::try_from(location).map(|location| (LOCATION, location)));
    response
}

/// A part of a URL with the bytes escaped that do not belong there.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(method: &str, target: &str, expect: Expect) {
        let request = http::Request::builder().method(method).uri(target).header(HOST, "x");
        let parts = request.body(()).unwrap().into_parts().0;
        let Some(response) = refuse(&parts) else { return expect.assert_eq("goes on") };
        let mut shown = response.status().as_u16().to_string();
        for (name, value) in response.headers() {
            shown.push_str(&format!(" {name}={}", value.to_str().unwrap()));
        }
        if let Body::Full(body) = response.body() {
            shown.push_str(&format!(" {:?}", String::from_utf8_lossy(body)));
        }
        expect.assert_eq(&shown);
    }

    /// As the real server answers.
    #[test]
    fn untidy_paths_are_redirected() {
        check("GET", "/api/health?x=//", expect!["goes on"]);
        check(
            "GET",
            "/api//health?a=b&c",
            expect![[
                r#"307 content-type=text/html; charset=utf-8 location=/api/health?a=b&c "<a href=\"/api/health?a=b&amp;c\">Temporary Redirect</a>.\n\n""#
            ]],
        );
        check(
            "HEAD",
            "/a//b%C3%A9é",
            expect!["307 content-type=text/html; charset=utf-8 location=/a/b%C3%A9%C3%A9"],
        );
        check("POST", "//x\"y", expect!["307 location=/x%22y"]);
        check("OPTIONS", "/..", expect!["307 location=/"]);
    }

    #[test]
    fn bad_http_is_refused() {
        let refusal = expect![[
            r#"400 content-type=text/plain; charset=utf-8 connection=close "400 Bad Request""#
        ]];
        check("GET", "/api/%zz", refusal);
        let refusal = expect![[
            r#"405 content-type=text/plain; charset=utf-8 allow=GET, HEAD x-content-type-options=nosniff "Method Not Allowed\n""#
        ]];
        check("CONNECT", "x:80", refusal);
        check("OPTIONS", "*", expect!["200"]);
    }
}
