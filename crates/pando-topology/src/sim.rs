//! A small world of clients, upstreams and time, to see what policies do together.
//!
//! *Invariant*: one seed gives one history; ties in time go by the order of planning.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::{Estimate, Load, Turns, least_loaded, two_choices};

/// How a request is given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    TwoChoices,
    RoundRobin,
    LeastLoaded,
}

/// One server: so many requests at once, each for a random time; the others queue.
#[derive(Debug, Clone)]
struct Server {
    slots: u32,
    mean: Duration,
    busy: u32,
    queue: VecDeque<usize>,
    // What the balancer knows.
    in_flight: u32,
    estimate: Estimate,
    served: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Asks {
        client: usize,
    },
    Done {
        client: usize,
        server: usize,
    },
    /// A server stands still until then.
    Pause {
        server: usize,
        until_us: u64,
    },
}

struct World {
    now_us: u64,
    rng: StdRng,
    planned: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    servers: Vec<Server>,
    paused_until_us: Vec<u64>,
    began_us: Vec<u64>,
    latencies_us: Vec<u64>,
    turns: Turns,
    policy: Policy,
}

/// What came out of it.
struct Outcome {
    /// In percent of the mean share.
    shares: Vec<f64>,
    p99_ms: f64,
}

impl World {
    fn new(seed: u64, policy: Policy, servers: &[(u32, Duration)]) -> World {
        let server = |&(slots, mean)| Server {
            slots,
            mean,
            busy: 0,
            queue: VecDeque::new(),
            in_flight: 0,
            estimate: Estimate::default(),
            served: 0,
        };
        World {
            now_us: 0,
            rng: StdRng::seed_from_u64(seed),
            planned: 0,
            events: BinaryHeap::new(),
            servers: servers.iter().map(server).collect(),
            paused_until_us: vec![0; servers.len()],
            began_us: Vec::new(),
            latencies_us: Vec::new(),
            turns: Turns::new(servers.len(), 0),
            policy,
        }
    }

    fn plan(&mut self, delay_us: u64, event: Event) {
        self.planned += 1;
        self.events.push(Reverse((self.now_us + delay_us, self.planned, event)));
    }

    fn exponential(&mut self, mean: Duration) -> u64 {
        (-(1.0 - self.rng.random::<f64>()).ln() * mean.as_secs_f64() * 1e6) as u64 + 1
    }

    /// Clients that ask, wait for the answer, pause, and ask again.
    fn run(mut self, clients: usize, pause: Duration, seconds: u64) -> Outcome {
        self.began_us = vec![0; clients];
        for client in 0..clients {
            let delay = self.exponential(pause);
            self.plan(delay, Event::Asks { client });
        }
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.now_us = at;
            if at > seconds * 1_000_000 {
                break;
            }
            self.happen(event, pause);
        }
        self.outcome()
    }

    fn happen(&mut self, event: Event, pause: Duration) {
        match event {
            Event::Asks { client } => self.asks(client),
            Event::Pause { server, until_us } => self.paused_until_us[server] = until_us,
            Event::Done { client, server } => {
                let now = Duration::from_micros(self.now_us);
                let took = self.now_us - self.began_us[client];
                self.latencies_us.push(took);
                let one = &mut self.servers[server];
                one.in_flight -= 1;
                one.busy -= 1;
                one.served += 1;
                one.estimate = one.estimate.after(Duration::from_micros(took), now);
                if let Some(next) = one.queue.pop_front() {
                    self.begin(next, server);
                }
                let delay = self.exponential(pause);
                self.plan(delay, Event::Asks { client });
            }
        }
    }

    fn asks(&mut self, client: usize) {
        let now = Duration::from_micros(self.now_us);
        let servers = &self.servers;
        let load = |index: usize| {
            let one: &Server = &servers[index];
            let latency_micros = one.estimate.expected(one.in_flight, now);
            Some(Load { latency_micros, in_flight: one.in_flight, weight: 1.0 })
        };
        let picked = match self.policy {
            Policy::TwoChoices => two_choices(servers.len(), &mut self.rng, true, load),
            Policy::LeastLoaded => least_loaded(servers.len(), &mut self.rng, load),
            Policy::RoundRobin => self.turns.next(|_| Some(1.0)),
        };
        let picked = picked.unwrap();
        self.began_us[client] = self.now_us;
        let one = &mut self.servers[picked];
        if one.in_flight == 0 {
            one.estimate.micros = one.estimate.expected(0, now);
            one.estimate.at = now;
        }
        one.in_flight += 1;
        match one.busy < one.slots {
            true => self.begin(client, picked),
            false => self.servers[picked].queue.push_back(client),
        }
    }

    fn begin(&mut self, client: usize, server: usize) {
        self.servers[server].busy += 1;
        let mean = self.servers[server].mean;
        let held = self.paused_until_us[server].saturating_sub(self.now_us);
        let delay = self.exponential(mean) + held;
        self.plan(delay, Event::Done { client, server });
    }

    fn outcome(mut self) -> Outcome {
        let served: u32 = self.servers.iter().map(|server| server.served).sum();
        let mean = f64::from(served) / self.servers.len() as f64;
        let shares =
            self.servers.iter().map(|server| f64::from(server.served) / mean * 100.0).collect();
        self.latencies_us.sort_unstable();
        let p99 = self.latencies_us[self.latencies_us.len() * 99 / 100];
        // All that was begun is either answered or still there.
        assert!(
            self.servers.iter().all(
                |server| server.in_flight as usize == server.busy as usize + server.queue.len()
            )
        );
        Outcome { shares, p99_ms: p99 as f64 / 1000.0 }
    }
}

