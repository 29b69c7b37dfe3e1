//! Decides whether settings may be saved.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::{
    Backups, Batch, CronSchedule, Logs, Meta, RateLimitRule, RateLimits, S3, Settings, Smtp,
};
use crate::check::{self, Checked, SAFE_INTEGER_MAX, ensure, naming};
use crate::{Problem, ProblemTree, Problems};

static DNS_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62}(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*[._]?$")
        .expect("the expression is constant")
});
static RULE_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    let word = "[0-9A-Za-z_]+";
    let path = "/[0-9A-Za-z_/-]*";
    Regex::new(&format!(r"^({word} {path}|{path}|{word}:{word}|\*:{word}|{word})$"))
        .expect("the expression is constant")
});
const DNS_NAME_LENGTH_MAX: usize = 255;

/// The mistakes in one group of settings.
#[derive(Default)]
struct Found(Problems);

impl Found {
    fn add(&mut self, key: &str, checked: Checked) {
        self.0.add_result(key, checked.map_err(ProblemTree::One));
    }
}

impl Settings {
    pub fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.add_parts("superuserIPs", networks(&self.superuser_ips));
        problems.add_parts("meta", meta(&self.meta));
        problems.add_parts("logs", logs(&self.logs));
        problems.add_parts("smtp", smtp(&self.smtp));
        problems.add_parts("s3", s3(&self.s3));
        problems.add_parts("backups", backups(&self.backups));
        problems.add_parts("batch", batch(&self.batch));
        problems.add_parts("rateLimits", rate_limits(&self.rate_limits));
        problems.into_result()
    }
}

fn meta(meta: &Meta) -> Problems {
    let mut found = Found::default();
    let color =
        check::length(&meta.accent_color, 7, 7).and_then(|()| hex_color(&meta.accent_color));
    found.add("accentColor", color);
    let name = |text: &str| check::required(text).and_then(|()| check::length(text, 1, 255));
    found.add("appName", name(&meta.app_name));
    found.add("appURL", check::required(&meta.app_url).and_then(|()| check::url(&meta.app_url)));
    found.add("senderName", name(&meta.sender_name));
    let address = &meta.sender_address;
    let valid = check::required(address).and_then(|()| {
        ensure(crate::record::email_valid(address), || {
            Problem::new("validation_is_email", "must be a valid email address")
        })
    });
    found.add("senderAddress", valid);
    found.0
}

fn hex_color(text: &str) -> Checked {
    let digits = text.strip_prefix('#').unwrap_or(text);
    ensure(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), || {
        Problem::new("validation_is_hex_color", "must be a valid hexadecimal color code")
    })
}

fn logs(logs: &Logs) -> Problems {
    let mut found = Found::default();
    found.add("maxDataSize", check::within(logs.max_data_size, 0, SAFE_INTEGER_MAX));
    found.add("maxDays", check::within(logs.max_days, 0, SAFE_INTEGER_MAX));
    found.add("minLevel", check::at_most(logs.min_level, SAFE_INTEGER_MAX));
    found.0
}

fn smtp(smtp: &Smtp) -> Problems {
    let mut found = Found::default();
    found.add("host", needed(smtp.enabled, &smtp.host).and_then(|()| host(&smtp.host)));
    let port = if smtp.enabled { check::nonzero(smtp.port) } else { Ok(()) };
    found.add("port", port.and_then(|()| check::at_least(smtp.port, 0)));
    found.add("authMethod", check::one_of(&smtp.auth_method, &["LOGIN", "PLAIN"]));
    found.add("localName", host(&smtp.local_name));
    found.0
}

fn s3(s3: &S3) -> Problems {
    let mut found = Found::default();
    found.add("endpoint", check::url(&s3.endpoint).and_then(|()| needed(s3.enabled, &s3.endpoint)));
    found.add("bucket", needed(s3.enabled, &s3.bucket));
    found.add("region", needed(s3.enabled, &s3.region));
    found.add("accessKey", needed(s3.enabled, &s3.access_key));
    found.add("secret", needed(s3.enabled, &s3.secret));
    found.0
}

