//! Memory of connections that do nothing.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use pando_testkit::{Proxy, ProxyConfig, ProxyProduct};

use super::tools::Upstream;
use super::{Bench, head};

/// HAProxy takes half of the 20,000 open files that are usual here.
const CONNECTIONS: usize = 9_000;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(bench: &Bench) -> Result<String> {
    let upstream = Upstream::start()?;
    let (mut each, mut all) = (String::new(), String::new());
    for product in ProxyProduct::ALL {
        println!("{CONNECTIONS} idle connections to {} …", product.name());
        let proxy = Proxy::start(
            product,
            &bench.pando,
            &ProxyConfig::new(&[upstream.addr()]).set("connections_per_client", "0"),
        )?;
        ask(&mut TcpStream::connect(proxy.addr())?, proxy.addr())?;
        let before = proxy.rss_bytes()?;
        let mut open = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(proxy.addr())?;
            ask(&mut stream, proxy.addr())?;
            open.push(stream);
        }
        let after = proxy.rss_bytes()?;
        write!(
            each,
            " {:.1} |",
            after.saturating_sub(before) as f64 / 1024.0 / CONNECTIONS as f64
        )?;
        write!(all, " {:.0} |", super::super::mebibytes(after))?;
    }
    let mut text = String::new();
    let remark = format!("{CONNECTIONS} connections that have asked once and stay open.");
    head(&mut text, "Idle connections", &remark, "memory")?;
    writeln!(text, "| KiB per connection |{each}\n| MiB in all |{all}")?;
    Ok(text)
}

/// One request; its answer is read.
fn ask(stream: &mut TcpStream, host: SocketAddr) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 2048]);
    // The upstream's answer ends with its letters.
    while !answer.ends_with(&b"x".repeat(130)) {
        let count = stream.read(&mut chunk)?;
        ensure!(count > 0, "the connection was closed");
        answer.extend_from_slice(&chunk[..count]);
    }
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}
