//! Counters that all servers on one database share. Each request that a rule is about costs a small
//! statement there.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::time::Duration;

use pando_schema::Settings;
use tracing::debug;

use super::Limit;
use crate::app::SharedApp;

/// Counts one request. `None` where this server is alone and counts for itself, also if it cannot
/// reach the others: rather let some requests through than shut everybody out.
pub(super) async fn count(
    app: &SharedApp,
    mark: u64,
    scope: &impl Debug,
    ip: IpAddr,
    limit: &Limit,
) -> Option<Result<(), u32>> {
    if !app.store.shared_with_others() {
        return None;
    }
    let key = format!("{mark:x} {scope:?} {ip}");
    let window = Duration::from_secs(limit.window_seconds);
    match app.store.count(&key, window).await {
        Ok(None) => None,
        Ok(Some((used, _))) if used <= limit.requests_max => Some(Ok(())),
        Ok(Some((_, left))) => {
            let seconds = left.as_millis().div_ceil(1_000);
            Some(Err(u32::try_from(seconds).unwrap_or(u32::MAX)))
        }
        Err(error) => {
            debug!(error = format!("{error:#}"), "failed to count a request");
            None
        }
    }
}

/// Tells settings apart: a change of them starts all counters anew.
pub(super) fn mark(settings: &Settings) -> u64 {
    let mut hasher = DefaultHasher::new();
    settings.to_stored().hash(&mut hasher);
    hasher.finish()
}