fn backups(backups: &Backups) -> Problems {
    let mut found = Found::default();
    let scheduled = !backups.cron.is_empty();
    if scheduled {
        let cron = CronSchedule::parse(&backups.cron)
            .map_err(|error| Problem::new("validation_invalid_cron", error.to_string()));
        found.add("cron", cron.map(|_| ()));
    }
    let keep = if scheduled { check::nonzero(backups.cron_max_keep) } else { Ok(()) };
    found.add("cronMaxKeep", keep.and_then(|()| check::at_least(backups.cron_max_keep, 1)));
    let mut problems = found.0;
    problems.add_parts("s3", s3(&backups.s3));
    problems
}

fn batch(batch: &Batch) -> Problems {
    let mut found = Found::default();
    let limit = |number: i64| {
        let needed = if batch.enabled { check::nonzero(number) } else { Ok(()) };
        needed.and_then(|()| check::at_least(number, 0))
    };
    found.add("maxRequests", limit(batch.max_requests));
    found.add("timeout", limit(batch.timeout));
    found.add("maxBodySize", check::at_least(batch.max_body_size, 0));
    found.0
}

fn rate_limits(limits: &RateLimits) -> Problems {
    let mut problems = Problems::default();
    if limits.enabled && limits.rules.is_empty() {
        problems.add("rules", Problem::required());
    }
    problems.add_parts("rules", conflicting_rule(&limits.rules));
    let mut rules = Problems::default();
    for (index, rule) in limits.rules.iter().enumerate() {
        rules.add_parts(index.to_string(), rate_limit_rule(rule));
    }
    problems.add_parts("rules", rules);
    problems.add_parts("excludedIPs", networks(&limits.excluded_ips));
    problems
}

/// The first rule that says the same as one before it.
fn conflicting_rule(rules: &[RateLimitRule]) -> Problems {
    let mut problems = Problems::default();
    let mut keys: Vec<String> = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let key = format!("{}@@{}", rule.label, rule.audience);
        if keys.iter().any(|other| other.starts_with(&key) || key.starts_with(other)) {
            let label = rule.label.as_str();
            let message = format!(
                "Rate limit rule configuration with label {label} already exists or conflicts \
                 with another rule."
            );
            let mut parts = Problems::default();
            parts.add(
                "label",
                naming("validation_conflicting_rate_limit_rule", message, "label", label),
            );
            problems.add_parts(index.to_string(), parts);
            break;
        }
        keys.push(key);
    }
    problems
}

fn rate_limit_rule(rule: &RateLimitRule) -> Problems {
    let mut found = Found::default();
    let label = check::required(&rule.label)
        .and_then(|()| ensure(RULE_LABEL.is_match(&rule.label), check::bad_format));
    found.add("label", label);
    let positive = |number| check::nonzero(number).and_then(|()| check::at_least(number, 1));
    found.add("maxRequests", positive(rule.max_requests));
    found.add("duration", positive(rule.duration));
    found.add("audience", check::one_of(&rule.audience, &["@guest", "@auth"]));
    found.0
}

fn networks(entries: &[String]) -> Problems {
    let mut found = Found::default();
    for (index, entry) in entries.iter().enumerate() {
        let checked = check::required(entry).and_then(|()| {
            ensure(network_valid(entry), || {
                // The misspelt code is PocketBase's.
                Problem::new("validation_invlaid_ip_or_subnet", "invalid IP or CIDR subnet")
            })
        });
        found.add(&index.to_string(), checked);
    }
    found.0
}

/// An address, possibly with a zone, or a network in CIDR notation.
fn network_valid(text: &str) -> bool {
    // A zone may be any text, even one that looks like the end of a network.
    let zoned = text
        .split_once('%')
        .is_some_and(|(address, zone)| address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty());
    zoned || text.parse::<IpAddr>().is_ok() || prefix_valid(text)
}

fn prefix_valid(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let max = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let plain = bits.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = bits == "0" || !bits.starts_with('0');
    plain && canonical && bits.parse::<u8>().is_ok_and(|bits| bits <= max)
}

fn host(text: &str) -> Checked {
    let name_valid = || text.len() <= DNS_NAME_LENGTH_MAX && DNS_NAME.is_match(text);
    ensure(text.is_empty() || text.parse::<IpAddr>().is_ok() || name_valid(), || {
        Problem::new("validation_is_host", "must be a valid IP address or DNS name")
    })
}

fn needed(enabled: bool, text: &str) -> Checked {
    if enabled { check::required(text) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
