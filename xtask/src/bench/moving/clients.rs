//! Clients that write and read at a set pace while the records move, and know what they must find.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use pando_testkit::{HttpClient, Request, Rng, Server};
use serde_json::{Value, json};

use super::Moved;
use super::data::{self, Dataset};
use crate::bench::latency::Latencies;

/// Connections that write.
const WRITERS: usize = 16;

/// Reads of one connection in a second.
const READS_PER_SECOND: f64 = 10.0;

/// How long the clients go on before and after a move.
const AROUND: Duration = Duration::from_secs(1);

const RECORDS: &str = "/api/collections/comments/records";

/// What the clients saw during one move.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) writes: usize,
    pub(super) reads: usize,
    pub(super) slowest_write_ms: f64,
    pub(super) write_p99_ms: f64,
    pub(super) slowest_read_ms: f64,
    pub(super) read_p99_ms: f64,
}

pub(super) struct Clients {
    addr: SocketAddr,
    posts: usize,
    readers: usize,
    pause: Duration,
    writers: Vec<Writer>,
}

impl Clients {
    pub(super) fn new(
        server: &Server,
        dataset: &Dataset,
        writes: usize,
        readers: usize,
    ) -> Clients {
        let pause = Duration::from_secs_f64(WRITERS as f64 / writes as f64);
        let writers = (0..WRITERS).map(|number| Writer::new(number, dataset.posts())).collect();
        Clients { addr: server.addr(), posts: dataset.posts(), readers, pause, writers }
    }

    /// Lets all clients work while `work` is done.
    pub(super) fn during(&mut self, work: impl FnOnce() -> Result<Moved>) -> Result<Moved> {
        let stop = AtomicBool::new(false);
        let (stop, addr, pause, posts) = (&stop, self.addr, self.pause, self.posts);
        thread::scope(|scope| {
            let writing: Vec<_> = self
                .writers
                .iter_mut()
                .map(|writer| scope.spawn(move || writer.run(addr, pause, stop)))
                .collect();
            let reading: Vec<_> = (0..self.readers)
                .map(|number| scope.spawn(move || read(addr, number, posts, stop)))
                .collect();
            thread::sleep(AROUND);
            let moved = work();
            thread::sleep(AROUND);
            stop.store(true, Ordering::Relaxed);
            let (mut writes, mut reads) = (Latencies::default(), Latencies::default());
            for handle in writing {
                writes.merge(handle.join().map_err(|_| anyhow!("a writer panicked"))??);
            }
            for handle in reading {
                reads.merge(handle.join().map_err(|_| anyhow!("a reader panicked"))??);
            }
            let mut moved = moved?;
            moved.seen = Seen {
                writes: writes.count(),
                reads: reads.count(),
                slowest_write_ms: writes.percentile_ms(100),
                write_p99_ms: writes.percentile_ms(99),
                slowest_read_ms: reads.percentile_ms(100),
                read_p99_ms: reads.percentile_ms(99),
            };
            Ok(moved)
        })
    }

    /// Records that were made and not deleted.
    pub(super) fn made(&self) -> usize {
        self.writers.iter().map(|writer| writer.known.len()).sum()
    }

    /// Looks for every record that was written.
    pub(super) fn check(&self, server: &Server) -> Result<()> {
        let mut client = server.client();
        for writer in &self.writers {
            for (id, version) in &writer.known {
                let found = client.send(&Request::get(format!("{RECORDS}/{id}")))?.success()?;
                ensure!(found.json()?["version"] == *version, "{id} has another version");
            }
        }
        Ok(())
    }
}

struct Writer {
    number: usize,
    posts: usize,
    rng: Rng,
    made: usize,
    /// Versions by id.
    known: BTreeMap<String, u64>,
}

impl Writer {
    fn new(number: usize, posts: usize) -> Writer {
        let rng = Rng::new(7).fork(&format!("writer {number}"));
        Writer { number, posts, rng, made: 0, known: BTreeMap::new() }
    }

    fn run(&mut self, addr: SocketAddr, pause: Duration, stop: &AtomicBool) -> Result<Latencies> {
        let mut client = HttpClient::new(addr);
        let mut latencies = Latencies::default();
        let mut due = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let id = self.write(&mut client)?;
            latencies.add(began.elapsed());
            if self.rng.percent(20) {
                self.read_back(&mut client, &id)?;
            }
            // Does not catch up on what it missed, which would be another load.
            due = (due + pause).max(Instant::now());
            thread::sleep(due - Instant::now());
        }
        Ok(latencies)
    }

    fn write(&mut self, client: &mut HttpClient) -> Result<String> {
        let choice = if self.known.is_empty() { 0 } else { self.rng.below(10) };
        let index = self.rng.below(self.known.len().max(1));
        let own = self.known.iter().nth(index).map(|(id, version)| (id.clone(), *version));
        let (id, version, request) = match (choice, own) {
            (4..8, Some((id, version))) => {
                let body = json!({ "version": version + 1 });
                let request = Request::patch(format!("{RECORDS}/{id}")).json(&body);
                (id, Some(version + 1), request)
            }
            (8.., Some((id, _))) => {
                let request = Request::delete(format!("{RECORDS}/{id}"));
                (id, None, request)
            }
            _ => {
                self.made += 1;
                let id = format!("w{:02}x{:011}", self.number, self.made);
                let post = data::post(self.rng.below(self.posts));
                let body = json!({ "id": id, "post": post, "text": "new", "version": 1 });
                (id, Some(1), Request::post(RECORDS).json(&body))
            }
        };
        client.send(&request)?.success().with_context(|| format!("a write of {id} failed"))?;
        match version {
            Some(version) => self.known.insert(id.clone(), version),
            None => self.known.remove(&id),
        };
        Ok(id)
    }

    fn read_back(&self, client: &mut HttpClient, id: &str) -> Result<()> {
        let found = client.send(&Request::get(format!("{RECORDS}/{id}")))?;
        match self.known.get(id) {
            Some(version) => {
                let found = found.success()?.json()?;
                ensure!(found["version"] == *version, "{id} is {found}, not version {version}");
            }
            None => {
                let (status, text) = (found.status, found.text());
                ensure!(status == 404, "{id}, which is deleted, is answered {status}: {text}");
            }
        }
        Ok(())
    }
}

/// Reads records that nobody changes.
fn read(addr: SocketAddr, number: usize, posts: usize, stop: &AtomicBool) -> Result<Latencies> {
    let mut client = HttpClient::new(addr);
    let mut rng = Rng::new(7).fork(&format!("reader {number}"));
    let mut latencies = Latencies::default();
    while !stop.load(Ordering::Relaxed) {
        let wanted = rng.below(posts);
        let id = data::post(wanted);
        let request = match rng.below(3) {
            0 => Request::get(format!(
                "/api/collections/posts/records?filter=id%3D'{id}'&expand=author"
            )),
            _ => Request::get(format!("/api/collections/posts/records/{id}?expand=author")),
        };
        let began = Instant::now();
        let found = client.send(&request)?.success().context("a read failed")?.json()?;
        latencies.add(began.elapsed());
        let record: &Value = if found["items"].is_array() { &found["items"][0] } else { &found };
        let right = record["title"] == data::title(wanted)
            && record["expand"]["author"]["id"] == record["author"];
        ensure!(right, "wrong answer for {id}: {found}");
        thread::sleep(Duration::from_secs_f64(1.0 / READS_PER_SECOND));
    }
    Ok(latencies)
}
