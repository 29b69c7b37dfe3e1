//! The tools tested on the real PocketBase: what they report must be its doing, not theirs.

use pando_testkit::compare::{Options, run};
use pando_testkit::{Product, crash};

#[test]
fn pocketbase_agrees_with_itself() {
    let options =
        Options { requests: 300, seed: 5, only: None, right: Product::Oracle, binary: None };
    let report = run(&options).unwrap();
    assert!(report.agreed(), "{report}");
    assert!(report.total().steps >= 300);
}

#[test]
fn an_unknown_area_is_refused_with_the_known_ones() {
    let only = Some("nonsense".to_owned());
    let options = Options { requests: 1, seed: 1, only, right: Product::Oracle, binary: None };
    let error = run(&options).unwrap_err().to_string();
    assert!(error.contains("unknown area") && error.contains("realtime"), "{error}");
}

#[test]
fn pocketbase_survives_a_kill() {
    let report = crash::run(Product::Oracle, None, 1, 3).unwrap();
    assert!(report.acknowledged > 0);
}
