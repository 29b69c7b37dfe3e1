//! Bytes of another protocol between a client and an upstream, both ways.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::poll_read_buf;
use tracing::debug;

use crate::pool::Engaged;
use crate::upstream::Exchange;
use crate::worker::{Phase, Worker};

/// What is read ahead in each direction.
const BUFFER_BYTES: usize = 8 << 10;

/// Relays until both sides are done, nothing has moved for `idle_max`, or the process stops.
pub(super) async fn run(
    worker: Arc<Worker>,
    upgrade: OnUpgrade,
    exchange: Exchange,
    engaged: Engaged,
    idle_max: Duration,
) {
    let client = match upgrade.await {
        Ok(upgraded) => TokioIo::new(upgraded),
        Err(error) => return debug!(%error, "a client left before its upgrade"),
    };
    let mut link = exchange.into_link();
    let mut client = client;
    // What the upstream sent right behind its answer.
    let mut down = Way::new(std::mem::take(&mut link.input));
    let mut up = Way::new(BytesMut::new());
    link.alarm.set(idle_max);
    let outcome = poll_fn(|context| {
        let mut moved = false;
        let sent = up.poll(context, &mut client, &mut link.wire, &mut moved)?;
        let received = down.poll(context, &mut link.wire, &mut client, &mut moved)?;
        if sent.is_ready() && received.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if moved {
            link.alarm.set(idle_max);
        } else if link.alarm.rings() || worker.phase() == Phase::Stopping {
            return Poll::Ready(Ok(()));
        }
        link.alarm.watch(context);
        Poll::<io::Result<()>>::Pending
    })
    .await;
    if let Err(error) = outcome {
        debug!(%error, upstream = %engaged.upstream.address, "an upgraded connection ended");
    }
}

/// One direction.
struct Way {
    buffer: BytesMut,
    ended: bool,
    shut: bool,
}

impl Way {
    fn new(buffer: BytesMut) -> Way {
        Way { buffer, ended: false, shut: false }
    }

    /// Moves what can be moved; ready when the reader has ended and the writer knows.
    fn poll<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        moved: &mut bool,
    ) -> io::Result<Poll<()>> {
        loop {
            match self.step(context, from, to) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Ready(Ok(true)) => *moved = true,
                Poll::Ready(Ok(false)) => return Ok(Poll::Ready(())),
            }
        }
    }

    /// One read or write; false when there is nothing left to do.
    fn step<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
    ) -> Poll<io::Result<bool>> {
        if !self.buffer.is_empty() {
            let count = ready!(Pin::new(&mut *to).poll_write(context, &self.buffer))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.buffer.advance(count);
            return Poll::Ready(Ok(true));
        }
        if self.shut {
            return Poll::Ready(Ok(false));
        }
        if self.ended {
            ready!(Pin::new(to).poll_shutdown(context))?;
            self.shut = true;
            return Poll::Ready(Ok(false));
        }
        let _ = Pin::new(to).poll_flush(context)?;
        self.buffer.reserve(BUFFER_BYTES);
        let count = ready!(poll_read_buf(Pin::new(from), context, &mut self.buffer))?;
        self.ended = count == 0;
        Poll::Ready(Ok(true))
    }
}
