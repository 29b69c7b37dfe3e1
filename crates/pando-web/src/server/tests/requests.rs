//! What every answer has, and what is refused before any handler looks at it.

use expect_test::expect;
use pando_schema::RateLimitRule;

use super::*;

#[test]
fn an_answer_has_the_headers_of_the_real_server() {
    let server = TestServer::start();
    expect![[r#"
        200
        content-length: 50
        content-type: application/json
        cross-origin-opener-policy: same-origin
        vary: Origin
        x-content-type-options: nosniff
        x-frame-options: SAMEORIGIN
        x-xss-protection: 1; mode=block
        {"message":"API is healthy.","code":200,"data":{}}"#]]
    .assert_eq(&show(&server.get("/api/health")));
    let picked = server.get("/api/health?fields=code");
    assert_eq!(picked.text(), r#"{"code":200}"#);
}

#[test]
fn head_is_get_without_the_body() {
    let server = TestServer::start();
    let mut client = HttpClient::new(server.addr());
    for _ in 0..2 {
        let response = client.send(&Request::new("HEAD", "/api/health")).unwrap();
        assert_eq!((response.status, response.header("content-length")), (200, Some("50")));
    }
    assert_eq!(client.send(&Request::get("/api/health")).unwrap().body.len(), 50);
    let missing = client.send(&Request::new("HEAD", "/api/nothing")).unwrap();
    assert_eq!((missing.status, missing.header("content-length")), (404, None));
}

#[test]
fn pages_of_other_origins_are_told_what_they_may() {
    let server = TestServer::start_with(|config| config.origins = vec!["https://a.b".to_owned()]);
    let from = |method: &str, origin: &str| {
        server.send(&Request::new(method, "/api/health").header("Origin", origin))
    };
    let simple = from("GET", "https://a.b");
    assert_eq!(simple.header("access-control-allow-origin"), Some("https://a.b"));
    assert_eq!(from("GET", "https://c.d").header("access-control-allow-origin"), None);
    expect![[r#"
        204
        access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE
        access-control-allow-origin: https://a.b
        vary: Access-Control-Request-Headers
        vary: Access-Control-Request-Method
        vary: Origin
    "#]]
    .assert_eq(&show(&from("OPTIONS", "https://a.b")));
    assert_eq!(show(&from("OPTIONS", "https://c.d")), "204\nvary: Origin\n");
}

#[test]
fn malformed_requests_are_refused_and_the_server_lives_on() {
    let server = TestServer::start();
    let long = |name: &str, count: usize| {
        format!("GET /{name} HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(count))
    };
    let cases = [
        ("GARBAGE\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_owned(), "400"),
        ("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nFoo : a\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n".to_owned(), "400"),
        (long("", 1_200_000), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)), "414"),
    ];
    for (request, status) in cases {
        // The server may answer and close before it has read all.
        let mut stream = server.connect();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).unwrap();
        let shown = &request[..request.len().min(60)];
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{shown}");
    }
    assert_eq!(server.get("/api/health").status, 200);
    let old = server.send_raw(b"GET /api/health HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 OK"), "{old}");
}

#[test]
fn untidy_paths_are_redirected_before_anything_else() {
    let server = TestServer::start();
    expect![[r#"
        307
        content-length: 47
        content-type: text/html; charset=utf-8
        location: /api/health
        <a href="/api/health">Temporary Redirect</a>.

    "#]]
    .assert_eq(&show(&server.get("//api/x/..//health")));
}

#[test]
fn other_routes_and_methods_are_not_found() {
    let server = TestServer::start();
    let refusal = r#"{"data":{},"message":"The requested resource wasn't found.","status":404}"#;
    for (method, target) in [("POST", "/api/health"), ("FOO", "/api/health"), ("POST", "/x")] {
        let response = server.send(&Request::new(method, target));
        assert_eq!((response.status, response.text().as_str()), (404, refusal), "{method}");
    }
}

#[test]
fn a_large_body_is_refused_before_it_comes() {
    let server = TestServer::start();
    let mut stream = server.connect();
    let head = "POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The client goes on sending all the same; it must see the answer nevertheless.
    for _ in 0..40 {
        if stream.write_all(&[b'x'; 100_000]).is_err() {
            break;
        }
    }
    let answer = read_answer(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"), "{answer}");
    let body = r#"{"data":{},"message":"Request entity too large.","status":413}"#;
    assert!(answer.ends_with(body), "{answer}");
}

#[test]
fn rate_limits_hold_from_the_next_request_on() {
    let server = TestServer::start();
    let statuses = |target: &str, count: usize| -> Vec<u16> {
        (0..count).map(|_| server.get(target).status).collect()
    };
    assert_eq!(statuses("/api/health", 3), [200, 200, 200]);
    let limit = |label: &str, requests: i64| RateLimitRule {
        label: label.to_owned(),
        audience: String::new(),
        // As long as no test takes.
        duration: 10_000,
        max_requests: requests,
    };
    let rules = vec![limit("*:list", 1), limit("/api/", 2)];
    server.change_settings(move |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.rules = rules;
    });
    assert_eq!(statuses("/api/health", 3), [200, 200, 429]);
    let refused = server.get("/api/health");
    assert_eq!(refused.text(), r#"{"data":{},"message":"Too Many Requests.","status":429}"#);
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10_000).contains(&wait));
    assert_eq!(server.get("/elsewhere").status, 404, "another path");

    server.change_settings(|settings| {
        settings.rate_limits.excluded_ips = vec!["127.0.0.0/8".to_owned()];
    });
    assert_eq!(statuses("/api/health", 4), [200; 4]);
}

#[test]
fn the_client_is_who_the_trusted_proxy_says() {
    let server = TestServer::start();
    let rule = RateLimitRule {
        label: "/api/".to_owned(),
        audience: "@guest".to_owned(),
        duration: 10_000,
        max_requests: 1,
    };
    server.change_settings(move |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.rules = vec![rule];
        settings.trusted_proxy.headers = vec!["X-Forwarded-For".to_owned()];
    });
    let from = |list: &str| {
        server.send(&Request::get("/api/health").header("x-forwarded-for", list)).status
    };
    assert_eq!(from("1.1.1.1, 2.2.2.2"), 200);
    assert_eq!(from("9.9.9.9, 2.2.2.2"), 429, "the last one counts");
    assert_eq!(from("2.2.2.2, 1.1.1.1"), 200);
    assert_eq!(from("nonsense"), 200, "falls back to the peer");
    assert_eq!(server.get("/api/health").status, 429, "the peer again");
}

#[test]
fn metrics_are_for_programs_nearby_or_who_has_the_token() {
    let server = TestServer::start();
    server.get("/api/health");
    let text = server.get("/metrics").text();
    let line = r#"pando_http_requests_total{group="health",method="GET",status="2xx"}"#;
    assert!(text.contains(line), "{text}");
    let proxied = server.send(&Request::get("/metrics").header("X-Forwarded-For", "1.1.1.1"));
    assert_eq!(proxied.status, 403);

    let guarded = TestServer::start_with(|config| {
        config.metrics_token = pando_runtime::config::Secret::new("s3cret");
    });
    let refused = guarded.get("/metrics");
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
    let scrape = Request::get("/metrics").header("Authorization", "Bearer s3cret");
    assert_eq!(guarded.send(&scrape).status, 200);
}

#[test]
fn the_www_name_leads_to_the_main_one() {
    let server = TestServer::start_with(|config| config.domains = vec!["a.b".to_owned()]);
    let response = server.send(&Request::get("/x?y").header("Host", "www.a.b"));
    assert_eq!((response.status, response.header("location")), (307, Some("http://a.b/x?y")));
    assert_eq!(server.send(&Request::get("/api/health").header("Host", "a.b")).status, 200);
}