const MS: Duration = Duration::from_millis(1);
/// Histories per test. They are cheap, but this is a debug build.
const SEEDS: u64 = 5;

/// Three servers for 64 clients.
fn run(seed: u64, policy: Policy, means: &[Duration], pause: Duration) -> Outcome {
    let servers: Vec<_> = means.iter().map(|mean| (4, *mean)).collect();
    World::new(seed, policy, &servers).run(64, pause, 20)
}

fn uneven(outcome: &Outcome) -> f64 {
    outcome.shares.iter().map(|share| (share - 100.0).abs()).fold(0.0, f64::max)
}

#[test]
fn one_seed_gives_one_history() {
    let both = [1, 1].map(|seed| run(seed, Policy::TwoChoices, &[MS, MS, 5 * MS], 10 * MS));
    assert_eq!(both[0].shares, both[1].shares);
    assert_eq!(both[0].p99_ms, both[1].p99_ms);
}

#[test]
fn equal_servers_get_equal_shares() {
    for seed in 0..SEEDS {
        for pause in [MS, 10 * MS, 50 * MS] {
            let outcome = run(seed, Policy::TwoChoices, &[2 * MS; 3], pause);
            let uneven = uneven(&outcome);
            assert!(uneven < 5.0, "seed {seed}, pause {pause:?}: {uneven:.1}%");
        }
    }
}

#[test]
fn a_slow_server_hurts_half_as_much_as_in_turn() {
    for seed in 0..SEEDS {
        for pause in [5 * MS, 20 * MS] {
            let p99 = |policy| run(seed, policy, &[2 * MS, 2 * MS, 10 * MS], pause).p99_ms;
            let [ours, in_turn] = [Policy::TwoChoices, Policy::RoundRobin].map(p99);
            assert!(ours <= in_turn / 2.0, "seed {seed}, {pause:?}: {ours:.1} of {in_turn:.1} ms");
        }
    }
}

#[test]
fn a_frozen_server_is_left_alone() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Policy::TwoChoices, &[(4, 2 * MS); 3]);
        world.plan(2_000_000, Event::Pause { server: 0, until_us: 12_000_000 });
        let outcome = world.run(64, 20 * MS, 12);
        // Only those that it had when it froze, and a few more until that was seen.
        let served = outcome.shares[0];
        assert!(served < 40.0, "seed {seed}: {served:.0}% of a fair share");
        assert!(outcome.p99_ms < 50.0, "seed {seed}: {:.0} ms", outcome.p99_ms);
    }
}

#[test]
fn a_hiccup_is_forgotten() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Policy::TwoChoices, &[(4, 2 * MS); 3]);
        world.plan(2_000_000, Event::Pause { server: 0, until_us: 2_300_000 });
        let outcome = world.run(64, 20 * MS, 60);
        let uneven = uneven(&outcome);
        assert!(uneven < 15.0, "seed {seed}: {uneven:.1}%");
    }
}

#[test]
fn the_least_loaded_of_all_is_even_too() {
    let outcome = run(3, Policy::LeastLoaded, &[2 * MS; 3], 5 * MS);
    assert!(uneven(&outcome) < 5.0);
}
