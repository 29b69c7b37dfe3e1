//! Connections that wait for their next request, those of one worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Link, Upstream};

/// Connections to one upstream that wait. More are closed.
const IDLE_PER_UPSTREAM_MAX: usize = 512;
/// A connection that was idle that long gives its buffers back.
const SHRINK_AFTER_MS: u64 = 1_000;

/// The last one used is the first one taken, so that those that are not needed grow old.
#[derive(Debug, Default)]
pub(crate) struct IdleLinks {
    by_upstream: Mutex<Vec<(u64, Vec<Link>)>>,
}

impl IdleLinks {
    /// A connection to `upstream` that is still there. `surely`: ask the system, for the request
    /// cannot be sent a second time.
    pub(crate) fn take(&self, upstream: &Upstream, surely: bool) -> Option<Link> {
        let mut pools = self.lock();
        let (_, links) = pools.iter_mut().find(|(id, _)| *id == upstream.id)?;
        while let Some(link) = links.pop() {
            if link.wire.seems_quiet() && (!surely || link.wire.quiet()) {
                return Some(link);
            }
        }
        None
    }

    pub(crate) fn put(&self, mut link: Link, now_ms: u64) {
        link.rest(now_ms);
        let id = link.upstream.id;
        let mut pools = self.lock();
        let links = match pools.iter().position(|(other, _)| *other == id) {
            Some(index) => &mut pools[index].1,
            None => {
                pools.push((id, Vec::new()));
                let last = pools.len() - 1;
                &mut pools[last].1
            }
        };
        if links.len() < IDLE_PER_UPSTREAM_MAX {
            links.push(link);
        }
    }

    /// Closes what is too old, was closed by the other side, or leads to an upstream that is of no
    /// use; `useful` judges that.
    pub(crate) fn sweep(
        &self,
        now_ms: u64,
        idle_max: Duration,
        useful: impl Fn(&Arc<Upstream>) -> bool,
    ) {
        let idle_max_ms = u64::try_from(idle_max.as_millis()).unwrap_or(u64::MAX);
        let mut pools = self.lock();
        for (_, links) in pools.iter_mut() {
            links.retain_mut(|link| {
                let idle_ms = now_ms.saturating_sub(link.idle_since_ms);
                if idle_ms >= SHRINK_AFTER_MS {
                    link.shrink();
                }
                idle_ms < idle_max_ms && link.wire.seems_quiet() && useful(&link.upstream)
            });
        }
        pools.retain(|(_, links)| !links.is_empty());
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Vec<Link>)>> {
        self.by_upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
