//! CPU per request and added latency.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use pando_testkit::{Proxy, ProxyConfig, ProxyProduct};

use super::tools::{Upstream, certificate, h2load, wrk};
use super::{Bench, head, median};

const CONNECTIONS: usize = 32;

/// A way of asking.
#[derive(Clone, Copy, Debug)]
enum Work {
    Plain { path: &'static str, closing: bool },
    Tls { closing: bool },
    Http2,
}

const WORKS: [(&str, Work); 6] = [
    ("130 bytes, keep-alive", Work::Plain { path: "/", closing: false }),
    ("10 kB, keep-alive", Work::Plain { path: "/large", closing: false }),
    ("130 bytes, a new connection each", Work::Plain { path: "/", closing: true }),
    ("TLS, keep-alive", Work::Tls { closing: false }),
    ("TLS, a new connection each", Work::Tls { closing: true }),
    ("HTTP/2 over TLS, 8 connections of 16 streams", Work::Http2),
];

impl Work {
    /// Requests that were answered.
    fn run(self, proxy: &Proxy, time: Duration) -> Result<u64> {
        let at = proxy.addresses();
        let https = format!("https://localhost:{}/", at.https.port());
        Ok(match self {
            Work::Plain { path, closing } => {
                wrk(&format!("http://{}{path}", at.http), CONNECTIONS, time, closing)?.requests
            }
            Work::Tls { closing } => wrk(&https, CONNECTIONS, time, closing)?.requests,
            Work::Http2 => h2load(&https, 8, 16, time)?,
        })
    }
}

pub(super) fn run(bench: &Bench) -> Result<String> {
    let (upstream, dir) = (Upstream::start()?, tempfile::tempdir()?);
    let config =
        ProxyConfig { tls: Some(certificate(dir.path())?), ..ProxyConfig::new(&[upstream.addr()]) };
    let start = |product| Proxy::start(product, &bench.pando, &config);
    let proxies = ProxyProduct::ALL.map(start).into_iter().collect::<Result<Vec<_>>>()?;
    let mut text = String::new();
    let remark = "µs of CPU per request, the median of several rounds in turn.";
    head(&mut text, "CPU per request", remark, "work")?;
    for (name, work) in WORKS {
        println!("{name} …");
        let mut columns = vec![Vec::new(); proxies.len()];
        for _ in 0..bench.rounds() {
            for (proxy, column) in proxies.iter().zip(&mut columns) {
                let before = proxy.cpu_time()?;
                let requests = work.run(proxy, bench.time())?;
                let spent = proxy.cpu_time()? - before;
                column.push(spent.as_secs_f64() * 1e6 / requests.max(1) as f64);
            }
        }
        line(&mut text, name, &mut columns, 1)?;
    }
    latency(bench, &upstream, &proxies, &mut text)?;
    Ok(text)
}

/// What a request takes longer than without a proxy, one after the other.
fn latency(bench: &Bench, upstream: &Upstream, proxies: &[Proxy], text: &mut String) -> Result<()> {
    println!("added latency …");
    let (mut p50, mut p99) = (vec![Vec::new(); proxies.len()], vec![Vec::new(); proxies.len()]);
    for _ in 0..bench.rounds() {
        let direct = wrk(&format!("http://{}/", upstream.addr()), 1, bench.time(), false)?;
        for (index, proxy) in proxies.iter().enumerate() {
            let through = wrk(&format!("http://{}/", proxy.addr()), 1, bench.time(), false)?;
            p50[index].push((through.p50_ms - direct.p50_ms) * 1_000.0);
            p99[index].push((through.p99_ms - direct.p99_ms) * 1_000.0);
        }
    }
    let remark = "One connection; µs more than to the upstream directly.";
    head(text, "Added latency", remark, "latency")?;
    line(text, "p50", &mut p50, 0)?;
    line(text, "p99", &mut p99, 0)
}

fn line(text: &mut String, name: &str, columns: &mut [Vec<f64>], digits: usize) -> Result<()> {
    write!(text, "| {name} |")?;
    for column in columns {
        write!(text, " {:.digits$} |", median(column))?;
    }
    writeln!(text)?;
    Ok(())
}
