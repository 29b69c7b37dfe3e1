//! The database is gone for ten seconds under traffic and comes back.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pando_testkit::{HttpClient, Postgres, PostgresSetup, Request, Response, wait_for};
use serde_json::json;

use super::{App, BESIDE, RECORDS, id};

const READERS: usize = 16;
const WRITERS: usize = 8;
const CONNECTIONS: usize = 5;
const OUTAGE: Duration = Duration::from_secs(10);
/// `store.read_wait_max`, then `store.query_timeout`, then a few seconds of grace.
const ANSWER_MAX: Duration = Duration::from_secs(10 + 30 + 10);
/// From the return of the database to answers for everybody.
const RECOVERY_MAX: Duration = Duration::from_secs(20);
const DEADLINE: Duration = Duration::from_secs(60);

/// What the clients have seen.
#[derive(Default)]
struct Traffic {
    stop: AtomicBool,
    /// How often each client was served since the last reset.
    served: [AtomicUsize; READERS + WRITERS],
    unavailable: AtomicUsize,
    /// Ids of records whose creation was acknowledged.
    acknowledged: Mutex<Vec<String>>,
    /// What must not happen.
    odd: Mutex<Vec<String>>,
}

impl Traffic {
    fn client(&self, addr: SocketAddr, number: usize) {
        let mut client = HttpClient::new(addr).with_timeout(ANSWER_MAX);
        let mut created = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let answer = if number < READERS {
                let query =
                    if number.is_multiple_of(2) { "/first0000000000" } else { "?perPage=3" };
                client.send(&Request::get(format!("{RECORDS}{query}")))
            } else {
                created += 1;
                let one = id(&format!("w{number}x"), created);
                let answer = client.send(&Request::post(RECORDS).json(&json!({ "id": one })));
                if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                    self.acknowledged.lock().unwrap().push(one);
                }
                answer
            };
            match answer {
                Ok(answer) => self.judge(number, &answer),
                Err(error) => self.odd.lock().unwrap().push(format!("{error:#}")),
            }
            if begun.elapsed() > ANSWER_MAX {
                self.odd.lock().unwrap().push(format!("took {:?}", begun.elapsed()));
            }
        }
    }

    fn judge(&self, number: usize, answer: &Response) {
        // A commit whose answer was lost must not be tried again blindly.
        let promises = answer.header("retry-after").is_some() || answer.text().contains("may have");
        match answer.status {
            200 => drop(self.served[number].fetch_add(1, Ordering::Relaxed)),
            503 if promises => drop(self.unavailable.fetch_add(1, Ordering::Relaxed)),
            status => self.odd.lock().unwrap().push(format!("{status} {}", answer.text())),
        }
    }

    /// Waits until each client was served some more times.
    fn everybody_is_served(&self, within: Duration) {
        for served in &self.served {
            served.store(0, Ordering::Relaxed);
        }
        let enough = |served: &AtomicUsize| served.load(Ordering::Relaxed) >= 5;
        wait_for("answers for everybody", within, || {
            Ok(self.served.iter().all(enough).then_some(()))
        })
        .unwrap();
    }
}

/// Takes the database away, brings it back, and looks at what that did.
fn check(go: fn(&mut Postgres), come_back: fn(&mut Postgres)) -> usize {
    let mut postgres = Postgres::own(PostgresSetup::default()).unwrap();
    let connections = CONNECTIONS.to_string();
    let env = [
        ("PANDO_DATABASE__CONNECTIONS", connections.as_str()),
        // Some give up before it is back.
        ("PANDO_DATABASE__HOLD_TIMEOUT", "4s"),
    ];
    let app = App::start(&postgres, &env);
    let first = json!({ "id": "first0000000000", "title": "a" });
    app.server.client().send(&Request::post(RECORDS).json(&first)).unwrap().success().unwrap();
    let (traffic, addr) = (Traffic::default(), app.server.addr());
    let files =
        thread::scope(|scope| {
            for number in 0..READERS + WRITERS {
                let traffic = &traffic;
                scope.spawn(move || traffic.client(addr, number));
            }
            // Lets the clients end whatever happens here.
            let _stop = Stop(&traffic.stop);
            traffic.everybody_is_served(DEADLINE);
            let files = app.open_files();
            go(&mut postgres);
            let gone = Instant::now();
            wait_for("the end of the outage", DEADLINE, || {
                Ok((gone.elapsed() >= OUTAGE).then_some(()))
            })
            .unwrap();
            come_back(&mut postgres);
            traffic.everybody_is_served(RECOVERY_MAX);
            files
        });
    let odd = traffic.odd.into_inner().unwrap();
    assert!(odd.is_empty(), "{} answers like {:#?}", odd.len(), &odd[..odd.len().min(5)]);
    nothing_is_lost(&app, &postgres, &traffic.acknowledged.into_inner().unwrap());
    nothing_leaks(&app, &postgres, files);
    traffic.unavailable.into_inner()
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn nothing_is_lost(app: &App, postgres: &Postgres, acknowledged: &[String]) {
    assert!(acknowledged.len() > WRITERS);
    let stored = postgres.sql(&app.database, "SELECT id FROM things").unwrap();
    let stored: std::collections::BTreeSet<&str> = stored.lines().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{} acknowledged records are lost: {lost:?}", lost.len());
}

fn nothing_leaks(app: &App, postgres: &Postgres, files: usize) {
    wait_for("as few connections as before", DEADLINE, || {
        let (all, in_transaction) = app.connections(postgres);
        Ok((all <= CONNECTIONS + BESIDE && in_transaction == 0).then_some(()))
    })
    .unwrap();
    // The clients' connections have ended, so there are fewer now.
    wait_for("as few open files as before", DEADLINE, || {
        Ok((app.open_files() <= files).then_some(()))
    })
    .unwrap();
}

#[test]
fn a_database_that_hangs() {
    check(|postgres| postgres.freeze().unwrap(), |postgres| postgres.thaw().unwrap());
}

#[test]
fn a_database_that_restarts() {
    let refused =
        check(|postgres| postgres.stop().unwrap(), |postgres| postgres.start_again().unwrap());
    assert!(refused > 0, "nobody can be served without a database");
}

#[test]
fn a_database_that_crashes() {
    let refused = check(|postgres| postgres.crash(), |postgres| postgres.start_again().unwrap());
    assert!(refused > 0, "nobody can be served without a database");
}
