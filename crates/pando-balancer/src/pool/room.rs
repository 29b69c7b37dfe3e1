//! Room for one more request, or a short wait for it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use pando_topology::Admission;

use super::{Pool, Wish};
use crate::settings::Settings;
use crate::upstream::Upstream;
use crate::worker::Worker;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Too many are in flight and too many wait.
    Full,
    /// It has waited, and there was no room.
    Waited,
    /// There is no upstream at all.
    Deserted,
}

impl Pool {
    /// The upstream for a request, after a wait if it must be.
    pub(crate) async fn upstream_for(
        &self,
        worker: &Worker,
        settings: &Settings,
        wish: &Wish<'_>,
        now: Duration,
    ) -> Result<Arc<Upstream>, NoRoom> {
        match settings.breaker.admit(self.in_flight(), self.waiting()) {
            Admission::Now => {
                if let Some(upstream) = worker.pick(wish, now) {
                    return Ok(upstream);
                }
            }
            Admission::Wait => {}
            Admission::Refused => return Err(NoRoom::Full),
        }
        self.wait_for_upstream(worker, settings, wish).await
    }

    async fn wait_for_upstream(
        &self,
        worker: &Worker,
        settings: &Settings,
        wish: &Wish<'_>,
    ) -> Result<Arc<Upstream>, NoRoom> {
        let before = self.waiting.fetch_add(1, Relaxed);
        let _leaving = Leaving(self);
        if before >= settings.breaker.waiting_max.max(1) {
            return Err(NoRoom::Full);
        }
        worker.shared.demand_without_supply(self.deserted());
        let time_max = match self.deserted() {
            true => worker.shared.start_time_max().unwrap_or(settings.waiting_time_max),
            false => settings.waiting_time_max,
        };
        let deadline = Instant::now() + time_max;
        loop {
            let freed = self.freed.notified();
            if self.in_flight() < settings.breaker.in_flight_max
                && let Some(upstream) = worker.pick(wish, worker.shared.elapsed())
            {
                return Ok(upstream);
            }
            if tokio::time::timeout_at(deadline.into(), freed).await.is_err() {
                return Err(if self.deserted() { NoRoom::Deserted } else { NoRoom::Waited });
            }
        }
    }

    /// A request takes a place.
    pub(super) fn engage(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// A place has become free.
    pub(super) fn freed(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        if self.waiting() > 0 {
            self.freed.notify_one();
        }
    }
}

/// One who waits, until it is dropped.
struct Leaving<'a>(&'a Pool);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
