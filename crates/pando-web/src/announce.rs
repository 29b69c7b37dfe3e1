//! Tells load balancers that this server is there, again each second, and that it leaves.
//!
//! *Invariant*: each balancer is spoken to by one task, so a goodbye is never followed by an
//! announcement that was on its way.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use pando_runtime::config::WebConfig;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::app::SharedApp;
use crate::behind::SECRET;
use crate::server::Bound;

/// Balancers give a server up after five seconds without a word.
const PERIOD: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);
/// Requests that a balancer had sent before it heard the goodbye arrive within that time.
const SETTLE_TIME: Duration = Duration::from_millis(300);
const ANSWER_BYTES_MAX: u64 = 16 << 10;

/// Starts to announce the server, if there are balancers, and arranges the goodbye.
pub(crate) fn start(app: &SharedApp, bound: Bound) {
    let config = &app.config;
    if config.balancer_secret.is_empty() {
        return;
    }
    let Some(address) = address(config, bound) else { return };
    let mut goodbyes = Vec::new();
    for balancer in &config.balancers {
        let (said, heard) = oneshot::channel();
        goodbyes.push(heard);
        let announcer = Announcer {
            balancer: balancer.clone(),
            body: json!({ "address": address }).to_string(),
            secret: config.balancer_secret.reveal().to_owned(),
        };
        let life = app.life.clone();
        app.life.spawn("announce", async move {
            tokio::select! {
                biased;
                () = life.leaving.cancelled() => {}
                // A task has failed.
                () = life.stopping.cancelled() => {}
                () = announcer.announce() => {}
            }
            let outcome = announcer.send("DELETE").await;
            if let Err(error) = &outcome {
                let error = format!("{error:#}");
                warn!(balancer = announcer.balancer, error, "failed to say goodbye to a balancer");
            }
            let _ = said.send(outcome.is_ok());
            Ok(())
        });
    }
    let wait = config.goodbye_wait.duration();
    app.life.before_stopping(async move {
        let known = !goodbyes.is_empty();
        let heard = join_all(goodbyes).await.into_iter().all(|heard| heard == Ok(true));
        // Whoever has not heard it sees it by its next checks.
        sleep(if known && heard { SETTLE_TIME } else { wait }).await;
    });
}

/// Where balancers reach the server.
fn address(config: &WebConfig, bound: Bound) -> Option<String> {
    let written = |address: SocketAddr, scheme| format!("{scheme}://{address}");
    match (config.advertise.as_str(), bound.https, bound.http) {
        ("", Some(https), _) => Some(written(https, "https")),
        ("", None, Some(http)) => Some(written(http, "http")),
        ("", None, None) => None,
        (advertised, ..) => Some(advertised.to_owned()),
    }
}

struct Announcer {
    balancer: String,
    body: String,
    secret: String,
}

impl Announcer {
    /// Announces the server for ever. What changes is logged once.
    async fn announce(&self) {
        let mut known = None;
        loop {
            let outcome = self.send("PUT").await;
            let there = outcome.is_ok();
            match outcome {
                Ok(()) if known != Some(true) => {
                    info!(balancer = self.balancer, "a balancer knows this server");
                }
                Err(error) if known != Some(false) => {
                    let error = format!("{error:#}");
                    warn!(balancer = self.balancer, error, "a balancer cannot be told");
                }
                Ok(()) | Err(_) => {}
            }
            known = Some(there);
            sleep(PERIOD).await;
        }
    }

    async fn send(&self, method: &str) -> anyhow::Result<()> {
        let sending = timeout(PATIENCE, self.exchange(method));
        sending.await.context("no answer in time")?
    }

    async fn exchange(&self, method: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(&self.balancer).await.context("failed to connect")?;
        let Announcer { balancer, body, secret } = self;
        let length = body.len();
        let request = format!(
            "{method} /upstreams HTTP/1.1\r\nhost: {balancer}\r\n{SECRET}: {secret}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\
             \r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.context("failed to write")?;
        let mut answer = String::new();
        let mut limited = stream.take(ANSWER_BYTES_MAX);
        limited.read_to_string(&mut answer).await.context("failed to read")?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        // One that was not known has nothing to forget.
        let good = head.starts_with("HTTP/1.1 200")
            || (method == "DELETE" && head.starts_with("HTTP/1.1 404"));
        ensure!(good, "refused: {}", body.trim());
        Ok(())
    }
}
