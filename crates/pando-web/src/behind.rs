//! A server behind load balancers: who may ask, and who the client is.
//!
//! *Invariant*: what a request says about its client is believed only with the balancers' secret,
//! and the secret goes no further than here.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pando_runtime::Lifecycle;
use pando_runtime::config::Secret;

use crate::ApiError;
use crate::response::{self, Body, Response};

pub(crate) const SECRET: HeaderName = HeaderName::from_static("x-pando-balancer");
const CLIENT: HeaderName = HeaderName::from_static("x-real-ip");
const PROTOCOL: HeaderName = HeaderName::from_static("x-forwarded-proto");
const STATE: HeaderName = HeaderName::from_static("x-pando-state");

/// Where balancers ask whether the server is ready. No rate limit and no login stands before it.
const READY_PATH: &str = "/api/pando/ready";
/// Answered to everybody: metrics have a guard of their own, and health says nothing.
const OPEN_PATHS: [&str; 2] = ["/metrics", "/api/health"];

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Behind {
    secret: Secret,
}

impl Behind {
    /// An empty secret: the server stands alone, and everybody may ask.
    pub(crate) fn new(secret: &Secret) -> Behind {
        Behind { secret: secret.clone() }
    }

    /// The answer, if the request goes no further. Of a balancer's request, `ip` and `tls` become
    /// those of its client.
    pub(crate) fn look_at(
        &self,
        head: &mut Parts,
        ip: &mut IpAddr,
        tls: &mut bool,
        life: &Lifecycle,
    ) -> Option<Response> {
        if head.uri.path() == READY_PATH && matches!(head.method, Method::GET | Method::HEAD) {
            return Some(ready(life));
        }
        if self.secret.is_empty() {
            return None;
        }
        let shown = head.headers.remove(SECRET);
        if shown.is_some_and(|shown| self.secret.equals(shown.as_bytes())) {
            *ip = client(&head.headers).unwrap_or(*ip);
            *tls = head.headers.get(PROTOCOL).is_some_and(|it| it.as_bytes() == b"https");
            return None;
        }
        (!OPEN_PATHS.contains(&head.uri.path())).then(|| {
            response::failure(&ApiError::forbidden("This server is behind a load balancer."))
        })
    }
}

fn client(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get(CLIENT)?.to_str().ok()?.parse().ok()
}

/// Whether new requests should come here.
fn ready(life: &Lifecycle) -> Response {
    let mut response = Response::new(Body::Empty);
    if life.leaving.is_cancelled() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(STATE, HeaderValue::from_static("draining"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "0123456789abcdef";

    /// What becomes of a request: its answer's status, or the client and whether it used TLS.
    fn look_at(secret: &str, path: &str, fields: &[(&str, &str)]) -> Result<(String, bool), u16> {
        let mut request = http::Request::builder().uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        let (mut ip, mut tls) = (IpAddr::from([10, 0, 0, 1]), false);
        let behind = Behind::new(&Secret::new(secret));
        let answer = behind.look_at(&mut head, &mut ip, &mut tls, &Lifecycle::default());
        assert!(secret.is_empty() || !head.headers.contains_key(SECRET), "it goes no further");
        answer.map_or(Ok((ip.to_string(), tls)), |answer| Err(answer.status().as_u16()))
    }

    #[test]
    fn only_balancers_are_believed() {
        let told = [("x-real-ip", "192.0.2.1"), ("x-forwarded-proto", "https")];
        let with = |secret| [told[0], told[1], ("x-pando-balancer", secret)];
        assert_eq!(look_at(SHARED, "/x", &with(SHARED)), Ok(("192.0.2.1".to_owned(), true)));
        for wrong in ["", "0123456789abcdeX", "0123456789abcde"] {
            assert_eq!(look_at(SHARED, "/x", &with(wrong)), Err(403), "{wrong:?}");
        }
        assert_eq!(look_at(SHARED, "/x", &told), Err(403));
        assert_eq!(look_at("", "/x", &with(SHARED)), Ok(("10.0.0.1".to_owned(), false)));
    }

    #[test]
    fn readiness_metrics_and_health_need_no_secret() {
        assert_eq!(look_at(SHARED, READY_PATH, &[]), Err(200));
        assert_eq!(look_at("", READY_PATH, &[]), Err(200));
        for path in OPEN_PATHS {
            assert_eq!(look_at(SHARED, path, &[]), Ok(("10.0.0.1".to_owned(), false)));
        }
    }

    #[test]
    fn a_server_that_leaves_says_so() {
        let life = Lifecycle::default();
        assert_eq!(ready(&life).status(), StatusCode::OK);
        life.leaving.cancel();
        let answer = ready(&life);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[STATE], "draining");
    }
}
