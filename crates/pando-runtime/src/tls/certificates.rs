//! Several certificates: each client gets the one for the name that it asks for (SNI, RFC 6066 3).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{TlsError, certified_key};

/// The names of a certificate that is made for want of another.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificates of a folder, or one that is made up.
pub struct Certificates {
    dir: Option<PathBuf>,
    current: RwLock<Arc<Named>>,
}

/// Certificates by name.
struct Named {
    /// Exact names, and `*.domain` for all that is one label below.
    by_name: BTreeMap<String, Arc<CertifiedKey>>,
    /// For clients that name nothing, or nothing that is known.
    first: Arc<CertifiedKey>,
}

impl Certificates {
    /// Reads each `NAME.crt` (the chain, leaf first) and its `NAME.key` in `dir`.
    pub fn read(dir: &Path) -> Result<Certificates, TlsError> {
        let current = RwLock::new(Arc::new(Named::read(dir)?));
        Ok(Certificates { dir: Some(dir.to_owned()), current })
    }

    /// A certificate for `localhost`, signed by itself and new each time.
    pub fn self_signed() -> Result<Certificates, TlsError> {
        let names = LOCAL_NAMES.map(str::to_owned).to_vec();
        let made = rcgen::generate_simple_self_signed(names).map_err(TlsError::SelfSigned)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let key =
            key.map_err(|text| TlsError::Unusable(rustls::Error::General(text.to_owned())))?;
        let chain = vec![made.cert.der().clone()];
        let provider = ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(TlsError::Unusable)?;
        let named = Named { by_name: BTreeMap::new(), first: Arc::new(key) };
        Ok(Certificates { dir: None, current: RwLock::new(Arc::new(named)) })
    }

    /// Reads the folder again, for new connections. If anything in it is wrong, all stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let fresh = Arc::new(Named::read(dir)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn find(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let found = name.and_then(|name| current.find(&name.to_ascii_lowercase()));
        Arc::clone(found.unwrap_or(&current.first))
    }
}

impl Named {
    fn read(dir: &Path) -> Result<Named, TlsError> {
        let folder = |source| TlsError::Folder { dir: dir.to_owned(), source };
        let mut chains = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(folder)? {
            let path = entry.map_err(folder)?.path();
            if path.extension() == Some(OsStr::new("crt")) {
                chains.push(path);
            }
        }
        // The order of a folder is anybody's guess.
        chains.sort();
        let mut by_name = BTreeMap::new();
        let mut first = None;
        for chain in chains {
            let key = Arc::new(certified_key(&chain, &chain.with_extension("key"))?);
            for name in names(&chain, &key.cert)? {
                by_name.entry(name).or_insert_with(|| Arc::clone(&key));
            }
            first.get_or_insert(key);
        }
        let first = first.ok_or_else(|| TlsError::EmptyFolder { dir: dir.to_owned() })?;
        Ok(Named { by_name, first })
    }

    fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        self.by_name.get(name).or_else(|| {
            let (_, domain) = name.split_once('.')?;
            self.by_name.get(&format!("*.{domain}"))
        })
    }
}

/// The host names in a certificate.
fn names(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Vec<String>, TlsError> {
    let failed = |source| TlsError::Names { path: path.to_owned(), source };
    let Some(leaf) = chain.first() else { return Ok(Vec::new()) };
    let leaf = webpki::EndEntityCert::try_from(leaf).map_err(failed)?;
    Ok(leaf.valid_dns_names().map(str::to_ascii_lowercase).collect())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.find(hello.server_name()))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, file: &str, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(dir.join(format!("{file}.crt")), made.cert.pem()).unwrap();
        std::fs::write(dir.join(format!("{file}.key")), made.signing_key.serialize_pem()).unwrap();
    }

    fn leaf(certificates: &Certificates, name: Option<&str>) -> Vec<String> {
        names(Path::new(""), &certificates.find(name).cert).unwrap()
    }

    #[test]
    fn the_name_decides() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Certificates::read(dir.path()), Err(TlsError::EmptyFolder { .. })));
        write(dir.path(), "b", &["b.example", "*.b.example"]);
        write(dir.path(), "a", &["a.example"]);
        let certificates = Certificates::read(dir.path()).unwrap();
        for (name, expected) in [
            (Some("a.example"), "a.example"),
            (Some("B.Example"), "b.example"),
            (Some("x.b.example"), "b.example"),
            (Some("x.y.b.example"), "a.example"),
            (None, "a.example"),
        ] {
            assert_eq!(leaf(&certificates, name)[0], expected, "{name:?}");
        }
        std::fs::write(dir.path().join("a.key"), "no key").unwrap();
        certificates.reload().unwrap_err();
        assert_eq!(leaf(&certificates, None)[0], "a.example");
        write(dir.path(), "a", &["c.example"]);
        certificates.reload().unwrap();
        assert_eq!(leaf(&certificates, None)[0], "c.example");
    }

    #[test]
    fn a_certificate_for_localhost_is_made() {
        let made = Certificates::self_signed().unwrap();
        assert_eq!(leaf(&made, Some("localhost")), ["localhost"]);
    }
}
