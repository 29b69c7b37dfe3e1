//! Tries of one request, until an upstream has answered it or it is given up.
//!
//! *Invariant*: a request whose method is not safe is sent to a second upstream only if the first
//! one has certainly not received it.

use std::error::Error as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use pando_topology::{Key, Stage, Verdict};
use tokio::time::sleep;
use tracing::{debug, warn};

use super::payload::Payload;
use super::{Admitted, Notes, relay, wants_stream};
use crate::answers::OwnAnswer;
use crate::body::{Body, Passing};
use crate::caller::Caller;
use crate::fields::Nominated;
use crate::outgoing::{Facts, write_head};
use crate::pool::{Engaged, Wish};
use crate::shared::Current;
use crate::upstream::{Asked, Broken, ConnectError, Exchange, Head, Link, OnBehalf, Upstream};

/// A request with all that its tries have in common.
pub(super) struct Attempts<'a> {
    pub(super) caller: &'a Arc<Caller>,
    pub(super) current: &'a Current,
    pub(super) head: &'a Parts,
    pub(super) nominated: &'a Nominated,
    pub(super) admitted: &'a Admitted,
    /// For consistent hashing.
    pub(super) key: Option<Key>,
    /// When the request came.
    pub(super) began: Duration,
}

/// A try that failed.
struct Failure {
    stage: Stage,
    error: TryError,
}

#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<&TryError> for OwnAnswer {
    fn from(error: &TryError) -> OwnAnswer {
        match error {
            TryError::Connect(error) => error.into(),
            TryError::Broken(error) => error.into(),
        }
    }
}

