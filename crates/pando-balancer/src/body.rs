//! The body of an answer on its way to the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use pando_runtime::connection::Busy;
use tracing::debug;

use crate::pool::Engaged;
use crate::upstream::{Broken, Exchange};
use crate::worker::{Phase, Worker};

/// What is sent to the client.
pub(crate) enum Body {
    Empty,
    /// All of it.
    Full(Option<Bytes>),
    /// As it comes from the upstream.
    Upstream(Box<Passing>),
}

/// An answer that is being passed on.
pub(crate) struct Passing {
    worker: Arc<Worker>,
    exchange: Option<Exchange>,
    keeps: bool,
    /// Counts the request, or the stream, until the body is gone.
    engaged: Engaged,
}

impl Passing {
    /// `keeps`: the upstream's connection may be used again afterwards.
    pub(crate) fn new(
        worker: Arc<Worker>,
        exchange: Exchange,
        keeps: bool,
        engaged: Engaged,
    ) -> Passing {
        Passing { worker, exchange: Some(exchange), keeps, engaged }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(None) };
        // A stream of events has no end of its own; its client comes again, elsewhere.
        if self.engaged.is_stream() && self.worker.phase() == Phase::Stopping {
            self.exchange = None;
            return Poll::Ready(None);
        }
        let polled = exchange.poll_frame(context);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(_))) if !exchange.done() => {}
            // hyper need not ask again once it has all that was announced.
            Poll::Ready(None | Some(Ok(_))) => self.finish(),
            Poll::Ready(Some(Err(error))) => {
                let upstream = &exchange.link.upstream.address;
                debug!(%upstream, error = %error, "an answer was cut short");
                self.exchange = None;
            }
        }
        polled
    }

    fn finish(&mut self) {
        if let Some(exchange) = self.exchange.take()
            && self.keeps
            && exchange.reusable()
        {
            self.worker.idle.put(exchange.into_link(), self.worker.alarms.now_ms());
        }
    }
}

/// Keeps the client's connection marked as busy until the body is sent.
pub(crate) struct Served {
    body: Body,
    _busy: Busy,
}

impl Served {
    pub(crate) fn new(body: Body, busy: Busy) -> Served {
        Served { body, _busy: busy }
    }
}

impl hyper::body::Body for Served {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.body {
            Body::Empty => Poll::Ready(None),
            Body::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::Upstream(passing) => passing.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Body::Empty | Body::Full(None) => true,
            Body::Full(Some(_)) => false,
            Body::Upstream(passing) => passing.exchange.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Body::Empty | Body::Full(None) => SizeHint::with_exact(0),
            Body::Full(Some(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            Body::Upstream(passing) => {
                let exchange = passing.exchange.as_ref();
                match exchange.map_or(Some(0), Exchange::length_left) {
                    Some(left) => SizeHint::with_exact(left),
                    None => SizeHint::default(),
                }
            }
        }
    }
}
