//! A request in flight, counted until it is over.

use std::sync::Arc;
use std::time::Duration;

use crate::shared::Shared;
use crate::upstream::Upstream;

/// One request at one upstream, or one stream once its answer turned out to be endless.
pub(crate) struct Engaged {
    shared: Arc<Shared>,
    pub(crate) upstream: Arc<Upstream>,
    began: Duration,
    stream: bool,
}

impl Engaged {
    /// The request is given to `upstream` now.
    pub(crate) fn new(shared: &Arc<Shared>, upstream: Arc<Upstream>, now: Duration) -> Engaged {
        upstream.begin(now);
        shared.pool.engage();
        Engaged { shared: Arc::clone(shared), upstream, began: now, stream: false }
    }

    /// The head of an answer has come. `good`: it is no excuse of a gateway.
    pub(crate) fn answered(&self, now: Duration, good: bool) {
        let took = now.saturating_sub(self.began);
        self.upstream.answered(took, now, good);
        if !good {
            self.shared.suspect(&self.upstream);
        }
    }

    /// Nothing came.
    pub(crate) fn unanswered(&self, now: Duration) {
        self.upstream.unanswered(now.saturating_sub(self.began), now);
        self.shared.suspect(&self.upstream);
    }

    /// The answer goes on for long, so it is counted apart and leaves its place to another one.
    pub(crate) fn becomes_stream(&mut self) {
        if !self.stream {
            self.stream = true;
            self.upstream.end();
            self.upstream.stream_begins();
            self.shared.pool.freed();
        }
    }
}

impl Engaged {
    pub(crate) fn is_stream(&self) -> bool {
        self.stream
    }
}

impl Drop for Engaged {
    fn drop(&mut self) {
        match self.stream {
            true => self.upstream.stream_ends(),
            false => {
                self.upstream.end();
                self.shared.pool.freed();
            }
        }
    }
}
