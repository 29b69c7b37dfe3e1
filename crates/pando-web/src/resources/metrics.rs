//! `/metrics`: the figures of this process for Prometheus.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, HOST, VIA, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pando_runtime::config::WebConfig;
use pando_runtime::metrics;

use crate::ApiError;
use crate::app::SharedApp;
use crate::request::Request;
use crate::response::{self, Body, Response};

/// A request with one of these, or with any `X-Forwarded-…`, came through a proxy on this
/// machine, so from anywhere.
const PROXIED: [HeaderName; 4] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// Answers who may see them: with a token set, who has it; else programs on this machine.
pub(crate) fn show(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    if request.method != Method::GET && request.method != Method::HEAD {
        return Err(ApiError::not_found(""));
    }
    let token = app.config.metrics_token.reveal();
    if token.is_empty() {
        if !from_this_machine(&app.config, request) {
            return Err(ApiError::forbidden("Set web.metrics_token to read metrics from afar."));
        }
    } else if !bears(&request.headers, token) {
        let mut refusal = response::failure(&ApiError::unauthorized(""));
        let how = HeaderValue::from_static("Bearer");
        refusal.headers_mut().insert(WWW_AUTHENTICATE, how);
        return Ok(refusal);
    }
    let registry = metrics::registry();
    let waiting =
        registry.gauge("pando_store_writes_waiting", "Writes that wait for their turn.", &[]);
    waiting.set(i64::try_from(app.store.writes_waiting()).unwrap_or(i64::MAX));
    let mut answer = Response::new(Body::Full(registry.render().into()));
    *answer.status_mut() = StatusCode::OK;
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(answer)
}

/// Whether the request was made on this machine and for it. A proxy that says nothing of itself
/// is told by the name that its clients use, if it passes that on, and there is none as long as
/// others can reach the server directly.
fn from_this_machine(config: &WebConfig, request: &Request) -> bool {
    let forwarding =
        |name: &HeaderName| PROXIED.contains(name) || name.as_str().starts_with("x-forwarded-");
    request.remote_ip.is_loopback()
        && config.https.is_empty()
        && loopback(&config.http)
        && !request.headers.keys().any(forwarding)
        && loopback(request.uri.authority().map_or(request.header(HOST), Authority::as_str))
}

/// Whether `authority`, a host with or without a port, is this machine by its own name.
fn loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_matches(['[', ']']);
    let ip: Option<IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback())
}

/// Whether the request has `Authorization: Bearer <token>`; takes the same time wherever a wrong
/// token differs.
fn bears(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let Some((scheme, sent)) = sent.split_at_checked("Bearer ".len()) else { return false };
    scheme.eq_ignore_ascii_case(b"Bearer ") && same(sent, token.as_bytes())
}

fn same(sent: &[u8], token: &[u8]) -> bool {
    let pairs = sent.iter().zip(token);
    let differ = pairs.fold(0, |differ, (a, b)| std::hint::black_box(differ | (a ^ b)));
    sent.len() == token.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_must_be_exact() {
        let cases = [
            ("Bearer secret", true),
            ("bearer secret", true),
            ("Bearer secre", false),
            ("Bearer secrets", false),
            ("Bearer ", false),
            ("secret", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bears(&headers, "secret"), expected, "{value}");
        }
        assert!(!bears(&HeaderMap::new(), "secret"));
    }
}
