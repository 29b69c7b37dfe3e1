//! The database restarts, in order and by a crash: clients only wait.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use pando_testkit::{HttpClient, Request, wait_for};
use serde_json::json;

use super::{RECORDS, Servers, id};

const WRITERS: usize = 8;
const READERS: usize = 8;
const ANSWER_MAX: Duration = Duration::from_secs(40);
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Seen {
    over: AtomicBool,
    /// Answers to each client since somebody looked.
    served: [AtomicUsize; WRITERS + READERS],
    wrong: Mutex<Vec<String>>,
}

impl Seen {
    /// Counts a record of its own up, or reads; each time at another server. Returns how often it
    /// has counted.
    fn client(&self, number: usize, addrs: &[SocketAddr]) -> usize {
        let client = |addr: &SocketAddr| HttpClient::new(*addr).with_timeout(ANSWER_MAX);
        let mut clients: Vec<_> = addrs.iter().map(client).collect();
        let path = format!("{RECORDS}/{}", id("count", number % WRITERS));
        let (mut round, mut counted) = (number, 0);
        while !self.over.load(Ordering::Relaxed) {
            round += 1;
            let request = match number < WRITERS {
                true => Request::patch(&path).json(&json!({ "n+": 1 })),
                false => Request::get(&path),
            };
            match clients[round % addrs.len()].send(&request) {
                Ok(answer) if answer.status == 200 => {
                    counted += 1;
                    self.served[number].fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer) => {
                    let what = format!("{}: {} {}", request.method, answer.status, answer.text());
                    self.wrong.lock().unwrap().push(what);
                }
                Err(error) => self.wrong.lock().unwrap().push(format!("{error:#}")),
            }
        }
        counted
    }

    fn everybody_is_served(&self) {
        self.served.iter().for_each(|served| served.store(0, Ordering::Relaxed));
        let enough = |served: &AtomicUsize| served.load(Ordering::Relaxed) >= 10;
        wait_for("answers for everybody", DEADLINE, || {
            Ok(self.served.iter().all(enough).then_some(()))
        })
        .unwrap();
    }
}

#[test]
fn a_database_that_restarts_is_waited_for() {
    let mut servers = Servers::on_own_database(2);
    let addrs: Vec<_> = servers.servers.iter().map(|server| server.addr()).collect();
    for number in 0..WRITERS {
        let create = Request::post(RECORDS).json(&json!({ "id": id("count", number), "n": 0 }));
        servers.servers[0].client().send(&create).unwrap().success().unwrap();
    }
    let seen = Seen::default();
    let counted = thread::scope(|scope| {
        let clients: Vec<_> = (0..WRITERS + READERS)
            .map(|number| {
                let (seen, addrs) = (&seen, &addrs);
                scope.spawn(move || seen.client(number, addrs))
            })
            .collect();
        let _over = Over(&seen.over);
        for round in 0..4 {
            seen.everybody_is_served();
            let postgres = servers.own_postgres();
            match round % 2 {
                0 => postgres.stop().unwrap(),
                _ => postgres.crash(),
            }
            postgres.start_again().unwrap();
        }
        seen.everybody_is_served();
        seen.over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    let wrong = seen.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} answers like {:#?}", wrong.len(), &wrong[..wrong.len().min(3)]);
    for (number, counted) in counted.iter().take(WRITERS).enumerate() {
        let path = Request::get(format!("{RECORDS}/{}", id("count", number)));
        let record = servers.roots[0].json(path).unwrap();
        assert_eq!(record["n"], *counted, "each write once");
    }
}

/// Lets the clients end whatever happens.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
