//! `pando serve`: starting, answering, stopping.

use std::path::Path;

use pando_testkit::{HttpClient, Request};
use rustix::process::Signal;
use serde_json::json;

use crate::process::{Serving, command, outcome, read_all, send};

fn serving(dir: &Path) -> Serving {
    Serving::start(command(dir, &["serve", "--http", "127.0.0.1:0"]))
}

/// The answer to a request without a body.
fn get(server: &Serving, path: &str) -> String {
    let mut stream = server.connect();
    send(
        &mut stream,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    );
    read_all(stream)
}

const LOGIN: &str = "/api/collections/_superusers/auth-with-password";

/// Sends a login up to the middle of its body.
fn half_a_login(server: &Serving) -> (std::net::TcpStream, &'static str) {
    let body = r#"{"identity":"a@b.co","password":"1234567890"}"#;
    let (first, rest) = body.split_at(10);
    let mut stream = server.connect();
    let length = body.len();
    send(
        &mut stream,
        &format!(
            "POST {LOGIN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        ),
    );
    // The interim answer shows that a handler reads the body.
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    send(&mut stream, first);
    (stream, rest)
}

#[test]
fn answers_until_it_is_told_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(dir.path());
    let answer = get(&server, "/api/health");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // A request to read files again ends nothing.
    server.signal(Signal::HUP);
    let answer = get(&server, "/metrics");
    assert!(answer.contains("process_cpu_seconds_total"), "{answer}");
    server.signal(Signal::TERM);
    let (status, log) = server.end();
    assert!(status.success(), "{log}");
    assert!(log.contains("SIGHUP: reading certificates again"), "{log}");
    assert!(dir.path().join("pando_data/data.db").exists());
}

#[test]
fn a_second_server_on_the_directory_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let _first = serving(dir.path());
    let second = outcome(command(dir.path(), &["serve", "--http", "127.0.0.1:0"]));
    assert!(second.starts_with("exit 1\n"), "{second}");
    assert!(second.contains("in use by another process"), "{second}");
}

#[test]
fn superusers_are_managed_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(dir.path());
    let upsert = ["superuser", "upsert", "a@b.co", "1234567890"];
    let shown = outcome(command(dir.path(), &upsert));
    assert_eq!(shown, "exit 0\nSuccessfully saved superuser \"a@b.co\"!\n");
    let (mut login, rest) = half_a_login(&server);
    send(&mut login, rest);
    let answer = read_all(login);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let refused = outcome(command(dir.path(), &["superuser", "delete", "a@b.co"]));
    assert!(refused.starts_with("exit 1\nerror: failed to delete superuser"), "{refused}");
}

/// The path of a socket may have 107 bytes.
#[test]
fn the_path_of_the_directory_may_be_long() {
    let dir = tempfile::tempdir().unwrap();
    let data = "long-name/".repeat(20);
    let server =
        Serving::start(command(dir.path(), &["serve", "--http", "127.0.0.1:0", "--dir", &data]));
    let upsert = ["superuser", "upsert", "a@b.co", "1234567890", "--dir", &data];
    let shown = outcome(command(dir.path(), &upsert));
    assert_eq!(shown, "exit 0\nSuccessfully saved superuser \"a@b.co\"!\n");
    let (mut login, rest) = half_a_login(&server);
    send(&mut login, rest);
    assert!(read_all(login).starts_with("HTTP/1.1 200 OK\r\n"));
}

/// What settings ask for and is not there is said once for a change, and at each start.
#[test]
fn what_is_not_built_yet_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(dir.path());
    outcome(command(dir.path(), &["superuser", "upsert", "a@b.co", "1234567890"]));
    let mut client = HttpClient::new(server.address.parse().unwrap());
    let login = json!({ "identity": "a@b.co", "password": "1234567890" });
    let answer = client.send(&Request::post(LOGIN).json(&login)).unwrap().json().unwrap();
    let token = answer["token"].as_str().unwrap().to_owned();
    for settings in [
        json!({ "backups": { "cron": "0 0 * * *" } }),
        json!({ "meta": { "appName": "x" } }),
        json!({ "backups": { "s3": { "enabled": true, "bucket": "b", "region": "r",
            "accessKey": "a", "secret": "s", "endpoint": "https://s3.example.com" } } }),
    ] {
        let change = Request::patch("/api/settings").json(&settings).token(&token);
        client.send(&change).unwrap().success().unwrap();
    }
    let warnings = |server: Serving| {
        server.signal(Signal::TERM);
        let (_, log) = server.end();
        ["settings.backups.s3 is enabled", "settings.backups.cron is set"]
            .map(|text| log.matches(text).count())
    };
    assert_eq!(warnings(server), [1, 1]);
    assert_eq!(warnings(serving(dir.path())), [1, 1]);
}

#[test]
fn one_time_passwords_for_superusers() {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(dir.path());
    outcome(command(dir.path(), &["superuser", "upsert", "a@b.co", "1234567890"]));
    let mut client = HttpClient::new(server.address.parse().unwrap());
    let login = json!({ "identity": "a@b.co", "password": "1234567890" });
    let answer = client.send(&Request::post(LOGIN).json(&login)).unwrap().json().unwrap();
    let token = answer["token"].as_str().unwrap();
    let enable = json!({ "otp": { "enabled": true }, "mfa": { "enabled": true } });
    let enable = Request::patch("/api/collections/_superusers").json(&enable);
    let enabled = client.send(&enable.token(token)).unwrap();
    assert_eq!(enabled.status, 200);
    let shown = outcome(command(dir.path(), &["superuser", "otp", "a@b.co"]));
    let lines: Vec<&str> = shown.lines().collect();
    let [exit, head, id, pass, valid, ""] = lines[..] else { panic!("{shown}") };
    assert_eq!((exit, head), ("exit 0", "Successfully created OTP for superuser \"a@b.co\":"));
    assert_eq!(id.strip_prefix("├─ Id:    ").expect(id).len(), 15);
    let pass = pass.strip_prefix("├─ Pass:  ").expect(pass);
    assert!(pass.len() == 8 && pass.bytes().all(|byte| byte.is_ascii_digit()), "{pass}");
    assert_eq!(valid, "└─ Valid: 180s");
}

#[test]
fn the_drain_lets_requests_finish() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = serving(dir.path());
    let (mut login, rest) = half_a_login(&server);
    server.signal(Signal::TERM);
    // New work is refused before the old is done.
    server.expect_closed();
    assert!(!server.ended());
    send(&mut login, rest);
    let answer = read_all(login);
    // There is no such superuser, but that is an answer.
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let (status, log) = server.end();
    assert!(status.success(), "{log}");
}

#[test]
fn the_drain_has_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command(dir.path(), &["serve", "--http", "127.0.0.1:0"]);
    command.env("PANDO_DRAIN__TIMEOUT", "100ms");
    let server = Serving::start(command);
    let _login = half_a_login(&server);
    server.signal(Signal::INT);
    let (status, log) = server.end();
    assert!(status.success(), "{log}");
    assert!(log.contains("some requests took longer than drain.timeout"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = serving(dir.path());
    let _login = half_a_login(&server);
    server.signal(Signal::TERM);
    server.expect_closed();
    server.signal(Signal::TERM);
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(1), "{log}");
}

#[test]
fn a_fresh_directory_gets_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_pando");
    serving(dir.path())
        .expect_printed(&format!("by running: {program} superuser upsert EMAIL PASS\n"));
}
