//! A slice of `cargo xtask compare` with a fixed seed: every area of the API, a few hundred steps.

use std::path::PathBuf;

use pando_testkit::{
    Product,
    compare::{Options, run},
};

#[test]
fn answers_like_pocketbase() {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_pando"));
    let options =
        Options { requests: 400, seed: 1, only: None, right: Product::Pando, binary: Some(binary) };
    let report = run(&options).unwrap();
    assert!(report.agreed(), "{report}");
}
