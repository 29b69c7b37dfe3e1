//! A slice of `cargo xtask crash`: three kills under concurrent writes.

use std::path::Path;

use pando_testkit::{Product, crash};

#[test]
fn a_kill_loses_no_acknowledged_write() {
    let binary = Path::new(env!("CARGO_BIN_EXE_pando"));
    let report = crash::run(Product::Pando, Some(binary), 3, 1).unwrap();
    assert!(report.acknowledged > 0);
}
