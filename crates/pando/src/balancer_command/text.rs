//! What is told of balancers.

use std::fmt::Write as _;

use indicatif::HumanCount;
use pando_balancer::BalancerConfig;
use serde_json::Value as Json;

use crate::output::{bold_green, cyan, green, red, yellow};

/// What the balancer prints once it serves.
pub(super) fn started(base_url: &str, config: &BalancerConfig) -> String {
    let mut text = format!("{}{}\n", bold_green("Balancer started at "), cyan(base_url));
    if !config.admin.is_empty() {
        let admin = config.admin.strip_prefix(':').map(|port| format!("127.0.0.1:{port}"));
        let url = format!("http://{}/", admin.as_ref().unwrap_or(&config.admin));
        let _ = writeln!(text, "└─ Status:    {}", cyan(&url));
    }
    if config.upstreams.is_empty() {
        let hint =
            "No upstreams are named; web servers with web.balancers set announce themselves.";
        let _ = writeln!(text, "\n{}", yellow(hint));
    }
    text
}

/// `status` is what `/status` answers.
pub(super) fn status(status: &Json) -> String {
    let number = |name: &str| HumanCount(status[name].as_u64().unwrap_or(0)).to_string();
    let mut text = format!(
        "{} requests, {} errors, {} retries, {} ejections; in flight {} of {}, waiting {}, \
         connections {}; up for {} s, choice {}\n",
        number("requests"),
        number("errors"),
        number("retries"),
        number("ejections"),
        number("in_flight"),
        number("in_flight_max"),
        number("waiting"),
        number("connections"),
        number("uptime_s"),
        status["choice"].as_str().unwrap_or_default(),
    );
    if status["panic"] == Json::Bool(true) {
        let _ = writeln!(text, "{}", red("Most upstreams seem ill: health is ignored."));
    }
    if status["leaving"] == Json::Bool(true) {
        let _ = writeln!(text, "{}", yellow("It is about to stop."));
    }
    let upstreams = status["upstreams"].as_array().map(Vec::as_slice).unwrap_or_default();
    if upstreams.is_empty() {
        return text + &yellow("There are no upstreams.\n");
    }
    let width = upstreams.iter().filter_map(|it| Some(it["address"].as_str()?.len())).max();
    let width = width.unwrap_or(0).max(8);
    let _ = writeln!(
        text,
        "\n{:width$}  {:10}  {:>9}  {:>7}  {:>10}  {:>11}  {:>8}  last check",
        "upstream", "state", "in flight", "streams", "latency", "requests", "failures"
    );
    for upstream in upstreams {
        let count = |name: &str| HumanCount(upstream[name].as_u64().unwrap_or(0)).to_string();
        let word = |name: &str| upstream[name].as_str().unwrap_or_default();
        // Padded first: colours are no letters.
        let state = format!("{:10}", word("state"));
        let state = match word("state") {
            "serving" => green(&state),
            "warming up" | "draining" | "leaving" => yellow(&state),
            _ => red(&state),
        };
        let latency = format!("{:.1} ms", upstream["latency_ms"].as_f64().unwrap_or(0.0));
        let _ = writeln!(
            text,
            "{:width$}  {state}  {:>9}  {:>7}  {latency:>10}  {:>11}  {:>8}  {}",
            word("address"),
            count("in_flight"),
            count("streams"),
            count("requests"),
            count("failures"),
            word("check")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use console::strip_ansi_codes;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn upstreams_are_lines() {
        let status = json!({
            "requests": 1234, "errors": 2, "retries": 1, "ejections": 0, "in_flight": 3,
            "in_flight_max": 1024, "waiting": 0, "connections": 7, "uptime_s": 90,
            "choice": "peak-ewma", "panic": false, "leaving": true,
            "upstreams": [
                { "address": "http://10.0.0.5:8090", "state": "serving", "in_flight": 3,
                  "streams": 12, "latency_ms": 1.26, "requests": 1200, "failures": 2,
                  "check": "200 OK" },
                { "address": "http://10.0.0.6:8090", "state": "gone", "in_flight": 0,
                  "streams": 0, "latency_ms": 0.0, "requests": 34, "failures": 0,
                  "check": "refused" },
            ],
        });
        expect![[r#"
            1,234 requests, 2 errors, 1 retries, 0 ejections; in flight 3 of 1,024, waiting 0, connections 7; up for 90 s, choice peak-ewma
            It is about to stop.

            upstream              state       in flight  streams     latency     requests  failures  last check
            http://10.0.0.5:8090  serving             3       12      1.3 ms        1,200         2  200 OK
            http://10.0.0.6:8090  gone                0        0      0.0 ms           34         0  refused
        "#]].assert_eq(&strip_ansi_codes(&super::status(&status)));
    }
}
