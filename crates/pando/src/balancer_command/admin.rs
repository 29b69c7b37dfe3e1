//! Asks the admin listener of a balancer that runs.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pando_runtime::config::WebConfig;
use serde_json::Value as Json;

use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(5);
/// A thousand upstreams fit.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

pub(super) struct AdminClient {
    setting: String,
    address: SocketAddr,
    secret: String,
}

impl AdminClient {
    pub(super) fn of(config: &Config) -> anyhow::Result<AdminClient> {
        let setting = config.balancer.admin.clone();
        ensure!(!setting.is_empty(), "balancer.admin is empty, so nobody can be asked");
        let named = match setting.strip_prefix(':') {
            Some(port) => format!("127.0.0.1:{port}"),
            None => setting.clone(),
        };
        let found = WebConfig::addresses(&named).context("failed to find balancer.admin")?;
        let first = found.iter().find(|it| it.is_ipv4()).or(found.first());
        let mut address = *first.context("balancer.admin has no address")?;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let secret = config.balancer.secret.reveal().to_owned();
        Ok(AdminClient { setting, address, secret })
    }

    /// The body of the answer; fails if it is a refusal.
    pub(super) fn send(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let unreachable = || {
            format!(
                "no balancer answers at {} (balancer.admin)\nhint: is it running, and is this its \
                 configuration?",
                self.setting
            )
        };
        let mut stream =
            TcpStream::connect_timeout(&self.address, PATIENCE).with_context(unreachable)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let secret = match self.secret.as_str() {
            "" => String::new(),
            secret => format!("x-pando-balancer: {secret}\r\n"),
        };
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{secret}connection: close\r\n\
             content-length: {length}\r\n\r\n{body}",
            self.address
        )?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).with_context(unreachable)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP came back")?;
        if head.starts_with("HTTP/1.1 200 ") {
            return Ok(body.to_owned());
        }
        let said: Json = serde_json::from_str(body).unwrap_or_default();
        bail!("the balancer refused: {}", said["message"].as_str().unwrap_or("no reason given"))
    }
}
