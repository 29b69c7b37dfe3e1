//! Nodes with a network of their own: cut off and healed.

use std::process::Command;
use std::time::Duration;

use pando_lab::{HttpClient, Lab, Options, Request, Rung};
use pando_testkit::load::{Ending, Load, LoadOptions};

use super::{let_through, load_options, options};

fn root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

fn namespaces() -> String {
    let output = Command::new("ip").args(["netns", "list"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_node_that_is_cut_off_cannot_reach_the_others_but_clients_reach_it() {
    let dir = tempfile::tempdir().unwrap();
    let isolated = Options { isolate: true, ..options(Rung::Three, dir.path()) };
    let lab = Lab::up(&isolated, |_| true);
    if !root() {
        let refusal = format!("{:#}", lab.unwrap_err());
        assert!(refusal.contains("hint: start the lab as root"), "{refusal}");
        return;
    }
    let mut lab = lab.unwrap();
    let clients = 6;
    let deadline = Duration::from_secs(1);
    let options = LoadOptions { clients, subscribers: 0, deadline, ..load_options(&lab) };
    let load = Load::begin(options).unwrap();
    let_through(&load, 200);
    lab.cut("web-2", None).unwrap();
    let health = |lab: &Lab, name: &str| {
        let address = lab.site(name).unwrap().address;
        HttpClient::new(address).with_timeout(deadline).send(&Request::get("/api/health"))
    };
    assert_eq!(health(&lab, "web-2").unwrap().status, 200);
    let_through(&load, 100);
    lab.heal(Some("web-2"), None).unwrap();
    lab.cut("web-3", Some("clients")).unwrap();
    assert!(health(&lab, "web-3").is_err());
    lab.heal(None, None).unwrap();
    assert_eq!(health(&lab, "web-3").unwrap().status, 200);
    let_through(&load, 200);
    let report = load.finish().unwrap();
    assert!(report.passed(), "{report}");
    let hurt = report
        .endings
        .keys()
        .any(|ending| matches!(ending, Ending::TimedOut | Ending::Cut | Ending::Status(500..)));
    assert!(hurt, "the cut was not felt: {report}");
    let prefix = format!("{}-", network_prefix(&lab));
    assert!(namespaces().contains(&prefix));
    lab.down().unwrap();
    assert!(!namespaces().contains(&prefix));
}

fn network_prefix(lab: &Lab) -> String {
    let record = std::fs::read(lab.folder().path().join("lab.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    record["network"]["prefix"].as_str().unwrap().to_owned()
}
