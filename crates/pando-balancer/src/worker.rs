//! One thread that serves: its runtime, its connections to upstreams, its clock.
//!
//! Workers share as little as they can: each accepts on sockets of its own, keeps its own pool of
//! connections, its own budget of retries and its own random numbers. Its locks are never waited
//! for; they are there since a task might move, for all that the compiler knows.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use pando_topology::{RetryBudget, Turns};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio_util::task::TaskTracker;

use crate::alarms::{Alarms, TICK};
use crate::pool::Wish;
use crate::shared::{Current, Shared};
use crate::upstream::{IdleLinks, Upstream};

/// What the worker does with its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// It serves, and tells each client to go somewhere else next time.
    Leaving,
    /// It accepts nothing and ends what is idle.
    Stopping,
}

/// See [the module](self).
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) alarms: Arc<Alarms>,
    pub(crate) idle: IdleLinks,
    /// Tasks of connections.
    pub(crate) tasks: TaskTracker,
    current: ArcSwap<Current>,
    phase: AtomicU8,
    stirs: AtomicU64,
    chance: Mutex<Chance>,
    budget: Mutex<RetryBudget>,
}

/// What a pick needs.
struct Chance {
    rng: StdRng,
    turns: Turns,
}

impl Worker {
    pub(crate) fn new(shared: &Arc<Shared>) -> Arc<Worker> {
        Arc::new(Worker {
            shared: Arc::clone(shared),
            alarms: Arc::new(Alarms::new(shared.epoch)),
            idle: IdleLinks::default(),
            tasks: TaskTracker::new(),
            current: ArcSwap::new(shared.current()),
            phase: AtomicU8::new(Phase::Serving as u8),
            stirs: AtomicU64::new(0),
            chance: Mutex::new(Chance { rng: StdRng::from_os_rng(), turns: Turns::default() }),
            budget: Mutex::default(),
        })
    }

    /// Settings and connector as of the last tick.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Serving,
            1 => Phase::Leaving,
            _ => Phase::Stopping,
        }
    }

    pub(crate) fn pick(&self, wish: &Wish<'_>, now: Duration) -> Option<Arc<Upstream>> {
        let mut chance = self.chance();
        let Chance { rng, turns } = &mut *chance;
        self.shared.pool.pick(wish, now, rng, turns)
    }

    /// Random numbers for ids.
    pub(crate) fn random(&self) -> [u64; 3] {
        self.chance().rng.random()
    }

    /// Something drawn by chance.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.chance().rng)
    }

    pub(crate) fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the time until the worker's tasks are done.
    pub(crate) async fn tick_on(self: Arc<Worker>) {
        const SWEEP_EACH: u32 = 10;
        let mut ticks: u32 = 0;
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.alarms.tick();
            self.follow_phase();
            let shared = self.shared.current();
            if !Arc::ptr_eq(&shared, &self.current.load()) {
                self.current.store(shared);
            }
            ticks = ticks.wrapping_add(1);
            if ticks.is_multiple_of(SWEEP_EACH) {
                let idle_max = self.current.load().settings.upstream_idle_timeout;
                self.idle.sweep(self.alarms.now_ms(), idle_max, |upstream| {
                    !upstream.down() && !upstream.removed.is_cancelled()
                });
            }
        }
    }

    /// Takes over the phase of the process, and wakes everybody if something has changed.
    fn follow_phase(&self) {
        let life = &self.shared.life;
        let phase = match (life.stopping.is_cancelled(), life.leaving.is_cancelled()) {
            (true, _) => Phase::Stopping,
            (false, true) => Phase::Leaving,
            (false, false) => Phase::Serving,
        };
        let stirs = self.shared.stirs();
        if phase != self.phase() || stirs != self.stirs.load(Relaxed) {
            self.phase.store(phase as u8, Relaxed);
            self.stirs.store(stirs, Relaxed);
            self.alarms.wake_all();
        }
        if phase == Phase::Stopping {
            self.idle.clear();
        }
    }

    fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
