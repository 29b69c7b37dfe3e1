//! What a connection is doing, and since when: the basis of its time-outs.
//!
//! A connection waits for a request (idle time-out), receives the head of one (header time-out),
//! or has requests in the works. In all states a client that takes nothing of what is sent to it
//! is given up (body time-out). The time-out for receiving a body is the reader's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A request head that is under way when the server stops gets this much more time.
const DRAIN_HEADER_TIME: Duration = Duration::from_secs(1);
/// No moment: nothing is stuck.
const NEVER: u64 = u64::MAX;

/// How long a connection may stay in a state.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without a request.
    pub idle: Duration,
    /// Receiving the head of one.
    pub header: Duration,
    /// Sending to a client that takes nothing.
    pub stuck: Duration,
}

impl Limits {
    /// How often to look, at least.
    pub fn shortest(&self) -> Duration {
        self.idle.min(self.header).min(self.stuck)
    }
}

/// What is to be done with a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look again in that time.
    Wait(Duration),
    /// It did nothing for long: end it politely.
    Retire,
    /// The client lets us wait: end it at once.
    Cut,
}

/// Shared by the connection, its stream and its requests.
#[derive(Debug)]
pub struct Pulse {
    started: Instant,
    /// Requests in the works, until their answers are sent.
    busy: AtomicU32,
    /// Whether a part of a request head has come.
    receiving: AtomicBool,
    /// Start of the current state, from `started`.
    since_ms: AtomicU64,
    /// When the client stopped to take what is sent.
    stuck_since_ms: AtomicU64,
    /// Whether a request was refused with its body unread.
    refused: AtomicBool,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse::new()
    }
}

impl Pulse {
    /// A fresh connection counts as one that sends a head: it should have a reason to come.
    pub fn new() -> Pulse {
        Pulse {
            started: Instant::now(),
            busy: AtomicU32::new(0),
            receiving: AtomicBool::new(true),
            since_ms: AtomicU64::new(0),
            stuck_since_ms: AtomicU64::new(NEVER),
            refused: AtomicBool::new(false),
        }
    }

    /// A request has come; it is over when the result is dropped.
    pub fn begin(self: &Arc<Pulse>) -> Busy {
        self.busy.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
    }

    /// Bytes have come.
    pub fn received(&self) {
        if self.busy.load(Relaxed) == 0 && !self.receiving.swap(true, Relaxed) {
            self.since_ms.store(self.now_ms(), Relaxed);
        }
    }

    /// Whether the client takes what is sent.
    pub fn sending(&self, progress: bool) {
        if progress {
            if self.stuck_since_ms.load(Relaxed) != NEVER {
                self.stuck_since_ms.store(NEVER, Relaxed);
            }
        } else if self.stuck_since_ms.load(Relaxed) == NEVER {
            self.stuck_since_ms.store(self.now_ms(), Relaxed);
        }
    }

    /// A request was refused although its body has not been read.
    pub fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }

    pub fn refused(&self) -> bool {
        self.refused.load(Relaxed)
    }

    /// What is to be done now. `stopping`: the process is.
    pub fn verdict(&self, limits: &Limits, stopping: bool) -> Verdict {
        let now = Duration::from_millis(self.now_ms());
        let since =
            |moment: &AtomicU64| now.saturating_sub(Duration::from_millis(moment.load(Relaxed)));
        let mut next = limits.shortest();
        if self.stuck_since_ms.load(Relaxed) != NEVER {
            match limits.stuck.checked_sub(since(&self.stuck_since_ms)) {
                None | Some(Duration::ZERO) => return Verdict::Cut,
                Some(left) => next = next.min(left),
            }
        }
        if self.busy.load(Relaxed) > 0 {
            return Verdict::Wait(next);
        }
        let (limit, overdue) = match self.receiving.load(Relaxed) {
            true if stopping => (limits.header.min(DRAIN_HEADER_TIME), Verdict::Cut),
            true => (limits.header, Verdict::Cut),
            false => (limits.idle, Verdict::Retire),
        };
        match limit.checked_sub(since(&self.since_ms)) {
            None | Some(Duration::ZERO) => overdue,
            Some(left) => Verdict::Wait(next.min(left)),
        }
    }

    fn end(&self) {
        // The last one: idle from now on.
        if self.busy.fetch_sub(1, Relaxed) == 1 {
            self.since_ms.store(self.now_ms(), Relaxed);
            self.receiving.store(false, Relaxed);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

/// A request in the works.
#[derive(Debug)]
pub struct Busy(Arc<Pulse>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const LONG: Limits = Limits { idle: HOUR, header: HOUR, stuck: HOUR };

    fn waits(pulse: &Pulse, limits: Limits) -> bool {
        matches!(pulse.verdict(&limits, false), Verdict::Wait(left) if left <= HOUR)
    }

    #[test]
    fn a_fresh_connection_must_send_a_head() {
        let pulse = Pulse::new();
        assert!(waits(&pulse, LONG));
        assert!(waits(&pulse, Limits { idle: Duration::ZERO, ..LONG }));
        let slow = Limits { header: Duration::ZERO, ..LONG };
        assert_eq!(pulse.verdict(&slow, false), Verdict::Cut);
    }

    #[test]
    fn nothing_is_due_while_a_request_is_in_the_works() {
        let pulse = Arc::new(Pulse::new());
        let none = Limits { idle: Duration::ZERO, header: Duration::ZERO, stuck: HOUR };
        let requests = [pulse.begin(), pulse.begin()];
        for request in requests {
            assert!(waits(&pulse, none));
            drop(request);
        }
        assert_eq!(pulse.verdict(&none, false), Verdict::Retire);
    }

    #[test]
    fn the_head_of_a_next_request_has_its_own_limit() {
        let pulse = Arc::new(Pulse::new());
        drop(pulse.begin());
        let slow = Limits { header: Duration::ZERO, ..LONG };
        assert!(waits(&pulse, slow));
        pulse.received();
        assert_eq!(pulse.verdict(&slow, false), Verdict::Cut);
    }

    #[test]
    fn a_client_that_takes_nothing_is_cut_off() {
        let pulse = Arc::new(Pulse::new());
        let _request = pulse.begin();
        let none = Limits { stuck: Duration::ZERO, ..LONG };
        assert!(waits(&pulse, none));
        pulse.sending(false);
        assert_eq!(pulse.verdict(&none, false), Verdict::Cut);
        pulse.sending(true);
        assert!(waits(&pulse, none));
    }

    #[test]
    fn a_stop_leaves_half_sent_heads_little_time() {
        let pulse = Pulse::new();
        let Verdict::Wait(left) = pulse.verdict(&LONG, true) else { panic!("cut at once") };
        assert!(left <= DRAIN_HEADER_TIME);
    }
}
