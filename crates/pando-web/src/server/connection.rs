//! One connection, from its acceptance to its end.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use pando_runtime::Lifecycle;
use pando_runtime::config::WebConfig;
use pando_runtime::connection::{Limits, Pulse, Verdict, Watched};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::answer;
use super::hosts;
use super::served::Served;
use crate::app::SharedApp;

/// How long a client may take to agree on keys.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Requests at once on one HTTP/2 connection; browsers use up to 100.
const STREAMS_MAX: u32 = 200;
/// What a client may send ahead on a stream, as in HTTP/2 of browsers and Go.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// HTTP/2 asks whether the other side is still there, and waits that long for the answer.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What a listener offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Api,
    /// Only the way to the HTTPS listener.
    Redirect {
        https_port: u16,
    },
}

/// What all connections of a listener share.
pub(super) struct Entrance {
    app: SharedApp,
    door: Door,
    tls: Option<TlsAcceptor>,
    permits: Arc<Semaphore>,
    protocol: Builder<Tasks>,
    limits: Limits,
}

/// The other side of a connection.
pub(super) struct Caller {
    pub(super) app: SharedApp,
    pub(super) ip: IpAddr,
    pub(super) tls: bool,
    pub(super) pulse: Arc<Pulse>,
    door: Door,
}

impl Entrance {
    pub(super) fn new(
        app: &SharedApp,
        door: Door,
        tls: Option<TlsAcceptor>,
        permits: &Arc<Semaphore>,
    ) -> Arc<Entrance> {
        Arc::new(Entrance {
            app: Arc::clone(app),
            door,
            tls,
            permits: Arc::clone(permits),
            protocol: protocol(app),
            limits: limits(&app.config),
        })
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.app.life.stopping
    }

    /// The right to one more connection; waits for one to end if there are too many.
    pub(super) async fn permit(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        permit.expect("nobody closes the semaphore")
    }

    /// Serves a connection in a task of its own.
    pub(super) fn admit(
        self: &Arc<Entrance>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
    ) {
        let entrance = Arc::clone(self);
        let serving = async move {
            let _permit = permit;
            let _present = entrance.app.front.figures.connection();
            // Answers are written whole, so there is nothing to wait for.
            let _ = stream.set_nodelay(true);
            let ip = peer.ip().to_canonical();
            let Some(tls) = &entrance.tls else { return entrance.serve(stream, ip).await };
            match tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
                Ok(Ok(stream)) => entrance.serve(stream, ip).await,
                Ok(Err(error)) => debug!(error = %error, "failed to agree on keys"),
                Err(_elapsed) => debug!("a client took too long to agree on keys"),
            }
        };
        drop(self.app.life.track(serving));
    }

    /// Serves requests until the client or a limit ends the connection, or the server stops and
    /// all that came is answered.
    async fn serve<S>(&self, stream: S, ip: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pulse = Arc::new(Pulse::new());
        let caller = Arc::new(Caller {
            app: Arc::clone(&self.app),
            ip,
            tls: self.tls.is_some(),
            pulse: Arc::clone(&pulse),
            door: self.door,
        });
        let service = service_fn(move |request| {
            let caller = Arc::clone(&caller);
            async move { Ok::<_, Infallible>(caller.answer(request).await) }
        });
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
        let mut connection = pin!(self.protocol.serve_connection(stream, service));
        let mut check = pin!(sleep(self.limits.shortest()));
        // A token of its own, so that connections do not meet at the lock of the common one.
        let stopping = self.stopping().child_token();
        let mut stop = pin!(stopping.cancelled());
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        debug!(error = %error, "a connection ended early");
                    }
                    return;
                }
                () = stop.as_mut(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = check.as_mut() => {}
            }
            match pulse.verdict(&self.limits, draining) {
                Verdict::Wait(time) => check.as_mut().reset(tokio::time::Instant::now() + time),
                Verdict::Cut => {
                    debug!("a client took too long");
                    return;
                }
                Verdict::Retire => {
                    connection.as_mut().graceful_shutdown();
                    let soon = tokio::time::Instant::now() + self.limits.header;
                    check.as_mut().reset(soon);
                }
            }
        }
    }
}

impl Caller {
    async fn answer(self: Arc<Caller>, request: http::Request<Incoming>) -> http::Response<Served> {
        let busy = self.pulse.begin();
        let sends_body = !hyper::body::Body::is_end_stream(request.body());
        let response = match self.door {
            Door::Api => answer::answer(&self, request).await,
            Door::Redirect { https_port } => hosts::to_https(&request.into_parts().0, https_port),
        };
        if sends_body && !response.status().is_success() {
            self.pulse.refuse();
        }
        let (head, body) = response.into_parts();
        http::Response::from_parts(head, Served::new(body, busy))
    }
}

fn limits(config: &WebConfig) -> Limits {
    Limits {
        idle: config.idle_timeout.duration(),
        header: config.header_timeout.duration(),
        stuck: config.body_timeout.duration(),
    }
}

fn protocol(app: &SharedApp) -> Builder<Tasks> {
    let headers_max = app.config.headers_max.as_usize();
    let mut builder = Builder::new(Tasks(app.life.clone()));
    // Time-outs of HTTP/1 come from the pulse, which tells waiting from sending.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(headers_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(2 * STREAM_WINDOW_BYTES)
        .max_header_list_size(u32::try_from(headers_max).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// Spawns what HTTP/2 needs as tasks of the process.
#[derive(Clone)]
struct Tasks(Lifecycle);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        drop(self.0.track(task));
    }
}
