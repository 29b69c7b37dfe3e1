//! A slice of `cargo xtask compare` with a fixed seed: every area of the API, a few hundred steps,
//! with the records in SQLite and in PostgreSQL.

use std::path::Path;

use pando_testkit::{
    Product, Program, Wire,
    compare::{Engine, Options, run},
};

fn check(engine: Engine, servers: usize, front: Option<Wire>) {
    let pando = Program::new(Product::Pando, Path::new(env!("CARGO_BIN_EXE_pando")));
    let report =
        run(&Options { requests: 400, engine, servers, front, ..Options::new(pando) }).unwrap();
    assert!(report.agreed(), "{report}");
}

#[test]
fn answers_like_pocketbase() {
    check(Engine::Sqlite, 1, None);
}

#[test]
fn answers_like_pocketbase_on_postgres() {
    check(Engine::Postgres, 1, None);
}

#[test]
fn three_servers_answer_like_one_pocketbase() {
    check(Engine::Postgres, 3, None);
}

#[test]
fn three_servers_behind_a_balancer_answer_like_one_pocketbase() {
    check(Engine::Postgres, 3, Some(Wire::Http1));
}

#[test]
fn a_balancer_answers_like_pocketbase_over_http2_too() {
    check(Engine::Postgres, 3, Some(Wire::Http2));
}
