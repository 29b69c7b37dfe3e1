//! Servers die, freeze, come and go under 64 clients.

use std::thread::sleep;
use std::time::Duration;

use pando_testkit::process::Signal;
use pando_testkit::{ProxyConfig, Relay};

use super::fleet::Fleet;
use super::load::{CLIENTS, Load};

fn config() -> ProxyConfig {
    ProxyConfig::new(&[])
}

/// Under load for a while: long enough for what was started to show.
fn a_moment() {
    sleep(Duration::from_millis(700));
}

#[test]
fn a_server_is_killed_and_comes_back() {
    let mut fleet = Fleet::start(3, config());
    let load = Load::start(fleet.balancer.addr());
    a_moment();
    fleet.servers.pop().unwrap().kill().unwrap();
    fleet.wait_for_serving(2);
    fleet.add();
    fleet.wait_for_serving(3);
    a_moment();
    // Only writes that were in flight on the killed process may fail: a third of the clients had
    // one there, more or less.
    load.stop().check(&fleet, CLIENTS / 2);
}

#[test]
fn a_server_freezes_and_thaws() {
    let fleet = Fleet::start(3, config());
    let load = Load::start(fleet.balancer.addr());
    a_moment();
    fleet.servers[0].freeze().unwrap();
    fleet.wait_for_serving(2);
    a_moment();
    fleet.servers[0].thaw().unwrap();
    fleet.wait_for_serving(3);
    a_moment();
    // A write that was under way waits for the thaw.
    load.stop().check(&fleet, 0);
}

#[test]
fn a_server_is_cut_off() {
    let mut relay = None;
    let mut fleet = Fleet::start(2, config());
    fleet.add_advertising(|addr| {
        let wire = Relay::start(addr).unwrap();
        let addr = wire.addr();
        relay = Some(wire);
        addr
    });
    let relay = relay.unwrap();
    fleet.wait_for_serving(3);
    let load = Load::start(fleet.balancer.addr());
    a_moment();
    relay.cut(true);
    fleet.wait_for_serving(2);
    a_moment();
    relay.cut(false);
    fleet.wait_for_serving(3);
    a_moment();
    load.stop().check(&fleet, 0);
}

#[test]
fn servers_come_and_go() {
    let mut fleet = Fleet::start(2, config());
    let load = Load::start(fleet.balancer.addr());
    fleet.add();
    fleet.add();
    fleet.wait_for_serving(4);
    a_moment();
    // Those who were there first leave in an orderly way.
    for _ in 0..2 {
        fleet.servers.remove(0).stop().unwrap();
    }
    fleet.wait_for_serving(2);
    a_moment();
    load.stop().check(&fleet, 0);
}

#[test]
fn the_configuration_is_read_again_and_again() {
    let fleet = Fleet::start(3, config());
    let load = Load::start(fleet.balancer.addr());
    for _ in 0..30 {
        fleet.balancer.signal(Signal::HUP).unwrap();
        sleep(Duration::from_millis(40));
    }
    load.stop().check(&fleet, 0);
    assert!(fleet.balancer.log().contains("the configuration was read again"));
}

#[test]
fn the_program_is_replaced() {
    let mut fleet = Fleet::start(3, config().set("drain_wait", "500ms"));
    let load = Load::start(fleet.balancer.addr());
    a_moment();
    let first = fleet.balancer.pid();
    for _ in 0..3 {
        fleet.balancer.replace().unwrap();
    }
    assert_ne!(fleet.balancer.pid(), first);
    a_moment();
    load.stop().check(&fleet, 0);
    assert_eq!(fleet.status()["upstreams"].as_array().unwrap().len(), 3);
}
