//! Accounts over HTTP, with a mail server that the test reads.

mod mailed;
mod old_password;
mod sink;
mod two_factors;

use std::sync::Arc;

use expect_test::expect;
use pando_bus::{Bus, BusOptions};
use pando_runtime::Lifecycle;
use pando_runtime::config::WebConfig;
use pando_schema::{Record, Settings, Smtp, Value};
use pando_store::{Store, StoreError, StoreOptions, WriteError};
use pando_testkit::http::{HttpClient, Request};
use pando_testkit::wait_for;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::expiry::delete_expired;
use super::now_ms;
use crate::app::{App, SharedApp};
use crate::server;
use crate::tokens::{self, TokenKind};

use sink::{Delivery, LONG, Sink};

const PASSWORD: &str = "correct horse";

/// A server whose mails go to a sink, a superuser, and a collection `users`.
struct Site {
    runtime: Runtime,
    app: SharedApp,
    client: HttpClient,
    sink: Sink,
    superuser: String,
    _dir: TempDir,
}

impl Site {
    fn start() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let (app, client) = runtime.block_on(serve(dir.path()));
        let superuser = runtime.block_on(make_superuser(&app));
        let sink = Sink::start();
        let site = Site { runtime, app, client, sink, superuser, _dir: dir };
        site.mail_to(site.sink.port, |_| {});
        site
    }

    /// Makes mails go to a port of this machine.
    fn mail_to(&self, port: u16, change: impl FnOnce(&mut Smtp) + Clone + Send + 'static) {
        let saved = self.app.store.write(move |tx| {
            Box::pin(async move {
                let mut settings = Settings::clone(tx.settings());
                let host = "127.0.0.1".to_owned();
                settings.smtp = Smtp { enabled: true, host, port: port.into(), ..Smtp::default() };
                change(&mut settings.smtp);
                tx.save_settings(settings, None).await
            })
        });
        let saved: Result<_, StoreError> = self.runtime.block_on(saved);
        saved.unwrap();
    }

    fn send(&mut self, request: &Request) -> (u16, Json) {
        let response = self.client.send(request).unwrap();
        let body = serde_json::from_slice(&response.body).unwrap_or(Json::Null);
        (response.status, body)
    }

    /// Posts to a path of the collection `users`.
    fn post(&mut self, action: &str, body: Json) -> (u16, Json) {
        let target = format!("/api/collections/users/{action}");
        self.send(&Request::post(target).json(&body))
    }

    fn as_superuser(&mut self, method: &str, target: &str, body: Json) -> Json {
        let request = Request::new(method, target).json(&body).token(&self.superuser);
        let (status, body) = self.send(&request);
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Changes options of the collection `users`.
    fn set_options(&mut self, options: Json) {
        self.as_superuser("PATCH", "/api/collections/users", options);
    }

    /// Makes an account; returns its id.
    fn sign_up(&mut self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD });
        let made = self.as_superuser("POST", "/api/collections/users/records", body);
        made["id"].as_str().unwrap().to_owned()
    }

    fn log_in(&mut self, email: &str, password: &str) -> (u16, Json) {
        self.post("auth-with-password", json!({ "identity": email, "password": password }))
    }

    fn log_in_from(&mut self, browser: &str, email: &str) -> u16 {
        let body = json!({ "identity": email, "password": PASSWORD });
        let target = "/api/collections/users/auth-with-password";
        self.send(&Request::post(target).json(&body).header("User-Agent", browser)).0
    }

    fn verified(&mut self, id: &str) -> bool {
        let target = format!("/api/collections/users/records/{id}");
        self.as_superuser("GET", &target, Json::Null)["verified"] == true
    }

    /// The records of a system collection.
    fn rows(&mut self, collection: &str) -> Vec<Json> {
        let target =
            format!("/api/collections/{collection}/records?perPage=100&sort=created,@rowid");
        let page = self.as_superuser("GET", &target, Json::Null);
        page["items"].as_array().unwrap().clone()
    }

    /// All mails so far, once none is under way.
    fn mail_count(&self) -> usize {
        wait_for("idle mail", LONG, || Ok(self.app.mailer.idle().then_some(()))).unwrap();
        self.sink.count()
    }
}

async fn serve(dir: &std::path::Path) -> (SharedApp, HttpClient) {
    let data_dir = dir.join("data");
    let options = StoreOptions { dir: data_dir.clone(), ..StoreOptions::default() };
    let store = Store::open(&options).await.unwrap();
    let life = Lifecycle::default();
    let config = WebConfig {
        http: "127.0.0.1:0".to_owned(),
        public_dir: dir.join("site").to_str().unwrap().to_owned(),
        ..WebConfig::default()
    };
    let (bus, work) = Bus::new(store.clone(), BusOptions::default(), life.stopping.clone());
    life.spawn("bus", work);
    let app = App::new(config, store, bus, &data_dir.join("storage"), life.clone()).unwrap();
    let (announce, bound) = oneshot::channel();
    life.spawn("web", server::run(SharedApp::clone(&app), announce));
    let addr = bound.await.unwrap().http.unwrap();
    (app, HttpClient::new(addr))
}

