//! A slice of `cargo xtask compare` with a fixed seed: every area of the API, a few hundred steps,
//! with the records in SQLite and in PostgreSQL.

use std::path::Path;

use pando_testkit::{
    Product, Program,
    compare::{Engine, Options, run},
};

fn check(engine: Engine, servers: usize) {
    let pando = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
    let report = run(&Options { requests: 400, engine, servers, ..Options::new(pando) }).unwrap();
    assert!(report.agreed(), "{report}");
}

#[test]
fn answers_like_pocketbase() {
    check(Engine::Sqlite, 1);
}

#[test]
fn answers_like_pocketbase_on_postgres() {
    check(Engine::Postgres, 1);
}

#[test]
fn three_servers_answer_like_one_pocketbase() {
    check(Engine::Postgres, 3);
}
