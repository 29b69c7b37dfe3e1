//! The PROXY protocol: whose connection this is, said by the proxy in front of it.
//!
//! Source: haproxy.org's "The PROXY protocol", versions 1 and 2.
//! *Invariant*: only from listed addresses; a header that is not understood ends the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::ProxyProtocol;

/// The first bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V1_BYTES_MAX: usize = 107;
/// Version 2 may carry more, such as certificates; nobody sends that much.
const V2_BYTES_MAX: usize = 4 << 10;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced {
    /// The length of the header.
    pub(crate) length: usize,
    /// The client, unless the proxy speaks for itself.
    pub(crate) client: Option<SocketAddr>,
}

/// The text is no header of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a connection from a PROXY protocol source does not begin with its header")]
pub(crate) struct NoHeader;

/// Reads the header at the start of `input`, or `None` if it has not all come.
pub(crate) fn parse(input: &[u8]) -> Result<Option<Announced>, NoHeader> {
    let start = input.len().min(SIGNATURE.len());
    if input[..start] == SIGNATURE[..start] {
        return if start < SIGNATURE.len() { Ok(None) } else { parse_v2(input) };
    }
    let start = input.len().min(6);
    if input[..start] != b"PROXY "[..start] {
        return Err(NoHeader);
    }
    let seen = &input[..input.len().min(V1_BYTES_MAX)];
    match seen.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) => parse_v1(&seen[..end]).map(Some),
        None if seen.len() == V1_BYTES_MAX => Err(NoHeader),
        None => Ok(None),
    }
}

fn parse_v1(line: &[u8]) -> Result<Announced, NoHeader> {
    let text = std::str::from_utf8(line).map_err(|_| NoHeader)?;
    let length = line.len() + 2;
    let words: Vec<&str> = text.split(' ').collect();
    let client = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", family, source, destination, port, destination_port] => {
            let ip: IpAddr = source.parse().map_err(|_| NoHeader)?;
            let other: IpAddr = destination.parse().map_err(|_| NoHeader)?;
            let _: u16 = destination_port.parse().map_err(|_| NoHeader)?;
            let fits = match *family {
                "TCP4" => ip.is_ipv4() && other.is_ipv4(),
                "TCP6" => ip.is_ipv6() && other.is_ipv6(),
                _ => false,
            };
            if !fits {
                return Err(NoHeader);
            }
            Some(SocketAddr::new(ip, port.parse().map_err(|_| NoHeader)?))
        }
        _ => return Err(NoHeader),
    };
    Ok(Announced { length, client })
}

fn parse_v2(input: &[u8]) -> Result<Option<Announced>, NoHeader> {
    let Some(&[version_command, family, high, low]) = input.get(12..16) else { return Ok(None) };
    let body_length = usize::from(u16::from_be_bytes([high, low]));
    let length = 16 + body_length;
    if version_command >> 4 != 2 || length > V2_BYTES_MAX {
        return Err(NoHeader);
    }
    let Some(body) = input.get(16..length) else { return Ok(None) };
    let port = |at: usize| body.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
    let client = match (version_command & 0xf, family) {
        // The proxy's own connection, such as a check.
        (0, _) => None,
        (1, 0x11) => {
            let ip: [u8; 4] = body.get(..4).and_then(|ip| ip.try_into().ok()).ok_or(NoHeader)?;
            Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port(8).ok_or(NoHeader)?))
        }
        (1, 0x21) => {
            let ip: [u8; 16] = body.get(..16).and_then(|ip| ip.try_into().ok()).ok_or(NoHeader)?;
            Some(SocketAddr::new(Ipv6Addr::from(ip).into(), port(32).ok_or(NoHeader)?))
        }
        // Unix sockets and datagrams say nothing that we could use.
        (1, _) => None,
        _ => return Err(NoHeader),
    };
    Ok(Some(Announced { length, client }))
}

