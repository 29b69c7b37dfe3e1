//! Kills a server under concurrent writes and checks that nothing it acknowledged is lost.
//!
//! Each round: several writers create, update, delete and batch records of their own; the process
//! is killed (SIGKILL) once a drawn number of writes was acknowledged; a copy of SQLite's directory
//! must pass `PRAGMA integrity_check`; after a restart every acknowledged write must be there, and of
//! the one write per writer that had no answer yet either all or nothing.

pub mod files;
mod integrity;
pub mod moving;
mod writer;

pub use integrity::check as integrity_check;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::fixture;
use crate::http::Request;
use crate::rng::Rng;
use crate::root::RootClient;
use crate::server::{Program, Server};
use crate::wait::wait_for;
use writer::Writer;

const EMAIL: &str = "root@example.com";
const PASSWORD: &str = "1234567890";
const WRITER_COUNT: usize = 8;
/// Acknowledged writes of one round before the kill.
const WRITES_MIN: usize = 50;
const WRITES_MAX: usize = 1500;
const ROUND_DEADLINE: Duration = Duration::from_secs(60);
const PAGE_SIZE: usize = 500;

/// What a series of rounds showed; only made if nothing was lost.
#[derive(Clone, Copy, Debug)]
pub struct CrashReport {
    pub rounds: usize,
    pub acknowledged: usize,
    /// Writes without an answer that were found done after the restart.
    pub unanswered_done: usize,
    /// Writes without an answer that left no trace.
    pub unanswered_undone: usize,
    /// The longest time from start to the first healthy answer after a kill.
    pub restart_time_max: Duration,
    pub elapsed: Duration,
}

/// Runs `rounds` rounds; fails with the first write that was lost or half done.
pub fn run(program: &Program, rounds: usize, seed: u64) -> Result<CrashReport> {
    let started = Instant::now();
    let root = tempfile::tempdir().context("failed to make a directory")?;
    let dir = root.path().join("data");
    program.upsert_superuser(&dir, EMAIL, PASSWORD)?;
    let mut rng = Rng::new(seed).fork("crash");
    let mut writers: Vec<Writer> = (0..WRITER_COUNT)
        .map(|number| Writer::new(number, rng.fork(&number.to_string())))
        .collect();
    let mut server = Server::launch(program, &dir)?;
    prepare(&server)?;
    let mut report = CrashReport {
        rounds,
        acknowledged: 0,
        unanswered_done: 0,
        unanswered_undone: 0,
        restart_time_max: Duration::ZERO,
        elapsed: Duration::ZERO,
    };
    for round in 1..=rounds {
        let target = rng.between(WRITES_MIN as i64, WRITES_MAX as i64);
        let target = usize::try_from(target).context("negative number of writes")?;
        report.acknowledged += write_until_killed(&mut server, &mut writers, target)
            .with_context(|| format!("round {round}, seed {seed}"))?;
        if program.keeps_records_in_directory() {
            check_integrity(&dir, &root.path().join("copy"))
                .with_context(|| format!("round {round}, seed {seed}"))?;
        }
        server = Server::launch(program, &dir)?;
        report.restart_time_max = report.restart_time_max.max(server.start_time());
        let found = fetch_all(&server)?;
        for writer in &mut writers {
            let done = writer
                .settle(&found)
                .with_context(|| format!("after the kill of round {round}, seed {seed}"))?;
            match done {
                Some(true) => report.unanswered_done += 1,
                Some(false) => report.unanswered_undone += 1,
                None => {}
            }
        }
        let expected: usize = writers.iter().map(Writer::record_count).sum();
        ensure!(found.len() == expected, "{} records found, {expected} expected", found.len());
    }
    server.stop()?;
    report.elapsed = started.elapsed();
    Ok(report)
}

/// Makes the collection that is written to and allows batches.
fn prepare(server: &Server) -> Result<()> {
    let mut root = RootClient::login(server, EMAIL, PASSWORD)?;
    let ledger = json!({
        "name": "ledger",
        "fields": [{ "type": "text", "name": "note" }, { "type": "number", "name": "version" }],
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        "indexes": ["CREATE INDEX idx_ledger ON ledger (version)"],
    });
    root.json(Request::post("/api/collections").json(&ledger))?;
    let settings = json!({ "batch": { "enabled": true, "maxRequests": 10, "timeout": 10 } });
    root.json(Request::patch("/api/settings").json(&settings))?;
    Ok(())
}

/// Lets the writers run and kills the server once `target` writes were acknowledged.
fn write_until_killed(server: &mut Server, writers: &mut [Writer], target: usize) -> Result<usize> {
    let acknowledged = AtomicUsize::new(0);
    let addr = server.addr();
    thread::scope(|scope| {
        let running: Vec<_> = writers
            .iter_mut()
            .map(|writer| scope.spawn(|| writer.write_until_cut(addr, &acknowledged)))
            .collect();
        let reached = wait_for("the writes of a round", ROUND_DEADLINE, || {
            let refused = running.iter().any(thread::ScopedJoinHandle::is_finished);
            Ok((refused || acknowledged.load(Ordering::Relaxed) >= target).then_some(()))
        });
        server.kill()?;
        for handle in running {
            handle.join().map_err(|_| anyhow::anyhow!("a writer panicked"))??;
        }
        reached?;
        Ok(acknowledged.load(Ordering::Relaxed))
    })
}

/// Checks a copy, so that the server itself has to recover the original.
fn check_integrity(dir: &Path, copy: &Path) -> Result<()> {
    fixture::copy_dir(dir, copy)?;
    let checked = integrity_check(&copy.join("data.db"));
    std::fs::remove_dir_all(copy).context("failed to remove the copy")?;
    checked
}

/// Every record of the ledger: its version by id.
fn fetch_all(server: &Server) -> Result<BTreeMap<String, i64>> {
    let mut client = server.client();
    let mut found = BTreeMap::new();
    for page in 1.. {
        let path = format!(
            "/api/collections/ledger/records?perPage={PAGE_SIZE}&page={page}&sort=id&skipTotal=1"
        );
        let answer = client.send(&Request::get(path))?.success()?.json()?;
        let items = answer["items"].as_array().context("no items")?;
        for item in items {
            let id = item["id"].as_str().context("record without id")?.to_owned();
            let version = item["version"].as_f64().context("record without version")?;
            found.insert(id, version as i64);
        }
        if items.len() < PAGE_SIZE {
            break;
        }
    }
    Ok(found)
}

/// A record's JSON for the ledger.
fn ledger_record(id: &str, version: i64) -> Value {
    json!({ "id": id, "note": format!("version {version} of {id}"), "version": version })
}
