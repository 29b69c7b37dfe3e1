//! The body of a request on its way in, and what happens to the part that nobody reads.
//!
//! An answer may be ready before the body has come: a guest is refused, a form is broken. On
//! HTTP/1 the rest stands between this request and the next one. So it is read and dropped before
//! the answer is sent, as far as that is cheap; else the answer says that the connection closes.
//! Source: Go `net/http`, `chunkWriter.writeHeader`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http::{HeaderMap, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The longest rest that is read and dropped, as in Go.
const REST_BYTES_MAX: u64 = 256 << 10;

/// How long a rest may take to come. Most of it is there already.
const REST_TIME_MAX: Duration = Duration::from_secs(1);

/// A body that leaves behind what was not read of it.
#[derive(Debug)]
pub(crate) struct Arriving {
    body: Option<Incoming>,
    left: Option<Arc<Mutex<Option<Incoming>>>>,
}

/// What was not read of a body, once that is dropped.
#[derive(Debug)]
pub(crate) struct Rest {
    left: Arc<Mutex<Option<Incoming>>>,
    bytes: Option<u64>,
    /// The client sends nothing before it is asked to.
    waits: bool,
}

impl Arriving {
    /// The body of a request. What comes with it is there if the body stands in the way of the
    /// next request.
    pub(crate) fn new(head: &Parts, body: Incoming) -> (Arriving, Option<Rest>) {
        if body.is_end_stream() || head.version > Version::HTTP_11 {
            return (Arriving { body: Some(body), left: None }, None);
        }
        let left = Arc::new(Mutex::new(None));
        let rest = Rest {
            left: Arc::clone(&left),
            bytes: content_length(&head.headers),
            waits: head.headers.contains_key(EXPECT),
        };
        (Arriving { body: Some(body), left: Some(left) }, Some(rest))
    }
}

/// The length that a body announces.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let (Some(body), Some(left)) = (self.body.take(), &self.left)
            && !body.is_end_stream()
        {
            *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}

impl Rest {
    /// Reads what is left of the body. False if the connection cannot be used again: it is too
    /// much, does not come, or the client waits to be asked for it.
    pub(crate) async fn drop_all(self) -> bool {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left else { return true };
        if self.waits || self.bytes.is_some_and(|bytes| bytes > REST_BYTES_MAX) {
            return false;
        }
        let reading = async {
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                if bytes > REST_BYTES_MAX {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(REST_TIME_MAX, reading).await.unwrap_or(false)
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
