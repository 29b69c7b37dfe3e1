//! The server on real sockets.

mod abandoned;
mod bodies;
mod clients;
mod connections;
mod https;
mod requests;
mod site;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pando_bus::{Bus, BusOptions};
use pando_runtime::Lifecycle;
use pando_runtime::config::WebConfig;
use pando_schema::{Record, Settings, Value};
use pando_store::{Store, StoreError, StoreOptions, WriteError};
use pando_testkit::http::{HttpClient, Request, Response};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::Bound;
use crate::app::{App, SharedApp};
use crate::tokens::{self, TokenKind};

/// What no test waits for in vain.
const LONG: Duration = Duration::from_secs(30);

/// A server on a fresh data directory. Its static site is the folder `site` in `dir`.
struct TestServer {
    runtime: Runtime,
    app: SharedApp,
    bound: Bound,
    dir: TempDir,
}

impl TestServer {
    fn start() -> TestServer {
        TestServer::start_with(|_| {})
    }

    fn start_with(change: impl FnOnce(&mut WebConfig)) -> TestServer {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("site");
        std::fs::create_dir(&site).unwrap();
        let mut config = WebConfig {
            http: "127.0.0.1:0".to_owned(),
            public_dir: site.to_str().unwrap().to_owned(),
            ..WebConfig::default()
        };
        change(&mut config);
        let runtime = Runtime::new().unwrap();
        let (app, bound) = runtime.block_on(serve(config, &dir.path().join("data")));
        TestServer { runtime, app, bound, dir }
    }

    fn addr(&self) -> SocketAddr {
        self.bound.http.unwrap()
    }

    fn write_file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.dir.path().join("site").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn change_settings(&self, change: impl FnOnce(&mut Settings) + Clone + Send + 'static) {
        let changed = self.app.store.write(move |tx| {
            Box::pin(async move {
                let mut settings = Settings::clone(tx.settings());
                change(&mut settings);
                tx.save_settings(settings, None).await
            })
        });
        let saved: Result<_, StoreError> = self.runtime.block_on(changed);
        saved.unwrap();
    }

    /// The token of a new superuser.
    fn superuser(&self) -> String {
        let collection = Arc::clone(self.app.store.schema().by_name("_superusers").unwrap());
        let mut record = Record::new(collection);
        record.put("email", Value::Text("root@example.com".to_owned()));
        record.put("password", Value::Text("no hash, so no password fits".to_owned()));
        record.fill_new(&mut rand::rng());
        let made = self.app.store.write(move |tx| Box::pin(async move { tx.insert(record).await }));
        let made: Result<Arc<Record>, WriteError> = self.runtime.block_on(made);
        tokens::issue(TokenKind::Auth, &made.unwrap(), Some(true), None).unwrap()
    }

    fn send(&self, request: &Request) -> Response {
        HttpClient::new(self.addr()).send(request).unwrap()
    }

    fn get(&self, target: &str) -> Response {
        self.send(&Request::get(target))
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends bytes as they are on a new connection and reads until the server closes it.
    fn send_raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        read_to_end(&mut stream)
    }

    /// Stops, and says whether all that ran came to its end.
    fn stop(self) -> bool {
        self.app.life.stopping.cancel();
        let drained = self.runtime.block_on(self.app.life.drained(LONG));
        drained && !self.app.life.failed()
    }
}

async fn serve(config: WebConfig, data_dir: &Path) -> (SharedApp, Bound) {
    let options = StoreOptions { dir: data_dir.to_owned(), ..StoreOptions::default() };
    let store = Store::open(&options).await.unwrap();
    let life = Lifecycle::default();
    let (bus, work) = Bus::new(store.clone(), BusOptions::default(), life.stopping.clone());
    life.spawn("bus", work);
    let app = App::new(config, store, bus, &data_dir.join("storage"), life.clone()).unwrap();
    let (announce, bound) = oneshot::channel();
    life.spawn("web", super::run(SharedApp::clone(&app), announce));
    let bound = bound.await.unwrap();
    (app, bound)
}

fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer whose length is told, and nothing after it.
fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    answer.extend(body);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status, headers but for the date, and body, as lines.
fn show(response: &Response) -> String {
    let mut lines = vec![response.status.to_string()];
    let told =
        response.headers.iter().filter(|(name, _)| name != "date" && name != "last-modified");
    let mut headers: Vec<_> = told.map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    lines.extend(headers);
    lines.push(response.text());
    lines.join("\n")
}

#[test]
fn the_server_says_where_it_listens() {
    let server = TestServer::start();
    assert_eq!(server.bound.https, None);
    assert_eq!(server.addr().ip(), Ipv4Addr::LOCALHOST);
    assert_ne!(server.addr().port(), 0);
    assert!(server.stop());
}

#[test]
fn an_address_in_use_is_an_error() {
    let server = TestServer::start();
    let taken = server.addr().to_string();
    let error = server.runtime.block_on(async { pando_runtime::listen::bind(&taken).unwrap_err() });
    assert_eq!(error.to_string(), format!("failed to listen on {taken:?}"));
}
