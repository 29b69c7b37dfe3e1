//! A slice of `cargo xtask crash`: three kills under concurrent writes.

use std::path::Path;

use pando_testkit::{Postgres, Product, Program, crash};

#[test]
fn a_kill_loses_no_acknowledged_write() {
    let program = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
    let report = crash::run(&program, 3, 1).unwrap();
    assert!(report.acknowledged > 0);
}

#[test]
fn a_kill_loses_no_acknowledged_write_on_postgres() {
    let server = Postgres::start().unwrap();
    let database = server.new_database().unwrap();
    let program = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
    let report = crash::run(&program.on_database(&server.url(&database)), 3, 1).unwrap();
    assert!(report.acknowledged > 0);
    let left = server.sql(&database, "SELECT count(*) > 0 FROM ledger").unwrap();
    assert_eq!(left, "t", "the records are in the database");
}
