//! TLS to the server, as libpq's `sslmode` asks for it.
//!
//! Source: PostgreSQL's documentation, "SSL Support" (`prefer` and `require` encrypt without
//! asking who the other side is; `verify-full` asks).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// How a connection is encrypted.
#[derive(Clone)]
pub(crate) enum Tls {
    None,
    Rustls(MakeRustlsConnect),
}

/// Which certificates are taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    Any,
    /// Those for the host's name, by an authority of the system or of that file.
    Full {
        root_file: Option<String>,
    },
}

impl Verify {
    /// Takes what the driver does not know out of a URL: `sslmode=verify-full`, `sslrootcert`.
    pub(crate) fn of(url: &str) -> Result<(String, Verify), StoreError> {
        let Some((address, query)) = url.split_once('?') else {
            return Ok((url.to_owned(), Verify::Any));
        };
        let (mut full, mut root_file) = (false, None);
        let mut left = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    full = true;
                    left.push("sslmode=require");
                }
                Some(("sslmode", "verify-ca")) => {
                    let hint = "sslmode=verify-ca is not supported: use verify-full";
                    return Err(StoreError::BadUrl(hint.to_owned()));
                }
                Some(("sslrootcert", file)) => root_file = Some(file.to_owned()),
                _ => left.push(pair),
            }
        }
        let verify = if full { Verify::Full { root_file } } else { Verify::Any };
        Ok((format!("{address}?{}", left.join("&")), verify))
    }
}

impl Tls {
    pub(crate) fn of(verify: &Verify) -> Result<Tls, StoreError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::BadUrl(error.to_string()))?;
        let builder = match verify {
            Verify::Any => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
            Verify::Full { root_file: Some(file) } => {
                builder.with_root_certificates(roots_of(file)?)
            }
            Verify::Full { root_file: None } => {
                let (connect, _unreadable) =
                    MakeRustlsConnect::with_native_certs().map_err(|_errors| {
                        let hint = "the system has no certificates: name a file by sslrootcert";
                        StoreError::BadUrl(hint.to_owned())
                    })?;
                return Ok(Tls::Rustls(connect));
            }
        };
        Ok(Tls::Rustls(MakeRustlsConnect::new(builder.with_no_client_auth())))
    }
}

fn roots_of(file: &str) -> Result<RootCertStore, StoreError> {
    let unreadable =
        |reason: String| StoreError::BadUrl(format!("cannot read sslrootcert {file}: {reason}"));
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    Ok(roots)
}

/// Takes every certificate, but checks that the other side has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_taken_out() {
        let (url, verify) =
            Verify::of("postgres://h/d?sslmode=verify-full&a=b&sslrootcert=/ca.pem").unwrap();
        assert_eq!(url, "postgres://h/d?sslmode=require&a=b");
        assert_eq!(verify, Verify::Full { root_file: Some("/ca.pem".to_owned()) });
        let (url, verify) = Verify::of("postgres://h/d?sslmode=prefer").unwrap();
        assert_eq!((url.as_str(), verify), ("postgres://h/d?sslmode=prefer", Verify::Any));
        assert!(Verify::of("postgres://h/d?sslmode=verify-ca").is_err());
    }
}
