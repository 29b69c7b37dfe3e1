//! What the balancer knows, as JSON for people and as metrics.

use std::fmt::Write as _;
use std::time::Duration;

use pando_topology::Health;
use serde_json::{Value as Json, json};

use crate::control::ejected_for;
use crate::shared::Shared;
use crate::upstream::{Control, Origin, Upstream};

/// The answer to `/status`.
pub(super) fn status(shared: &Shared) -> Json {
    let (now, pool) = (shared.elapsed(), &shared.pool);
    let serving = pool.serving();
    let all = pool.all();
    let upstreams: Vec<Json> = all
        .iter()
        .map(|upstream| {
            let entry = serving.entries.iter().find(|(other, _)| other.id == upstream.id);
            one(upstream, entry.map(|(_, weight)| *weight), now)
        })
        .collect();
    let figures = &shared.figures;
    let (answers, errors) = figures.answers();
    let current = shared.current();
    let settings = &current.settings;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "uptime_s": now.as_secs(),
        "leaving": shared.life.leaving.is_cancelled(),
        "panic": serving.panic,
        "choice": settings.choice.name(),
        "connections": figures.connections.value(),
        "in_flight": pool.in_flight(),
        "in_flight_max": settings.breaker.in_flight_max,
        "waiting": pool.waiting(),
        "waiting_max": settings.breaker.waiting_max,
        "requests": answers,
        "errors": errors,
        "retries": figures.retries.value(),
        "retries_denied": figures.retries_denied.value(),
        "ejections": figures.ejections.value(),
        "shed_from_urgency": shared.shedding().from_urgency,
        "clients": shared.clients.count(),
        "upstreams": upstreams,
    })
}

fn one(upstream: &Upstream, share: Option<f64>, now: Duration) -> Json {
    let sums = upstream.sums();
    let control = upstream.control();
    json!({
        "address": upstream.address.to_string(),
        "origin": origin(&upstream.origin),
        "state": state(&control, share, now),
        "weight": control.weight,
        "share": share,
        "in_flight": upstream.in_flight(),
        "limit": upstream.limit(),
        "streams": upstream.streams(),
        "connections": upstream.connections(),
        "connections_made": upstream.connections_made(),
        "latency_ms": upstream.estimate().micros / 1000.0,
        "requests": sums.requests,
        "failures": sums.failures,
        "check": control.check_text,
        "ejected_for_s": ejected_for(&control.outlier, now).map(|left| left.as_secs()),
        "ejections": control.outlier.ejections(),
    })
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Configured => "configured".to_owned(),
        Origin::Named(name) => format!("address of {name}"),
        Origin::Registered => "announced itself".to_owned(),
    }
}

/// In a word.
fn state(control: &Control, share: Option<f64>, now: Duration) -> &'static str {
    match control.checked.health() {
        _ if control.leaving => "leaving",
        Health::Draining => "draining",
        Health::Gone => "gone",
        Health::Failing => "failing",
        Health::Up if control.outlier.ejected(now) => "ejected",
        Health::Up if share.is_some_and(|share| share < control.weight) => "warming up",
        Health::Up => "serving",
    }
}

/// Metrics of upstreams. Their addresses come from the configuration and from who knows the
/// secret, and what has gone is not shown, so the series are few.
pub(super) fn metrics(shared: &Shared) -> String {
    let (mut text, all) = (String::new(), shared.pool.all());
    let serving = shared.pool.serving();
    let serves = |upstream: &Upstream| serving.entries.iter().any(|(it, _)| it.id == upstream.id);
    type Value<'a> = &'a dyn Fn(&Upstream) -> f64;
    let families: [(&str, &str, &str, Value<'_>); 9] = [
        ("serving", "gauge", "Whether it takes requests.", &|it| f64::from(u8::from(serves(it)))),
        ("healthy", "gauge", "Whether it passes its checks.", &|it| {
            f64::from(u8::from(it.control().checked.health() == Health::Up))
        }),
        ("in_flight", "gauge", "Requests in flight.", &|it| f64::from(it.in_flight())),
        ("limit", "gauge", "Requests that it is given at once.", &|it| f64::from(it.limit())),
        ("streams", "gauge", "Streams of events and WebSockets.", &|it| f64::from(it.streams())),
        ("connections", "gauge", "Open connections.", &|it| f64::from(it.connections())),
        ("latency_seconds", "gauge", "Expected latency.", &|it| it.estimate().micros / 1e6),
        ("requests_total", "counter", "Requests given to it.", &|it| it.sums().requests as f64),
        ("failures_total", "counter", "Requests that failed.", &|it| it.sums().failures as f64),
    ];
    for (name, kind, help, value) in families {
        let name = format!("pando_balancer_upstream_{name}");
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for upstream in &all {
            let address = &upstream.address;
            let _ = writeln!(text, "{name}{{upstream=\"{address}\"}} {}", value(upstream));
        }
    }
    let pool = [
        ("in_flight", "Requests in flight.", shared.pool.in_flight()),
        ("waiting", "Requests that wait for room.", shared.pool.waiting()),
        ("panic", "Whether health is ignored.", u32::from(serving.panic)),
    ];
    for (name, help, value) in pool {
        let name = format!("pando_balancer_{name}");
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text
}
