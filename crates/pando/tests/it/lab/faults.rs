//! Faults under load: whatever is broken, no promise is.

use std::time::Duration;

use pando_lab::{Lab, Options, Rung};
use pando_testkit::history::{Outcome, Tally};
use pando_testkit::load::{Ending, Load, LoadOptions, Report};

use super::{let_through, load_options, options, up};

/// Requests between two faults.
const SOME: u64 = 300;

fn assert_clean(report: &Report) -> Tally {
    assert!(report.passed(), "{report}");
    let tally = report.verdict.tally;
    assert!(tally.writes_done > 100 && tally.reads > 100, "{report}");
    tally
}

/// Each client has at most one request in flight when something ends.
fn assert_few_errors(report: &Report, clients: u64, breaks: u64) {
    let unanswered = report.endings.iter().filter(|(ending, _)| {
        matches!(ending, Ending::Cut | Ending::TimedOut | Ending::Status(500..))
    });
    let unanswered: u64 = unanswered.map(|(_, count)| count).sum();
    assert!(unanswered <= clients * breaks, "more than what was in flight: {report}");
}

#[test]
fn a_killed_server_costs_nothing_but_what_was_in_flight() {
    let dir = tempfile::tempdir().unwrap();
    let mut lab = up(Rung::Three, dir.path());
    let clients = 8;
    let deadline = Duration::from_secs(2);
    let options = LoadOptions { clients, deadline, subscribers: 3, ..load_options(&lab) };
    let load = Load::begin(options).unwrap();
    let_through(&load, SOME);
    lab.kill("web-2").unwrap();
    let_through(&load, SOME);
    lab.start("web-2").unwrap();
    lab.freeze("web-3").unwrap();
    let_through(&load, SOME / 10);
    lab.thaw("web-3").unwrap();
    let added = lab.add(pando_lab::Kind::Web).unwrap();
    lab.stop("web-1").unwrap();
    let_through(&load, SOME);
    lab.start("web-1").unwrap();
    lab.stop(&added).unwrap();
    let report = load.finish().unwrap();
    assert_clean(&report);
    // The kill and the freeze.
    assert_few_errors(&report, clients as u64, 2);
    let refused = report.history.writes.iter().filter(|write| write.outcome == Outcome::Refused);
    let no_connection = report.endings.get(&Ending::NoConnection).copied().unwrap_or_default();
    assert!(refused.count() as u64 <= no_connection, "a server refused: {report}");
    lab.down().unwrap();
}

#[test]
fn a_bus_that_is_gone_costs_time_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let with_nats = Options { nats: true, ..options(Rung::Three, dir.path()) };
    let mut lab = Lab::up(&with_nats, |_| true).unwrap();
    let clients = LoadOptions { clients: 8, subscribers: 6, ..load_options(&lab) };
    let load = Load::begin(clients).unwrap();
    let_through(&load, SOME);
    lab.freeze("bus-1").unwrap();
    let_through(&load, SOME);
    lab.thaw("bus-1").unwrap();
    let_through(&load, SOME);
    lab.kill("bus-1").unwrap();
    let_through(&load, SOME);
    lab.start("bus-1").unwrap();
    let_through(&load, SOME);
    let report = load.finish().unwrap();
    let tally = assert_clean(&report);
    assert_few_errors(&report, 0, 0);
    assert_eq!(tally.views_compared, 6, "{report}");
    lab.down().unwrap();
}

#[test]
fn behind_a_balancer_even_less_is_felt() {
    let dir = tempfile::tempdir().unwrap();
    let balanced = Options { balancer_count: Some(1), ..options(Rung::Three, dir.path()) };
    let mut lab = Lab::up(&balanced, |_| true).unwrap();
    assert_eq!(lab.entrances(), [lab.site("balancer-1").unwrap().address]);
    let (clients, deadline) = (8, Duration::from_secs(20));
    let load_options =
        LoadOptions { clients, deadline, failover: false, subscribers: 3, ..load_options(&lab) };
    let load = Load::begin(load_options).unwrap();
    let_through(&load, SOME);
    lab.kill("web-2").unwrap();
    let_through(&load, SOME);
    lab.start("web-2").unwrap();
    lab.stop("web-1").unwrap();
    let_through(&load, SOME);
    lab.start("web-1").unwrap();
    lab.add(pando_lab::Kind::Web).unwrap();
    let_through(&load, SOME);
    let report = load.finish().unwrap();
    assert_clean(&report);
    // Writes in flight on the one that was killed.
    assert!(report.errors <= clients as u64, "{report}");
    lab.down().unwrap();
}

#[test]
fn a_restarted_database_costs_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut lab = up(Rung::Three, dir.path());
    let options = LoadOptions { clients: 8, subscribers: 3, ..load_options(&lab) };
    let load = Load::begin(options).unwrap();
    let_through(&load, SOME);
    lab.stop("db-1").unwrap();
    lab.start("db-1").unwrap();
    let_through(&load, SOME);
    lab.kill("db-1").unwrap();
    lab.start("db-1").unwrap();
    let_through(&load, SOME);
    let report = load.finish().unwrap();
    assert_clean(&report);
    lab.down().unwrap();
}

#[test]
fn streams_end_with_what_is_there_whatever_their_server_went_through() {
    for rung in [Rung::One, Rung::Two] {
        let dir = tempfile::tempdir().unwrap();
        let mut lab = up(rung, dir.path());
        let options = LoadOptions { clients: 6, subscribers: 4, ..load_options(&lab) };
        let load = Load::begin(options).unwrap();
        let_through(&load, SOME);
        lab.kill("web-1").unwrap();
        lab.start("web-1").unwrap();
        let_through(&load, SOME);
        lab.stop("web-1").unwrap();
        lab.start("web-1").unwrap();
        let_through(&load, SOME);
        let report = load.finish().unwrap();
        let tally = assert_clean(&report);
        assert_eq!(tally.views_compared, 4, "{report}");
        assert!(tally.events > 100, "{report}");
        lab.down().unwrap();
    }
}

#[test]
fn the_judge_sees_a_database_that_goes_back_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut lab = up(Rung::Two, dir.path());
    let options = LoadOptions { clients: 4, subscribers: 0, ..load_options(&lab) };
    let load = Load::begin(options).unwrap();
    let_through(&load, SOME);
    // An operator who plays an old copy back.
    let data = lab.site("db-1").unwrap().dir.join("data");
    let copy = dir.path().join("copy");
    lab.stop("db-1").unwrap();
    copy_all(&data, &copy);
    lab.start("db-1").unwrap();
    let_through(&load, SOME);
    lab.kill("db-1").unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy_all(&copy, &data);
    lab.start("db-1").unwrap();
    let_through(&load, SOME);
    let report = load.finish().unwrap();
    assert!(!report.passed(), "{report}");
    let counts = &report.verdict.counts;
    assert!(counts.contains_key(&pando_testkit::history::FaultKind::Stale), "{report}");
    assert!(counts.contains_key(&pando_testkit::history::FaultKind::Lost), "{report}");
    lab.down().unwrap();
}

/// With owners and modes.
fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}
