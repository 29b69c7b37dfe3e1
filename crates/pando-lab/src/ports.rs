//! Free ports of the loopback address.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail};
use rand::Rng as _;

/// Below the ports that the system gives to outgoing connections, so that none of those takes one
/// between our look and the node's bind, or while a node is stopped.
const FIRST: u16 = 18_000;
const LAST_USUAL: u16 = 32_000;

const ATTEMPTS_MAX: usize = 10_000;

/// As many addresses, none of which anybody listens on now.
pub(crate) fn free(count: usize, taken: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
    let last = ephemeral_start().map_or(LAST_USUAL, |start| start.clamp(FIRST + 1_000, u16::MAX));
    let mut found = BTreeSet::new();
    for _ in 0..ATTEMPTS_MAX {
        let port = rand::rng().random_range(FIRST..last);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if found.len() < count && !taken.contains(&address) && is_free(address) {
            found.insert(address);
        }
        if found.len() == count {
            return Ok(found.into_iter().collect());
        }
    }
    bail!("no {count} free ports between {FIRST} and {last}")
}

pub(crate) fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

fn ephemeral_start() -> Option<u16> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    range.split_whitespace().next()?.parse().ok()
}
