//! One client that uploads, reads and deletes files, and remembers what was acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::bucket::Bucket;
use crate::http::{HttpClient, Multipart, Request, Response};
use crate::rng::Rng;

const RECORDS: &str = "/api/collections/files/records";
/// More would make looking for them slow.
const FILES_MAX: usize = 15;
/// Deleted files that are looked for after a kill: the last ones.
const DELETED_MAX: usize = 30;
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// What was sent and not answered.
#[derive(Clone, Debug)]
enum Pending {
    Upload(String),
    Delete(String),
}

#[derive(Debug)]
pub(super) struct Uploader {
    number: usize,
    rng: Rng,
    created_count: usize,
    /// What must be there: the names of files by their records' ids.
    files: BTreeMap<String, String>,
    /// What must not be there.
    deleted: VecDeque<(String, String)>,
    pending: Option<Pending>,
    read_count: usize,
    again_count: usize,
}

impl Uploader {
    pub(super) fn new(number: usize, rng: Rng) -> Self {
        Self {
            number,
            rng,
            created_count: 0,
            files: BTreeMap::new(),
            deleted: VecDeque::new(),
            pending: None,
            read_count: 0,
            again_count: 0,
        }
    }

    pub(super) fn read_count(&self) -> usize {
        self.read_count
    }

    /// Fails unless all that was acknowledged is in the bucket.
    pub(super) fn find_in(&self, bucket: &Bucket) -> Result<()> {
        let keys = bucket.keys();
        for (id, name) in &self.files {
            let key = keys.iter().find(|key| key.ends_with(&format!("/{id}/{name}")));
            let stored = key.and_then(|key| bucket.object(key));
            ensure!(stored == Some(content(id)), "the file of {id} is not in the bucket");
        }
        Ok(())
    }

