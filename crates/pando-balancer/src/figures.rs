//! Metrics of the balancer. What there is of upstreams is written by the status page.

use std::time::Duration;

use http::StatusCode;
use pando_runtime::metrics::{Buckets, Counter, Gauge, Histogram, registry};

const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Why the balancer answered by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    Malformed,
    RateLimited,
    Shed,
    NoRoom,
    NoUpstream,
    UpstreamFailed,
    TooSlow,
    Redirected,
}

const OWN: [&str; 8] = [
    "malformed",
    "rate_limited",
    "shed",
    "no_room",
    "no_upstream",
    "upstream_failed",
    "too_slow",
    "redirected",
];

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Figures {
    requests: [Counter; STATUSES.len()],
    own: [Counter; OWN.len()],
    pub(crate) took: Histogram,
    pub(crate) retries: Counter,
    pub(crate) retries_denied: Counter,
    pub(crate) ejections: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) handshakes_failed: Counter,
    pub(crate) interim: Counter,
}

impl Figures {
    pub(crate) fn new() -> Figures {
        let registry = registry();
        let requests = STATUSES.map(|status| {
            let help = "Requests answered.";
            registry.counter("pando_balancer_requests_total", help, &[("status", status)])
        });
        let own = OWN.map(|reason| {
            let help = "Requests that the balancer answered by itself.";
            registry.counter("pando_balancer_own_answers_total", help, &[("reason", reason)])
        });
        let counter = |name, help| registry.counter(name, help, &[]);
        Figures {
            requests,
            own,
            took: registry.histogram(
                "pando_balancer_request_duration_seconds",
                "From the head of a request to the head of its answer.",
                Buckets::LATENCY,
                &[],
            ),
            retries: counter("pando_balancer_retries_total", "Further tries of requests."),
            retries_denied: counter(
                "pando_balancer_retries_denied_total",
                "Retries that the budget did not allow.",
            ),
            ejections: counter("pando_balancer_ejections_total", "Upstreams taken out."),
            connections: registry.gauge(
                "pando_balancer_connections",
                "Connections of clients.",
                &[],
            ),
            connections_refused: counter(
                "pando_balancer_connections_refused_total",
                "Connections of clients that had too many.",
            ),
            handshakes_failed: counter(
                "pando_balancer_handshakes_failed_total",
                "Connections that ended before their first request: TLS, PROXY protocol.",
            ),
            interim: counter("pando_balancer_interim_total", "Interim answers of upstreams."),
        }
    }

    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, STATUSES.len()) - 1;
        self.requests[class].increment();
        self.took.observe_duration(took);
    }

    pub(crate) fn own(&self, reason: Own) {
        self.own[reason as usize].increment();
    }

    /// Requests answered, and those with a status from 500.
    pub(crate) fn answers(&self) -> (u64, u64) {
        let all = self.requests.iter().map(Counter::value).sum();
        (all, self.requests[STATUSES.len() - 1].value())
    }
}
