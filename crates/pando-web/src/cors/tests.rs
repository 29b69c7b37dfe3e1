use expect_test::{Expect, expect};

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[track_caller]
fn check(allowed: &[&str], origin: &str, expect: Expect) {
    let origins: Vec<String> = allowed.iter().map(|&origin| origin.to_owned()).collect();
    let answer = Cors::new(&origins).allowed_origin(&headers(&[("origin", origin)]));
    expect.assert_eq(answer.as_ref().map_or("-", |value| value.to_str().unwrap()));
}

#[test]
fn every_origin_is_allowed_by_a_star() {
    check(&["*"], "http://x.y", expect!["*"]);
    check(&["https://a.b", "*"], "https://a.b", expect!["https://a.b"]);
    check(&["*"], "", expect!["-"]);
    assert_eq!(Cors::new(&["*".to_owned()]).allowed_origin(&HeaderMap::new()), None);
}

/// As the real server with `--origins 'https://a.b,http://*.x.y,https://c?.d'` answers.
#[test]
fn listed_origins_and_patterns() {
    let allowed = ["https://a.b", "http://*.x.y", "https://c?.d"];
    check(&allowed, "https://a.b", expect!["https://a.b"]);
    check(&allowed, "http://q.x.y", expect!["http://q.x.y"]);
    check(&allowed, "http://p.q.x.y", expect!["http://p.q.x.y"]);
    check(&allowed, "https://cc.d", expect!["https://cc.d"]);
    for other in ["http://x.y", "https://c.d", "https://A.b", "null", "http://x.y.evil.org"] {
        check(&allowed, other, expect!["-"]);
    }
}

#[test]
fn a_pattern_matches_the_whole_text() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("a*b", "ab", true),
        ("a*b", "axxbxb", true),
        ("a*b", "axxbx", false),
        ("*a*", "bbb", false),
        ("?", "ü", true),
        ("?", "", false),
        ("a*b*c", "abbbc", true),
        ("a*b*c", "acb", false),
        ("a", "ab", false),
        ("ab", "a", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_preflight_is_answered_even_if_refused() {
    let show = |allowed: &str, request: &HeaderMap| {
        let cors = Cors::new(&[allowed.to_owned()]);
        let response = preflight(request, cors.allowed_origin(request));
        let mut shown = format!("{}\n", response.status());
        for (name, value) in response.headers() {
            shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        shown
    };
    let request = headers(&[
        ("origin", "http://x.y"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-a, b"),
    ]);
    expect![[r#"
        204 No Content
        vary: Origin
        vary: Access-Control-Request-Method
        vary: Access-Control-Request-Headers
        access-control-allow-origin: *
        access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE
        access-control-allow-headers: x-a, b
    "#]]
    .assert_eq(&show("*", &request));
    expect![[r#"
        204 No Content
        vary: Origin
    "#]]
    .assert_eq(&show("https://a.b", &request));
}
