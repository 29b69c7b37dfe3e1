//! What a crash, a stop and too much of a load leave in the file.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::logs::{Logs, RequestEntry};

const ENTRIES: usize = 2_000;

fn options(dir: &std::path::Path) -> StoreOptions {
    StoreOptions { dir: dir.to_owned(), ..StoreOptions::default() }
}

/// Entries that differ in their URLs.
fn batch() -> Batch {
    let logs = Logs::new();
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for number in 0..ENTRIES {
        logs.push(&RequestEntry {
            at_ms: 1_796_102_623_943,
            took: Duration::ZERO,
            method: "GET",
            url: &format!("/{number}"),
            status: 200,
            referer: b"",
            user_agent: b"",
            auth: None,
            addresses: Some((address, address)),
            failure: None,
        });
    }
    logs.take()
}

fn keeper(dir: &std::path::Path) -> Keeper {
    LogFile::open(&options(dir)).unwrap().keeper
}

fn rows(keeper: &Keeper) -> i64 {
    keeper.db.query_row("SELECT count(DISTINCT id) FROM _logs", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_comes_too_fast_is_put_aside_and_becomes_rows_later() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = keeper(home.path());
    for _ in 0..3 {
        keeper.write(&batch()).unwrap();
    }
    // The first had time, the others came while the thread should rest.
    assert_eq!((rows(&keeper), keeper.aside.batches.len()), (2_000, 2));
    keeper.fold_one().unwrap();
    assert_eq!((rows(&keeper), keeper.aside.batches.len()), (4_000, 1));
    keeper.perform(Command::Fold).unwrap();
    assert_eq!((rows(&keeper), keeper.aside.batches.len(), keeper.aside.bytes), (6_000, 0, 0));
}

#[test]
fn what_is_aside_survives_a_crash() {
    let home = tempfile::tempdir().unwrap();
    let mut before = keeper(home.path());
    before.write(&batch()).unwrap();
    before.write(&batch()).unwrap();
    let (aside, bytes) = (before.aside.batches.clone(), before.aside.bytes);
    assert_eq!((rows(&before), aside.len()), (2_000, 1));
    // As a killed process leaves it.
    std::mem::forget(before);
    let after = keeper(home.path());
    assert_eq!((&after.aside.batches, after.aside.bytes), (&aside, bytes));
    after.finish();
    let tidy = keeper(home.path());
    assert_eq!((rows(&tidy), tidy.aside.batches.len()), (4_000, 0));
    assert!(!tidy.db.table_exists(None, "_pando_logs").unwrap(), "not as PocketBase knows it");
}

#[test]
fn when_nothing_can_be_put_aside_any_more_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    let mut keeper = keeper(home.path());
    keeper.write(&batch()).unwrap();
    keeper.write(&batch()).unwrap();
    keeper.aside.bytes = ASIDE_BYTES_MAX;
    assert!(matches!(keeper.write(&batch()), Err(StoreError::Busy)));
}
