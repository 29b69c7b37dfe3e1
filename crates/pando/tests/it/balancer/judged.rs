//! All faults in turn under 64 clients, whose every request is recorded and judged: no
//! acknowledged write is lost, none is done twice, nothing stale is read, no event is missed.

use std::time::Duration;

use pando_testkit::load::{Load, LoadOptions, Report};
use pando_testkit::process::Signal;
use pando_testkit::{ProxyConfig, Relay, wait_for};

use super::fleet::{EMAIL, Fleet, PASSWORD};
use super::load::CLIENTS;

/// Requests between two faults.
const SOME: u64 = 400;
/// A request over loopback to a server under this load takes some milliseconds.
const SLOW: Duration = Duration::from_millis(15);
const DEADLINE: Duration = Duration::from_secs(60);

fn begin(fleet: &Fleet) -> Load {
    let options = LoadOptions {
        clients: CLIENTS,
        subscribers: 4,
        // Streams of events and requests find their servers by the balancer alone.
        roaming: true,
        failover: false,
        deadline: DEADLINE,
        ..LoadOptions::new(vec![fleet.balancer.addr()], EMAIL, PASSWORD)
    };
    Load::begin(options).unwrap()
}

fn let_through(load: &Load) {
    let target = load.answered() + SOME;
    wait_for("requests", DEADLINE, || Ok((load.answered() >= target).then_some(()))).unwrap();
}

/// No safe request failed, and of the others as many as were in flight on killed processes.
fn check(report: &Report, failed_writes_max: u64) {
    assert!(report.passed(), "{report}");
    assert_eq!(report.read_errors, 0, "{report}");
    assert!(report.errors <= failed_writes_max, "{report}");
    let tally = report.verdict.tally;
    assert!(tally.writes_done > 500 && tally.reads > 500 && tally.events > 100, "{report}");
}

#[test]
fn whatever_happens_to_servers_and_balancer_no_promise_is_broken() {
    let mut fleet = Fleet::start(2, ProxyConfig::new(&[]).set("drain_wait", "500ms"));
    let mut wire = None;
    fleet.add_advertising(|addr| wire.insert(Relay::start(addr).unwrap()).addr());
    let wire = wire.unwrap();
    fleet.wait_for_serving(3);
    let load = begin(&fleet);
    let_through(&load);
    // Killed, and another one in its place.
    fleet.servers.remove(0).kill().unwrap();
    let_through(&load);
    fleet.add();
    fleet.wait_for_serving(3);
    // Frozen.
    fleet.servers[0].freeze().unwrap();
    fleet.wait_for_serving(2);
    let_through(&load);
    fleet.servers[0].thaw().unwrap();
    fleet.wait_for_serving(3);
    // Five times slower, then cut off.
    wire.set_delay(SLOW);
    let_through(&load);
    wire.set_delay(Duration::ZERO);
    wire.cut(true);
    fleet.wait_for_serving(2);
    let_through(&load);
    wire.cut(false);
    fleet.wait_for_serving(3);
    // Two more, two fewer.
    fleet.add();
    fleet.add();
    fleet.wait_for_serving(5);
    fleet.servers.remove(0).stop().unwrap();
    fleet.servers.remove(0).stop().unwrap();
    fleet.wait_for_serving(3);
    // The balancer: configuration and program.
    for _ in 0..10 {
        fleet.balancer.signal(Signal::HUP).unwrap();
        let_through(&load);
    }
    fleet.balancer.replace().unwrap();
    let_through(&load);
    let report = load.finish().unwrap();
    check(&report, CLIENTS as u64 / 2);
}
