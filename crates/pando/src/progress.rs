//! A sign of life for what takes long: nothing for two seconds, then a bar or spinner.
//!
//! Shown on a terminal only; elsewhere a log line every ten seconds says the same.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use tracing::info;

/// What ends sooner needs no sign.
const PATIENCE: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(100);
const LOG_PERIOD: Duration = Duration::from_secs(10);

/// Waits for `work`. When it takes long, shows `message()`, which may change meanwhile.
pub(crate) async fn while_waiting<T>(
    work: impl Future<Output = T>,
    message: impl Fn() -> String,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(outcome) = tokio::time::timeout(PATIENCE, &mut work).await {
        return outcome;
    }
    let spinner = ProgressBar::new_spinner();
    let mut logged_at: Option<Instant> = None;
    let outcome = loop {
        if let Ok(outcome) = tokio::time::timeout(TICK, &mut work).await {
            break outcome;
        }
        if !spinner.is_hidden() {
            spinner.set_message(message());
            spinner.tick();
        } else if logged_at.is_none_or(|at| at.elapsed() >= LOG_PERIOD) {
            let message = message();
            info!("{message}");
            logged_at = Some(Instant::now());
        }
    };
    spinner.finish_and_clear();
    outcome
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::while_waiting;

    /// How often the message is asked for while work takes `seconds`.
    async fn asked(seconds: u64) -> u32 {
        let count = Cell::new(0);
        let work = tokio::time::timeout(Duration::from_secs(seconds), std::future::pending::<()>());
        let message = || {
            count.set(count.get() + 1);
            "waiting".to_owned()
        };
        assert!(while_waiting(work, message).await.is_err());
        count.get()
    }

    #[tokio::test(start_paused = true)]
    async fn short_work_shows_nothing() {
        assert_eq!(asked(1).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_says_so() {
        assert!(asked(5).await >= 1);
    }
}
