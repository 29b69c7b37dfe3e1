//! Interim answers (103 and the like), which hyper's server cannot send, written between its own
//! bytes.
//!
//! They may go only where one answer has ended and the next has not begun. hyper flushes the
//! stream when it has nothing left to write, so after a flush the place is right as long as
//! nothing else has been written; where it is not, the interim answer is dropped, as any hop may.
//!
//! Source: RFC 9110 15.2, RFC 8297.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::upstream::Head;

/// What waits to be said. More is dropped.
const ASIDE_BYTES_MAX: usize = 16 << 10;

/// Interim answers on their way to the client.
#[derive(Debug, Default)]
pub(crate) struct Aside(Mutex<Vec<u8>>);

impl Aside {
    pub(crate) fn say(&self, head: &Head) {
        let mut waiting = self.lock();
        let status = head.parts.status;
        let reason = status.canonical_reason().unwrap_or("Interim");
        let before = waiting.len();
        waiting.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).as_bytes());
        for (name, value) in &head.parts.headers {
            waiting.extend_from_slice(name.as_str().as_bytes());
            waiting.extend_from_slice(b": ");
            waiting.extend_from_slice(value.as_bytes());
            waiting.extend_from_slice(b"\r\n");
        }
        waiting.extend_from_slice(b"\r\n");
        if waiting.len() > ASIDE_BYTES_MAX {
            waiting.truncate(before);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that says what is aside when it is flushed.
pub(super) struct Front<S> {
    stream: S,
    aside: Arc<Aside>,
    /// Being written, from that position.
    saying: Option<(Vec<u8>, usize)>,
    /// Nothing was written since the last flush.
    between: bool,
}

impl<S> Front<S> {
    pub(super) fn new(stream: S, aside: Arc<Aside>) -> Front<S> {
        Front { stream, aside, saying: None, between: true }
    }
}

impl<S: AsyncWrite + Unpin> Front<S> {
    /// Ready when nothing is aside any more.
    fn poll_say(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some((text, written)) = &mut self.saying {
                let left = &text[*written..];
                let count = ready!(Pin::new(&mut self.stream).poll_write(context, left))?;
                *written += count;
                if *written < text.len() {
                    continue;
                }
                self.saying = None;
            }
            let mut waiting = self.aside.lock();
            if waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let text = std::mem::take(&mut *waiting);
            if self.between {
                self.saying = Some((text, 0));
            }
        }
    }

    fn poll_before_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_say(context))?;
        self.between = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Front<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Front<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_write(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_write(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.between = true;
        ready!(self.poll_say(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
