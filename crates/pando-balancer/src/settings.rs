//! The configuration in the form in which requests need it. A reload makes a new one.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use pando_runtime::connection::Limits;
use pando_topology::{
    Breaker, BudgetPolicy, CheckPolicy, ConcurrencyPolicy, OutlierPolicy, RatePolicy, RetryPolicy,
    RosterPolicy,
};

use crate::config::{BalancerConfig, Choice, ProxyProtocol};
use crate::networks::Networks;
use crate::upstream::{Entry, Patience};

/// What a policy needs to know, checked before.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) entries: Vec<Entry>,
    pub(crate) resolve_interval: Duration,
    pub(crate) choice: Choice,
    pub(crate) hash_key: HashKey,
    pub(crate) proxy_out: ProxyProtocol,
    pub(crate) upstream_tls_ca: String,
    /// What upstreams are shown and show.
    pub(crate) secret: Option<HeaderValue>,

    pub(crate) trusted_proxies: Networks,
    pub(crate) proxy_protocol_from: Networks,
    pub(crate) unlimited_clients: Networks,

    pub(crate) checks: Checks,
    pub(crate) outlier: OutlierPolicy,
    pub(crate) roster: RosterPolicy,
    pub(crate) concurrency: ConcurrencyPolicy,
    pub(crate) adaptive_concurrency: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: BudgetPolicy,
    pub(crate) replay_bytes_max: u64,
    pub(crate) breaker: Breaker,
    pub(crate) waiting_time_max: Duration,

    pub(crate) connect_timeout: Duration,
    pub(crate) tls_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) upstream_idle_timeout: Duration,
    pub(crate) patience: Patience,
    pub(crate) client: Limits,
    pub(crate) headers_bytes_max: usize,

    pub(crate) connections_per_client: u32,
    pub(crate) rate: Option<RatePolicy>,
    pub(crate) memory_bytes_max: u64,
}

/// How upstreams are checked; `path` is empty if they are not.
#[derive(Debug, Clone)]
pub(crate) struct Checks {
    pub(crate) path: String,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) policy: CheckPolicy,
}

/// What consistent hashing goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HashKey {
    Client,
    Path,
    Header(HeaderName),
    Cookie(String),
}

impl HashKey {
    pub(crate) fn parse(text: &str) -> Option<HashKey> {
        match text.split_once(':') {
            None if text == "client" => Some(HashKey::Client),
            None if text == "path" => Some(HashKey::Path),
            Some(("header", name)) => {
                HeaderName::from_bytes(name.as_bytes()).ok().map(HashKey::Header)
            }
            Some(("cookie", name)) if !name.is_empty() => Some(HashKey::Cookie(name.to_owned())),
            _ => None,
        }
    }
}

impl Settings {
    /// `config` has passed its check. `workers` share the budget of retries.
    pub(crate) fn of(config: &BalancerConfig, workers: usize) -> Settings {
        let networks = |texts: &[String]| Networks::parse(texts).unwrap_or_default();
        let share = |percent: u32| f64::from(percent) / 100.0;
        let secret = HeaderValue::from_str(config.secret.reveal()).ok();
        Settings {
            entries: config.upstreams.iter().filter_map(|text| Entry::parse(text).ok()).collect(),
            resolve_interval: config.resolve_interval.duration(),
            choice: config.choice,
            hash_key: HashKey::parse(&config.hash_key).unwrap_or(HashKey::Client),
            proxy_out: config.upstream_proxy_protocol,
            upstream_tls_ca: config.upstream_tls_ca.clone(),
            secret: secret.filter(|secret| !secret.is_empty()),
            trusted_proxies: networks(&config.trusted_proxies),
            proxy_protocol_from: networks(&config.proxy_protocol_from),
            unlimited_clients: networks(&config.unlimited_clients),
            checks: checks(config),
            outlier: outlier(config),
            roster: RosterPolicy {
                panic_below: share(config.panic_percent),
                slow_start: config.slow_start.duration(),
            },
            concurrency: ConcurrencyPolicy {
                min: config.concurrency_min,
                max: config.in_flight_max.max(config.concurrency_min),
            },
            adaptive_concurrency: config.adaptive_concurrency,
            retry: RetryPolicy {
                retries_max: config.retries_max,
                backoff: config.retry_backoff.duration(),
            },
            budget: BudgetPolicy {
                share: share(config.retry_budget_percent),
                per_second: f64::from(config.retry_budget_per_second) / workers.max(1) as f64,
            },
            replay_bytes_max: config.replay_max.bytes(),
            breaker: Breaker {
                in_flight_max: config.in_flight_max,
                waiting_max: config.waiting_max,
            },
            waiting_time_max: config.waiting_time_max.duration(),
            connect_timeout: config.connect_timeout.duration(),
            tls_timeout: config.tls_timeout.duration(),
            request_timeout: config.request_timeout.duration(),
            upstream_idle_timeout: config.upstream_idle_timeout.duration(),
            patience: Patience {
                client: config.body_timeout.duration(),
                answer: config.answer_timeout.duration(),
                stream: config.stream_timeout.duration(),
            },
            client: Limits {
                idle: config.idle_timeout.duration(),
                header: config.header_timeout.duration(),
                stuck: config.body_timeout.duration(),
            },
            headers_bytes_max: config.headers_max.as_usize(),
            connections_per_client: config.connections_per_client,
            rate: (config.rate_per_second > 0).then_some(RatePolicy {
                per_second: config.rate_per_second,
                burst: config.rate_burst,
            }),
            memory_bytes_max: config.memory_max.bytes(),
        }
    }
}

fn checks(config: &BalancerConfig) -> Checks {
    Checks {
        path: config.check_path.clone(),
        interval: config.check_interval.duration(),
        timeout: config.check_timeout.duration(),
        policy: CheckPolicy { fall: config.check_fall, rise: config.check_rise },
    }
}

fn outlier(config: &BalancerConfig) -> OutlierPolicy {
    OutlierPolicy {
        consecutive: config.eject_failures,
        window: config.eject_window.duration(),
        requests_min: u64::from(config.eject_requests_min),
        failure_rate: f64::from(config.eject_percent) / 100.0,
        ejection: config.eject_time.duration(),
        ejection_max: config.eject_time_max.duration(),
    }
}