/// The header for a connection of `client` that came in at `local`.
pub(crate) fn write(version: ProxyProtocol, client: SocketAddr, local: SocketAddr) -> Vec<u8> {
    // Of two families the newer one is spoken.
    let (client, local) = match (client, local) {
        (SocketAddr::V4(_), SocketAddr::V4(_)) | (SocketAddr::V6(_), SocketAddr::V6(_)) => {
            (client, local)
        }
        _ => (mapped(client), mapped(local)),
    };
    match version {
        ProxyProtocol::Off => Vec::new(),
        ProxyProtocol::V1 => {
            let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
            let [from, to] = [client.ip(), local.ip()];
            format!("PROXY {family} {from} {to} {} {}\r\n", client.port(), local.port()).into()
        }
        ProxyProtocol::V2 => write_v2(client, local),
    }
}

fn write_v2(client: SocketAddr, local: SocketAddr) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    let (family, length): (u8, u16) = if client.is_ipv4() { (0x11, 12) } else { (0x21, 36) };
    header.extend([0x21, family]);
    header.extend(length.to_be_bytes());
    for ip in [client.ip(), local.ip()] {
        match ip {
            IpAddr::V4(ip) => header.extend(ip.octets()),
            IpAddr::V6(ip) => header.extend(ip.octets()),
        }
    }
    for port in [client.port(), local.port()] {
        header.extend(port.to_be_bytes());
    }
    header
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn announced(length: usize, client: &str) -> Result<Option<Announced>, NoHeader> {
        Ok(Some(Announced { length, client: client.parse().ok() }))
    }

    #[test]
    fn version_1() {
        let line = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET";
        assert_eq!(parse(line), announced(45, "192.0.2.1:56324"));
        assert_eq!(parse(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), announced(32, "[2001:db8::1]:1"));
        assert_eq!(parse(b"PROXY UNKNOWN\r\n"), announced(15, ""));
        for cut in 1..44 {
            assert_eq!(parse(&line[..cut]), Ok(None), "{cut} bytes");
        }
        for wrong in [
            "GET / HTTP/1.1\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        ] {
            assert_eq!(parse(wrong.as_bytes()), Err(NoHeader), "{wrong:?}");
        }
        assert_eq!(parse(&b"PROXY UNKNOWN ".repeat(10)), Err(NoHeader));
    }

    #[test]
    fn version_2() {
        let client = "192.0.2.1:56324".parse().unwrap();
        let header = write(ProxyProtocol::V2, client, "198.51.100.1:443".parse().unwrap());
        assert_eq!(parse(&header), announced(28, "192.0.2.1:56324"));
        for cut in 0..header.len() {
            assert_eq!(parse(&header[..cut]), Ok(None), "{cut} bytes");
        }
        let mut own = header.clone();
        own[12] = 0x20;
        assert_eq!(parse(&own), announced(28, ""));
        let mut other_version = header.clone();
        other_version[12] = 0x11;
        assert_eq!(parse(&other_version), Err(NoHeader));
        let mut long = header;
        long[14] = 0xff;
        assert_eq!(parse(&long), Err(NoHeader));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(v4: [u8; 4], v6: [u8; 16], port: u16, six: bool, two: bool) {
            let client = match six {
                true => SocketAddr::new(Ipv6Addr::from(v6).into(), port),
                false => SocketAddr::new(Ipv4Addr::from(v4).into(), port),
            };
            let version = if two { ProxyProtocol::V2 } else { ProxyProtocol::V1 };
            let header = write(version, client, client);
            let read = parse(&header).unwrap().unwrap();
            prop_assert_eq!((read.length, read.client), (header.len(), Some(client)));
        }

        #[test]
        fn any_input_is_survived(input in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&input);
            let _ = parse(&[&SIGNATURE[..], &input].concat());
            let _ = parse(&[&b"PROXY "[..], &input].concat());
        }
    }
}
