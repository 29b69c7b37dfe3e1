//! One HTTP/1.1 connection to an upstream, between and during requests.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::AsyncWrite as _;
use tokio_util::io::poll_read_buf;

use super::Upstream;
use super::wire::Wire;
use crate::alarms::Alarm;

/// The first read of an answer: most fit whole.
const READ_BYTES: usize = 4 << 10;
/// Later reads, once a body turns out to be long.
const READ_BYTES_LONG: usize = 32 << 10;

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) wire: Wire,
    pub(crate) upstream: Arc<Upstream>,
    /// What has come and is not used.
    pub(crate) input: BytesMut,
    /// What is to be written: text of ours, then a part of a body.
    pub(crate) output: Vec<u8>,
    written: usize,
    pub(crate) payload: Bytes,
    pub(crate) alarm: Alarm,
    /// Requests that it has served.
    pub(crate) served: u32,
    /// When it became idle, in the time of its worker.
    pub(crate) idle_since_ms: u64,
    long: bool,
}

impl Link {
    pub(crate) fn new(wire: Wire, upstream: Arc<Upstream>, alarm: Alarm) -> Link {
        upstream.connected();
        Link {
            wire,
            upstream,
            input: BytesMut::new(),
            output: Vec::new(),
            written: 0,
            payload: Bytes::new(),
            alarm,
            served: 0,
            idle_since_ms: 0,
            long: false,
        }
    }

    /// Makes it ready for the next request.
    pub(crate) fn rest(&mut self, now_ms: u64) {
        self.alarm.forget();
        self.served = self.served.saturating_add(1);
        self.idle_since_ms = now_ms;
        self.long = false;
    }

    /// Gives memory back that only a busy connection needs.
    pub(crate) fn shrink(&mut self) {
        self.input = BytesMut::new();
        self.output = Vec::new();
    }

    /// Whether all has been handed to the system.
    pub(crate) fn written(&self) -> bool {
        self.written == self.output.len() && self.payload.is_empty()
    }

    /// Writes what is to be written; ready when that is done. Progress is told by `moved`.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        moved: &mut bool,
    ) -> Poll<std::io::Result<()>> {
        while !self.written() {
            let wire = Pin::new(&mut self.wire);
            let text = &self.output[self.written..];
            let count = match (text.is_empty(), self.payload.is_empty()) {
                (false, true) => ready!(wire.poll_write(context, text))?,
                (true, _) => ready!(wire.poll_write(context, &self.payload))?,
                (false, false) => {
                    let slices = [IoSlice::new(text), IoSlice::new(&self.payload)];
                    ready!(wire.poll_write_vectored(context, &slices))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            *moved = true;
            let of_text = count.min(text.len());
            self.written += of_text;
            self.payload.advance(count - of_text);
        }
        self.output.clear();
        self.written = 0;
        // Only encryption keeps anything back.
        match &mut self.wire {
            Wire::Plain(_) => Poll::Ready(Ok(())),
            wire @ Wire::Tls(_) => Pin::new(wire).poll_flush(context),
        }
    }

    /// Reads once; 0 at the end of the stream.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let room = if self.long { READ_BYTES_LONG } else { READ_BYTES };
        if self.input.capacity() - self.input.len() < room / 4 {
            self.input.reserve(room);
        }
        let count = ready!(poll_read_buf(Pin::new(&mut self.wire), context, &mut self.input))?;
        self.long |= self.input.len() == self.input.capacity();
        Poll::Ready(Ok(count))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.upstream.disconnected();
    }
}
