//! Metrics of the server. A series appears when it is first needed.

use std::sync::OnceLock;
use std::time::Duration;

use http::{Method, StatusCode};
use pando_runtime::metrics::{Buckets, Counter, Gauge, Histogram, registry};

/// What a path belongs to: few names, so that the number of series is bounded.
const GROUPS: [&str; 13] = [
    "records",
    "auth",
    "files",
    "realtime",
    "batch",
    "collections",
    "settings",
    "logs",
    "crons",
    "health",
    "api",
    "metrics",
    "public",
];
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A group, as an index into [`GROUPS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group(usize);

#[derive(Debug)]
pub(super) struct Figures {
    requests: [[[OnceLock<Counter>; STATUSES.len()]; METHODS.len()]; GROUPS.len()],
    durations: [OnceLock<Histogram>; GROUPS.len()],
    in_flight: Gauge,
    connections: Gauge,
    panics: Counter,
}

impl Figures {
    pub(super) fn new() -> Figures {
        let registry = registry();
        Figures {
            requests: Default::default(),
            durations: Default::default(),
            in_flight: registry.gauge(
                "pando_http_requests_in_flight",
                "Requests that are being answered.",
                &[],
            ),
            connections: registry.gauge("pando_http_connections", "Open connections.", &[]),
            panics: registry.counter(
                "pando_http_panics_total",
                "Requests whose handler panicked.",
                &[],
            ),
        }
    }

    pub(super) fn answered(
        &self,
        group: Group,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let Group(group) = group;
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let method = method.unwrap_or(METHODS.len() - 1);
        let status = usize::from(status.as_u16() / 100).clamp(1, STATUSES.len()) - 1;
        let counter = self.requests[group][method][status].get_or_init(|| {
            registry().counter(
                "pando_http_requests_total",
                "Requests answered.",
                &[
                    ("group", GROUPS[group]),
                    ("method", METHODS[method]),
                    ("status", STATUSES[status]),
                ],
            )
        });
        counter.increment();
        let histogram = self.durations[group].get_or_init(|| {
            registry().histogram(
                "pando_http_request_duration_seconds",
                "From the head of a request to the head of its answer.",
                Buckets::LATENCY,
                &[("group", GROUPS[group])],
            )
        });
        histogram.observe_duration(took);
    }

    pub(super) fn panicked(&self) {
        self.panics.increment();
    }

    pub(super) fn in_flight(&self) -> Present {
        Present::new(&self.in_flight)
    }

    pub(super) fn connection(&self) -> Present {
        Present::new(&self.connections)
    }
}

/// One more in a gauge, until it is dropped.
pub(super) struct Present(Gauge);

impl Present {
    fn new(gauge: &Gauge) -> Present {
        gauge.add(1);
        Present(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// The group of a path as it was sent.
pub(super) fn group(path: &str) -> Group {
    let name = match path.strip_prefix("/api/") {
        Some(rest) => api_group(rest),
        None if path == "/metrics" => "metrics",
        None => "public",
    };
    Group(GROUPS.iter().position(|known| *known == name).unwrap_or(GROUPS.len() - 1))
}

fn api_group(rest: &str) -> &'static str {
    let mut parts = rest.split('/');
    match parts.next() {
        Some("collections") => match parts.nth(1) {
            Some("records") => "records",
            Some(action) if action.starts_with("auth-") || action == "impersonate" => "auth",
            _ => "collections",
        },
        Some("files") => "files",
        Some("realtime") => "realtime",
        Some("batch") => "batch",
        Some("settings") => "settings",
        Some("logs") => "logs",
        Some("crons") => "crons",
        Some("health") => "health",
        _ => "api",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_groups() {
        for (path, name) in [
            ("/api/collections/posts/records", "records"),
            ("/api/collections/posts/records/abc", "records"),
            ("/api/collections/users/auth-with-password", "auth"),
            ("/api/collections/users/impersonate/abc", "auth"),
            ("/api/collections/users/truncate", "collections"),
            ("/api/collections", "collections"),
            ("/api/files/a/b/c", "files"),
            ("/api/realtime", "realtime"),
            ("/api/logs/stats", "logs"),
            ("/api/crons", "crons"),
            ("/api/nonsense", "api"),
            ("/metrics", "metrics"),
            ("/metrics/x", "public"),
            ("/", "public"),
            ("/api", "public"),
        ] {
            assert_eq!(GROUPS[group(path).0], name, "{path}");
        }
    }
}
