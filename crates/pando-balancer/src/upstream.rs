//! The servers behind the balancer: what is known about each, and connections to them.

mod address;
mod chunks;
mod connect;
mod exchange;
mod head;
mod idle;
mod link;
mod wire;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pando_topology::{Checked, Concurrency, ConcurrencyPolicy, Estimate, Key, Load, Outlier, Sums};
use tokio_util::sync::CancellationToken;

pub(crate) use address::{Address, AddressError, Configured, Entry};
pub(crate) use connect::{ConnectError, Connector, OnBehalf};
pub(crate) use exchange::{Asked, Broken, Exchange, Outgoing, Patience};
pub(crate) use head::{Head, take as take_head};
pub(crate) use idle::IdleLinks;
pub(crate) use link::Link;
pub(crate) use wire::Wire;

/// Who named an upstream, and so who may take it away again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its address stands in the configuration.
    Configured,
    /// A host name in the configuration has this address.
    Named(String),
    /// It announced itself.
    Registered,
}

/// One server of the pool.
///
/// The request path reads and writes atomics only; `control` belongs to the control loop.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Unique in the process, and never used again.
    pub(crate) id: u64,
    pub(crate) address: Address,
    pub(crate) origin: Origin,
    pub(crate) key: Key,
    in_flight: AtomicU32,
    in_flight_peak: AtomicU32,
    /// Answers that go on for long: events and other protocols.
    streams: AtomicU32,
    connections: AtomicU32,
    connections_made: AtomicU64,
    /// How much it is given at once.
    limit: AtomicU32,
    /// It is of no use to wait for it.
    down: AtomicBool,
    /// Cancelled when it is no longer a part of the pool.
    pub(crate) removed: CancellationToken,
    estimate_micros: AtomicU64,
    estimate_at_nanos: AtomicU64,
    requests: AtomicU64,
    failures: AtomicU64,
    consecutive: AtomicU32,
    answers: AtomicU64,
    latency_micros: AtomicU64,
    control: Mutex<Control>,
}

/// What the control loop knows about an upstream.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) weight: f64,
    pub(crate) checked: Checked,
    /// What the last check saw, for people.
    pub(crate) check_text: String,
    pub(crate) outlier: Outlier,
    pub(crate) concurrency: Concurrency,
    pub(crate) serving_since: Option<Duration>,
    /// It has said goodbye, or the operator drains it.
    pub(crate) leaving: bool,
    /// When a registered one was heard of last.
    pub(crate) heard_at: Duration,
    /// Counts of the last window.
    window: (u64, u64),
}

impl Upstream {
    pub(crate) fn new(
        id: u64,
        configured: &Configured,
        origin: Origin,
        now: Duration,
        concurrency: ConcurrencyPolicy,
    ) -> Upstream {
        let control = Control {
            weight: configured.weight,
            checked: Checked::default(),
            check_text: "not checked yet".to_owned(),
            outlier: Outlier::default(),
            concurrency: Concurrency::new(concurrency),
            serving_since: Some(now),
            leaving: false,
            heard_at: now,
            window: (0, 0),
        };
        Upstream {
            id,
            key: Key::of(configured.address.to_string().as_bytes()),
            address: configured.address.clone(),
            origin,
            in_flight: AtomicU32::new(0),
            in_flight_peak: AtomicU32::new(0),
            streams: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            connections_made: AtomicU64::new(0),
            limit: AtomicU32::new(concurrency.max),
            down: AtomicBool::new(false),
            removed: CancellationToken::new(),
            estimate_micros: AtomicU64::new(0),
            estimate_at_nanos: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            consecutive: AtomicU32::new(0),
            answers: AtomicU64::new(0),
            latency_micros: AtomicU64::new(0),
            control: Mutex::new(control),
        }
    }

    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is given to it.
    pub(crate) fn begin(&self, now: Duration) {
        let before = self.in_flight.fetch_add(1, Relaxed);
        self.in_flight_peak.fetch_max(before + 1, Relaxed);
        if before == 0 {
            // Its silence counts from now.
            let estimate = self.estimate();
            self.set_estimate(Estimate { micros: estimate.expected(0, now), at: now });
        }
    }

