//! The sockets that clients and operators connect to.

use std::net::{SocketAddr, TcpListener};

use pando_runtime::listen;

use crate::config::BalancerConfig;

/// All listening sockets of a balancer. Those for clients are several, one for each worker.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) http: Vec<TcpListener>,
    pub(crate) https: Vec<TcpListener>,
    pub(crate) admin: Vec<TcpListener>,
}

impl Listeners {
    /// Opens what the configuration asks for and is not there yet, for `workers` threads.
    pub(crate) fn complete(
        mut self,
        config: &BalancerConfig,
        workers: usize,
    ) -> anyhow::Result<Listeners> {
        for (sockets, setting, count) in [
            (&mut self.http, &config.http, workers),
            (&mut self.https, &config.https, workers),
            (&mut self.admin, &config.admin, 1),
        ] {
            // Those that were taken over may be of another configuration.
            sockets.retain(|socket| fits(socket, setting));
            if setting.is_empty() {
                continue;
            }
            let missing = count.saturating_sub(sockets.len());
            if missing > 0 {
                let at = match sockets.first() {
                    Some(first) => first.local_addr()?.to_string(),
                    None => setting.clone(),
                };
                sockets.extend(listen::bind_many(&at, missing)?);
            }
        }
        Ok(self)
    }

    /// The same sockets once more, to be handed over when the time comes.
    pub(crate) fn try_clone(&self) -> std::io::Result<Listeners> {
        let clone = |sockets: &[TcpListener]| -> std::io::Result<Vec<TcpListener>> {
            sockets.iter().map(TcpListener::try_clone).collect()
        };
        let (http, https) = (clone(&self.http)?, clone(&self.https)?);
        Ok(Listeners { http, https, admin: clone(&self.admin)? })
    }

    pub(crate) fn addresses(&self) -> std::io::Result<[Option<SocketAddr>; 3]> {
        let address =
            |sockets: &[TcpListener]| sockets.first().map(TcpListener::local_addr).transpose();
        Ok([address(&self.http)?, address(&self.https)?, address(&self.admin)?])
    }

    /// The sockets of each worker. Each socket has a worker, or what waits in it would wait for
    /// ever.
    pub(crate) fn deal(sockets: Vec<TcpListener>, workers: usize) -> Vec<Vec<TcpListener>> {
        let mut dealt: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
        for (index, socket) in sockets.into_iter().enumerate() {
            dealt[index % workers].push(socket);
        }
        dealt
    }
}

/// Whether a socket listens where `setting` says, as far as that can be told: by its port.
fn fits(socket: &TcpListener, setting: &str) -> bool {
    let wanted: Option<u16> = setting.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    match (wanted, socket.local_addr()) {
        (Some(0), Ok(_)) => true,
        (Some(wanted), Ok(address)) => address.port() == wanted,
        (None, _) | (_, Err(_)) => false,
    }
}
