//! From a request to its answer.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::ext::ReasonPhrase;
use pando_runtime::log::{ACCESS, REQUEST};
use pando_store::StoreError;
use tracing::{Level, debug, error, info};

use super::connection::Caller;
use super::{figures, precheck};
use crate::app::SharedApp;
use crate::arriving::{Arriving, content_length};
use crate::request::Request;
use crate::response::{self, Body, Response};
use crate::{ApiError, access, activity, auth, compress, cors, headers, rate_limit, router};

/// The longest `X-Request-Id` that is taken over into the log.
const REQUEST_ID_BYTES_MAX: usize = 64;

pub(super) async fn answer(caller: &Caller, incoming: http::Request<Incoming>) -> Response {
    let front = &caller.app.front;
    let started = Instant::now();
    let _in_flight = front.figures.in_flight();
    let (mut parts, body) = incoming.into_parts();
    let (mut ip, mut tls) = (caller.ip, caller.tls);
    let refusal = front.behind.look_at(&mut parts, &mut ip, &mut tls, &caller.app.life);
    let (body, rest) = Arriving::new(&parts, body);
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let early = refusal.or_else(|| precheck::refuse(&parts));
    let early = early.or_else(|| front.hosts.redirect(&parts, tls));
    let mut response = match early {
        Some(response) => {
            drop(body);
            response
        }
        None => {
            let allowed_origin = front.cors.allowed_origin(&parts.headers);
            if method == Method::OPTIONS {
                drop(body);
                cors::preflight(&parts.headers, allowed_origin)
            } else {
                let request =
                    Request::new(parts, body, ip, caller.app.config.body_timeout.duration());
                let mut response = handle(&caller.app, request, started).await;
                headers::secure(&mut response);
                cors::mark(response.headers_mut(), allowed_origin);
                response
            }
        }
    };
    if let Some(rest) = rest
        && !rest.drop_all().await
    {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let mut response = if method == Method::HEAD { without_body(response) } else { response };
    if let Some(words) = older_words(response.status()) {
        response.extensions_mut().insert(words);
    }
    let took = started.elapsed();
    let group = figures::group(uri.path());
    front.figures.answered(group, &method, response.status(), took);
    info!(
        target: ACCESS,
        method = method.as_str(),
        // Without the query, which may hold a token.
        path = uri.path(),
        status = response.status().as_u16(),
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// What the API says, also if it fails.
async fn handle(app: &SharedApp, mut request: Request, started: Instant) -> Response {
    let outcome = {
        // Pinned here and not in `caught`, which would hold it twice: it is some kilobytes large.
        let responding = pin!(respond(app, &mut request));
        caught(responding).await
    };
    let response = settled(app, &request, outcome, started);
    match app.front.compression {
        true => compress::compress(&request.headers, response).await,
        false => response,
    }
}

/// The answer, after an entry about it is on its way to the logs.
fn settled(
    app: &SharedApp,
    request: &Request,
    outcome: Result<Result<Response, ApiError>, Box<dyn Any + Send>>,
    started: Instant,
) -> Response {
    let outcome = outcome.unwrap_or_else(|panic| {
        app.front.figures.panicked();
        let said = panic_text(&*panic).to_owned();
        Err(ApiError::internal(anyhow::anyhow!("panic: {said}")))
    });
    activity::log(app, request, outcome.as_ref(), started);
    outcome.unwrap_or_else(|error| failed(request, &error))
}

/// How often a request is tried again since collections have changed under it.
const REPLAYS_MAX: u32 = 5;

/// Between two tries of a request whose connection to the database was lost.
const PAUSE: Duration = Duration::from_millis(100);

/// Tries again if another server has changed collections meanwhile, or the connection to the
/// database was lost, where nothing was written yet.
async fn respond(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let begun = Instant::now();
    let mut replays = 0;
    loop {
        let version = app.store.version();
        let outcome = respond_once(app, request).await;
        match outcome {
            Err(error) if error.outdated() && repeatable(request) && replays < REPLAYS_MAX => {
                replays += 1;
                app.store.catch_up().await?;
                // If nothing is new, another try would end like this one.
                if app.store.version() == version || !request.rewind() {
                    return Err(error);
                }
            }
            // Another try waits for the database.
            Err(error)
                if error.database_away()
                    && repeatable(request)
                    && begun.elapsed() < app.store.options().hold_max
                    && request.rewind() =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Whether a request that failed on outdated collections has written nothing: it only reads, or its
/// handler looks to that.
fn repeatable(request: &Request) -> bool {
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    let path = request.uri.path();
    let writes = || match path
        .strip_prefix("/api/collections/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((_, rest)) => {
            rest.starts_with("records") || rest == "auth-with-password" || rest == "auth-refresh"
        }
        None => path == "/api/batch",
    };
    reads || writes()
}

async fn respond_once(app: &SharedApp, request: &mut Request) -> Result<Response, ApiError> {
    let path = request.uri.path();
    if path.starts_with("/api/") && path != "/api/health" {
        app.store.present().await?;
    }
    auth::authenticate(app, request).await?;
    check_superuser_ip(app, request)?;
    rate_limit::check_request(app, request).await?;
    check_body_length(app, request)?;
    router::route(app, request).await
}

/// Superusers may be bound to certain addresses (`settings.superuserIPs`).
fn check_superuser_ip(app: &SharedApp, request: &Request) -> Result<(), ApiError> {
    if request.by_superuser() && !access::superuser_welcome(app, request) {
        let cause = anyhow::anyhow!("the superuser's address is not in superuserIPs");
        return Err(ApiError::forbidden("").caused_by(cause));
    }
    Ok(())
}

/// Refuses a body that announces itself too large, wherever no handler has a limit of its own.
fn check_body_length(app: &SharedApp, request: &Request) -> Result<(), ApiError> {
    let length = content_length(&request.headers);
    let large = length.is_some_and(|length| length > app.config.body_max.bytes());
    if large && !limits_its_body(request.uri.path()) {
        return Err(ApiError::too_large());
    }
    Ok(())
}

/// Whether the handler takes bodies of another length: records by the fields of their collection,
/// batches by the settings, backups without limit.
fn limits_its_body(path: &str) -> bool {
    path.starts_with("/api/collections/") && path.contains("/records")
        || path == "/api/batch"
        || path == "/api/backups/upload"
}

/// Says what went wrong, to the client and in the log.
fn failed(request: &Request, error: &ApiError) -> Response {
    let cause = error.cause.as_ref();
    let stopping = cause
        .and_then(|cause| cause.downcast_ref::<StoreError>())
        .is_some_and(|cause| matches!(cause, StoreError::Stopping));
    let serious = error.status.is_server_error() && !stopping;
    if serious || tracing::enabled!(Level::DEBUG) {
        log(request, error, serious);
    }
    response::failure(error)
}

fn log(request: &Request, failure: &ApiError, serious: bool) {
    let cause = failure.cause.as_ref().map(|cause| format!("{cause:#}"));
    let cause = cause.as_deref().unwrap_or(&failure.message);
    let (id, method, path) = (request_id(&request.headers), &request.method, request.uri.path());
    let status = failure.status.as_u16();
    if serious {
        error!(target: REQUEST, { request.id = id, %method, path, status, cause }, "request failed");
    } else {
        debug!(target: REQUEST, { request.id = id, %method, path, status, cause }, "request refused");
    }
}

/// The id that a proxy gave the request, else one of our own.
fn request_id(headers: &HeaderMap) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let given = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    match given {
        Some(id) if !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX => id.to_owned(),
        _ => format!("{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Relaxed)),
    }
}

/// The answer to HEAD: what GET would say, but for the body.
fn without_body(mut response: Response) -> Response {
    // Of an error the real server does not tell the length.
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|_| response.status() == StatusCode::OK)
        && !response.headers().contains_key(CONTENT_LENGTH)
    {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Body::Empty;
    response
}

/// The status in words where Go keeps those of an older standard; browsers show them to scripts.
fn older_words(status: StatusCode) -> Option<ReasonPhrase> {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Some(ReasonPhrase::from_static(b"Request Entity Too Large"))
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Some(ReasonPhrase::from_static(b"Requested Range Not Satisfiable"))
        }
        _ => None,
    }
}

/// Runs `future` to its end, or to the panic in it.
async fn caught<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Box<dyn Any + Send>> {
    poll_fn(|context| {
        // What panicked is dropped and never looked at again; what it shares with other requests
        // recovers from poisoned locks.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests;
