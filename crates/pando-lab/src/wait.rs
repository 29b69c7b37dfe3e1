//! Waiting for a level instead of sleeping for a guess.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Asks `condition` until it gives a value; fails with `what` once `deadline` has passed.
pub fn wait_for<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if started.elapsed() >= deadline {
            bail!("{what} did not happen within {deadline:?}");
        }
        thread::sleep(POLL_INTERVAL);
    }
}
