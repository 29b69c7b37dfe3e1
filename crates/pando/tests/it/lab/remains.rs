//! However a lab ends, it leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pando_lab::Rung;
use pando_testkit::process::{Mark, Signal, Table};
use pando_testkit::wait_for;
use serde_json::Value;

use super::{DEADLINE, up};
use crate::process::{command, outcome};

/// `pando lab up` as a process.
struct Running {
    child: Child,
    dir: std::path::PathBuf,
}

impl Running {
    fn up(dir: &Path, arguments: &[&str]) -> Running {
        let mut command = lab(dir, &["up", "--no-sync"]);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().unwrap();
        // The hint below the table is printed when all is ready.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap().contains("Ctrl-C stops it all")));
        std::thread::spawn(move || lines.for_each(drop));
        Running { child, dir: dir.to_owned() }
    }

    fn status(&self) -> Value {
        let output = lab(&self.dir, &["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// All processes of the lab, its guard included.
    fn processes(&self) -> Vec<Mark> {
        let mut found = everything(&self.dir);
        let children = pando_testkit::process::children(self.child.id()).unwrap();
        found.extend(children.into_iter().map(|pid| Mark::of(pid).unwrap()));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn guard(&self) -> Mark {
        let nodes = everything(&self.dir);
        let guard = self.processes().into_iter().find(|mark| !nodes.contains(mark));
        guard.expect("a lab has a guard")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The guard does the rest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lab(dir: &Path, arguments: &[&str]) -> Command {
    let mut lab = command(dir, &["lab"]);
    lab.args(arguments).args(["--dir", "lab"]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    lab
}

fn record(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("lab/lab.json")).unwrap()).unwrap()
}

/// The processes of all nodes, by the mark in their environment.
fn everything(dir: &Path) -> Vec<Mark> {
    let record = record(dir);
    let table = Table::read(Some("PANDO_LAB")).unwrap();
    let nodes = record["nodes"].as_array().unwrap().iter();
    let family = |node: &Value| {
        let (id, name) = (record["id"].as_str().unwrap(), node["name"].as_str().unwrap());
        table.family(&format!("{id}/{name}"), &[])
    };
    nodes.flat_map(family).collect()
}

fn expect_gone(marks: &[Mark]) {
    assert!(!marks.is_empty());
    let gone = || Ok(marks.iter().all(|mark| !mark.runs()).then_some(()));
    wait_for("the end of all processes", DEADLINE, gone).unwrap();
}

#[test]
fn rung_3_is_up_within_a_minute_takes_orders_and_is_gone_after_ctrl_c() {
    let dir = tempfile::tempdir().unwrap();
    let begun = std::time::Instant::now();
    let mut running = Running::up(dir.path(), &["--rung", "3"]);
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
    let states = || -> Vec<String> {
        let status = running.status();
        let nodes = status["nodes"].as_array().unwrap().iter();
        nodes.map(|node| format!("{} {}", node["name"], node["state"]).replace('"', "")).collect()
    };
    let all = ["db-1 ready", "web-1 ready", "web-2 ready", "web-3 ready", "balancer-1 ready"];
    assert_eq!(states(), all);
    assert_eq!(outcome(lab(dir.path(), &["kill", "web-2"])), "exit 0\nweb-2 is dead\n");
    assert_eq!(outcome(lab(dir.path(), &["freeze", "web-3"])), "exit 0\nweb-3 is frozen\n");
    assert_eq!(states()[1..4], ["web-1 ready", "web-2 stopped", "web-3 frozen"]);
    assert_eq!(outcome(lab(dir.path(), &["start", "web-2"])), "exit 0\nweb-2 is ready\n");
    assert_eq!(outcome(lab(dir.path(), &["thaw", "web-3"])), "exit 0\nweb-3 goes on\n");
    let load = ["load", "--for", "1s", "--clients", "4", "--deadline", "5s"];
    let judged = outcome(lab(dir.path(), &load));
    assert!(judged.starts_with("exit 0\n") && judged.contains("CLEAN"), "{judged}");
    let unknown = outcome(lab(dir.path(), &["kill", "web-9"]));
    assert!(unknown.contains("hint: db-1, web-1, web-2, web-3, balancer-1"), "{unknown}");
    let twice = outcome(lab(dir.path(), &["up", "--rung", "3"]));
    assert!(twice.contains("a lab runs in") && twice.contains("hint: pando lab down"), "{twice}");
    let processes = running.processes();
    Mark::of(running.child.id()).unwrap().signal(Signal::INT).unwrap();
    assert!(running.child.wait().unwrap().success());
    assert!(processes.iter().all(|mark| !mark.runs()), "something is left");
    let logs = outcome(lab(dir.path(), &["logs", "web-1", "-n", "1"]));
    assert!(logs.contains("stopped"), "{logs}");
    let gone = outcome(lab(dir.path(), &["status"]));
    assert!(gone.contains("no lab runs in"), "{gone}");
}

#[test]
fn a_lab_that_is_killed_is_tidied_up_by_its_guard() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::up(dir.path(), &["--rung", "2"]);
    assert_eq!(outcome(lab(dir.path(), &["freeze", "db-1"])), "exit 0\ndb-1 is frozen\n");
    let processes = running.processes();
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    expect_gone(&processes);
    let down = outcome(lab(dir.path(), &["down"]));
    assert_eq!(down, "exit 0\nno lab ran there\n");
}

#[test]
fn what_is_left_when_the_guard_is_killed_too_is_stopped_by_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::up(dir.path(), &["--rung", "2"]);
    // A process that is stopped does not notice the end of the one that it belongs to.
    assert_eq!(outcome(lab(dir.path(), &["freeze", "db-1"])), "exit 0\ndb-1 is frozen\n");
    let processes = running.processes();
    running.guard().signal(Signal::KILL).unwrap();
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let down = outcome(lab(dir.path(), &["down"]));
    assert!(down.starts_with("exit 0\nthe lab had been killed; "), "{down}");
    expect_gone(&processes);
    // Down through a running lab.
    let mut again = Running::up(dir.path(), &["--rung", "2"]);
    let processes = again.processes();
    assert_eq!(outcome(lab(dir.path(), &["down"])), "exit 0\nthe lab has stopped\n");
    assert!(again.child.wait().unwrap().success());
    assert!(processes.iter().all(|mark| !mark.runs()), "something is left");
}

#[test]
fn data_stay_from_one_lab_to_the_next_on_the_same_kind_of_database() {
    let dir = tempfile::tempdir().unwrap();
    let first = up(Rung::One, dir.path());
    let (address, password) = (first.entrances(), first.superuser().1.to_owned());
    first.down().unwrap();
    let second = up(Rung::One, dir.path());
    assert_eq!((second.entrances(), second.superuser().1), (address, password.as_str()));
    drop(second);
    let other = pando_lab::Lab::up(&super::options(Rung::Two, dir.path()), |_| true);
    let refusal = other.unwrap_err().to_string();
    assert!(refusal.contains("are those of rung 1\nhint: --fresh deletes them"), "{refusal}");
    let fresh = pando_lab::Options { fresh: true, ..super::options(Rung::Two, dir.path()) };
    pando_lab::Lab::up(&fresh, |_| true).unwrap().down().unwrap();
}

#[test]
fn a_lab_that_still_starts_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let mut starting = lab(dir.path(), &["up", "--rung", "3", "--no-sync"]);
    starting.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = starting.spawn().unwrap();
    wait_for("the socket", DEADLINE, || Ok(dir.path().join("lab/lab.sock").exists().then_some(())))
        .unwrap();
    assert_eq!(outcome(lab(dir.path(), &["down"])), "exit 0\nthe lab has stopped\n");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    // It may have come up just before.
    assert!(output.status.success() || text.contains("stopped while starting"), "{text}");
    assert_eq!(everything(dir.path()), []);
}
