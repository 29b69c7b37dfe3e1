//! The body as the parser gets it: a piece at a time, and with a limit where it collects.
//!
//! The parser takes all that is ready before it looks at any of it, and searches everything from
//! the start when more comes. So it gets one piece, is made to look, and gets the next; and what
//! must be there as a whole, such as the head of a part, must come soon.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What may precede the first part, and the head of each. A client sends some hundred bytes. The
/// more it is, the longer the search takes when it comes in pieces of a byte.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The content of a part is not collected by the parser, so it has no limit here.
const NO_LIMIT: usize = usize::MAX;

/// What the parser may still take before it must have found what it looks for.
#[derive(Clone)]
pub(super) struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    pub(super) fn expect_head(&self) {
        self.0.store(HEAD_BYTES_MAX, Relaxed);
    }

    pub(super) fn expect_content(&self) {
        self.0.store(NO_LIMIT, Relaxed);
    }
}

/// A body for `multer`.
pub(super) struct Pieces<B> {
    body: B,
    gauge: Gauge,
    /// Whether the parser shall look at what it has before it gets more.
    pausing: bool,
}

impl<B> Pieces<B> {
    pub(super) fn new(body: B) -> (Pieces<B>, Gauge) {
        let gauge = Gauge(Arc::new(AtomicUsize::new(HEAD_BYTES_MAX)));
        (Pieces { body, gauge: gauge.clone(), pausing: false }, gauge)
    }
}

impl<B> Body for Pieces<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if std::mem::take(&mut self.pausing) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let left = self.gauge.0.load(Relaxed);
        if left == 0 && bytes > 0 {
            return Poll::Ready(Some(Err("the head of a part is too long".into())));
        }
        if left != NO_LIMIT {
            self.gauge.0.store(left.saturating_sub(bytes), Relaxed);
        }
        self.pausing = true;
        Poll::Ready(Some(Ok(frame)))
    }
}
