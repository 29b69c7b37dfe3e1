//! Asks each upstream, again and again, whether it is ready.

use std::sync::Arc;

use bytes::BytesMut;
use http::{Method, StatusCode};
use pando_topology::{Health, Observation};
use rand::Rng as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{sleep, timeout};
use tokio_util::io::read_buf;
use tracing::{info, warn};

use crate::outgoing::SECRET_FIELD;
use crate::shared::{Current, Shared};
use crate::upstream::{Head, Upstream, Wire, take_head};

/// What an upstream says of itself while it is about to stop.
pub(crate) const STATE_FIELD: &str = "x-pando-state";
/// Checks of upstreams come apart by that share of their interval.
const JITTER: f64 = 0.2;

/// Checks `upstream` until it is taken away or the process stops.
pub(super) async fn check_on(shared: Arc<Shared>, upstream: Arc<Upstream>) {
    let checking = async {
        loop {
            let current = shared.current();
            let checks = &current.settings.checks;
            if !checks.path.is_empty() {
                check(&shared, &current, &upstream).await;
            }
            let jitter = 1.0 + rand::rng().random_range(-JITTER..=JITTER);
            sleep(checks.interval.mul_f64(jitter)).await;
        }
    };
    tokio::select! {
        biased;
        () = shared.life.stopping.cancelled() => {}
        () = upstream.removed.cancelled() => {}
        () = checking => {}
    }
}

async fn check(shared: &Shared, current: &Current, upstream: &Upstream) {
    let checks = &current.settings.checks;
    let (observation, text) = match timeout(checks.timeout, ask(current, upstream)).await {
        Ok(seen) => seen,
        Err(_elapsed) => (Observation::Failed, "no answer in time".to_owned()),
    };
    let (changed, health) = {
        let mut control = upstream.control();
        control.check_text.clone_from(&text);
        let changed = control.checked.observe(observation, checks.policy);
        let health = control.checked.health();
        if changed && health == Health::Up {
            control.serving_since = Some(shared.elapsed());
        }
        (changed, health)
    };
    shared.pool.checked.notify_one();
    if !changed {
        return;
    }
    let address = &upstream.address;
    match health {
        Health::Up => {
            upstream.forgive();
            info!(upstream = %address, "an upstream passes its checks again");
        }
        Health::Draining => info!(upstream = %address, "an upstream says that it will stop"),
        Health::Failing | Health::Gone => {
            warn!(upstream = %address, seen = text, "an upstream fails its checks");
        }
    }
    shared.pool.changed.notify_one();
}

/// One request on a connection of its own, so that it shows whether connections are accepted.
async fn ask(current: &Current, upstream: &Upstream) -> (Observation, String) {
    let on_behalf = None;
    let mut wire = match current.connector.connect(&upstream.address, on_behalf).await {
        Ok(wire) => wire,
        Err(error) if error.refused() => return (Observation::Refused, "refused".to_owned()),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error}: {}", source.unwrap_or_default());
            return (Observation::Failed, text);
        }
    };
    match exchange(&mut wire, current, upstream).await {
        Ok(head) => judge(&head),
        Err(error) => (Observation::Failed, error.to_string()),
    }
}

async fn exchange(wire: &mut Wire, current: &Current, upstream: &Upstream) -> anyhow::Result<Head> {
    let checks = &current.settings.checks;
    let (path, host) = (&checks.path, upstream.address.socket);
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: pando-balancer\r\nconnection: close\r\n"
    )
    .into_bytes();
    if let Some(secret) = &current.settings.secret {
        request.extend_from_slice(format!("{SECRET_FIELD}: ").as_bytes());
        request.extend_from_slice(secret.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    wire.write_all(&request).await?;
    wire.flush().await?;
    let mut input = BytesMut::new();
    loop {
        let head = take_head(&mut input, &Method::GET, false)?;
        if let Some(head) = head.filter(|head| !head.parts.status.is_informational()) {
            return Ok(head);
        }
        input.reserve(1 << 10);
        anyhow::ensure!(read_buf(&mut *wire, &mut input).await? > 0, "closed without an answer");
    }
}

fn judge(head: &Head) -> (Observation, String) {
    let status = head.parts.status;
    let state = head.parts.headers.get(STATE_FIELD);
    let draining = state.is_some_and(|state| state.as_bytes() == b"draining");
    let observation = match status {
        StatusCode::SERVICE_UNAVAILABLE if draining => Observation::Draining,
        status if status.is_success() || status.is_redirection() => Observation::Passed,
        _ => Observation::Failed,
    };
    (observation, status.to_string())
}
