//! Redirects to the main host name and to HTTPS.
//!
//! Source: PocketBase `apis/serve.go`, `apis/middlewares.go` (`wwwRedirect`); Go's
//! `golang.org/x/crypto/acme/autocert`, `HTTPHandler`.

use http::header::{CONTENT_TYPE, HOST, LOCATION};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};

use crate::response::{Body, Response};

/// The host names that only lead to others: `www.` before each configured name that has none.
#[derive(Debug)]
pub(super) struct Hosts {
    aliases: Vec<String>,
}

impl Hosts {
    pub(super) fn new(domains: &[String]) -> Hosts {
        let without_www = domains.iter().filter(|domain| !domain.starts_with("www."));
        let aliases = without_www.map(|domain| format!("www.{domain}"));
        Hosts { aliases: aliases.filter(|alias| !domains.contains(alias)).collect() }
    }

    /// The way to the name without `www.`, if the request came to an alias.
    pub(super) fn redirect(&self, request: &Parts, tls: bool) -> Option<Response> {
        if self.aliases.is_empty() {
            return None;
        }
        let host = host(request);
        let alias = self.aliases.iter().find(|alias| *alias == host)?;
        let scheme = if tls { "https" } else { "http" };
        let main = alias.strip_prefix("www.")?;
        redirect(StatusCode::TEMPORARY_REDIRECT, &format!("{scheme}://{main}{}", target(request)))
    }
}

/// The answer of the HTTP listener beside an HTTPS one.
pub(super) fn to_https(request: &Parts, https_port: u16) -> Response {
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    let name = without_port(host(request));
    let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
    let location = format!("https://{name}{port}{}", target(request));
    let found = redirect(StatusCode::FOUND, &location).filter(|_| reads && !name.is_empty());
    found.unwrap_or_else(|| {
        let mut response = Response::new(Body::Full("Use HTTPS\n".into()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    })
}

fn redirect(status: StatusCode, location: &str) -> Option<Response> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(location).ok()?);
    Some(response)
}

fn target(request: &Parts) -> &str {
    request.uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

/// HTTP/2 names the host in the target instead of a header.
fn host(request: &Parts) -> &str {
    let header = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri.authority().map(|name| name.as_str())).unwrap_or_default()
}

/// `[::1]:80` and `a.b:80` without their port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, host: &str, target: &str) -> Parts {
        let builder = http::Request::builder().method(method).uri(target).header(HOST, host);
        builder.body(()).unwrap().into_parts().0
    }

    fn location(response: &Response) -> &str {
        response.headers().get(LOCATION).map_or("", |location| location.to_str().unwrap())
    }

    #[test]
    fn www_leads_to_the_name_without_it() {
        let domains = ["a.b", "www.c.d", "c.d", "www.e.f"].map(str::to_owned);
        let hosts = Hosts::new(&domains);
        let to = |host, tls| {
            let response = hosts.redirect(&request("POST", host, "/x?y=1"), tls)?;
            assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
            Some(location(&response).to_owned())
        };
        assert_eq!(to("www.a.b", true).as_deref(), Some("https://a.b/x?y=1"));
        assert_eq!(to("www.a.b", false).as_deref(), Some("http://a.b/x?y=1"));
        for host in ["a.b", "www.c.d", "www.e.f", "www.www.e.f", "www.x.y", ""] {
            assert_eq!(to(host, true), None, "{host}");
        }
    }

    #[test]
    fn http_leads_to_https() {
        let to = |method, host, port| to_https(&request(method, host, "/x?y=1"), port);
        let response = to("GET", "a.b:80", 443);
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(location(&response), "https://a.b/x?y=1");
        assert_eq!(location(&to("HEAD", "[::1]:80", 8443)), "https://[::1]:8443/x?y=1");
        assert_eq!(location(&to("GET", "[::1]", 443)), "https://[::1]/x?y=1");
        assert_eq!(to("POST", "a.b", 443).status(), StatusCode::BAD_REQUEST);
        assert_eq!(to("GET", "", 443).status(), StatusCode::BAD_REQUEST);
    }
}
