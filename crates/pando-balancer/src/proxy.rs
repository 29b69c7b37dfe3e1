//! The way of one request: what is wrong with it, whether there is room, which upstream, and the
//! answer.

mod attempt;
mod payload;
mod relay;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, MAX_FORWARDS};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use pando_runtime::log::ACCESS;
use pando_topology::{Key, RateDecision};
use tracing::{Level, info};

use crate::answers::{self, OwnAnswer};
use crate::body::{Body, Served};
use crate::caller::{Caller, Door};
use crate::config::Choice;
use crate::fields::{self, Nominated};
use crate::figures::Own;
use crate::guard;
use crate::outgoing::{self, Ids, REQUEST_ID};
use crate::settings::{HashKey, Settings};
use crate::upstream::Upstream;
use crate::worker::Phase;

use attempt::Attempts;
use payload::Payload;

/// What is known about a request once it is let in.
pub(crate) struct Admitted {
    pub(crate) host: String,
    pub(crate) client: IpAddr,
    pub(crate) ids: Ids,
}

/// What the access log tells beside the request itself.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) upstream: Option<Arc<Upstream>>,
    pub(crate) retries: u32,
}

/// Answers one request.
pub(crate) async fn answer(caller: &Arc<Caller>, request: Request<Incoming>) -> Response<Served> {
    let worker = &caller.worker;
    let busy = caller.pulse.begin();
    let began = worker.alarms.elapsed();
    let logged = tracing::enabled!(target: ACCESS, Level::INFO)
        .then(|| (request.method().clone(), request.uri().path().to_owned()));
    let sends_body = !request.body().is_end_stream();
    let mut notes = Notes::default();
    let response = respond(caller, request, began, &mut notes).await;
    let mut response = match response {
        Ok(response) => response,
        Err(own) => {
            worker.shared.figures.own(own.reason);
            own.response()
        }
    };
    if sends_body && !response.status().is_success() {
        caller.pulse.refuse();
    }
    if worker.phase() != Phase::Serving && caller.http_1 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let took = worker.alarms.elapsed().saturating_sub(began);
    worker.shared.figures.answered(response.status(), took);
    if let Some((method, path)) = logged {
        log(caller, &method, &path, &response, took, &notes);
    }
    let (head, body) = response.into_parts();
    Response::from_parts(head, Served::new(body, busy))
}

fn log(
    caller: &Caller,
    method: &Method,
    path: &str,
    response: &Response<Body>,
    took: Duration,
    notes: &Notes,
) {
    let id = response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = id.unwrap_or_default();
    let (peer, status) = (caller.peer.ip(), response.status().as_u16());
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let upstream = notes.upstream.as_ref().map(|upstream| upstream.address.to_string());
    let (upstream, retries) = (upstream.unwrap_or_default(), notes.retries);
    let method = method.as_str();
    // The path without the query, which may hold a token.
    info!(
        target: ACCESS,
        method, path, status, took_us, upstream, retries, %peer, request.id = id, "request"
    );
}

async fn respond(
    caller: &Arc<Caller>,
    mut request: Request<Incoming>,
    began: Duration,
    notes: &mut Notes,
) -> Result<Response<Body>, OwnAnswer> {
    let current = caller.worker.current();
    let settings = &current.settings;
    let nominated = Nominated::of(request.headers());
    // hyper keeps what it needs for an upgrade in the request.
    let upgrade = nominated.upgrade.then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let upgrade = upgrade.filter(|_| outgoing::wants_websocket(&head, &nominated));
    let host = guard::check(&head, settings.headers_bytes_max)?;
    if let Door::Redirect { https_port } = caller.door {
        caller.worker.shared.figures.own(Own::Redirected);
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        return Ok(answers::to_https(host, target, https_port));
    }
    let admitted = admit(caller, settings, &head, host, began)?;
    if ends_here(&head) {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let payload = Payload::read(&head, body, settings).await?;
    let key =
        (settings.choice == Choice::Hash).then(|| key(&settings.hash_key, &head, admitted.client));
    let attempts = Attempts {
        caller,
        current: &current,
        head: &head,
        nominated: &nominated,
        admitted: &admitted,
        key,
        began,
    };
    let mut response = attempts.run(payload, upgrade, notes).await?;
    let id = HeaderValue::from_str(&admitted.ids.request);
    if !response.headers().contains_key(REQUEST_ID) {
        response.headers_mut().extend(id.map(|id| (REQUEST_ID, id)));
    }
    Ok(response)
}

/// Who asks, and whether it may.
fn admit(
    caller: &Caller,
    settings: &Settings,
    head: &Parts,
    host: &str,
    now: Duration,
) -> Result<Admitted, OwnAnswer> {
    let shared = &caller.worker.shared;
    let peer = caller.peer.ip();
    let named = caller
        .trusted
        .then(|| outgoing::named_client(&head.headers, |ip| settings.trusted_proxies.contain(ip)));
    let client = named.flatten().unwrap_or(peer);
    if shared.shedding().refuses(urgency(head)) {
        return Err(OwnAnswer::shed());
    }
    if let Some(policy) = settings.rate
        && !settings.unlimited_clients.contain(client)
        && let RateDecision::Limited { retry_after } = shared.clients.ask(client, now, policy)
    {
        return Err(OwnAnswer::rate_limited(retry_after.as_secs() + 1));
    }
    let given = caller.trusted.then(|| outgoing::given_request_id(&head.headers)).flatten();
    let ids = Ids::new(&head.headers, given, caller.worker.random());
    Ok(Admitted { host: host.to_owned(), client, ids })
}

/// How urgent a request is (RFC 9218): 0 to 7, the most urgent first; 3 if it does not say.
fn urgency(head: &Parts) -> u8 {
    let Some(priority) = head.headers.get("priority") else {
        return if wants_stream(head) { 4 } else { 3 };
    };
    let mut parts = priority.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let digit = parts.find_map(|part| part.strip_prefix(b"u="));
    match digit {
        Some([digit @ b'0'..=b'7']) => digit - b'0',
        _ => 3,
    }
}

/// Whether the answer will be a stream of events.
fn wants_stream(head: &Parts) -> bool {
    fields::has_token(&head.headers, &http::header::ACCEPT, "text/event-stream")
}

/// `OPTIONS` that must go no further (RFC 9110 7.6.2).
fn ends_here(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.get(MAX_FORWARDS).is_some_and(|count| count.as_bytes() == b"0")
}

fn key(hash_key: &HashKey, head: &Parts, client: IpAddr) -> Key {
    match hash_key {
        HashKey::Client => Key::of(client.to_string().as_bytes()),
        HashKey::Path => Key::of(head.uri.path().as_bytes()),
        HashKey::Header(name) => {
            Key::of(head.headers.get(name).map_or(&[][..], HeaderValue::as_bytes))
        }
        HashKey::Cookie(name) => Key::of(cookie(head, name).unwrap_or_default()),
    }
}

fn cookie<'a>(head: &'a Parts, name: &str) -> Option<&'a [u8]> {
    head.headers.get_all(http::header::COOKIE).iter().find_map(|value| {
        let mut pairs = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    })
}