/// Makes a superuser; returns a token.
async fn make_superuser(app: &App) -> String {
    let collection = Arc::clone(app.store.schema().by_name("_superusers").unwrap());
    let mut record = Record::new(collection);
    record.put("email", Value::Text("root@example.com".to_owned()));
    record.put("password", Value::Text("no hash, so no password fits".to_owned()));
    record.fill_new(&mut rand::rng());
    let made = app.store.write(move |tx| Box::pin(async move { tx.insert(record).await }));
    let made: Result<Arc<Record>, WriteError> = made.await;
    tokens::issue(TokenKind::Auth, &made.unwrap(), Some(true), None).unwrap()
}

#[test]
fn the_first_place_is_noted_and_others_are_told_of() {
    let mut site = Site::start();
    site.sign_up("ann@example.com");
    assert_eq!(site.log_in_from("one", "ann@example.com"), 200);
    assert_eq!((site.mail_count(), site.rows("_authOrigins").len()), (0, 1));
    let first = site.rows("_authOrigins").remove(0);
    assert_eq!(site.log_in_from("one", "ann@example.com"), 200);
    let again = site.rows("_authOrigins").remove(0);
    assert_eq!(first["id"], again["id"]);
    assert!(first["updated"].as_str() < again["updated"].as_str());

    assert_eq!(site.log_in_from("<two>", "ann@example.com"), 200);
    let mail = site.sink.nth(0);
    expect!["Login from a new location"].assert_eq(mail.header("Subject"));
    expect!["ann@example.com"].assert_eq(mail.header("To"));
    assert!(mail.text.contains("127.0.0.1 &lt;two&gt;</em>"), "{}", mail.text);
    assert_eq!((site.mail_count(), site.rows("_authOrigins").len()), (1, 2));
}

#[test]
fn five_places_are_remembered() {
    let mut site = Site::start();
    site.sign_up("ann@example.com");
    assert_eq!(site.log_in_from("0", "ann@example.com"), 200);
    let first = site.rows("_authOrigins").remove(0)["id"].clone();
    for number in 1..6 {
        assert_eq!(site.log_in_from(&number.to_string(), "ann@example.com"), 200);
        assert_eq!(site.mail_count(), number);
    }
    let rows = site.rows("_authOrigins");
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| row["id"] != first), "the oldest is forgotten");
}

#[test]
fn a_dead_mail_server_stops_no_login() {
    let mut site = Site::start();
    site.sign_up("ann@example.com");
    site.set_options(json!({ "otp": { "enabled": true } }));
    // Port 1 of this machine refuses.
    site.mail_to(1, |_| {});
    let mut client = |browser: &str| site.log_in_from(browser, "ann@example.com");
    assert_eq!((client("one"), client("two")), (200, 200));
    let (_, login) = site.log_in("ann@example.com", PASSWORD);
    let request = Request::post("/api/collections/users/request-email-change")
        .json(&json!({ "newEmail": "new@example.com" }))
        .token(login["token"].as_str().unwrap());
    let (status, body) = site.send(&request);
    assert_eq!((status, &body["message"]), (400, &json!("Failed to request email change.")));
    let (status, body) = site.post("request-otp", json!({ "email": "ann@example.com" }));
    assert_eq!((status, body["otpId"].as_str().unwrap().len()), (200, 15));
    assert_eq!(site.mail_count(), 0);
    // Tried again at the next login, and nobody can know the one-time password.
    assert_eq!((site.rows("_authOrigins").len(), site.rows("_otps").len()), (1, 0));
}

#[test]
fn the_mail_server_is_logged_in_to() {
    let mut site = Site::start();
    let mut commands = Vec::new();
    for (count, method) in ["", "LOGIN"].into_iter().enumerate() {
        site.mail_to(site.sink.port, move |smtp| {
            smtp.username = "me".to_owned();
            smtp.password = "secret".to_owned();
            smtp.auth_method = method.to_owned();
            smtp.local_name = "app.example.com".to_owned();
        });
        let body = json!({ "email": "you@example.com", "template": "otp" });
        let request = Request::post("/api/settings/test/email").json(&body).token(&site.superuser);
        assert_eq!(site.send(&request).0, 204);
        commands.push(site.sink.nth(count).commands.join("\n"));
    }
    expect![[r#"
        EHLO app.example.com
        AUTH PLAIN AG1lAHNlY3JldA==
        MAIL FROM:<support@example.com>
        RCPT TO:<you@example.com>
        DATA
        QUIT
        EHLO app.example.com
        AUTH LOGIN
        MAIL FROM:<support@example.com>
        RCPT TO:<you@example.com>
        DATA
        QUIT"#]]
    .assert_eq(&commands.join("\n"));
}

#[test]
fn what_is_expired_is_deleted() {
    let mut site = Site::start();
    site.sign_up("ann@example.com");
    let options = json!({
        "otp": { "enabled": true, "duration": 100 },
        "mfa": { "enabled": true, "duration": 200 },
    });
    site.set_options(options);
    assert_eq!(site.log_in("ann@example.com", PASSWORD).0, 401);
    assert_eq!(site.post("request-otp", json!({ "email": "ann@example.com" })).0, 200);
    let mut left = Vec::new();
    for seconds in [90, 150, 250] {
        let later = now_ms() + seconds * 1000;
        site.runtime.block_on(delete_expired(&site.app, later)).unwrap();
        left.push((site.rows("_otps").len(), site.rows("_mfas").len()));
    }
    assert_eq!(left, [(1, 1), (0, 1), (0, 0)]);
}
