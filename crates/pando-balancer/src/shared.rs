//! What all threads of a balancer share.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use pando_runtime::Lifecycle;
use pando_topology::Shedding;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clients::Clients;
use crate::figures::Figures;
use crate::pool::Pool;
use crate::settings::Settings;
use crate::upstream::{Connector, Upstream};

/// See [the module](self).
pub(crate) struct Shared {
    pub(crate) epoch: Instant,
    pub(crate) life: Lifecycle,
    pub(crate) pool: Pool,
    pub(crate) clients: Clients,
    pub(crate) figures: Figures,
    current: ArcSwap<Current>,
    shedding: AtomicU8,
    /// Cancelled when no more connections are accepted: at the stop, or when another process has
    /// taken over.
    pub(crate) closed: CancellationToken,
    /// Counts changes for which everybody who waits should look again.
    stirred: AtomicU64,
    /// The settings have been replaced.
    pub(crate) reloaded: Notify,
    /// Somebody asks and nobody serves: an instance is to be started.
    pub(crate) wanted: Notify,
    /// How long a request may wait for an instance to start, if one would be.
    start_time_max: Option<Duration>,
}

/// What a reload replaces.
pub(crate) struct Current {
    pub(crate) settings: Settings,
    pub(crate) connector: Connector,
}

impl Shared {
    pub(crate) fn new(
        life: Lifecycle,
        current: Current,
        start_time_max: Option<Duration>,
    ) -> Arc<Shared> {
        Arc::new(Shared {
            epoch: Instant::now(),
            closed: life.stopping.child_token(),
            life,
            pool: Pool::default(),
            clients: Clients::default(),
            figures: Figures::new(),
            current: ArcSwap::from_pointee(current),
            shedding: AtomicU8::new(Shedding::NONE.from_urgency),
            stirred: AtomicU64::new(0),
            reloaded: Notify::new(),
            wanted: Notify::new(),
            start_time_max,
        })
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(crate) fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    pub(crate) fn replace(&self, current: Current) {
        self.current.store(Arc::new(current));
        self.reloaded.notify_one();
        self.pool.changed.notify_one();
    }

    /// Everybody who waits looks again, within a tick.
    pub(crate) fn stir(&self) {
        self.stirred.fetch_add(1, Relaxed);
    }

    pub(crate) fn stirs(&self) -> u64 {
        self.stirred.load(Relaxed)
    }

    /// An upstream has failed; if it was often enough in a row, the control loop looks at once.
    pub(crate) fn suspect(&self, upstream: &Upstream) {
        let limit = self.current.load().settings.outlier.consecutive;
        if limit > 0 && upstream.consecutive_failures() == limit {
            self.pool.changed.notify_one();
        }
    }

    pub(crate) fn shedding(&self) -> Shedding {
        Shedding { from_urgency: self.shedding.load(Relaxed) }
    }

    pub(crate) fn set_shedding(&self, shedding: Shedding) {
        self.shedding.store(shedding.from_urgency, Relaxed);
    }

    /// Somebody waits; if nobody serves, an instance is started where there are such.
    pub(crate) fn demand_without_supply(&self, deserted: bool) {
        if deserted {
            self.wanted.notify_one();
        }
    }

    pub(crate) fn start_time_max(&self) -> Option<Duration> {
        self.start_time_max
    }
}
