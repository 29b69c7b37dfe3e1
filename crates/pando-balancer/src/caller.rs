//! One connection of a client, from its acceptance to its end.

mod front;
mod open;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pando_runtime::connection::{Limits, Pulse, Verdict, Watched};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::alarms::Alarm;
use crate::figures::Figures;
use crate::proxy;
use crate::settings::Settings;
use crate::upstream::Head;
use crate::worker::{Phase, Worker};

pub(crate) use front::Aside;
pub(crate) use open::{Entrance, serve};

/// Requests at once on one HTTP/2 connection; browsers use up to 100.
const STREAMS_MAX: u32 = 200;
/// What a client may send ahead, on a stream and on the connection.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// What waits to be sent on a stream.
const STREAM_SEND_BYTES_MAX: usize = 256 << 10;
/// Streams that a client has reset and that are not yet cleared away (CVE-2023-44487), and those
/// that we had to reset for faults of the client (CVE-2025-8671). Past that the connection ends.
const RESETS_PENDING_MAX: usize = 20;
const RESETS_LOCAL_MAX: usize = 100;
/// HTTP/2 asks whether the other side is still there, and waits that long for the answer.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// What hyper reads ahead of HTTP/1.
const READ_AHEAD_BYTES: usize = 64 << 10;

/// What a listener offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Proxy,
    /// Only the way to the HTTPS listener.
    Redirect {
        https_port: u16,
    },
}

/// The other side of a connection.
pub(crate) struct Caller {
    pub(crate) worker: Arc<Worker>,
    /// The client, or the proxy in front of us.
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    /// `peer` is a proxy that is believed.
    pub(crate) trusted: bool,
    pub(crate) tls: bool,
    pub(crate) http_1: bool,
    pub(crate) door: Door,
    pub(crate) pulse: Arc<Pulse>,
    /// The way for interim answers, which hyper cannot send.
    aside: Arc<Aside>,
}

impl Caller {
    /// Passes an interim answer on, if the client can take it.
    pub(crate) fn interim(&self, head: &Head, figures: &Figures) {
        figures.interim.increment();
        if self.http_1 {
            self.aside.say(head);
        }
    }
}

/// Serves HTTP/1 until the client, a limit or the stop ends it.
async fn serve_http1<S>(caller: Caller, stream: S, settings: &Settings)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Time-outs come from the pulse, which tells waiting from sending.
        .header_read_timeout(None)
        .max_header_size(settings.headers_bytes_max)
        .max_buf_size(settings.headers_bytes_max.max(READ_AHEAD_BYTES));
    let (pulse, worker) = (Arc::clone(&caller.pulse), Arc::clone(&caller.worker));
    let aside = Arc::clone(&caller.aside);
    let caller = Arc::new(caller);
    let service = service_fn(move |request| {
        let caller = Arc::clone(&caller);
        // hyper keeps room for it as long as the connection is open.
        Box::pin(async move { Ok::<_, Infallible>(proxy::answer(&caller, request).await) })
    });
    let stream = front::Front::new(Watched::new(stream, Arc::clone(&pulse)), aside);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    drive(pin!(connection), |it| it.graceful_shutdown(), &worker, &pulse, settings.client).await;
}

/// Serves HTTP/2 in the same way.
async fn serve_http2<S>(caller: Caller, stream: S, settings: &Settings)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let headers_max = u32::try_from(settings.headers_bytes_max).unwrap_or(u32::MAX);
    let mut builder = http2::Builder::new(Tasks(caller.worker.tasks.clone()));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(STREAM_SEND_BYTES_MAX)
        .max_header_list_size(headers_max)
        .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
        .max_local_error_reset_streams(RESETS_LOCAL_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let (pulse, worker) = (Arc::clone(&caller.pulse), Arc::clone(&caller.worker));
    let caller = Arc::new(caller);
    let service = service_fn(move |request| {
        let caller = Arc::clone(&caller);
        async move { Ok::<_, Infallible>(proxy::answer(&caller, request).await) }
    });
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    let connection = builder.serve_connection(stream, service);
    drive(pin!(connection), |it| it.graceful_shutdown(), &worker, &pulse, settings.client).await;
}

/// Drives a connection, and ends it when it is time.
async fn drive<C>(
    mut connection: Pin<&mut C>,
    retire: impl Fn(Pin<&mut C>),
    worker: &Arc<Worker>,
    pulse: &Pulse,
    limits: Limits,
) where
    C: Future<Output = hyper::Result<()>>,
{
    let watch = Watch { alarm: worker.alarms.alarm(), limits };
    watch.alarm.set(limits.shortest());
    let mut retired = false;
    let outcome = poll_fn(|context| {
        loop {
            if let Poll::Ready(outcome) = connection.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            match watch.poll(context, pulse, worker.phase(), retired) {
                Next::Wait => return Poll::Pending,
                Next::Cut => {
                    debug!("a client took too long");
                    return Poll::Ready(Ok(()));
                }
                Next::Retire => {
                    retired = true;
                    retire(connection.as_mut());
                }
            }
        }
    });
    if let Err(error) = outcome.await {
        debug!(%error, "a connection ended early");
    }
}

struct Watch {
    alarm: Alarm,
    limits: Limits,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait,
    Retire,
    Cut,
}

impl Watch {
    fn poll(&self, context: &Context<'_>, pulse: &Pulse, phase: Phase, retired: bool) -> Next {
        self.alarm.watch(context);
        if phase == Phase::Stopping && !retired {
            // A head that is half sent gets a moment more.
            self.alarm.set(Duration::ZERO);
            return Next::Retire;
        }
        if !self.alarm.rings() {
            return Next::Wait;
        }
        match pulse.verdict(&self.limits, phase == Phase::Stopping) {
            Verdict::Wait(time) => {
                self.alarm.set(time);
                Next::Wait
            }
            Verdict::Cut => Next::Cut,
            Verdict::Retire if retired => Next::Cut,
            Verdict::Retire => {
                self.alarm.set(self.limits.header);
                Next::Retire
            }
        }
    }
}

/// Spawns what HTTP/2 needs on the worker's own thread.
#[derive(Clone)]
struct Tasks(TaskTracker);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        drop(self.0.spawn(task));
    }
}
