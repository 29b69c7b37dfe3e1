//! Clients that read and write all the time, and remember what they were told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pando_testkit::{HttpClient, Request};
use serde_json::json;

use super::fleet::{Fleet, RECORDS};

pub(super) const CLIENTS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);
/// Every so many requests one is a write.
const WRITE_EACH: usize = 4;

/// What the clients were told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: usize,
    pub(super) failed_reads: Vec<String>,
    /// Marks of acknowledged writes.
    pub(super) written: Vec<String>,
    /// Marks of writes that failed, and how.
    pub(super) failed_writes: Vec<(String, String)>,
}

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// Starts the clients.
    pub(super) fn start(addr: SocketAddr) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let stop = Arc::clone(&stop);
            let builder = thread::Builder::new().stack_size(512 << 10);
            builder.spawn(move || client(addr, number, &stop)).unwrap()
        };
        let clients = (0..CLIENTS).map(client).collect();
        Load { stop, clients }
    }

    /// Ends them.
    pub(super) fn stop(self) -> Tally {
        self.stop.store(true, Relaxed);
        let mut all = Tally::default();
        for client in self.clients {
            let one = client.join().unwrap();
            all.reads += one.reads;
            all.failed_reads.extend(one.failed_reads);
            all.written.extend(one.written);
            all.failed_writes.extend(one.failed_writes);
        }
        all
    }
}

fn client(addr: SocketAddr, number: usize, stop: &AtomicBool) -> Tally {
    let mut client = HttpClient::new(addr).with_timeout(PATIENCE);
    let mut tally = Tally::default();
    let mut round = 0;
    while !stop.load(Relaxed) {
        round += 1;
        if round % WRITE_EACH == 0 {
            let mark = format!("{number}-{round}");
            let request = Request::post(RECORDS).json(&json!({ "mark": mark }));
            match client.send(&request) {
                Ok(answer) if answer.status == 200 => tally.written.push(mark),
                Ok(answer) => {
                    tally
                        .failed_writes
                        .push((mark, format!("{} {}", answer.status, answer.text())));
                }
                Err(error) => tally.failed_writes.push((mark, format!("{error:#}"))),
            }
        } else {
            tally.reads += 1;
            match client.send(&Request::get(format!("{RECORDS}?perPage=1&skipTotal=1"))) {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => {
                    tally.failed_reads.push(format!("{} {}", answer.status, answer.text()));
                }
                Err(error) => tally.failed_reads.push(format!("{error:#}")),
            }
        }
    }
    tally
}

impl Tally {
    /// No safe request failed, nothing acknowledged is missing, and nothing was done twice.
    pub(super) fn check(&self, fleet: &Fleet, failed_writes_max: usize) {
        assert!(self.reads > CLIENTS, "{} reads", self.reads);
        let failed = self.failed_reads.len();
        assert_eq!(failed, 0, "of {} reads: {:?}", self.reads, &self.failed_reads[..failed.min(5)]);
        let lost = fleet.count(&self.written);
        assert!(lost.iter().all(|count| *count == 1), "acknowledged writes are stored once");
        let failed = self.failed_writes.len();
        assert!(
            failed <= failed_writes_max,
            "of {} writes failed {failed}: {:?}",
            self.written.len(),
            &self.failed_writes[..failed.min(5)]
        );
        let marks: Vec<String> = self.failed_writes.iter().map(|(mark, _)| mark.clone()).collect();
        assert!(fleet.count(&marks).iter().all(|count| *count <= 1), "nothing is done twice");
    }
}
