//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing::warn;

use crate::config::WebConfig;

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4_096;
/// The pause when the system has no file or memory left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `HOST:PORT`. Of several addresses of a host the first of version 4 is taken, as
/// PocketBase does; without a host, all interfaces.
pub fn bind(setting: &str) -> anyhow::Result<TcpListener> {
    bind_by(setting, |address| bind_address(address, Sharing::Alone))
}

/// Listens on `HOST:PORT` with `count` sockets among which the system spreads the connections
/// (`SO_REUSEPORT`): one for each thread that accepts.
pub fn bind_many(setting: &str, count: usize) -> anyhow::Result<Vec<std::net::TcpListener>> {
    bind_by(setting, |address| {
        let first = bind_address(address, Sharing::Port)?;
        // With port 0 the first one chooses.
        let address = first.local_addr()?;
        let mut sockets = vec![first.into_std()?];
        while sockets.len() < count {
            sockets.push(bind_address(address, Sharing::Port)?.into_std()?);
        }
        Ok(sockets)
    })
}

fn bind_by<T>(setting: &str, bind: impl Fn(SocketAddr) -> io::Result<T>) -> anyhow::Result<T> {
    let failed = || format!("failed to listen on {setting:?}");
    let outcome = match setting.strip_prefix(':') {
        Some(port) => {
            let port = port.parse().with_context(failed)?;
            let everywhere = |ip: IpAddr| bind(SocketAddr::new(ip, port));
            // A socket of version 6 takes both, where there is version 6.
            everywhere(Ipv6Addr::UNSPECIFIED.into())
                .or_else(|_| everywhere(Ipv4Addr::UNSPECIFIED.into()))
        }
        None => {
            let addresses = WebConfig::addresses(setting).with_context(failed)?;
            let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            bind(*first.with_context(failed)?)
        }
    };
    outcome.with_context(failed)
}

/// Whether other sockets of this program listen at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Port,
}

fn bind_address(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(sharing == Sharing::Port)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
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
