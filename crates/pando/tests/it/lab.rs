//! `pando lab`: the real rungs, broken on purpose, under load, with a verdict.

mod command;
mod faults;
mod isolated;
mod remains;

use std::path::Path;
use std::time::Duration;

use pando_lab::{Lab, Options, Rung};
use pando_testkit::load::{Load, LoadOptions};
use pando_testkit::wait_for;

const DEADLINE: Duration = Duration::from_secs(60);

fn options(rung: Rung, dir: &Path) -> Options {
    // The machine stays on, so nothing is lost without syncs. Most tests are about the web servers.
    Options {
        synced: false,
        balancer_count: Some(0),
        ..Options::new(rung, dir, env!("CARGO_BIN_EXE_pando"))
    }
}

fn up(rung: Rung, dir: &Path) -> Lab {
    Lab::up(&options(rung, dir), |_| true).unwrap()
}

/// A load of all its entrances; any of them takes subscriptions, too.
fn load_options(lab: &Lab) -> LoadOptions {
    let (email, password) = lab.superuser();
    LoadOptions { roaming: true, ..LoadOptions::new(lab.entrances(), email, password) }
}

/// Waits until that many more requests have ended.
fn let_through(load: &Load, count: u64) {
    let target = load.answered() + count;
    wait_for("requests", DEADLINE, || Ok((load.answered() >= target).then_some(()))).unwrap();
}
