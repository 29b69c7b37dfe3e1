//! Filters, sorts and expands that nobody writes.

use pando_testkit::Request;
use serde_json::json;

use super::{Pair, RECORDS};

/// The request for a list with these parameters, which are encoded here.
fn list(parameters: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    Request::get(format!("{RECORDS}?{}", pairs.join("&")))
}

/// Spaces as plus signs, else as short as it may be: the whole URL has a limit.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'%'
            | b'&'
            | b'#'
            | b'+'
            | b'"'
            | b'<'
            | b'>'
            | b'{'
            | b'}'
            | b'\\'
            | b'^'
            | b'`'
            | 0..b' '
            | 0x7f.. => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[test]
fn ten_thousand_terms_are_refused() {
    let pair = Pair::start();
    // URLs of more than 64 KiB are refused as such, so the terms are as short as they may be.
    let terms = vec!["1=1"; 10_000].join("||");
    for request in [list(&[("filter", &terms)]), pair.as_root(list(&[("filter", &terms)]))] {
        let answer = pair.same(&request);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(!answer.json().unwrap()["message"].as_str().unwrap().is_empty());
    }
    let longer = vec!["text='a'"; 10_000].join("||");
    assert_eq!(pair.send(&list(&[("filter", &longer)])).status, 414);
    pair.end();
}

#[test]
fn deep_nesting_is_refused() {
    let pair = Pair::start();
    for depth in [1_000, 10_000] {
        let filter = format!("{}id=1{}", "(".repeat(depth), ")".repeat(depth));
        for request in [list(&[("filter", &filter)]), pair.as_root(list(&[("filter", &filter)]))] {
            let answer = pair.send(&request);
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }
    for broken in ["(", ")", "(((", "id=(", "id=1 &&", "&& id=1", "id", "id=1 id=2", "'", "\""] {
        assert_eq!(pair.same(&list(&[("filter", broken)])).status, 400, "{broken}");
    }
    pair.end();
}

/// A megabyte fits in no URL; where it comes in a body, as a rule, it is refused as well.
#[test]
fn a_megabyte_of_filter_is_refused() {
    let pair = Pair::start();
    let long = format!("id='{}'", "x".repeat(1 << 20));
    let answer = pair.send(&list(&[("filter", &long)]));
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let rule = json!({ "listRule": long });
    let request = Request::patch("/api/collections/things").json(&rule);
    let answer = pair.send(&pair.as_root(request));
    assert_eq!(answer.status, 400, "{}", answer.text());
    let many = json!({ "listRule": vec!["id=1"; 100_000].join("||") });
    let request = Request::patch("/api/collections/things").json(&many);
    assert_eq!(pair.send(&pair.as_root(request)).status, 400);
    pair.end();
}

#[test]
fn absurd_parameters_are_refused_or_ignored_as_by_pocketbase() {
    let pair = Pair::start();
    let sorts = vec!["id"; 2_000].join(",");
    let path = vec!["user"; 1_000].join(".");
    let paths = vec!["user"; 2_000].join(",");
    let fields = vec!["*"; 5_000].join(",");
    let parameters = [
        ("sort", sorts.as_str()),
        ("sort", "-"),
        ("sort", "+,+"),
        ("sort", "@random,@random"),
        ("sort", "nothing"),
        ("expand", path.as_str()),
        ("expand", paths.as_str()),
        ("expand", "....."),
        ("expand", "things_via_nothing"),
        ("fields", fields.as_str()),
        ("fields", "text:excerpt(999999999999999999999)"),
        ("fields", "text:excerpt(-1,true"),
        ("fields", "*:*:*"),
        ("page", "-1"),
        ("page", "99999999999999999999"),
        ("page", "9223372036854775807"),
        ("page", "x"),
        ("perPage", "-1"),
        ("perPage", "99999999999999999999"),
        ("perPage", "1e9"),
        ("skipTotal", "x"),
        ("filter", "id ~ '%%%%%%%%%%%%%%%%%%%%%%%%'"),
        ("filter", "text.text.text = 1"),
        ("filter", "geoDistance(1,2,3,4,5) = 1"),
        ("filter", "strftime('%Y', '9999999999999') = 1"),
        ("filter", "number = 1e999"),
        ("filter", "number > 99999999999999999999999999999"),
    ];
    for (name, value) in parameters {
        pair.same(&list(&[(name, value)]));
        pair.same(&pair.as_root(list(&[(name, value)])));
    }
    pair.end();
}
