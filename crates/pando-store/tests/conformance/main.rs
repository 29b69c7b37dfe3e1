//! What every database must do for the code above it: one list of cases, run on each of them.
//!
//! A case gets a store of its own and asks the public API of `pando-store` only, so that it says
//! nothing about how a database does it. Where two databases may differ, the case says so.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod app;
mod collections;
mod finding;
mod indexes;
mod logs;
mod records;
mod references;
mod servers;
mod settings;
mod transactions;
mod values;

use std::pin::Pin;

use app::{App, Engine};
use pando_testkit::Postgres;

/// One case. It fails by a panic.
struct Case {
    name: &'static str,
    run: for<'a> fn(&'a mut App) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// The cases of a module, by the names of their functions.
macro_rules! cases {
    ($($name:ident,)+) => {
        pub(crate) const CASES: &[crate::Case] = &[
            $(crate::Case { name: stringify!($name), run: |app| Box::pin($name(app)) },)+
        ];
    };
}
use cases;

/// Runs all cases of a list, each on an empty database, and names those that failed.
fn check(engine: Engine, cases: &'static [Case]) {
    // One server for all of them.
    let _server = (engine == Engine::Postgres).then(|| Postgres::start().unwrap());
    let mut failed = Vec::new();
    for case in cases {
        // A thread each, so that a panic ends one case only. What it says goes to the output.
        let thread = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let mut app = App::open(engine).await;
                (case.run)(&mut app).await;
                app.store().close().await;
            });
        });
        if thread.join().is_err() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), cases.len());
}

macro_rules! engines {
    ($($engine:ident: $which:expr;)+) => {$(
        mod $engine {
            use super::*;

            #[test]
            fn records() {
                check($which, records::CASES);
            }

            #[test]
            fn finding() {
                check($which, finding::CASES);
            }

            #[test]
            fn values() {
                check($which, values::CASES);
            }

            #[test]
            fn references() {
                check($which, references::CASES);
            }

            #[test]
            fn indexes() {
                check($which, indexes::CASES);
            }

            #[test]
            fn collections() {
                check($which, collections::CASES);
            }

            #[test]
            fn settings() {
                check($which, settings::CASES);
            }

            #[test]
            fn transactions() {
                check($which, transactions::CASES);
            }

            #[test]
            fn logs() {
                check($which, logs::CASES);
            }
        }
    )+};
}

engines! {
    sqlite: Engine::Sqlite;
    postgres: Engine::Postgres;
}
