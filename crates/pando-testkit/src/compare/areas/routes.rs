//! The edges of HTTP: health, unknown routes and methods, malformed requests, CORS, static files.

use super::Area;
use crate::compare::dataset::Dataset;
use crate::compare::deviations;
use crate::compare::scenario::{Action, Actor, Step};
use crate::http::Request;
use crate::rng::Rng;

pub(super) const AREA: Area = Area { name: "routes", weight: 6, catalog, random };

const PATHS: &[&str] = &[
    "/api/health",
    "/api/health/",
    "/api/health/x",
    "/api//health",
    "/API/health",
    "/api",
    "/api/",
    "/api/unknown",
    "/api/collections",
    "/api/collections/",
    "/api/collections/posts",
    "/api/collections/posts/",
    "/api/collections/posts/records/",
    "/api/collections//records",
    "/api/collections/posts/unknown",
    "/api/collections/meta/scaffolds",
    "/api/collections/meta/unknown",
    "/api/settings",
    "/api/settings/x",
    "/api/realtime/x",
    "/api/batch",
    "/api/batch/x",
    "/api/records",
    "/api/files/token",
    "/api/collections/users/auth-methods",
    "/api/collections/users/auth-refresh",
    "/api/collections/users/auth-with-password",
    "/api/collections/users/impersonate/x",
    "/api/./health",
    "/api/../api/health",
    "/api/%68ealth",
    "/api/health%2F",
    "/api/health?x=%zz",
];
const STATIC: &[&str] = &[
    "/",
    "/index.html",
    "/app.js",
    "/sub",
    "/sub/",
    "/sub/page.html",
    "/sub/data.json",
    "/sub/none",
    "/none.js",
    "/none",
    "/../x",
    "/%2e%2e/x",
    "/sub/../app.js",
    "//app.js",
    "/app.js/",
    "/index.html/",
    "/sub/index.html",
    "/.hidden",
    "/app.js?x=1",
];
const METHODS: &[&str] =
    &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PURGE", "get"];

fn catalog(dataset: &Dataset) -> Vec<Vec<Step>> {
    let mut cases = Vec::new();
    for path in PATHS.iter().chain(STATIC) {
        cases.push(vec![Step::get(Actor::Guest, *path)]);
    }
    for method in METHODS {
        for path in [
            "/api/health",
            "/api/collections",
            "/api/unknown",
            "/api/realtime/x",
            "/api/collections/beacons/records/zzz",
            "/app.js",
            "/none",
        ] {
            cases.push(vec![Step::new(Actor::Guest, Request::new(*method, path))]);
        }
    }
    for actor in [Actor::Alice, Actor::Root] {
        cases.push(vec![Step::get(actor, "/api/health")]);
    }
    cors_cases(&mut cases);
    token_cases(&mut cases);
    body_cases(&mut cases);
    raw_cases(&mut cases);
    gzip_cases(dataset, &mut cases);
    cases
}

fn cors_cases(cases: &mut Vec<Vec<Step>>) {
    for path in ["/api/health", "/api/collections/posts/records", "/api/unknown", "/app.js"] {
        let get = |origin: &str| Request::get(path).header("Origin", origin);
        cases.push(vec![Step::new(Actor::Guest, get("https://example.com"))]);
        cases.push(vec![Step::new(Actor::Guest, get("null"))]);
        cases.push(vec![Step::new(Actor::Guest, get(""))]);
        for method in ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "X"] {
            let request = Request::new("OPTIONS", path)
                .header("Origin", "https://example.com")
                .header("Access-Control-Request-Method", method);
            cases.push(vec![Step::new(Actor::Guest, request.clone())]);
            let asking = request.header("Access-Control-Request-Headers", "authorization,x-own");
            cases.push(vec![Step::new(Actor::Guest, asking)]);
        }
    }
}

/// Tokens that are none; a bad token makes a guest of the caller.
fn token_cases(cases: &mut Vec<Vec<Step>>) {
    for value in [
        "",
        " ",
        "x",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic YTpi",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "eyJhbGciOiJub25lIn0.eyJpZCI6ImFsaWNlMDAwMDAwMDAwMSIsInR5cGUiOiJhdXRoIiwiY29sbGVjdGlvbklkIjoiX3BiX3VzZXJzX2F1dGhfIn0.",
        "{{token.root}}x",
        "Bearer {{token.root}}",
        "bearer {{token.root}}",
        "BEARER {{token.root}}",
        "{{token.root}} ",
        "Bearer  {{token.root}}",
        "Bearer Bearer {{token.root}}",
        "{{token.mia}}",
    ] {
        for path in ["/api/settings", "/api/collections/notes/records?sort=id"] {
            cases.push(vec![Step::new(
                Actor::Guest,
                Request::get(path).header("Authorization", value),
            )]);
        }
    }
}

