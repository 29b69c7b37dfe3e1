//! Whose request it is: the peer's address, or the one that a trusted proxy names.
//!
//! Source: PocketBase `core/event_request.go` (`RealIP`).

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_with_all_their_digits() {
        assert_eq!(expanded("1.2.3.4".parse().unwrap()), "1.2.3.4");
        assert_eq!(
            expanded("2001:db8::1".parse().unwrap()),
            "2001:0db8:0000:0000:0000:0000:0000:0001"
        );
    }
}
