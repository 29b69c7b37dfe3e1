//! Who belongs to the pool: what the configuration names, what its names resolve to, and who has
//! announced itself.

mod checks;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::lookup_host;
use tracing::{info, warn};

use crate::shared::Shared;
use crate::upstream::{Configured, Entry, Origin, Upstream};

pub(crate) use registry::{Announcement, Registry};

/// Addresses that one host name may have. More are passed over.
const ADDRESSES_PER_NAME_MAX: usize = 64;

/// Takes in what the configuration names, once.
pub(crate) async fn bring_in(shared: &Arc<Shared>) -> Names {
    let mut known = Names::default();
    let current = shared.current();
    known.look_up(&current.settings.entries).await;
    reconcile(shared, &current.settings.entries, &known);
    known
}

/// Waits until each upstream has been checked once, or would have been if it answered.
pub(crate) async fn first_checks(shared: &Shared) {
    let current = shared.current();
    let checks = &current.settings.checks;
    if checks.path.is_empty() {
        return;
    }
    let all_known = async {
        while !shared.pool.all().iter().all(|it| it.control().checked.known()) {
            shared.pool.checked.notified().await;
        }
    };
    // Who answers late is believed to be well until then.
    let _ = tokio::time::timeout(checks.timeout, all_known).await;
    shared.pool.muster(shared.elapsed(), &current.settings);
}

/// Keeps the pool as the configuration wants it: on each reload, and whenever host names are due.
pub(crate) async fn follow_configuration(
    shared: Arc<Shared>,
    mut known: Names,
) -> anyhow::Result<()> {
    let stopping = shared.life.stopping.clone();
    loop {
        let current = shared.current();
        let entries = &current.settings.entries;
        let named = entries.iter().any(|entry| entry.fixed().is_none());
        let due = async {
            match named {
                true => tokio::time::sleep(current.settings.resolve_interval).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopping.cancelled() => return Ok(()),
            () = shared.reloaded.notified() => {}
            () = due => {}
        }
        let current = shared.current();
        known.look_up(&current.settings.entries).await;
        reconcile(&shared, &current.settings.entries, &known);
    }
}

/// The addresses of host names as they were found last.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<(String, u16), BTreeSet<SocketAddr>>);

impl Names {
    /// Looks all names up again. One that cannot be found keeps the addresses it had.
    async fn look_up(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.fixed().is_none()) {
            let name = (entry.host.clone(), entry.port);
            let found: BTreeSet<_> = match lookup_host((entry.host.as_str(), entry.port)).await {
                Ok(found) => found.take(ADDRESSES_PER_NAME_MAX).collect(),
                Err(error) => {
                    warn!(name = entry.host, %error, "failed to look up an upstream");
                    continue;
                }
            };
            if !found.is_empty() {
                self.0.insert(name, found);
            }
        }
    }

    fn of(&self, entry: &Entry) -> impl Iterator<Item = SocketAddr> {
        let found = self.0.get(&(entry.host.clone(), entry.port));
        found.into_iter().flatten().copied()
    }
}

/// Adds what is missing and takes away what is no longer named.
fn reconcile(shared: &Arc<Shared>, entries: &[Entry], names: &Names) {
    let mut wanted = BTreeSet::new();
    for entry in entries {
        let configured: Vec<(Configured, Origin)> = match entry.fixed() {
            Some(fixed) => vec![(fixed, Origin::Configured)],
            None => {
                let origin = Origin::Named(entry.host.clone());
                names.of(entry).map(|address| (entry.at(address), origin.clone())).collect()
            }
        };
        for (configured, origin) in configured {
            wanted.insert(configured.address.to_string());
            enrol(shared, &configured, origin);
        }
    }
    let removed = shared.pool.retain(|upstream| {
        upstream.origin == Origin::Registered || wanted.contains(&upstream.address.to_string())
    });
    if removed {
        info!("upstreams that are no longer named were taken out");
    }
    shared.pool.changed.notify_one();
}

/// Adds an upstream and starts to look after it; `None` if there are too many.
pub(crate) fn enrol(
    shared: &Arc<Shared>,
    configured: &Configured,
    origin: Origin,
) -> Option<Arc<Upstream>> {
    let concurrency = shared.current().settings.concurrency;
    match shared.pool.add(configured, origin, shared.elapsed(), concurrency) {
        Ok((upstream, false)) => Some(upstream),
        Ok((upstream, true)) => {
            info!(upstream = %upstream.address, "a new upstream");
            let checking = checks::check_on(Arc::clone(shared), Arc::clone(&upstream));
            drop(shared.life.track(checking));
            // The roster is made at once, so that nobody waits for the control loop.
            shared.pool.muster(shared.elapsed(), &shared.current().settings);
            shared.pool.changed.notify_one();
            Some(upstream)
        }
        Err(error) => {
            warn!(upstream = %configured.address, %error, "an upstream was not taken in");
            None
        }
    }
}
