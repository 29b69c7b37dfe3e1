//! HTTPS, HTTP/2, and the way there.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

fn fixture(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates.join("pando-runtime/tests/fixtures").join(name)
}

fn start() -> TestServer {
    TestServer::start_with(|config| {
        config.https = "127.0.0.1:0".to_owned();
        config.tls_cert = fixture("localhost.crt").to_str().unwrap().to_owned();
        config.tls_key = fixture("localhost.key").to_str().unwrap().to_owned();
    })
}

fn connector(protocol: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("localhost.crt")).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsConnector::from(Arc::new(config))
}

type Tls = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;

async fn connect(server: &TestServer, protocol: &str) -> Tls {
    let stream = tokio::net::TcpStream::connect(server.bound.https.unwrap()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    connector(protocol).connect(name, stream).await.unwrap()
}

fn health(target: &str) -> http::Request<Empty<Bytes>> {
    let request = http::Request::get(target).header("host", "localhost");
    request.body(Empty::new()).unwrap()
}

#[test]
fn both_versions_of_http_are_served() {
    let server = start();
    server.runtime.block_on(async {
        let stream = TokioIo::new(connect(&server, "h2").await);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
        let (mut client, connection) = handshake.await.unwrap();
        let connection = server.app.life.track(connection);
        for _ in 0..3 {
            let response = client.send_request(health("https://localhost/api/health")).await;
            let response = response.unwrap();
            assert_eq!(response.version(), http::Version::HTTP_2);
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), 50);
        }
        let head = http::Request::head("https://localhost/api/health").body(Empty::new()).unwrap();
        let response = client.send_request(head).await.unwrap();
        assert_eq!(response.headers()["content-length"], "50");
        drop(client);
        connection.await.unwrap().unwrap();

        let stream = TokioIo::new(connect(&server, "http/1.1").await);
        let (mut client, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        let connection = server.app.life.track(connection);
        let response = client.send_request(health("/api/health")).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_11);
        drop(client);
        connection.await.unwrap().unwrap();
    });
    assert!(server.stop());
}

#[test]
fn http_only_leads_to_https() {
    let server = start();
    let response = server.send(&Request::get("/api/health?x=1").header("Host", "localhost"));
    let port = server.bound.https.unwrap().port();
    assert_eq!(response.status, 302);
    let location = format!("https://localhost:{port}/api/health?x=1");
    assert_eq!(response.header("location"), Some(location.as_str()));
    let post = server.send(&Request::post("/api/health"));
    assert_eq!((post.status, post.text().as_str()), (400, "Use HTTPS\n"));
    assert!(server.stop());
}

#[test]
fn idle_http2_connections_end_with_the_stop() {
    let server = start();
    server.runtime.block_on(async {
        let stream = TokioIo::new(connect(&server, "h2").await);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
        let (mut client, connection) = handshake.await.unwrap();
        let connection = server.app.life.track(connection);
        let response = client.send_request(health("https://localhost/api/health")).await.unwrap();
        response.into_body().collect().await.unwrap();
        server.app.life.stopping.cancel();
        // `client` is still there: it is the server that ends the connection.
        connection.await.unwrap().unwrap();
        drop(client);
    });
    assert!(server.stop());
}
