use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Mark, Signal, marked};
use crate::wait_for;

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn a_family_is_found_by_its_mark_and_ended_by_it() {
    let variable = format!("PANDO_LAB=test-{}", std::process::id());
    let (name, value) = variable.split_once('=').unwrap();
    // The inner one has lost its mark and has another parent by now; the one between has not.
    let script = "(env -u PANDO_LAB sleep 1000 & wait) & wait";
    let mut shell = Command::new("sh")
        .args(["-c", script])
        .env(name, value)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let family = wait_for("the family", DEADLINE, || {
        let family = marked(&variable, &[]).unwrap();
        let sleeps = family.iter().any(|mark| {
            let name = std::fs::read_to_string(format!("/proc/{}/comm", mark.pid));
            name.is_ok_and(|name| name.trim() == "sleep")
        });
        Ok(sleeps.then_some(family))
    })
    .unwrap();
    assert_eq!(family.len(), 3, "{family:?}");
    for mark in &family {
        assert!(mark.runs());
        mark.signal(Signal::KILL).unwrap();
    }
    shell.wait().unwrap();
    let gone = || Ok(family.iter().all(|mark| !mark.runs()).then_some(()));
    wait_for("the end of the family", DEADLINE, gone).unwrap();
    assert_eq!(marked(&variable, &family).unwrap(), []);
}

#[test]
fn a_number_that_changed_hands_is_left_alone() {
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    let mark = Mark::of(child.id()).unwrap();
    let stranger = Mark { started: mark.started.wrapping_sub(1), ..mark };
    assert!(!stranger.signal(Signal::KILL).unwrap());
    assert!(child.try_wait().unwrap().is_none());
    assert!(mark.signal(Signal::KILL).unwrap());
    child.wait().unwrap();
    assert!(!mark.exists());
    assert!(!mark.signal(Signal::KILL).unwrap());
}
