//! What is valid in `[balancer]`.

use std::collections::BTreeSet;

use pando_runtime::config::{ByteSize, Problems, Seconds, Table};

use super::BalancerConfig;
use crate::networks::Networks;
use crate::settings::HashKey;
use crate::upstream::Entry;

/// What a shared secret has at least. Shorter ones can be guessed.
const SECRET_BYTES_MIN: usize = 16;

impl Table for BalancerConfig {
    fn check(&self, problems: &mut Problems) {
        self.check_addresses(problems);
        self.check_upstreams(problems);
        self.check_times(problems);
        self.check_counts(problems);
        for (key, networks) in [
            ("balancer.trusted_proxies", &self.trusted_proxies),
            ("balancer.proxy_protocol_from", &self.proxy_protocol_from),
            ("balancer.unlimited_clients", &self.unlimited_clients),
        ] {
            if let Err(wrong) = Networks::parse(networks) {
                let problem = problems.add(key, format!("has {wrong:?}, which is no network"));
                problem.hint("for example \"10.0.0.0/8\", \"192.0.2.7\" or \"2001:db8::/32\"");
            }
        }
        let secret = self.secret.reveal().len();
        if secret > 0 && secret < SECRET_BYTES_MIN {
            let message = format!("must have at least {SECRET_BYTES_MIN} characters");
            problems.add("balancer.secret", message).hint("openssl rand -hex 32 makes one");
        } else if !self.secret.reveal().bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.add("balancer.secret", "must be of visible ASCII characters, without spaces");
        }
    }
}

impl BalancerConfig {
    fn check_addresses(&self, problems: &mut Problems) {
        for (key, setting) in [
            ("balancer.http", &self.http),
            ("balancer.https", &self.https),
            ("balancer.admin", &self.admin),
        ] {
            let port = setting.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !setting.is_empty() && !matches!(port, Some(Ok(_))) {
                let problem = problems.add(key, format!("must be HOST:PORT, not {setting:?}"));
                problem.hint("for example \"127.0.0.1:8080\"; \":80\" for all interfaces");
            }
        }
        if self.http.is_empty() && self.https.is_empty() {
            problems.add("balancer.http", "must not be empty when balancer.https is");
        }
        if self.control.is_empty() {
            problems.add("balancer.control", "must not be empty");
        }
        if !self.check_path.is_empty() && !self.check_path.starts_with('/') {
            problems.add("balancer.check_path", "must begin with /");
        }
    }

    fn check_upstreams(&self, problems: &mut Problems) {
        const KEY: &str = "balancer.upstreams";
        let mut seen = BTreeSet::new();
        for text in &self.upstreams {
            match Entry::parse(text) {
                Err(error) => {
                    let problem = problems.add(KEY, format!("has {text:?}, which {error}"));
                    problem.hint("for example [\"10.0.0.5:8090\", \"10.0.0.6:8090 weight=2\"]");
                }
                Ok(entry) => {
                    if !seen.insert((entry.host, entry.port)) {
                        problems.add(KEY, format!("has {text:?} twice"));
                    }
                }
            }
        }
        if HashKey::parse(&self.hash_key).is_none() {
            let message = format!("is not understood: {:?}", self.hash_key);
            let problem = problems.add("balancer.hash_key", message);
            problem.hint("\"client\", \"path\", \"header:NAME\" or \"cookie:NAME\"");
        }
    }

    fn check_times(&self, problems: &mut Problems) {
        let least = Seconds::millis(1);
        for (key, time) in [
            ("resolve_interval", self.resolve_interval),
            ("check_interval", self.check_interval),
            ("check_timeout", self.check_timeout),
            ("eject_window", self.eject_window),
            ("eject_time", self.eject_time),
            ("waiting_time_max", self.waiting_time_max),
            ("connect_timeout", self.connect_timeout),
            ("tls_timeout", self.tls_timeout),
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("idle_timeout", self.idle_timeout),
            ("answer_timeout", self.answer_timeout),
            ("request_timeout", self.request_timeout),
            ("stream_timeout", self.stream_timeout),
            ("upstream_idle_timeout", self.upstream_idle_timeout),
        ] {
            if time < least {
                problems.add(&format!("balancer.{key}"), "must not be 0");
            }
        }
        if self.eject_time_max < self.eject_time {
            let message = "must not be shorter than balancer.eject_time";
            problems.add("balancer.eject_time_max", message);
        }
    }

    fn check_counts(&self, problems: &mut Problems) {
        for (key, count) in [
            ("check_fall", self.check_fall),
            ("check_rise", self.check_rise),
            ("in_flight_max", self.in_flight_max),
            ("concurrency_min", self.concurrency_min),
            ("connections_max", self.connections_max),
            ("rate_burst", self.rate_burst),
        ] {
            if count == 0 {
                problems.add(&format!("balancer.{key}"), "must be at least 1");
            }
        }
        for (key, percent) in [
            ("eject_percent", self.eject_percent),
            ("panic_percent", self.panic_percent),
            ("retry_budget_percent", self.retry_budget_percent),
        ] {
            if percent > 100 {
                problems.add(&format!("balancer.{key}"), "must not be more than 100");
            }
        }
        if self.workers > 1_024 {
            problems.add("balancer.workers", "must not be more than 1024");
        }
        if self.retries_max > 10 {
            problems.add("balancer.retries_max", "must not be more than 10");
        }
        // Below, hyper refuses the setting.
        if !(ByteSize::kib(8)..=ByteSize::mib(1)).contains(&self.headers_max) {
            problems.add("balancer.headers_max", "must be from 8 KiB to 1 MiB");
        }
        if self.replay_max > ByteSize::mib(16) {
            problems.add("balancer.replay_max", "must not be more than 16 MiB");
        }
    }
}
