//! Whose request it is: the peer's address, or the one that a trusted proxy names.
//!
//! Source: PocketBase `core/event_request.go` (`RealIP`), `apis/middlewares_rate_limit.go`
//! (`isIPInList`).

use std::fmt::Write as _;
use std::net::IpAddr;

use pando_schema::Settings;

use crate::request::Request;

/// The address of the client.
pub(crate) fn real_ip(request: &Request, settings: &Settings) -> IpAddr {
    let proxy = &settings.trusted_proxy;
    for name in &proxy.headers {
        // The last header of that name is the one that the nearest proxy wrote.
        let last = request.headers.get_all(name.as_str()).iter().next_back();
        let Some(list) = last.and_then(|value| value.to_str().ok()) else { continue };
        let mut addresses = list.split(',').filter_map(|text| text.trim().parse().ok());
        let found = if proxy.use_leftmost_ip { addresses.next() } else { addresses.next_back() };
        if let Some(ip) = found {
            return ip;
        }
    }
    request.remote_ip
}

/// `ip` as PocketBase shows it: version 6 with all its digits.
pub(crate) fn expanded(ip: IpAddr) -> String {
    let IpAddr::V6(ip) = ip else { return ip.to_string() };
    let mut text = String::with_capacity(39);
    for segment in ip.segments() {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{colon}{segment:04x}");
    }
    text
}

/// A network, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    /// `10.0.0.0/8`, or an address alone.
    pub(crate) fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|&bits| bits <= bits_max)?
            }
            Some(_) => return None,
        };
        Some(Network { address, prefix_bits })
    }

    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let differ = network.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.prefix_bits
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let differ = network.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.prefix_bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether `ip` is in one of `networks`; what is no network contains nothing.
pub(crate) fn listed(networks: &[String], ip: IpAddr) -> bool {
    networks.iter().filter_map(|text| Network::parse(text)).any(|network| network.contains(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_shares_their_prefix() {
        let cases = [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.3/8", "10.200.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/+8", "10.0.0.0", false),
            ("10.0.0.0/", "10.0.0.0", false),
            ("localhost", "127.0.0.1", false),
        ];
        for (network, ip, expected) in cases {
            let ip = ip.parse().unwrap();
            assert_eq!(listed(&[network.to_owned()], ip), expected, "{network} {ip}");
        }
    }

    #[test]
    fn addresses_are_shown_with_all_their_digits() {
        assert_eq!(expanded("1.2.3.4".parse().unwrap()), "1.2.3.4");
        assert_eq!(
            expanded("2001:db8::1".parse().unwrap()),
            "2001:0db8:0000:0000:0000:0000:0000:0001"
        );
    }
}
