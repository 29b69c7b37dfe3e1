//! The share of the work that an upstream gets while it warms up: caches and connections are cold.

use std::time::Duration;

/// The share at the first moment.
const FIRST_SHARE: f64 = 0.1;

/// From a tenth, linearly, to the whole share at the end of `window`.
pub fn slow_start(since: Duration, window: Duration) -> f64 {
    if since >= window {
        return 1.0;
    }
    let grown = since.as_secs_f64() / window.as_secs_f64();
    FIRST_SHARE + (1.0 - FIRST_SHARE) * grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_grows_linearly() {
        let window = Duration::from_secs(30);
        assert_eq!(slow_start(Duration::ZERO, window), 0.1);
        assert!((slow_start(window / 2, window) - 0.55).abs() < 1e-9);
        assert_eq!(slow_start(window, window), 1.0);
        assert_eq!(slow_start(Duration::ZERO, Duration::ZERO), 1.0);
    }
}
