//! The fixture pair is for `localhost`, signed by itself, made with `openssl req -x509`.

use std::{fs, path::PathBuf, sync::Arc};

use expect_test::expect;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn client(offers: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(fixture("localhost.crt")).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offers.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// The protocol that client and server agree on.
async fn negotiated(offers: &[&str]) -> Option<String> {
    let certificate =
        Certificate::read(&fixture("localhost.crt"), &fixture("localhost.key")).unwrap();
    let acceptor = TlsAcceptor::from(certificate.server_config().unwrap());
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("localhost").unwrap();
    let (client, server) = tokio::join!(client(offers).connect(name, near), acceptor.accept(far));
    client.unwrap();
    let server = server.unwrap();
    let protocol = server.get_ref().1.alpn_protocol()?;
    Some(String::from_utf8(protocol.to_vec()).unwrap())
}

#[tokio::test]
async fn http2_comes_before_http1() {
    assert_eq!(negotiated(&["http/1.1", "h2"]).await.as_deref(), Some("h2"));
    assert_eq!(negotiated(&["http/1.1"]).await.as_deref(), Some("http/1.1"));
    assert_eq!(negotiated(&[]).await, None);
}

#[test]
fn unusable_files_are_named() {
    let outcome = |chain: &str, key: &str| {
        let error = Certificate::read(&fixture(chain), &fixture(key)).unwrap_err();
        error.to_string().replace(env!("CARGO_MANIFEST_DIR"), "…")
    };
    expect![[r#"failed to read the certificate chain "…/tests/fixtures/missing.crt""#]]
        .assert_eq(&outcome("missing.crt", "localhost.key"));
    expect![[r#"no certificate in "…/tests/fixtures/localhost.key""#]]
        .assert_eq(&outcome("localhost.key", "localhost.key"));
    expect![[r#"failed to read the private key "…/tests/fixtures/localhost.crt""#]]
        .assert_eq(&outcome("localhost.crt", "localhost.crt"));
}

#[test]
fn a_failed_reload_keeps_the_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, key) = (dir.path().join("a.crt"), dir.path().join("a.key"));
    fs::copy(fixture("localhost.crt"), &chain).unwrap();
    fs::copy(fixture("localhost.key"), &key).unwrap();
    let certificate = Certificate::read(&chain, &key).unwrap();
    let current = || Arc::clone(&certificate.current.read().unwrap());
    let first = current();
    fs::write(&chain, "half written").unwrap();
    assert!(certificate.reload().is_err());
    assert!(Arc::ptr_eq(&first, &current()));
    fs::copy(fixture("localhost.crt"), &chain).unwrap();
    certificate.reload().unwrap();
    assert!(!Arc::ptr_eq(&first, &current()), "read afresh");
}
