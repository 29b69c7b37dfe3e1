//! What depends on who asks, and how often.

use std::time::Instant;

use pando_schema::RateLimitRule;
use serde_json::{Value as Json, json};

use super::*;

fn limit(label: &str, requests: i64) -> RateLimitRule {
    RateLimitRule {
        label: label.to_owned(),
        audience: String::new(),
        // As long as no test takes.
        duration: 10_000,
        max_requests: requests,
    }
}

fn limit_rates(server: &TestServer, rules: Vec<RateLimitRule>) {
    server.change_settings(move |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.rules = rules;
    });
}

fn create_collection(server: &TestServer, token: &str, collection: &Json) {
    let request = Request::post("/api/collections").json(collection).token(token);
    server.send(&request).success().unwrap();
}

#[test]
fn superusers_are_not_limited() {
    let server = TestServer::start();
    let token = server.superuser();
    limit_rates(&server, vec![limit("/api/", 1), limit("*:list", 1)]);
    for _ in 0..5 {
        let health = Request::get("/api/health").token(&token);
        assert_eq!(server.send(&health).status, 200);
        let list = Request::get("/api/collections/users/records").token(&token);
        assert_eq!(server.send(&list).status, 200);
    }
    let guest = || server.get("/api/health").status;
    assert_eq!([guest(), guest()], [200, 429]);
    // A token that is none makes nobody a superuser.
    let forged = Request::get("/api/health").token(&format!("{token}x"));
    assert_eq!(server.send(&forged).status, 429);
}

#[test]
fn superusers_come_from_where_they_may() {
    let server = TestServer::start();
    let token = server.superuser();
    let ask = |header: &str| {
        let request = Request::get("/api/settings").token(&token).header("X-Real", header);
        server.send(&request).status
    };
    assert_eq!(ask(""), 200);
    server.change_settings(|settings| {
        settings.superuser_ips = vec!["10.1.0.0/16".to_owned(), "192.0.2.7".to_owned()];
        settings.trusted_proxy.headers = vec!["X-Real".to_owned()];
    });
    assert_eq!(ask(""), 403, "the peer is not listed");
    let cases = [("10.1.2.3", 200), ("192.0.2.7", 200), ("10.2.0.1", 403), ("nonsense", 403)];
    for (ip, expected) in cases {
        assert_eq!(ask(ip), expected, "{ip}");
    }
    // Where anybody may ask, too; but not whom the list is not about.
    let health = Request::get("/api/health").token(&token);
    assert_eq!(server.send(&health).status, 403);
    assert_eq!(server.get("/api/health").status, 200);
}

/// What a batch does has a share of its own, as in PocketBase.
#[test]
fn the_writes_of_a_batch_are_counted_apart() {
    let server = TestServer::start();
    let token = server.superuser();
    create_collection(&server, &token, &json!({ "name": "notes", "createRule": "" }));
    server.change_settings(|settings| {
        settings.batch.enabled = true;
        settings.batch.max_requests = 10;
    });
    limit_rates(&server, vec![limit("notes:create", 2)]);
    let path = "/api/collections/notes/records";
    let direct = || server.send(&Request::post(path).json(&json!({}))).status;
    let batch = |count: usize| {
        let one = json!({ "method": "POST", "url": path, "body": {} });
        let body = json!({ "requests": vec![one; count] });
        server.send(&Request::post("/api/batch").json(&body)).status
    };
    assert_eq!([direct(), direct(), direct()], [200, 200, 429]);
    assert_eq!([batch(2), batch(1)], [200, 400]);
}

/// Searches without a hit wait from the fourth on, and only where a rule hides something.
#[test]
fn guessing_is_slowed_down() {
    let server = TestServer::start();
    let token = server.superuser();
    create_collection(&server, &token, &json!({ "name": "hidden", "listRule": "id = 'none'" }));
    create_collection(&server, &token, &json!({ "name": "open", "listRule": "" }));
    let took = |collection: &str, query: &str, token: Option<&str>| {
        let request = Request::get(format!("/api/collections/{collection}/records{query}"));
        let request = token.map_or(request.clone(), |token| request.clone().token(token));
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(server.send(&request).status, 200);
        }
        started.elapsed()
    };
    let filtered = "?filter=id%3D1";
    let free = [
        took("hidden", "", None),
        took("open", filtered, None),
        took("hidden", filtered, Some(&token)),
    ];
    // Some 17 waits of half a second at most. That their sum is below a tenth of what may be
    // expected does not happen.
    let slow = took("hidden", filtered, None);
    assert!(slow > Duration::from_millis(400), "{slow:?}");
    let fastest = free.iter().min().unwrap();
    assert!(*fastest < slow / 2, "{free:?} {slow:?}");
}

#[test]
fn metrics_are_shown_without_a_token_to_this_machine_only() {
    let server = TestServer::start();
    let status =
        |name: &str, value: &str| server.send(&Request::get("/metrics").header(name, value)).status;
    assert_eq!(status("X-Other", "1"), 200);
    let forwarding =
        ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "X-Forwarded-Y"];
    for name in forwarding {
        assert_eq!(status(name, "x"), 403, "{name}");
    }
    let hosts = [
        ("localhost", 200),
        ("localhost:8090", 200),
        ("127.0.0.1", 200),
        ("127.9.9.9:1", 200),
        ("[::1]:8090", 200),
        ("LOCALHOST", 200),
        ("example.com", 403),
        ("localhost.example.com", 403),
        ("127.0.0.1.example.com", 403),
        ("10.0.0.1:8090", 403),
        ("[::2]", 403),
    ];
    for (host, expected) in hosts {
        assert_eq!(status("Host", host), expected, "{host}");
    }
    // Whoever reaches this one may come through anything.
    let wide = TestServer::start_with(|config| config.http = "0.0.0.0:0".to_owned());
    let mut client = HttpClient::new((Ipv4Addr::LOCALHOST, wide.addr().port()).into());
    let refused = client.send(&Request::get("/metrics")).unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
}
