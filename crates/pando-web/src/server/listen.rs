//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use pando_runtime::config::WebConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::warn;

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4_096;
/// The pause when the system has no file or memory left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `HOST:PORT`. Of several addresses of a host the first of version 4 is taken, as
/// PocketBase does; without a host, all interfaces.
pub(super) fn bind(setting: &str) -> anyhow::Result<TcpListener> {
    let failed = || format!("failed to listen on {setting:?}");
    let outcome = match setting.strip_prefix(':') {
        Some(port) => {
            let port = port.parse().with_context(failed)?;
            let everywhere = |ip: IpAddr| bind_address(SocketAddr::new(ip, port));
            // A socket of version 6 takes both, where there is version 6.
            everywhere(Ipv6Addr::UNSPECIFIED.into())
                .or_else(|_| everywhere(Ipv4Addr::UNSPECIFIED.into()))
        }
        None => {
            let addresses = WebConfig::addresses(setting).with_context(failed)?;
            let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            bind_address(*first.with_context(failed)?)
        }
    };
    outcome.with_context(failed)
}

fn bind_address(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection.
pub(super) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // It ended before it began.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                warn!(error = %error, "failed to accept a connection, trying again");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}