    /// Whether an object is one of its files.
    pub(super) fn names(&self, key: &str) -> bool {
        let mut parts = key.split('/').skip(1);
        let (id, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        self.files.get(id).is_some_and(|known| known == name)
    }

    pub(super) fn again_count(&self) -> usize {
        self.again_count
    }

    /// Works until a connection breaks or `ended`. Writes go to one server, reads to any. Any
    /// answer but success is a failure; where there are several servers, one may say of a write
    /// that it must be tried again.
    pub(super) fn work(
        &mut self,
        addrs: &[SocketAddr],
        acknowledged: &AtomicUsize,
        ended: &AtomicBool,
    ) -> Result<()> {
        let connect = |addr: &SocketAddr| HttpClient::new(*addr).with_timeout(ANSWER_DEADLINE);
        let mut clients: Vec<HttpClient> = addrs.iter().map(connect).collect();
        let home = self.number % clients.len();
        while !ended.load(Ordering::Relaxed) {
            let choice = if self.files.is_empty() { 0 } else { self.rng.below(100) };
            if choice >= 60 {
                let server = self.rng.below(clients.len());
                if !self.read(&mut clients[server])? {
                    return Ok(());
                }
                continue;
            }
            let (request, pending) = match choice {
                0..40 if self.files.len() < FILES_MAX => self.next_upload(),
                _ => self.next_delete(),
            };
            self.pending = Some(pending);
            let Ok(response) = clients[home].send(&request) else { return Ok(()) };
            if response.status == 503 && response.header("retry-after").is_some() && addrs.len() > 1
            {
                self.pending = None;
                self.again_count += 1;
                continue;
            }
            self.acknowledge(response)?;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn forget(&mut self, id: String, name: String) {
        self.deleted.push_back((id, name));
        if self.deleted.len() > DELETED_MAX {
            self.deleted.pop_front();
        }
    }

    fn acknowledge(&mut self, response: Response) -> Result<()> {
        let response = response.success().context("a write was refused")?;
        match self.pending.take() {
            Some(Pending::Upload(id)) => {
                let name = response.json()?["doc"].as_str().context("no file")?.to_owned();
                self.files.insert(id, name);
            }
            Some(Pending::Delete(id)) => {
                let name = self.files.remove(&id).context("deleted twice")?;
                self.forget(id, name);
            }
            None => {}
        }
        Ok(())
    }

    /// Reads one of its files. False if the connection broke.
    fn read(&mut self, client: &mut HttpClient) -> Result<bool> {
        let index = self.rng.below(self.files.len());
        let (id, name) = self.files.iter().nth(index).context("no file")?;
        let Ok(answer) = client.send(&Request::get(path(id, name))) else { return Ok(false) };
        check(id, &answer).with_context(|| format!("read meanwhile through {}", client.addr()))?;
        self.read_count += 1;
        Ok(true)
    }

    /// Compares with what is there, through each server: all that was acknowledged, and of what was
    /// not either all or nothing.
    pub(super) fn settle(&mut self, addrs: &[SocketAddr]) -> Result<()> {
        for (index, addr) in addrs.iter().enumerate() {
            let mut client = HttpClient::new(*addr).with_timeout(ANSWER_DEADLINE);
            if let Some(pending) = self.pending.take() {
                self.settle_pending(&mut client, pending)?;
            }
            for (id, name) in &self.files {
                let answer = client.send(&Request::get(path(id, name)))?;
                check(id, &answer).with_context(|| format!("found by server {index}"))?;
            }
            for (id, name) in &self.deleted {
                let answer = client.send(&Request::get(path(id, name)))?;
                ensure!(answer.status == 404, "{id} was deleted and is there again");
            }
        }
        Ok(())
    }

    fn settle_pending(&mut self, client: &mut HttpClient, pending: Pending) -> Result<()> {
        let (Pending::Upload(id) | Pending::Delete(id)) = &pending;
        let record = client.send(&Request::get(format!("{RECORDS}/{id}")))?;
        match (record.status, pending) {
            (404, Pending::Upload(_)) => {}
            (404, Pending::Delete(id)) => {
                let name = self.files.remove(&id).context("it was there")?;
                self.forget(id, name);
            }
            (200, Pending::Upload(id)) => {
                let name = record.json()?["doc"].as_str().context("no file")?.to_owned();
                self.files.insert(id, name);
            }
            (200, Pending::Delete(_)) => {}
            (status, pending) => bail!("{pending:?} was answered {status}: {}", record.text()),
        }
        Ok(())
    }

    fn next_upload(&mut self) -> (Request, Pending) {
        self.created_count += 1;
        let id = format!("u{:02}x{:011}", self.number, self.created_count);
        let form = Multipart::new().text("id", &id).file(
            "doc",
            "file.bin",
            "application/octet-stream",
            &content(&id),
        );
        (Request::post(RECORDS).multipart(&form), Pending::Upload(id))
    }

    fn next_delete(&mut self) -> (Request, Pending) {
        let index = self.rng.below(self.files.len());
        let id = self.files.keys().nth(index).expect("the index is below the length").clone();
        (Request::delete(format!("{RECORDS}/{id}")), Pending::Delete(id))
    }
}

fn path(id: &str, name: &str) -> String {
    format!("/api/files/files/{id}/{name}")
}

/// The content that belongs to an id: most are small, some are staged, few come in parts.
fn content(id: &str) -> Vec<u8> {
    let mut rng = Rng::new(0).fork(id);
    let length = match rng.below(60) {
        0 => 8_500_000,
        1..6 => 300_000,
        6 => 0,
        _ => 100 + rng.below(5_000),
    };
    let step = rng.below(251) + 1;
    let pattern: Vec<u8> = (0..253).map(|at| (at * step % 253) as u8).collect();
    pattern.repeat(length / pattern.len() + 1)[..length].to_vec()
}

fn check(id: &str, answer: &Response) -> Result<()> {
    ensure!(answer.status == 200, "lost: the file of {id} is answered {}", answer.status);
    ensure!(answer.body == content(id), "the file of {id} is not what was uploaded");
    Ok(())
}
