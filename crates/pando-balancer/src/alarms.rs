//! Time-outs without a timer for each request.
//!
//! A worker looks at all its alarms ten times a second and wakes those whose time has come, and
//! keeps the time for everybody. Setting an alarm is one store to memory, so every wait can have
//! one. All are late by a tenth of a second at most, which no time-out here minds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// How often the worker looks.
pub(crate) const TICK: Duration = Duration::from_millis(100);

const NEVER: u64 = u64::MAX;

/// The alarms of one worker, and its coarse clock.
#[derive(Debug)]
pub(crate) struct Alarms {
    epoch: Instant,
    now_ms: AtomicU64,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    used: Vec<Option<Arc<Clock>>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Clock {
    due_ms: AtomicU64,
    waker: AtomicWaker,
}

/// One alarm; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: Arc<Clock>,
    alarms: Arc<Alarms>,
    slot: usize,
}

impl Alarms {
    /// `epoch` is when the time begins.
    pub(crate) fn new(epoch: Instant) -> Alarms {
        let now_ms = AtomicU64::new(millis(epoch.elapsed()));
        Alarms { epoch, now_ms, slots: Mutex::default() }
    }

    /// The time since the epoch, exact.
    pub(crate) fn elapsed(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The time since the epoch as of the last tick.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }

    /// An alarm that is not set.
    pub(crate) fn alarm(self: &Arc<Alarms>) -> Alarm {
        let clock = Arc::new(Clock { due_ms: AtomicU64::new(NEVER), waker: AtomicWaker::new() });
        let mut slots = self.lock();
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None => {
                slots.used.push(None);
                slots.used.len() - 1
            }
        };
        slots.used[slot] = Some(Arc::clone(&clock));
        Alarm { clock, alarms: Arc::clone(self), slot }
    }

    /// Moves the clock and wakes whose time has come.
    pub(crate) fn tick(&self) {
        let now = millis(self.epoch.elapsed());
        self.now_ms.store(now, Relaxed);
        for clock in self.lock().used.iter().flatten() {
            if clock.due_ms.load(Relaxed) <= now {
                clock.waker.wake();
            }
        }
    }

    /// Wakes all, for something else has changed.
    pub(crate) fn wake_all(&self) {
        for clock in self.lock().used.iter().flatten() {
            clock.waker.wake();
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        let slots = self.lock();
        slots.used.len() - slots.free.len()
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alarm {
    /// Rings in that time from now.
    pub(crate) fn set(&self, after: Duration) {
        self.clock.due_ms.store(self.alarms.now_ms() + millis(after), Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.clock.due_ms.store(NEVER, Relaxed);
    }

    pub(crate) fn rings(&self) -> bool {
        self.clock.due_ms.load(Relaxed) <= self.alarms.now_ms()
    }

    /// Wakes that task when it rings.
    pub(crate) fn watch(&self, context: &Context<'_>) {
        self.clock.waker.register(context.waker());
    }

    /// The task that watches is looked after by nobody any more.
    pub(crate) fn forget(&self) {
        self.clear();
        drop(self.clock.waker.take());
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut slots = self.alarms.lock();
        slots.used[self.slot] = None;
        slots.free.push(self.slot);
    }
}

fn millis(duration: Duration) -> u64 {
    // Half a billion years.
    u64::try_from(duration.as_millis()).unwrap_or(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Woken>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn only_those_whose_time_has_come_are_woken() {
        let began = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        let alarms = Arc::new(Alarms::new(began));
        let (now, later, never) = (alarms.alarm(), alarms.alarm(), alarms.alarm());
        let woken = [(); 3].map(|()| Arc::new(Woken::default()));
        for (alarm, woken) in [&now, &later, &never].into_iter().zip(&woken) {
            alarm.watch(&Context::from_waker(&Waker::from(Arc::clone(woken))));
        }
        now.set(Duration::ZERO);
        later.set(Duration::from_secs(3_600));
        alarms.tick();
        let counts = || woken.each_ref().map(|woken| woken.0.load(Relaxed));
        assert_eq!(counts(), [1, 0, 0]);
        assert!(now.rings() && !later.rings() && !never.rings());
        alarms.wake_all();
        assert_eq!(counts(), [1, 1, 1], "a waker is used once");
        drop((now, later));
        assert_eq!(alarms.count(), 1);
        let again = alarms.alarm();
        assert!(!again.rings(), "a slot that is used again is not set");
        assert_eq!(alarms.count(), 2);
    }
}
