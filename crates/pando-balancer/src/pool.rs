//! The upstreams together: who is there, who takes requests, and how many requests there may be.
//!
//! *Invariants*: the request path reads an immutable roster and atomics; only the control loop
//! makes rosters. What begins also ends: each [`Engaged`] counts one request until it is dropped.

mod engaged;
mod pick;
mod room;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use pando_topology::{ConcurrencyPolicy, Roster, Standing};
use tokio::sync::Notify;

use crate::settings::Settings;
use crate::upstream::{Configured, Origin, Upstream};

pub(crate) use engaged::Engaged;
pub(crate) use pick::Wish;
pub(crate) use room::NoRoom;

/// The most upstreams. More are refused, whoever names them.
const UPSTREAMS_MAX: usize = 1_000;

/// See [the module](self).
#[derive(Debug)]
pub(crate) struct Pool {
    upstreams: Mutex<BTreeMap<String, Arc<Upstream>>>,
    roster: ArcSwap<Serving>,
    next_id: AtomicU64,
    in_flight: AtomicU32,
    waiting: AtomicU32,
    /// Wakes the control loop.
    pub(crate) changed: Notify,
    /// Wakes those who wait for a check.
    pub(crate) checked: Notify,
    /// Wakes those who wait for room.
    freed: Notify,
}

/// Those who take requests now.
#[derive(Debug, Default)]
pub(crate) struct Serving {
    pub(crate) entries: Vec<(Arc<Upstream>, f64)>,
    pub(crate) panic: bool,
    /// All weigh 1.
    uniform: bool,
}

/// There are too many upstreams already.
#[derive(Debug, thiserror::Error)]
#[error("there are {UPSTREAMS_MAX} upstreams already")]
pub(crate) struct TooMany;

impl Default for Pool {
    fn default() -> Pool {
        Pool {
            upstreams: Mutex::default(),
            roster: ArcSwap::default(),
            next_id: AtomicU64::new(1),
            in_flight: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            changed: Notify::new(),
            checked: Notify::new(),
            freed: Notify::new(),
        }
    }
}

impl Pool {
    /// All upstreams, in the order of their addresses.
    pub(crate) fn all(&self) -> Vec<Arc<Upstream>> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn find(&self, address: &str) -> Option<Arc<Upstream>> {
        self.lock().get(address).cloned()
    }

    /// Adds an upstream, or says that one with this address is there already: who named it first
    /// keeps it, and its weight is brought up to date. Returns it, and whether it is new.
    pub(crate) fn add(
        &self,
        configured: &Configured,
        origin: Origin,
        now: Duration,
        concurrency: ConcurrencyPolicy,
    ) -> Result<(Arc<Upstream>, bool), TooMany> {
        let mut upstreams = self.lock();
        let name = configured.address.to_string();
        if let Some(there) = upstreams.get(&name) {
            there.control().weight = configured.weight;
            return Ok((Arc::clone(there), false));
        }
        if upstreams.len() >= UPSTREAMS_MAX {
            return Err(TooMany);
        }
        let id = self.next_id.fetch_add(1, Relaxed);
        let upstream = Arc::new(Upstream::new(id, configured, origin, now, concurrency));
        upstreams.insert(name, Arc::clone(&upstream));
        Ok((upstream, true))
    }

    /// Takes away those that `stays` does not want; true if there were any.
    pub(crate) fn retain(&self, stays: impl Fn(&Upstream) -> bool) -> bool {
        let mut upstreams = self.lock();
        let before = upstreams.len();
        upstreams.retain(|_, upstream| {
            let stays = stays(upstream);
            if !stays {
                upstream.removed.cancel();
            }
            stays
        });
        upstreams.len() < before
    }

    /// Makes the roster anew from what is known at `now`; true while it changes with time.
    pub(crate) fn muster(&self, now: Duration, settings: &Settings) -> bool {
        let all = self.all();
        let standings: Vec<Standing> = all
            .iter()
            .map(|upstream| {
                let control = upstream.control();
                Standing {
                    health: control.checked.health(),
                    ejected: control.outlier.ejected(now),
                    leaving: control.leaving,
                    weight: control.weight,
                    serving_since: control.serving_since,
                }
            })
            .collect();
        let roster = Roster::of(&standings, now, &settings.roster);
        let serving = all.into_iter().zip(&roster.weights);
        let entries: Vec<_> =
            serving.filter_map(|(upstream, weight)| Some((upstream, (*weight)?))).collect();
        let uniform = entries.iter().all(|(_, weight)| *weight == 1.0);
        self.roster.store(Arc::new(Serving { entries, panic: roster.panic, uniform }));
        self.freed.notify_waiters();
        roster.warming
    }

    /// Those who take requests now.
    pub(crate) fn serving(&self) -> Arc<Serving> {
        self.roster.load_full()
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Upstream>>> {
        self.upstreams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