    /// The request is over, or has become a stream.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    pub(crate) fn stream_begins(&self) {
        self.streams.fetch_add(1, Relaxed);
    }

    pub(crate) fn stream_ends(&self) {
        self.streams.fetch_sub(1, Relaxed);
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
        self.connections_made.fetch_add(1, Relaxed);
    }

    pub(crate) fn disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// An answer has begun after `took`. `good`: it was an answer, not an excuse.
    pub(crate) fn answered(&self, took: Duration, now: Duration, good: bool) {
        self.requests.fetch_add(1, Relaxed);
        if good {
            if self.consecutive.load(Relaxed) != 0 {
                self.consecutive.store(0, Relaxed);
            }
            self.answers.fetch_add(1, Relaxed);
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.latency_micros.fetch_add(micros, Relaxed);
            // Two workers at once may lose one of two samples, which changes nothing.
            self.set_estimate(self.estimate().after(took, now));
        } else {
            self.failed(took, now);
        }
    }

    fn failed(&self, took: Duration, now: Duration) {
        self.failures.fetch_add(1, Relaxed);
        self.consecutive.fetch_add(1, Relaxed);
        self.set_estimate(self.estimate().after_failure(took, now));
    }

    /// Nobody could be reached, or nothing came back.
    pub(crate) fn unanswered(&self, took: Duration, now: Duration) {
        self.requests.fetch_add(1, Relaxed);
        self.failed(took, now);
    }

    pub(crate) fn consecutive_failures(&self) -> u32 {
        self.consecutive.load(Relaxed)
    }

    pub(crate) fn forgive(&self) {
        self.consecutive.store(0, Relaxed);
    }

    pub(crate) fn sums(&self) -> Sums {
        Sums { requests: self.requests.load(Relaxed), failures: self.failures.load(Relaxed) }
    }

    /// What it has answered since the last call, for the control loop.
    pub(crate) fn window(&self, control: &mut Control) -> pando_topology::Window {
        let now = (self.answers.load(Relaxed), self.latency_micros.load(Relaxed));
        let before = std::mem::replace(&mut control.window, now);
        let answers = now.0.saturating_sub(before.0);
        let micros = now.1.saturating_sub(before.1);
        pando_topology::Window {
            answers,
            latency_mean_micros: micros as f64 / answers.max(1) as f64,
            in_flight_peak: self.in_flight_peak.swap(self.in_flight(), Relaxed),
        }
    }

    /// How busy it is; `weight` is its share.
    pub(crate) fn load(&self, now: Duration, weight: f64) -> Load {
        let in_flight = self.in_flight();
        Load { latency_micros: self.estimate().expected(in_flight, now), in_flight, weight }
    }

    /// How many streams it has, in place of requests.
    pub(crate) fn load_of_streams(&self, weight: f64) -> Load {
        Load { latency_micros: 0.0, in_flight: self.streams(), weight }
    }

    pub(crate) fn estimate(&self) -> Estimate {
        Estimate {
            micros: f64::from_bits(self.estimate_micros.load(Relaxed)),
            at: Duration::from_nanos(self.estimate_at_nanos.load(Relaxed)),
        }
    }

    fn set_estimate(&self, estimate: Estimate) {
        let at = u64::try_from(estimate.at.as_nanos()).unwrap_or(u64::MAX);
        self.estimate_micros.store(estimate.micros.to_bits(), Relaxed);
        self.estimate_at_nanos.store(at, Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn streams(&self) -> u32 {
        self.streams.load(Relaxed)
    }

    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Relaxed)
    }

    pub(crate) fn connections_made(&self) -> u64 {
        self.connections_made.load(Relaxed)
    }

    /// Whether it has as much as it can take.
    pub(crate) fn full(&self) -> bool {
        self.in_flight() >= self.limit.load(Relaxed)
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Relaxed);
    }

    pub(crate) fn down(&self) -> bool {
        self.down.load(Relaxed)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Relaxed);
    }
}
