//! How evenly requests are shared, and what one slow upstream costs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use pando_testkit::{
    HttpClient, Proxy, ProxyConfig, ProxyProduct, Request, Sharing, SmallUpstream,
};

use super::{Bench, head};

const CLIENTS: usize = 16;
const UPSTREAMS: usize = 3;
const EQUAL_MS: [u64; UPSTREAMS] = [2; UPSTREAMS];
const ONE_SLOW_MS: [u64; UPSTREAMS] = [4, 4, 20];

const SHARINGS: [(&str, Sharing); 3] = [
    ("in turn", Sharing::RoundRobin),
    ("fewest requests", Sharing::LeastRequests),
    ("two choices (Pando's default: peak EWMA)", Sharing::TwoChoices),
];

pub(super) fn run(bench: &Bench) -> Result<String> {
    let (mut uneven, mut slow, mut queued) = (String::new(), String::new(), String::new());
    for (name, sharing) in SHARINGS {
        write!(uneven, "| {name} |")?;
        write!(slow, "| {name} |")?;
        write!(queued, "| {name} |")?;
        for product in ProxyProduct::ALL {
            println!("{}: {name} …", product.name());
            let (counts, _) = load(bench, product, sharing, (EQUAL_MS, false))?;
            let mean = counts.iter().sum::<u64>() as f64 / UPSTREAMS as f64;
            let worst = counts.iter().map(|count| (*count as f64 / mean - 1.0).abs());
            write!(uneven, " {:.1} |", worst.fold(0.0, f64::max) * 100.0)?;
            for (text, queueing) in [(&mut slow, false), (&mut queued, true)] {
                let (_, latencies) = load(bench, product, sharing, (ONE_SLOW_MS, queueing))?;
                let p99 = latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e3;
                write!(text, " {p99:.1} |")?;
            }
        }
        uneven.push('\n');
        slow.push('\n');
        queued.push('\n');
    }
    let mut text = String::new();
    let remark = "Three upstreams that take 2 ms, 16 clients: the largest difference of one's share \
                  from the mean, in percent.";
    head(&mut text, "Even load", remark, "policy")?;
    text += &uneven;
    let remark = "Two upstreams that take 4 ms and one that takes 20, 16 clients: p99 in ms.";
    head(&mut text, "One slow upstream", remark, "policy")?;
    text += &slow;
    let remark =
        "The same, but each upstream works on one request at a time, and others wait there.";
    head(&mut text, "One slow upstream, and queues", remark, "policy")?;
    text += &queued;
    Ok(text)
}

/// Requests that each upstream got, and the latencies of all, ascending.
fn load(
    bench: &Bench,
    product: ProxyProduct,
    sharing: Sharing,
    (delays_ms, queueing): ([u64; UPSTREAMS], bool),
) -> Result<(Vec<u64>, Vec<Duration>)> {
    let start = if queueing { SmallUpstream::start_queueing } else { SmallUpstream::start };
    let upstreams = delays_ms.map(|_| start()).into_iter();
    let upstreams = upstreams.collect::<Result<Vec<_>>>()?;
    for (upstream, delay) in upstreams.iter().zip(delays_ms) {
        upstream.set_delay(Duration::from_millis(delay));
    }
    let addresses: Vec<SocketAddr> = upstreams.iter().map(SmallUpstream::addr).collect();
    let config = ProxyConfig { sharing, ..ProxyConfig::new(&addresses) };
    let proxy = Proxy::start(product, &bench.pando, &config.set("slow_start", "0s"))?;
    let (addr, time) = (proxy.addr(), bench.time());
    let client = move || -> Result<Vec<Duration>> {
        let (mut client, mut latencies) = (HttpClient::new(addr), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < time {
            let sent = Instant::now();
            ensure!(client.send(&Request::get("/"))?.status == 200, "an answer was no success");
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(client)).collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??);
    }
    latencies.sort_unstable();
    Ok((upstreams.iter().map(SmallUpstream::requests).collect(), latencies))
}
