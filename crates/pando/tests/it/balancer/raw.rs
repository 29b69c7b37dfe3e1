//! Malformed and smuggling input; the cases are the testkit's, and so is what is safe.

use std::thread;

use pando_testkit::ProxyConfig;
use pando_testkit::raw_suite::{Outcome, Target, Upstream, run_part};

use super::start;

/// Most of the time is spent waiting for what must not come, so it is spent at once.
const PARTS: usize = 12;

fn part(part: usize) -> Vec<Outcome> {
    let upstream = Upstream::start().unwrap();
    let config = ProxyConfig { patience_s: 2, ..ProxyConfig::new(&[upstream.addr()]) };
    let proxy = start(&config.set("check_path", "").set("eject_failures", "0"));
    let at = proxy.addresses();
    let target = Target { http1: at.http, http2: Some(at.http2) };
    run_part(target, &upstream, part, PARTS).unwrap()
}

#[test]
fn nothing_that_could_be_read_in_two_ways_comes_through() {
    let parts: Vec<_> = (0..PARTS).map(|index| thread::spawn(move || part(index))).collect();
    let outcomes: Vec<Outcome> = parts.into_iter().flat_map(|part| part.join().unwrap()).collect();
    assert!(outcomes.len() >= 300, "{} cases", outcomes.len());
    let unsafe_ones: Vec<String> = outcomes
        .iter()
        .filter_map(|it| Some(format!("{} ({}): {}", it.name, it.clause, it.problem.as_ref()?)))
        .collect();
    assert!(unsafe_ones.is_empty(), "{}", unsafe_ones.join("\n"));
}
