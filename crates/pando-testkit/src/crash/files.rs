//! Kills a server at each step of a move of files to a bucket and of the way back, while clients
//! upload, read and delete: each acknowledged upload is served byte for byte all the time, what was
//! deleted does not come back, and the same command goes on with the move.

mod uploader;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{EMAIL, PASSWORD};
use crate::bucket::Bucket;
use crate::control;
use crate::http::Request;
use crate::rng::Rng;
use crate::root::RootClient;
use crate::server::{Program, Server};
use crate::wait::wait_for;
use uploader::Uploader;

/// The steps of a move, in its order.
pub const STEPS: [&str; 8] =
    ["plan", "begin", "copy", "verify", "mirror", "check", "cut-over", "moved"];

const CLIENT_COUNT: usize = 3;
/// Acknowledged uploads and deletions before a move begins, and after it is over.
const CHANGES_AROUND: usize = 25;
const DEADLINE: Duration = Duration::from_secs(60);

/// What was seen; only made if nothing was lost.
#[derive(Clone, Debug, Default)]
pub struct FilesReport {
    pub kills: usize,
    /// Uploads and deletions.
    pub acknowledged: usize,
    /// Downloads of acknowledged uploads meanwhile, all of them whole.
    pub read: usize,
    /// Requests of other servers than the killed one that were told to try again.
    pub again: usize,
    /// What the server said at the end of the move and of the way back.
    pub said: Vec<String>,
    /// Files that no record names, left by kills.
    pub waste: usize,
}

/// Moves to the bucket and back. Several servers share what `program` names: a database and a
/// folder; the first of them does the move and is killed at each step of `there` and of `back`.
pub fn run(
    program: &Program,
    server_count: usize,
    bucket: &Bucket,
    there: &[&str],
    back: &[&str],
    seed: u64,
) -> Result<FilesReport> {
    let root = tempfile::tempdir().context("failed to make a directory")?;
    let dirs: Vec<PathBuf> =
        (0..server_count).map(|number| root.path().join(format!("data{number}"))).collect();
    program.upsert_superuser(&dirs[0], EMAIL, PASSWORD)?;
    let mut servers = vec![Server::launch(program, &dirs[0])?];
    prepare(&servers[0])?;
    for dir in &dirs[1..] {
        servers.push(Server::launch(program, dir)?);
    }
    let rng = Rng::new(seed).fork("files");
    let clients = (0..CLIENT_COUNT).map(|n| Uploader::new(n, rng.fork(&n.to_string()))).collect();
    let report = FilesReport::default();
    let mut rounds = Rounds { program, dir: dirs[0].clone(), servers, clients, report };
    let to_bucket = to_bucket(bucket);
    let to_bucket: Vec<&str> = to_bucket.iter().map(String::as_str).collect();
    let to_folder = ["move", "files", "run", "folder"];
    for (words, steps) in [(&to_bucket[..], there), (&to_folder, back)] {
        for step in steps {
            // A kill may come just after the decision.
            if !rounds.over(words)? {
                rounds.round(words, Some(step))?;
            }
        }
        if !rounds.over(words)? {
            rounds.round(words, None)?;
        }
        if words == to_bucket {
            // Servers would find them in the folder, too, which must not be needed.
            rounds.clients.iter().try_for_each(|client| client.find_in(bucket))?;
        }
    }
    rounds.report.waste = rounds.waste(bucket);
    for client in &rounds.clients {
        rounds.report.read += client.read_count();
        rounds.report.again += client.again_count();
    }
    Ok(rounds.report)
}

/// The words that move files to a bucket.
fn to_bucket(bucket: &Bucket) -> Vec<String> {
    let texts =
        [bucket.name(), &bucket.endpoint(), bucket.region(), bucket.access_key(), bucket.secret()]
            .map(str::to_owned);
    let start = ["move", "files", "run", "s3"].map(str::to_owned);
    start.into_iter().chain(texts).chain(["path".to_owned()]).collect()
}

fn prepare(server: &Server) -> Result<()> {
    let mut root = RootClient::login(server, EMAIL, PASSWORD)?;
    let files = json!({
        "name": "files",
        "fields": [{ "type": "file", "name": "doc", "maxSize": 20 << 20 }],
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
    });
    root.json(Request::post("/api/collections").json(&files)).map(drop)
}

struct Rounds<'a> {
    program: &'a Program,
    /// Of the server that moves and is killed.
    dir: PathBuf,
    servers: Vec<Server>,
    clients: Vec<Uploader>,
    report: FilesReport,
}

impl Rounds<'_> {
    /// Whether the files are where `words` would move them.
    fn over(&self, words: &[&str]) -> Result<bool> {
        let status = ["move", "files", "status"];
        let status = control::ask(&self.dir, &status, |_| true)?.unwrap_or_default();
        let place =
            if words.contains(&"folder") { "are in the folder" } else { "are in the bucket" };
        Ok(status.contains(place) && !status.contains("being moved"))
    }

    /// Lets clients work, has the first server do `words`, kills it at `step`, starts it again and
    /// looks for all that was acknowledged.
    fn round(&mut self, words: &[&str], step: Option<&str>) -> Result<()> {
        let title = || format!("{:?} killed at {step:?}", &words[..4]);
        let said = self.work_and_kill(words, step).with_context(title)?;
        self.report.kills += 1;
        self.report.said.extend(said);
        self.servers[0] = Server::launch(self.program, &self.dir).with_context(title)?;
        let addrs: Vec<_> = self.servers.iter().map(Server::addr).collect();
        for client in &mut self.clients {
            client.settle(&addrs).with_context(title)?;
        }
        Ok(())
    }

    /// Files in the bucket that are in no record: those that a kill has left, and after the way back
    /// those that were there before it.
    fn waste(&self, bucket: &Bucket) -> usize {
        let named = |key: &String| self.clients.iter().any(|client| client.names(key));
        bucket.keys().iter().filter(|key| !named(key)).count()
    }

    fn work_and_kill(&mut self, words: &[&str], step: Option<&str>) -> Result<Option<String>> {
        let (acknowledged, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let addrs: Vec<_> = self.servers.iter().map(Server::addr).collect();
        let reach = |count: usize| {
            wait_for("some uploads", DEADLINE, || {
                let done = acknowledged.load(Ordering::Relaxed) >= count;
                Ok((done || ended.load(Ordering::Relaxed)).then_some(()))
            })
        };
        let dir: &Path = &self.dir;
        let said = thread::scope(|scope| {
            let working: Vec<_> = self
                .clients
                .iter_mut()
                .map(|client| {
                    scope.spawn(|| {
                        let outcome = client.work(&addrs, &acknowledged, &ended);
                        ended.store(true, Ordering::Relaxed);
                        outcome
                    })
                })
                .collect();
            reach(CHANGES_AROUND)?;
            let said = control::ask(dir, words, |told| step != Some(&told.step));
            if step.is_none() {
                reach(acknowledged.load(Ordering::Relaxed) + CHANGES_AROUND)?;
            }
            self.servers[0].kill()?;
            ended.store(true, Ordering::Relaxed);
            for handle in working {
                handle.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
            }
            said
        });
        self.report.acknowledged += acknowledged.load(Ordering::Relaxed);
        let said = said?;
        ensure!(step.is_none() || said.is_none(), "the step was not reached; said: {said:?}");
        Ok(said)
    }
}
