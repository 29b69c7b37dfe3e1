//! The beginning of a connection: whose it is, TLS, and which HTTP it speaks.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use pando_runtime::connection::Pulse;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::{Caller, Door, serve_http1, serve_http2};
use crate::clients::Present;
use crate::proxy_protocol::{self, NoHeader};
use crate::shared::Current;
use crate::worker::Worker;

/// How HTTP/2 begins (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FIRST_READ_BYTES: usize = 4 << 10;

/// What all connections of a listener have in common.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) door: Door,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// A connection being served.
type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why a connection ended before its first request.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("failed to agree on keys")]
    Tls(#[source] io::Error),
    #[error(transparent)]
    NoHeader(#[from] NoHeader),
    #[error("failed to read")]
    Read(#[from] io::Error),
    #[error("the client took too long")]
    TooSlow,
    #[error("the client has too many connections")]
    TooMany,
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    worker: Arc<Worker>,
    entrance: Entrance,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let figures = &worker.shared.figures;
    figures.connections.add(1);
    // What a handshake needs is much, and is gone before the connection is served.
    let opened = Box::pin(open(&worker, entrance, stream, peer)).await;
    match opened {
        Ok(serving) => serving.await,
        Err(error) => {
            match error {
                OpenError::TooMany => figures.connections_refused.increment(),
                _ => figures.handshakes_failed.increment(),
            }
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let cause = source.unwrap_or_default();
            debug!(%error, cause, %peer, "a connection was not opened");
        }
    }
    figures.connections.add(-1);
}

/// What serves the connection.
async fn open(
    worker: &Arc<Worker>,
    entrance: Entrance,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Serving, OpenError> {
    let current = worker.current();
    let settings = &current.settings;
    // Answers are written whole, so there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr()?;
    let mut stream = Prefixed { prefix: BytesMut::new(), stream };
    let mut peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    if settings.proxy_protocol_from.contain(peer.ip()) {
        let header = timeout(settings.client.header, stream.read_proxy_header());
        let announced = header.await.map_err(|_elapsed| OpenError::TooSlow)??;
        peer = announced.unwrap_or(peer);
    }
    let present = match settings.unlimited_clients.contain(peer.ip()) {
        true => None,
        false => {
            let most = settings.connections_per_client;
            let most = if most == 0 { u32::MAX } else { most };
            worker.shared.clients.connect(peer.ip(), most).map_err(|_| OpenError::TooMany)?
        }
    };
    let mut caller = Caller {
        worker: Arc::clone(worker),
        peer,
        local,
        trusted: settings.trusted_proxies.contain(peer.ip()),
        tls: entrance.tls.is_some(),
        http_1: true,
        door: entrance.door,
        pulse: Arc::new(Pulse::new()),
        aside: Arc::default(),
    };
    let Some(tls) = entrance.tls else {
        let first = timeout(settings.client.header, stream.begins_with_preface());
        caller.http_1 = !first.await.map_err(|_elapsed| OpenError::TooSlow)??;
        return Ok(serving(caller, stream, &current, present));
    };
    let agreeing = timeout(settings.tls_timeout, tls.accept(stream)).await;
    let stream = agreeing.map_err(|_elapsed| OpenError::TooSlow)?.map_err(OpenError::Tls)?;
    caller.http_1 = stream.get_ref().1.alpn_protocol() != Some(b"h2");
    Ok(serving(caller, stream, &current, present))
}

/// A future of its own for each protocol: one for both would be as large as the larger one.
fn serving<S>(
    caller: Caller,
    stream: S,
    current: &Arc<Current>,
    present: Option<Present>,
) -> Serving
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let current = Arc::clone(current);
    match caller.http_1 {
        true => Box::pin(async move {
            serve_http1(caller, stream, &current.settings).await;
            drop(present);
        }),
        false => Box::pin(async move {
            serve_http2(caller, stream, &current.settings).await;
            drop(present);
        }),
    }
}

/// A stream of which something has been read already.
struct Prefixed {
    prefix: BytesMut,
    stream: TcpStream,
}

impl Prefixed {
    /// Reads more; false at the end.
    async fn read_more(&mut self) -> io::Result<bool> {
        // The buffer is made when there is something to put into it.
        self.stream.readable().await?;
        self.prefix.reserve(FIRST_READ_BYTES);
        Ok(self.stream.read_buf(&mut self.prefix).await? > 0)
    }

    async fn read_proxy_header(&mut self) -> Result<Option<SocketAddr>, OpenError> {
        loop {
            if let Some(header) = proxy_protocol::parse(&self.prefix)? {
                self.prefix.advance(header.length);
                return Ok(header.client);
            }
            if !self.read_more().await? {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Whether the client speaks HTTP/2 without having agreed on it.
    async fn begins_with_preface(&mut self) -> Result<bool, OpenError> {
        loop {
            let seen = self.prefix.len().min(PREFACE.len());
            if self.prefix[..seen] != PREFACE[..seen] {
                return Ok(false);
            }
            // A client that leaves here is seen to by the server of HTTP/1.
            if seen == PREFACE.len() || !self.read_more().await? {
                return Ok(seen == PREFACE.len());
            }
        }
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..count]);
        self.prefix.advance(count);
        if self.prefix.is_empty() {
            self.prefix = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