/// Bodies that do not parse.
fn body_cases(cases: &mut Vec<Vec<Step>>) {
    let targets = [
        ("POST", "/api/collections/kinds/records"),
        ("POST", "/api/collections/users/auth-with-password"),
        ("POST", "/api/batch"),
        ("POST", "/api/realtime"),
        ("PATCH", "/api/settings"),
        ("POST", "/api/collections"),
    ];
    let bodies: [(&str, &[u8]); 23] = [
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b"\"x\""),
        ("application/json", b"1"),
        ("application/json", b"{\"text\":}"),
        ("application/json", b"{\"text\":\"a\",}"),
        ("application/json", b"{\"text\":\"\xff\xfe\"}"),
        ("application/json", b"{} trailing"),
        ("application/json", b"{'text':'a'}"),
        ("application/json; charset=utf-8", b"{\"name\":5,,}"),
        ("text/plain", b"hello"),
        ("text/plain", b"{\"text\":\"a\"}x"),
        ("application/xml", b"<a/>"),
        ("", b"{"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"garbage"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nabc",
        ),
        ("application/x-www-form-urlencoded", b"identity=%zz"),
        ("application/x-www-form-urlencoded", b"identity=a;b"),
        ("application/x-www-form-urlencoded", b"identity=\xff"),
        ("application/json", b"{\"text\":\"\\ud800\"}}"),
    ];
    for (method, target) in targets {
        for (content_type, body) in bodies {
            let actor = if target.contains("settings") || target == "/api/collections" {
                Actor::Root
            } else {
                Actor::Guest
            };
            let mut request = Request::new(method, target);
            request.body = body.to_vec();
            if !content_type.is_empty() {
                request = request.header("Content-Type", content_type);
            }
            cases.push(vec![Step::new(actor, request)]);
        }
        let deep = format!("{}{}", "[".repeat(20000), "]".repeat(20000));
        let request =
            Request::new(method, target).bytes("application/json", format!("{{\"json\":{deep}}}"));
        cases.push(vec![Step::new(Actor::Guest, request)]);
    }
}

fn raw_cases(cases: &mut Vec<Vec<Step>>) {
    let understood: [&[u8]; 8] = [
        b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/health HTTP/1.0\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\n\r\n",
        b"GET /api/health HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
        b"POST /api/realtime HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n\r\n",
        b"POST /api/realtime HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"GET http://x/api/health HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
        b"GET /api/health%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ];
    let raws = understood.into_iter().chain(deviations::NO_REQUESTS);
    let raws = raws.chain([deviations::UNKNOWN_VERSION, deviations::BAD_HEADER]);
    for raw in raws {
        cases.push(vec![Step::of(Actor::Guest, Action::SendRaw(raw.to_vec()))]);
    }
}

fn gzip_cases(dataset: &Dataset, cases: &mut Vec<Vec<Step>>) {
    // Only the headers: two compressors may differ in every byte.
    let file = dataset.files.iter().find(|file| file.name.ends_with(".png"));
    let mut paths = vec![
        "/api/health".to_owned(),
        "/app.js".to_owned(),
        "/api/collections/teams/records".to_owned(),
        "/api/unknown".to_owned(),
    ];
    paths.extend(file.map(|file| format!("/api/files/posts/{}/{}", file.record, file.name)));
    for path in paths {
        for value in ["gzip", "deflate", "gzip, deflate, br", "*", "identity", "gzip;q=0", ""] {
            let mut step = Step::new(
                Actor::Guest,
                Request::get(path.clone()).header("Accept-Encoding", value),
            );
            step.body = crate::compare::scenario::BodyKind::Ignored;
            cases.push(vec![step]);
        }
    }
}

fn random(_: &Dataset, rng: &mut Rng) -> Vec<Step> {
    let path = if rng.percent(60) { *rng.pick(PATHS) } else { *rng.pick(STATIC) };
    let actor = *rng.pick(&Actor::ALL);
    // Only methods that change nothing on these paths.
    vec![Step::new(actor, Request::new(*rng.pick(&["GET", "HEAD", "OPTIONS"]), path))]
}
