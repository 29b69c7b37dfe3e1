//! The status as a page for people.

use std::fmt::Write as _;

use serde_json::Value as Json;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"2\"><title>Pando balancer</title>\
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#222}\
table{border-collapse:collapse;margin-top:1rem}\
th,td{padding:.25rem .75rem;text-align:right;border-bottom:1px solid #ddd}\
th:first-child,td:first-child,.text{text-align:left}\
.bad{color:#b00020;font-weight:600}.good{color:#1b7f3b}</style>";

/// The columns of the table of upstreams: heading and member of the status.
const COLUMNS: [(&str, &str); 10] = [
    ("upstream", "address"),
    ("state", "state"),
    ("in flight", "in_flight"),
    ("limit", "limit"),
    ("streams", "streams"),
    ("connections", "connections"),
    ("latency, ms", "latency_ms"),
    ("requests", "requests"),
    ("failures", "failures"),
    ("last check", "check"),
];

/// `status` is what `/status` answers.
pub(super) fn render(status: &Json) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("<h1>Pando balancer</h1><p>");
    for (label, member) in [
        ("version", "version"),
        ("up for seconds", "uptime_s"),
        ("choice", "choice"),
        ("connections", "connections"),
        ("in flight", "in_flight"),
        ("waiting", "waiting"),
        ("requests", "requests"),
        ("errors", "errors"),
        ("retries", "retries"),
    ] {
        let _ = write!(page, "{label} <b>{}</b> &nbsp; ", shown(&status[member]));
    }
    for (member, words) in [("panic", "panic: health is ignored"), ("leaving", "leaving")] {
        if status[member] == Json::Bool(true) {
            let _ = write!(page, "<span class=\"bad\">{words}</span> ");
        }
    }
    page.push_str("</p><table><tr>");
    for (heading, _) in COLUMNS {
        let _ = write!(page, "<th>{heading}</th>");
    }
    page.push_str("</tr>");
    for upstream in status["upstreams"].as_array().into_iter().flatten() {
        page.push_str("<tr>");
        for (_, member) in COLUMNS {
            let class = match (member, upstream[member].as_str()) {
                ("state", Some("serving" | "warming up")) => "text good",
                ("state", _) => "text bad",
                ("check", _) => "text",
                _ => "",
            };
            let _ = write!(page, "<td class=\"{class}\">{}</td>", shown(&upstream[member]));
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
    page
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Json::Number(number) => match number.as_f64() {
            Some(float) if !number.is_u64() && !number.is_i64() => format!("{float:.2}"),
            _ => number.to_string(),
        },
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn upstreams_are_rows_and_texts_are_escaped() {
        let status = json!({ "panic": true, "upstreams": [
            { "address": "http://a:1", "state": "failing", "check": "<x>", "latency_ms": 1.234 },
        ] });
        let page = super::render(&status);
        assert!(page.contains("<td class=\"\">http://a:1</td><td class=\"text bad\">failing</td>"));
        assert!(page.contains("&lt;x&gt;") && page.contains("1.23") && page.contains("panic"));
    }
}
