//! One client's connections, and what became of a request.

use std::io::ErrorKind;
use std::time::Instant;

use pando_history::{Moment, Outcome};

use super::figures::Ending;
use super::options::Routing;
use super::shared::Shared;
use crate::http::{HttpClient, Request, Response};
use crate::rng::Rng;

/// A client with a connection to each server.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    shared: &'a Shared,
    clients: Vec<HttpClient>,
    /// Where a pinned one sends everything.
    home: usize,
}

/// A request that has ended.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) begin: Moment,
    pub(super) end: Moment,
    pub(super) ending: Ending,
    /// The answer, if one came.
    pub(super) response: Option<Response>,
}

impl<'a> Caller<'a> {
    pub(super) fn new(shared: &'a Shared, number: usize) -> Caller<'a> {
        let deadline = shared.options.deadline;
        let servers = shared.options.servers.iter();
        let clients = servers
            .map(|server| HttpClient::new(*server).with_timeout(deadline))
            .collect::<Vec<_>>();
        Caller { shared, home: number % clients.len(), clients }
    }

    /// The index of the server for the next request.
    pub(super) fn route(&self, rng: &mut Rng) -> usize {
        match self.shared.options.routing {
            Routing::Random => rng.below(self.clients.len()),
            Routing::Pinned => self.home,
        }
    }

    /// Sends a request that only reads. `expected` are statuses that are as good as 200.
    pub(super) fn read(&mut self, request: &Request, expected: &[u16], rng: &mut Rng) -> Call {
        let first = self.route(rng);
        let attempts = if self.shared.options.failover { self.clients.len() } else { 1 };
        let mut call = self.send_to(first, request);
        for step in 1..attempts {
            if call.ending != Ending::NoConnection {
                break;
            }
            let begin = call.begin;
            call = Call { begin, ..self.send_to((first + step) % self.clients.len(), request) };
        }
        let (call, good) = self.count(call, expected);
        if !good {
            self.shared.figures.add_read_error();
        }
        call
    }

    /// Sends a request that may change something, once.
    pub(super) fn write(&mut self, request: &Request, rng: &mut Rng) -> Call {
        let server = self.route(rng);
        let call = self.send_to(server, request);
        self.count(call, &[]).0
    }

    fn send_to(&mut self, server: usize, request: &Request) -> Call {
        let client = &mut self.clients[server];
        let begin = self.shared.now();
        let outcome = match client.connect() {
            Err(_) => Err(Ending::NoConnection),
            Ok(()) => client.send(request).map_err(|error| ending(&error)),
        };
        let end = self.shared.now();
        match outcome {
            Ok(response) => {
                let ending = Ending::Status(response.status);
                Call { begin, end, ending, response: Some(response) }
            }
            Err(ending) => Call { begin, end, ending, response: None },
        }
    }

    /// Whether it ended as it should, too.
    fn count(&self, call: Call, expected: &[u16]) -> (Call, bool) {
        if call.ending == Ending::NoConnection {
            // Else a refused client asks thousands of times a second.
            std::thread::sleep(super::NAP);
        }
        let good = match call.ending {
            Ending::Status(status) => (200..300).contains(&status) || expected.contains(&status),
            Ending::NoConnection | Ending::Cut | Ending::TimedOut => false,
        };
        let latency = std::time::Duration::from_nanos(call.end.0.saturating_sub(call.begin.0));
        self.shared.figures.add(call.ending, good, latency);
        (call, good)
    }
}

impl Call {
    /// What may be concluded about a write.
    pub(super) fn outcome(&self) -> Outcome {
        match self.ending {
            Ending::Status(200..300) => Outcome::Done,
            // The request itself was refused.
            Ending::Status(400..500) | Ending::NoConnection => Outcome::Refused,
            // A server that fails may have done it before.
            Ending::Status(_) | Ending::Cut | Ending::TimedOut => Outcome::Unknown,
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }
}

/// Why a request that may have been sent has no answer.
fn ending(error: &anyhow::Error) -> Ending {
    let waited = error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        })
    });
    if waited { Ending::TimedOut } else { Ending::Cut }
}

/// Keeps one client at its share of the rate.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Option<std::time::Duration>,
    next: Instant,
}

impl Pace {
    /// For client `number` of all that share the rate.
    pub(super) fn new(shared: &Shared, number: usize) -> Pace {
        let clients = shared.options.clients as f64;
        let rate = shared.options.rate.filter(|rate| *rate > 0.0);
        let interval = rate.map(|rate| std::time::Duration::from_secs_f64(clients / rate));
        // They begin one after the other, not all together.
        let offset = interval.unwrap_or_default().mul_f64(number as f64 / clients);
        Pace { interval, next: Instant::now() + offset }
    }

    /// Waits for the next turn; false if the load was stopped meanwhile.
    pub(super) fn wait(&mut self, shared: &Shared) -> bool {
        let Some(interval) = self.interval else { return !shared.stopped() };
        loop {
            if shared.stopped() {
                return false;
            }
            let left = self.next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(super::NAP));
        }
        // Turns that were missed are not made up for.
        self.next = (self.next + interval).max(Instant::now());
        true
    }
}
