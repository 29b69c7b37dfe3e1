//! Shares, slow upstreams, and what retries cost.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use pando_testkit::{HttpClient, ProxyConfig, Request, Sharing, SmallUpstream};

use super::start;

const CLIENTS: usize = 16;

fn upstreams(count: usize) -> Vec<SmallUpstream> {
    (0..count).map(|_| SmallUpstream::start().unwrap()).collect()
}

fn config(upstreams: &[SmallUpstream]) -> ProxyConfig {
    let addresses: Vec<SocketAddr> = upstreams.iter().map(SmallUpstream::addr).collect();
    ProxyConfig::new(&addresses).set("slow_start", "0s")
}

/// Sends GETs for a while; the latencies, ascending, and the statuses.
fn load(addr: SocketAddr, time: Duration) -> (Vec<Duration>, Vec<u16>) {
    let client = move || {
        let mut client = HttpClient::new(addr);
        let (mut latencies, mut statuses) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < time {
            let sent = Instant::now();
            statuses.push(client.send(&Request::get("/")).unwrap().status);
            latencies.push(sent.elapsed());
        }
        (latencies, statuses)
    };
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(client)).collect();
    let (mut latencies, mut statuses) = (Vec::new(), Vec::new());
    for client in clients {
        let (more_latencies, more_statuses) = client.join().unwrap();
        latencies.extend(more_latencies);
        statuses.extend(more_statuses);
    }
    latencies.sort_unstable();
    (latencies, statuses)
}

#[test]
fn equal_upstreams_get_equal_shares() {
    let upstreams = upstreams(3);
    for upstream in &upstreams {
        // Longer than what a busy machine adds.
        upstream.set_delay(Duration::from_millis(20));
    }
    let proxy = start(&config(&upstreams));
    let (_, statuses) = load(proxy.addr(), Duration::from_secs(3));
    assert!(statuses.iter().all(|status| *status == 200));
    let requests: Vec<u64> = upstreams.iter().map(SmallUpstream::requests).collect();
    let mean = requests.iter().sum::<u64>() as f64 / 3.0;
    let uneven = requests.iter().map(|count| (*count as f64 / mean - 1.0).abs());
    let uneven = uneven.fold(0.0, f64::max);
    // How even exactly, `cargo xtask bench balancer` says.
    assert!(uneven < 0.15, "{requests:?}");
}

#[test]
fn a_slow_upstream_costs_less_than_in_turn() {
    let p99 = |sharing| {
        let upstreams: Vec<_> = (0..3).map(|_| SmallUpstream::start_queueing().unwrap()).collect();
        for (upstream, delay) in upstreams.iter().zip([2, 2, 10]) {
            upstream.set_delay(Duration::from_millis(delay));
        }
        let proxy = start(&ProxyConfig { sharing, ..config(&upstreams) });
        let (latencies, _) = load(proxy.addr(), Duration::from_secs(3));
        latencies[latencies.len() * 99 / 100]
    };
    let (ours, in_turn) = (p99(Sharing::TwoChoices), p99(Sharing::RoundRobin));
    assert!(ours * 2 <= in_turn, "{ours:?} of {in_turn:?}");
}

#[test]
fn a_storm_of_refusals_is_not_made_worse() {
    let upstreams = upstreams(3);
    for upstream in &upstreams {
        upstream.set_status(503);
        upstream.set_delay(Duration::from_millis(2));
    }
    let proxy = start(&config(&upstreams));
    let (_, statuses) = load(proxy.addr(), Duration::from_secs(4));
    assert!(statuses.iter().all(|status| *status == 503));
    let seen: u64 = upstreams.iter().map(SmallUpstream::requests).sum();
    let offered = statuses.len() as f64;
    assert!(seen as f64 <= offered * 1.25, "{seen} of {offered}");
    assert!(seen as f64 > offered * 1.05, "{seen} of {offered}: nothing was tried again");
}

#[test]
fn a_failing_upstream_is_left_out_although_its_checks_pass() {
    let upstreams = upstreams(4);
    upstreams[0].set_status(502);
    let proxy = start(&config(&upstreams).set("eject_time", "60s"));
    let (_, statuses) = load(proxy.addr(), Duration::from_secs(1));
    // Its failures were tried again elsewhere.
    assert!(statuses.iter().all(|status| *status == 200));
    let before = upstreams[0].requests();
    let (_, statuses) = load(proxy.addr(), Duration::from_secs(1));
    assert!(statuses.len() > 100);
    assert_eq!(upstreams[0].requests(), before, "it is left out");
}