impl Attempts<'_> {
    /// Sends the request until somebody answers.
    pub(super) async fn run(
        &self,
        mut payload: Payload,
        upgrade: Option<OnUpgrade>,
        notes: &mut Notes,
    ) -> Result<Response<Body>, OwnAnswer> {
        let worker = &self.caller.worker;
        worker.budget().deposit(self.began);
        let stream = upgrade.is_some() || wants_stream(self.head);
        let (mut tried, mut retries, mut now) = (Vec::new(), 0, self.began);
        let mut last_stage = None;
        loop {
            let settings = &self.current.settings;
            let wish = Wish { choice: settings.choice, key: self.key, stream, tried: &tried };
            let pool = &worker.shared.pool;
            let upstream = pool.upstream_for(worker, settings, &wish, now).await?;
            let fresh = last_stage == Some(Stage::Stale);
            let try_ = Try { upstream: &upstream, upgrade: upgrade.is_some(), fresh };
            let outcome = self.try_once(&try_, &mut payload, now).await;
            now = worker.alarms.elapsed();
            notes.upstream = Some(Arc::clone(&upstream));
            notes.retries = retries;
            let (stage, pause) = match outcome {
                Ok((head, exchange, engaged)) => {
                    let again = unavailable(&head)
                        .then(|| self.pause(Stage::Unavailable, &payload, retries, now));
                    match again.flatten() {
                        Some(pause) => (Stage::Unavailable, pause),
                        None => return Ok(self.pass(head, exchange, engaged, upgrade)),
                    }
                }
                Err(Failure { stage, error }) => match self.pause(stage, &payload, retries, now) {
                    Some(pause) => {
                        debug!(upstream = %upstream.address, %error, ?stage, "trying again");
                        (stage, pause)
                    }
                    None => return Err(self.given_up(&upstream, &error)),
                },
            };
            if !pause.is_zero() {
                sleep(pause).await;
                now = worker.alarms.elapsed();
            }
            last_stage = Some(stage);
            // A stale connection says nothing about the upstream.
            if stage != Stage::Stale {
                tried.push(upstream.id);
            }
            retries += 1;
            worker.shared.figures.retries.increment();
        }
    }

    /// How long to wait before the next try, if there is to be one.
    fn pause(
        &self,
        stage: Stage,
        payload: &Payload,
        retries: u32,
        now: Duration,
    ) -> Option<Duration> {
        let (worker, settings) = (&self.caller.worker, &self.current.settings);
        if now.saturating_sub(self.began) >= settings.request_timeout {
            return None;
        }
        let (safe, replayable) = (self.head.method.is_safe(), payload.replayable());
        let verdict =
            worker.draw(|rng| settings.retry.judge(stage, safe, replayable, retries, rng));
        match verdict {
            Verdict::Again(pause) => Some(pause),
            Verdict::IfAffordable(pause) => {
                let affordable = worker.budget().withdraw(now, &settings.budget);
                if !affordable {
                    worker.shared.figures.retries_denied.increment();
                }
                affordable.then_some(pause)
            }
            Verdict::GiveUp => None,
        }
    }

    /// Sends the request to one upstream, up to the head of its answer.
    async fn try_once(
        &self,
        try_: &Try<'_>,
        payload: &mut Payload,
        now: Duration,
    ) -> Result<(Head, Exchange, Engaged), Failure> {
        let worker = &self.caller.worker;
        let engaged = Engaged::new(&worker.shared, Arc::clone(try_.upstream), now);
        let mut link = match self.link(try_).await {
            Ok(link) => link,
            Err(error) => {
                engaged.unanswered(worker.alarms.elapsed());
                return Err(Failure { stage: Stage::NotSent, error: error.into() });
            }
        };
        let facts = Facts {
            host: &self.admitted.host,
            client: self.admitted.client,
            peer: self.caller.peer.ip(),
            trusted: self.caller.trusted,
            tls: self.caller.tls,
            ids: &self.admitted.ids,
            secret: self.current.settings.secret.as_ref(),
            upgrade: try_.upgrade,
            body: payload.length,
            expect: payload.expect,
        };
        write_head(&mut link.output, self.head, self.nominated, &facts);
        let asked = Asked {
            method: self.head.method.clone(),
            upgrade: try_.upgrade,
            impatient: self.head.method.is_safe(),
        };
        let patience = self.current.settings.patience;
        let mut exchange = Exchange::new(link, payload.take(), asked, patience);
        let mut interim = |head: Head| self.caller.interim(&head, &worker.shared.figures);
        let answered = poll_fn(|context| exchange.poll_head(context, &mut interim)).await;
        let now = worker.alarms.elapsed();
        match answered {
            Ok(head) => {
                engaged.answered(now, !unavailable(&head) || sheds(&head));
                Ok((head, exchange, engaged))
            }
            Err(broken) => {
                let stage = exchange.stage(&broken);
                let clients_fault = matches!(broken, Broken::Client(_) | Broken::ClientTooSlow);
                if stage != Stage::Stale && !clients_fault {
                    engaged.unanswered(now);
                }
                Err(Failure { stage, error: broken.into() })
            }
        }
    }

    /// A connection that waits, or a new one.
    async fn link(&self, try_: &Try<'_>) -> Result<Link, ConnectError> {
        let worker = &self.caller.worker;
        let connector = &self.current.connector;
        if !try_.fresh && !connector.private() {
            // What cannot be sent twice needs a connection that is certainly there.
            let surely = !self.head.method.is_safe();
            if let Some(link) = worker.idle.take(try_.upstream, surely) {
                return Ok(link);
            }
        }
        let on_behalf = connector
            .private()
            .then_some(OnBehalf { client: self.caller.peer, local: self.caller.local });
        let wire = connector.connect(&try_.upstream.address, on_behalf).await?;
        Ok(Link::new(wire, Arc::clone(try_.upstream), worker.alarms.alarm()))
    }

    /// Hands an answer on to the client.
    fn pass(
        &self,
        head: Head,
        mut exchange: Exchange,
        mut engaged: Engaged,
        upgrade: Option<OnUpgrade>,
    ) -> Response<Body> {
        let worker = &self.caller.worker;
        let Head { parts, keeps, .. } = head;
        let keeps = keeps && !self.current.connector.private();
        if let (StatusCode::SWITCHING_PROTOCOLS, Some(upgrade)) = (parts.status, upgrade) {
            engaged.becomes_stream();
            let idle_max = self.current.settings.patience.stream;
            let relaying = relay::run(Arc::clone(worker), upgrade, exchange, engaged, idle_max);
            drop(worker.tasks.spawn(relaying));
            return Response::from_parts(parts, Body::Empty);
        }
        let whole = exchange.take_whole();
        if exchange.done() {
            if keeps && exchange.reusable() {
                worker.idle.put(exchange.into_link(), worker.alarms.now_ms());
            }
            let body = whole.map_or(Body::Empty, |bytes| Body::Full(Some(bytes)));
            return Response::from_parts(parts, body);
        }
        let kind = parts.headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
        if kind.starts_with(b"text/event-stream") {
            engaged.becomes_stream();
        }
        let passing = Passing::new(Arc::clone(worker), exchange, keeps, engaged);
        Response::from_parts(parts, Body::Upstream(Box::new(passing)))
    }

    fn given_up(&self, upstream: &Upstream, error: &TryError) -> OwnAnswer {
        let clients_fault =
            matches!(error, TryError::Broken(Broken::Client(_) | Broken::ClientTooSlow));
        if !clients_fault {
            let id = self.admitted.ids.request.as_str();
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            warn!(request.id = id, upstream = %upstream.address, %error, cause, "a request failed");
        }
        error.into()
    }
}

/// What one try has of its own.
struct Try<'a> {
    upstream: &'a Arc<Upstream>,
    upgrade: bool,
    /// Only a new connection will do.
    fresh: bool,
}

/// The upstream, or who stands behind it, cannot answer now.
fn unavailable(head: &Head) -> bool {
    matches!(
        head.parts.status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// It is well and has too much to do, and says when to come again: no reason to take it out.
fn sheds(head: &Head) -> bool {
    head.parts.headers.contains_key(RETRY_AFTER)
}
