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
            if setting.is_empty() {
                sockets.clear();
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
