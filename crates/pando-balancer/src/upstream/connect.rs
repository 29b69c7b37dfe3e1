//! New connections to upstreams.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use pando_runtime::tls::{self, TlsError};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Address, Wire};
use crate::config::ProxyProtocol;
use crate::proxy_protocol;
use crate::settings::Settings;

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: Option<TlsConnector>,
    connect_timeout: Duration,
    tls_timeout: Duration,
    proxy_out: ProxyProtocol,
}

/// Whose connection it is, for upstreams that are told by the PROXY protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnBehalf {
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// Why there is no connection. Nothing of a request has been sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("failed to connect")]
    Connect(#[source] io::Error),
    #[error("nobody accepted the connection in time")]
    ConnectTime,
    #[error("failed to agree on keys")]
    Tls(#[source] io::Error),
    #[error("agreeing on keys took too long")]
    TlsTime,
}

impl Connector {
    /// By `settings`. Reads the certificates that sign those of upstreams, if any upstream has one.
    pub(crate) fn new(settings: &Settings) -> Result<Connector, TlsError> {
        let encrypts = settings.entries.iter().any(|entry| entry.tls);
        let tls = match (encrypts, settings.upstream_tls_ca.as_str()) {
            (false, "") => None,
            (_, "") => Some(tls::client_config(None)?),
            (_, path) => Some(tls::client_config(Some(&PathBuf::from(path)))?),
        };
        Ok(Connector {
            tls: tls.map(TlsConnector::from),
            connect_timeout: settings.connect_timeout,
            tls_timeout: settings.tls_timeout,
            proxy_out: settings.proxy_out,
        })
    }

    /// Whether each client has connections of its own.
    pub(crate) fn private(&self) -> bool {
        self.proxy_out != ProxyProtocol::Off
    }

    /// A connection to `address`.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        on_behalf: Option<OnBehalf>,
    ) -> Result<Wire, ConnectError> {
        let connecting = timeout(self.connect_timeout, TcpStream::connect(address.socket));
        let connected = connecting.await.map_err(|_elapsed| ConnectError::ConnectTime)?;
        let mut stream = connected.map_err(ConnectError::Connect)?;
        // Requests are written whole, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        if let Some(OnBehalf { client, local }) = on_behalf {
            let head = proxy_protocol::write(self.proxy_out, client, local);
            stream.write_all(&head).await.map_err(ConnectError::Connect)?;
        }
        let Some(name) = &address.tls else { return Ok(Wire::Plain(stream)) };
        let Some(tls) = &self.tls else {
            let text = "no certificates are set up for https:// upstreams";
            return Err(ConnectError::Tls(io::Error::other(text)));
        };
        let agreeing = timeout(self.tls_timeout, tls.connect(name.clone(), stream));
        let agreed = agreeing.await.map_err(|_elapsed| ConnectError::TlsTime)?;
        Ok(Wire::Tls(Box::new(agreed.map_err(ConnectError::Tls)?)))
    }
}

impl ConnectError {
    /// Whether nobody listens there at all.
    pub(crate) fn refused(&self) -> bool {
        matches!(self, ConnectError::Connect(error)
            if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

/// Keeps a shared connector printable.
impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("proxy_out", &self.proxy_out).finish_non_exhaustive()
    }
}
