//! The tools tested on the real PocketBase: what they report must be its doing, not theirs.

use pando_testkit::compare::{Options, run};
use pando_testkit::{Product, Program, crash};

fn oracle() -> Program {
    Program::find(Product::Oracle).expect("`cargo xtask setup` installs PocketBase")
}

#[test]
fn pocketbase_agrees_with_itself() {
    let options = Options { seed: 5, ..Options::new(oracle()) };
    let report = run(&options).unwrap();
    assert!(report.agreed(), "{report}");
    assert!(report.total().steps >= 300);
}

#[test]
fn an_unknown_area_is_refused_with_the_known_ones() {
    let options = Options { only: Some("nonsense".to_owned()), ..Options::new(oracle()) };
    let error = run(&options).unwrap_err().to_string();
    assert!(error.contains("unknown area") && error.contains("realtime"), "{error}");
}

#[test]
fn pocketbase_survives_a_kill() {
    let report = crash::run(&oracle(), 1, 3).unwrap();
    assert!(report.acknowledged > 0);
}
