//! What the balancer answers by itself, in the form of the API's errors.
//!
//! Source: PocketBase's error body; RFC 9209 (`Proxy-Status`).

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::Body;
use crate::figures::Own;
use crate::guard::Refusal;
use crate::pool::NoRoom;
use crate::upstream::{Broken, ConnectError};

/// An answer of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnAnswer {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
    /// The type of the error by RFC 9209.
    pub(crate) error: Option<&'static str>,
    pub(crate) retry_after_s: Option<u64>,
    /// The connection ends with it.
    pub(crate) closes: bool,
    pub(crate) reason: Own,
}

const BUSY: &str = "The server is busy. Try again in a moment.";
const UNAVAILABLE: &str = "The server cannot be reached. Try again in a moment.";

impl OwnAnswer {
    fn new(status: StatusCode, text: &'static str, reason: Own) -> OwnAnswer {
        OwnAnswer { status, text, error: None, retry_after_s: None, closes: false, reason }
    }

    fn with_error(self, error: &'static str) -> OwnAnswer {
        OwnAnswer { error: Some(error), ..self }
    }

    fn unavailable(text: &'static str, error: &'static str, reason: Own) -> OwnAnswer {
        let answer = OwnAnswer::new(StatusCode::SERVICE_UNAVAILABLE, text, reason);
        OwnAnswer { retry_after_s: Some(1), ..answer.with_error(error) }
    }

    pub(crate) fn shed() -> OwnAnswer {
        OwnAnswer::unavailable(BUSY, "proxy_internal_response", Own::Shed)
    }

    pub(crate) fn rate_limited(retry_after_s: u64) -> OwnAnswer {
        let text = "Too many requests. Try again in a moment.";
        let answer = OwnAnswer::new(StatusCode::TOO_MANY_REQUESTS, text, Own::RateLimited);
        OwnAnswer { retry_after_s: Some(retry_after_s), ..answer }
    }

    pub(crate) fn response(self) -> Response<Body> {
        let status = self.status.as_u16();
        let text = format!(r#"{{"data":{{}},"message":"{}","status":{status}}}"#, self.text);
        let mut response = Response::new(Body::Full(Some(Bytes::from(text))));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(error) = self.error {
            let value = HeaderValue::from_str(&format!("pando; error={error}"));
            headers.extend(value.map(|value| (HeaderName::from_static("proxy-status"), value)));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

impl From<Refusal> for OwnAnswer {
    fn from(refusal: Refusal) -> OwnAnswer {
        let answer = OwnAnswer::new(refusal.status(), refusal.text(), Own::Malformed);
        // What the client means by what follows is anybody's guess.
        OwnAnswer { closes: true, ..answer.with_error("http_request_error") }
    }
}

impl From<NoRoom> for OwnAnswer {
    fn from(no_room: NoRoom) -> OwnAnswer {
        match no_room {
            NoRoom::Full | NoRoom::Waited => {
                OwnAnswer::unavailable(BUSY, "connection_limit_reached", Own::NoRoom)
            }
            NoRoom::Deserted => {
                OwnAnswer::unavailable(UNAVAILABLE, "destination_unavailable", Own::NoUpstream)
            }
        }
    }
}

impl From<&ConnectError> for OwnAnswer {
    fn from(error: &ConnectError) -> OwnAnswer {
        let error = match error {
            error if error.refused() => "connection_refused",
            ConnectError::Connect(_) => "destination_ip_unroutable",
            ConnectError::ConnectTime => "connection_timeout",
            ConnectError::Tls(_) | ConnectError::TlsTime => "tls_protocol_error",
        };
        OwnAnswer::unavailable(UNAVAILABLE, error, Own::UpstreamFailed)
    }
}

impl From<&Broken> for OwnAnswer {
    fn from(broken: &Broken) -> OwnAnswer {
        let bad_gateway = |error| {
            let text = "The server did not answer properly.";
            OwnAnswer::new(StatusCode::BAD_GATEWAY, text, Own::UpstreamFailed).with_error(error)
        };
        match broken {
            Broken::Write(_) | Broken::Read(_) | Broken::Closed | Broken::Down => {
                bad_gateway("connection_terminated")
            }
            Broken::CutShort => bad_gateway("http_response_incomplete"),
            Broken::Malformed(_) => bad_gateway("http_protocol_error"),
            Broken::TooSlow => {
                let text = "The server did not answer in time.";
                let answer = OwnAnswer::new(StatusCode::GATEWAY_TIMEOUT, text, Own::TooSlow);
                answer.with_error("http_response_timeout")
            }
            Broken::Client(_) => {
                let text = "The request ended early.";
                let answer = OwnAnswer::new(StatusCode::BAD_REQUEST, text, Own::Malformed);
                OwnAnswer { closes: true, ..answer.with_error("http_request_error") }
            }
            Broken::ClientTooSlow => {
                let text = "The request body took too long to arrive.";
                let answer = OwnAnswer::new(StatusCode::REQUEST_TIMEOUT, text, Own::TooSlow);
                OwnAnswer { closes: true, ..answer.with_error("http_request_error") }
            }
        }
    }
}

/// To the same target by HTTPS. `host` is checked.
pub(crate) fn to_https(host: &str, target: &str, https_port: u16) -> Response<Body> {
    let name = match host.strip_prefix('[') {
        Some(rest) => &host[..rest.find(']').map_or(host.len(), |end| end + 2)],
        None => host.split(':').next().unwrap_or(host),
    };
    let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
    let mut response = Response::new(Body::Empty);
    // 308: the method and the body stay as they are.
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let location = HeaderValue::from_str(&format!("https://{name}{port}{target}"));
    response.headers_mut().extend(location.map(|location| (LOCATION, location)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_keep_name_and_target() {
        for (host, port, expected) in [
            ("a.example", 443, "https://a.example/x?y"),
            ("a.example:8080", 8443, "https://a.example:8443/x?y"),
            ("[::1]:8080", 443, "https://[::1]/x?y"),
            ("[::1]", 8443, "https://[::1]:8443/x?y"),
        ] {
            let response = to_https(host, "/x?y", port);
            assert_eq!(response.headers()[LOCATION], expected);
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        }
    }

    #[test]
    fn every_own_answer_has_the_form_of_the_api() {
        for refusal in [Refusal::NoHost, Refusal::Forbidden, Refusal::TooLarge] {
            let response = OwnAnswer::from(refusal).response();
            assert_eq!(response.headers()[CONNECTION], "close");
            let Body::Full(Some(body)) = response.body() else { panic!("no body") };
            let json: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert_eq!(json["status"], response.status().as_u16());
        }
    }
}
