//! Where an upstream is, as operators write it: `HOST:PORT`, `https://HOST:PORT`, `… weight=2`.

use std::fmt;
use std::net::SocketAddr;

use rustls::pki_types::ServerName;

const WEIGHT_MAX: f64 = 100.0;

/// Where an upstream listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) socket: SocketAddr,
    /// The name in its certificate, if it is spoken to by TLS.
    pub(crate) tls: Option<ServerName<'static>>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.socket)
    }
}

/// An upstream with an address, as it was named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Configured {
    pub(crate) address: Address,
    pub(crate) weight: f64,
}

/// A line of `balancer.upstreams`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) weight: f64,
}

/// Why a text names no upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("must be HOST:PORT or https://HOST:PORT")]
    Form,
    #[error("has an unknown option {0:?}")]
    Option(String),
    #[error("has a weight that is not from 0.01 to {WEIGHT_MAX}")]
    Weight,
}

impl Entry {
    pub(crate) fn parse(text: &str) -> Result<Entry, AddressError> {
        let mut words = text.split_ascii_whitespace();
        let place = words.next().ok_or(AddressError::Form)?;
        let (tls, place) = match place.split_once("://") {
            None => (false, place),
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => return Err(AddressError::Form),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = place.rsplit_once(':').ok_or(AddressError::Form)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Form)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if bare.is_empty() || !bare.chars().all(plain) || (bare.contains(':') && bare == host) {
            return Err(AddressError::Form);
        }
        let mut weight = 1.0;
        for word in words {
            let Some(number) = word.strip_prefix("weight=") else {
                return Err(AddressError::Option(word.to_owned()));
            };
            let number: f64 = number.parse().map_err(|_| AddressError::Weight)?;
            if !(0.01..=WEIGHT_MAX).contains(&number) {
                return Err(AddressError::Weight);
            }
            weight = number;
        }
        Ok(Entry { tls, host: bare.to_owned(), port, weight })
    }

    /// The upstream, if the host is an address and not a name.
    pub(crate) fn fixed(&self) -> Option<Configured> {
        Some(self.at(SocketAddr::new(self.host.parse().ok()?, self.port)))
    }

    /// The upstream at one of the addresses of the host.
    pub(crate) fn at(&self, socket: SocketAddr) -> Configured {
        let name = || ServerName::try_from(self.host.clone()).ok();
        let tls = self.tls.then(|| name().unwrap_or_else(|| ServerName::from(socket.ip())));
        Configured { address: Address { socket, tls }, weight: self.weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_write() {
        for (text, expected) in [
            ("10.0.0.1:8090", "http://10.0.0.1:8090 *1"),
            ("http://10.0.0.1:8090/ weight=2.5", "http://10.0.0.1:8090 *2.5"),
            ("https://[::1]:443", "https://[::1]:443 *1"),
            ("app.internal:80", "app.internal 80 false"),
            ("https://app.internal:443 weight=0.1", "app.internal 443 true"),
            ("10.0.0.1", "must be HOST:PORT or https://HOST:PORT"),
            ("10.0.0.1:0", "must be HOST:PORT or https://HOST:PORT"),
            ("::1:80", "must be HOST:PORT or https://HOST:PORT"),
            ("ftp://a:1", "must be HOST:PORT or https://HOST:PORT"),
            ("a/b:1", "must be HOST:PORT or https://HOST:PORT"),
            ("", "must be HOST:PORT or https://HOST:PORT"),
            ("a:1 wait=2", "has an unknown option \"wait=2\""),
            ("a:1 weight=0", "has a weight that is not from 0.01 to 100"),
        ] {
            let shown = match Entry::parse(text) {
                Err(error) => error.to_string(),
                Ok(entry) => match entry.fixed() {
                    Some(Configured { address, weight }) => format!("{address} *{weight}"),
                    None => format!("{} {} {}", entry.host, entry.port, entry.tls),
                },
            };
            assert_eq!(shown, expected, "{text:?}");
        }
    }

    #[test]
    fn the_name_of_an_upstream_is_what_its_certificate_must_say() {
        let entry = Entry::parse("https://app.internal:443").unwrap();
        let configured = entry.at("10.0.0.7:443".parse().unwrap());
        assert_eq!(configured.address.tls, ServerName::try_from("app.internal").ok());
    }
}
