//! NATS, which carries what web servers tell each other.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Site, Start};
use crate::postgres::Account;

const PACKAGE: &str = "nats-server";

const CONNECT_WITHIN: Duration = Duration::from_secs(1);

pub(super) fn missing() -> Vec<&'static str> {
    let there = |folder: &str| Path::new(folder).join("nats-server").is_file();
    if crate::PATH.split(':').any(there) { Vec::new() } else { vec![PACKAGE] }
}

/// How the web servers connect.
pub(super) fn url(site: &Site) -> String {
    format!("nats://{}", site.address)
}

pub(super) fn prepare(site: &Site) -> Result<()> {
    fs::create_dir_all(&site.dir).with_context(|| format!("failed to make {}", site.dir.display()))
}

pub(super) fn start(site: &Site) -> Start {
    let (ip, port) = (site.address.ip().to_string(), site.address.port().to_string());
    let words = ["nats-server", "--addr", &ip, "--port", &port].map(Into::into).to_vec();
    Start { words, env: vec![("PATH", crate::PATH.into())], account: Account::Own }
}

/// It greets who connects.
pub(super) fn ready(site: &Site) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&site.address, CONNECT_WITHIN) else {
        return false;
    };
    let mut greeting = [0; 4];
    stream.set_read_timeout(Some(CONNECT_WITHIN)).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && greeting == *b"INFO"
}
