//! The HTTP server: listeners, connections, and the one path that every request takes.
//!
//! A request meets, in this order: what is wrong with it as HTTP, the main host name, CORS, who
//! sent it, the addresses of superusers, rate limits, body limits, the router. An answer gets
//! security and CORS headers and, if set so, compression.
//!
//! Invariants: every wait for a client has a limit ([`Pulse`](pando_runtime::connection::Pulse)); every connection is a task of
//! [`Lifecycle`](pando_runtime::Lifecycle), so the drain waits for it; a panic in a handler costs
//! that request alone.
//!
//! Source: PocketBase `apis/serve.go`, `apis/base.go`, `apis/middlewares.go`.

mod answer;
mod connection;
mod figures;
mod front;
mod hosts;
mod path;
mod precheck;
mod served;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pando_runtime::listen;
use pando_runtime::tls::Certificate;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

use crate::announce;
use crate::app::SharedApp;

use connection::{Door, Entrance};
pub(crate) use front::Front;
pub(crate) use path::decoded as decoded_path;

/// Where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// With HTTPS, this one only redirects there.
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
}

/// Serves until `app.life.stopping`, then returns at once; connections that still have a request
/// end as tasks of `app.life`. Says through `bound` where it listens.
///
/// Fails if an address cannot be had or the certificate cannot be used.
pub async fn run(app: SharedApp, bound: oneshot::Sender<Bound>) -> anyhow::Result<()> {
    let config = &app.config;
    let tls = if config.https.is_empty() { None } else { Some(tls(&app)?) };
    let http = match config.http.as_str() {
        "" => None,
        address => Some(listen::bind(address)?),
    };
    let https = match &tls {
        None => None,
        Some(_) => Some(listen::bind(&config.https)?),
    };
    let address = |listener: &Option<TcpListener>| -> std::io::Result<Option<SocketAddr>> {
        listener.as_ref().map(TcpListener::local_addr).transpose()
    };
    let addresses = Bound { http: address(&http)?, https: address(&https)? };
    announce::start(&app, addresses);
    // Nobody need listen.
    let _ = bound.send(addresses);

    let permits = Arc::new(Semaphore::new(config.connections_max as usize));
    let door = match addresses.https {
        Some(https) => Door::Redirect { https_port: https.port() },
        None => Door::Api,
    };
    let plain = Entrance::new(&app, door, None, &permits);
    let secure = Entrance::new(&app, Door::Api, tls, &permits);
    tokio::join!(accept(http, plain), accept(https, secure));
    Ok(())
}

/// Takes connections until the stop. Those that are waiting then are refused by the system.
async fn accept(listener: Option<TcpListener>, entrance: Arc<Entrance>) {
    let Some(listener) = listener else { return };
    let stopping = entrance.stopping().clone();
    let open = async {
        loop {
            let permit = entrance.permit().await;
            let (stream, peer) = listen::accept(&listener).await;
            entrance.admit(stream, peer, permit);
        }
    };
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        () = open => {}
    }
}

fn tls(app: &SharedApp) -> anyhow::Result<TlsAcceptor> {
    let (chain, key) = (Path::new(&app.config.tls_cert), Path::new(&app.config.tls_key));
    let certificate = Certificate::read(chain, key).context("failed to set up HTTPS")?;
    let acceptor = TlsAcceptor::from(certificate.server_config()?);
    let (mut reloads, stopping) = (app.life.reloads(), app.life.stopping.clone());
    app.life.spawn("certificate", async move {
        while let Some(Ok(())) = stopping.run_until_cancelled(reloads.changed()).await {
            let reading = Arc::clone(&certificate);
            match tokio::task::spawn_blocking(move || reading.reload()).await? {
                Ok(()) => info!("read the certificate again"),
                Err(error) => {
                    let error = format!("{:#}", anyhow::Error::from(error));
                    error!(error, "failed to read the certificate again, keeping the old one");
                }
            }
        }
        Ok(())
    });
    Ok(acceptor)
}

#[cfg(test)]
mod tests;
