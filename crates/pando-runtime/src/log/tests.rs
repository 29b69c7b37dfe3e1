use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use tracing::{debug, info, info_span, warn};

use super::{ACCESS, subscriber};
use crate::config::{LogConfig, Secret};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `work` logs, times cut out.
#[track_caller]
fn check(config: &LogConfig, pretty: bool, work: impl FnOnce(), expect: Expect) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = subscriber(config, pretty, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    expect.assert_eq(&text.lines().map(|line| untimed(line) + "\n").collect::<String>());
}

fn untimed(line: &str) -> String {
    match line.split_once("\"timestamp\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once("\",").unwrap().1),
        None => line.split_once("Z ").map_or(line, |(_, after)| after).trim().to_owned(),
    }
}

fn request() {
    let _request = info_span!("request", request.id = "r1").entered();
    info!(record.id = "abc", key = ?Secret::new("hidden"), "record created");
    debug!("not at this level");
    info!(target: ACCESS, status = 200, "GET /api/health");
}

#[test]
fn json_lines_carry_the_request_id() {
    check(
        &LogConfig::default(),
        false,
        request,
        expect![[r#"
            {"level":"INFO","message":"record created","record.id":"abc","key":"***","target":"pando_runtime::log::tests","spans":[{"request.id":"r1","name":"request"}]}
        "#]],
    );
}

#[test]
fn pretty_lines_carry_the_request_id() {
    check(
        &LogConfig::default(),
        true,
        request,
        expect![[r#"
            INFO request{request.id="r1"}: pando_runtime::log::tests: record created record.id="abc" key=***
        "#]],
    );
}

#[test]
fn access_lines_are_switched_by_themselves() {
    let config = LogConfig { access: true, level: "warn".to_owned(), ..LogConfig::default() };
    check(
        &config,
        true,
        || {
            request();
            warn!("degraded");
        },
        expect![[r#"
            INFO pando::access: GET /api/health status=200
            WARN pando_runtime::log::tests: degraded
        "#]],
    );
}

#[test]
fn warnings_and_errors_are_kept_until_they_are_fetched() {
    let config = LogConfig { level: "off".to_owned(), ..LogConfig::default() };
    let quiet = subscriber(&config, false, Lines::default).unwrap();
    tracing::subscriber::with_default(quiet, || {
        info!("not this");
        warn!(count = 3_u64, share = 0.5, error = format!("{:#}", "why"), "noted once");
        tracing::error!(target: super::LOGS, "not this");
        tracing::error!(target: super::REQUEST, "not this");
        debug!("not this");
        tracing::error!(done = false, path = ?"/x", "noted twice");
    });
    // Other tests say something at the same time.
    let ours = |noted: super::Noted| match noted.message.as_str() {
        "noted once" | "noted twice" => Some(format!("{} {:?}", noted.level, noted.fields)),
        other => {
            assert_ne!(other, "not this");
            None
        }
    };
    let kept: Vec<String> = super::noted().0.into_iter().filter_map(ours).collect();
    expect![[r#"
        WARN [("count", Int(3)), ("share", Real(0.5)), ("error", Text("why"))]
        ERROR [("done", Bool(false)), ("path", Text("\"/x\""))]"#]]
    .assert_eq(&kept.join("\n"));
}
