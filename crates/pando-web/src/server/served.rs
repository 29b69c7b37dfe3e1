//! The body of an answer on its way out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use pando_runtime::connection::Busy;

use crate::response::Body;

/// Keeps the connection marked as busy until the body is sent.
#[derive(Debug)]
pub(super) struct Served {
    body: Body,
    _busy: Busy,
}

impl Served {
    pub(super) fn new(body: Body, busy: Busy) -> Served {
        Served { body, _busy: busy }
    }
}

impl hyper::body::Body for Served {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
