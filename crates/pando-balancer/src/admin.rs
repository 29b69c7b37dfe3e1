//! The listener for operators and web servers: health, metrics, status, and who belongs to the
//! pool. It has a runtime of its own, apart from the workers, so it answers when they are busy.

mod page;
mod status;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pando_runtime::config::Secret;
use pando_runtime::{listen, metrics};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::debug;

use crate::members::{Announcement, Registry};
use crate::outgoing::SECRET_FIELD;
use crate::shared::Shared;

/// Connections at once; they are of operators, monitoring and web servers.
const CONNECTIONS_MAX: usize = 1_024;
const BODY_BYTES_MAX: usize = 16 << 10;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A whole connection. All of them are short.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(60);

type Answer = Response<http_body_util::Full<Bytes>>;

/// What the admin listener needs.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) shared: Arc<Shared>,
    pub(crate) secret: Secret,
}

/// Serves until the process stops or another one has taken over.
pub(crate) async fn run(admin: Admin, listener: TcpListener) -> anyhow::Result<()> {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let life = admin.shared.life.clone();
    let closed = admin.shared.closed.clone();
    let open = async {
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (stream, peer) = listen::accept(&listener).await;
            let serving = serve(admin.clone(), stream, peer);
            drop(life.track(async move {
                let _ = tokio::time::timeout(CONNECTION_TIME_MAX, serving).await;
                drop(permit);
            }));
        }
    };
    tokio::select! {
        biased;
        () = closed.cancelled() => {}
        () = open => {}
    }
    Ok(())
}

async fn serve(admin: Admin, stream: TcpStream, peer: SocketAddr) {
    let stopping = admin.shared.life.stopping.clone();
    let service = service_fn(move |request| {
        let admin = admin.clone();
        async move { Ok::<_, Infallible>(admin.answer(request, peer.ip().to_canonical()).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        debug!(%error, "a connection of an operator ended early");
    }
}

impl Admin {
    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        match (&head.method, path) {
            (&Method::GET, "/healthz/live") => text(StatusCode::OK, "live\n"),
            (&Method::GET, "/healthz/ready") => self.ready(),
            (&Method::GET, "/metrics" | "/status" | "/") if !self.may_read(&head.headers, peer) => {
                refusal(StatusCode::UNAUTHORIZED, "the secret is missing or wrong")
            }
            (&Method::GET, "/metrics") => {
                let figures = metrics::registry().render() + &status::metrics(&self.shared);
                typed(StatusCode::OK, metrics::CONTENT_TYPE, figures)
            }
            (&Method::GET, "/status") => json_answer(StatusCode::OK, &status::status(&self.shared)),
            (&Method::GET, "/") => {
                let page = page::render(&status::status(&self.shared));
                typed(StatusCode::OK, "text/html; charset=utf-8", page)
            }
            (&Method::PUT | &Method::DELETE, "/upstreams") => {
                if !self.may_change(&head.headers, peer) {
                    return refusal(StatusCode::UNAUTHORIZED, "the secret is missing or wrong");
                }
                self.change(&head.method, body, peer).await
            }
            _ => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }

    /// Whether new connections should come here.
    fn ready(&self) -> Answer {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        if self.shared.life.leaving.is_cancelled() || self.shared.life.stopping.is_cancelled() {
            text(unavailable, "leaving\n")
        } else if self.shared.pool.deserted() {
            text(unavailable, "no upstream\n")
        } else {
            text(StatusCode::OK, "ready\n")
        }
    }

    /// `PUT`: a web server announces itself. `DELETE`: it says goodbye, or an operator sends it
    /// away.
    async fn change(&self, method: &Method, body: Incoming, peer: IpAddr) -> Answer {
        let Some(body) = read(body).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        };
        let body: Json = serde_json::from_slice(&body).unwrap_or_default();
        let Some(address) = body["address"].as_str() else {
            let message = "the body must be JSON with an address, \"HOST:PORT\"";
            return refusal(StatusCode::BAD_REQUEST, message);
        };
        let registry = Registry(Arc::clone(&self.shared));
        let outcome = match *method {
            Method::PUT => Announcement::parse(address, peer)
                .and_then(|announcement| registry.announce(&announcement))
                .map(|()| true),
            _ => registry.leave(address, peer),
        };
        match outcome {
            Ok(true) => json_answer(StatusCode::OK, &json!({})),
            Ok(false) => refusal(StatusCode::NOT_FOUND, "there is no such upstream"),
            Err(error) => {
                let source = std::error::Error::source(&error);
                let why = source.map(|source| format!(" {source}")).unwrap_or_default();
                refusal(StatusCode::BAD_REQUEST, &format!("{error}{why}"))
            }
        }
    }

    fn may_read(&self, headers: &HeaderMap, peer: IpAddr) -> bool {
        peer.is_loopback() || self.shows_secret(headers)
    }

    /// With a secret, who shows it; without, programs on this machine.
    fn may_change(&self, headers: &HeaderMap, peer: IpAddr) -> bool {
        match self.secret.is_empty() {
            true => peer.is_loopback(),
            false => self.shows_secret(headers),
        }
    }

    fn shows_secret(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let bearer = bearer.and_then(|value| value.strip_prefix(b"Bearer "));
        let shown = headers.get(SECRET_FIELD).map(HeaderValue::as_bytes).or(bearer);
        !self.secret.is_empty() && shown.is_some_and(|shown| self.secret.equals(shown))
    }
}

async fn read(mut body: Incoming) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let frame =
            std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context));
        let Some(frame) = frame.await else { return Some(bytes) };
        let Ok(data) = frame.ok()?.into_data() else { continue };
        bytes.extend_from_slice(&data);
        if bytes.len() > BODY_BYTES_MAX {
            return None;
        }
    }
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", text)
}

fn json_answer(status: StatusCode, json: &Json) -> Answer {
    typed(status, "application/json", format!("{json}\n"))
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    json_answer(status, &json!({ "status": status.as_u16(), "message": message }))
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(http_body_util::Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
