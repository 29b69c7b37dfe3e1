//! TLS: certificate chains and their keys from PEM files, read again when asked.
//!
//! HTTP/2 is offered before HTTP/1.1 (ALPN, RFC 7301).

mod certificates;
mod client;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

pub use certificates::Certificates;
pub use client::client_config;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("failed to read the certificate chain {path:?}")]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("no certificate in {path:?}")]
    NoCertificate { path: PathBuf },
    #[error("failed to read the private key {path:?}")]
    Key { path: PathBuf, source: pem::Error },
    #[error("the certificate and its private key cannot be used")]
    Unusable(#[source] rustls::Error),
    #[error("failed to list the certificates in {dir:?}")]
    Folder { dir: PathBuf, source: std::io::Error },
    #[error("no certificate in {dir:?}: it needs NAME.crt beside NAME.key")]
    EmptyFolder { dir: PathBuf },
    #[error("failed to read the names in the certificate {path:?}")]
    Names { path: PathBuf, source: webpki::Error },
    #[error("failed to make a certificate for localhost")]
    SelfSigned(#[source] rcgen::Error),
    #[error("failed to read the certificates that the system trusts")]
    System,
}

/// A certificate that can be replaced while connections are accepted.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the PEM files with the chain (leaf first) and the private key.
    pub fn read(chain: &Path, key: &Path) -> Result<Arc<Certificate>, TlsError> {
        let current = RwLock::new(Arc::new(certified_key(chain, key)?));
        Ok(Arc::new(Certificate { chain: chain.to_owned(), key: key.to_owned(), current }))
    }

    /// Reads the files again, for new connections. If that fails, the old certificate stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(certified_key(&self.chain, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The settings of a listener with this certificate.
    pub fn server_config(self: &Arc<Certificate>) -> Result<Arc<ServerConfig>, TlsError> {
        server_config(self)
    }
}

/// The settings of a listener whose certificates `resolver` chooses. Sessions are resumed by
/// tickets, whose keys live in this process and change every six hours.
pub fn server_config<R>(resolver: &Arc<R>) -> Result<Arc<ServerConfig>, TlsError>
where
    R: ResolvesServerCert + 'static,
{
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?;
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(resolver) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new().map_err(TlsError::Unusable)?;
    Ok(Arc::new(config))
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain).finish_non_exhaustive()
    }
}

fn certified_key(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain_error = |source| TlsError::Certificate { path: chain.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(chain)
        .map_err(chain_error)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(chain_error)?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: chain.to_owned() });
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
    CertifiedKey::from_der(certificates, private, &ring::default_provider())
        .map_err(TlsError::Unusable)
}

#[cfg(test)]
mod tests;
