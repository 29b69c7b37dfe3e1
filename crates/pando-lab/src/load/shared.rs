//! What all clients of a load have in common.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pando_history::{Counter, Key, Moment};

use super::figures::Figures;
use super::options::LoadOptions;
use super::setup::Ground;
use crate::rng::Rng;

/// What is recorded at most, in reads, writes, rows of lists and events: about a gigabyte.
const ENTRIES_MAX: u64 = 10_000_000;

/// Records that others can look at.
const KNOWN_MAX: usize = 2_000;
/// The last ones that were deleted: they must not come back.
const GONE_MAX: usize = 50;
/// How many of 100 looks are at one of those.
const GONE_PERCENT: u64 = 3;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: LoadOptions,
    pub(super) ground: Ground,
    pub(super) begun: Instant,
    /// Clients send nothing more.
    pub(super) stop: AtomicBool,
    /// Subscribers end, too.
    pub(super) quit: AtomicBool,
    pub(super) figures: Figures,
    entries: AtomicU64,
    counters: AtomicU32,
    directory: Mutex<Directory>,
}

#[derive(Debug, Default)]
struct Directory {
    known: VecDeque<(Key, String)>,
    gone: VecDeque<(Key, String)>,
}

impl Shared {
    pub(super) fn new(options: LoadOptions, ground: Ground) -> Shared {
        let counters = u32::try_from(ground.counters.len()).unwrap_or(u32::MAX);
        Shared {
            options,
            ground,
            begun: Instant::now(),
            stop: AtomicBool::new(false),
            quit: AtomicBool::new(false),
            figures: Figures::default(),
            entries: AtomicU64::new(0),
            counters: AtomicU32::new(counters),
            directory: Mutex::default(),
        }
    }

    /// The time for the record.
    pub(super) fn now(&self) -> Moment {
        Moment(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.full()
    }

    pub(super) fn full(&self) -> bool {
        self.entries.load(Ordering::Relaxed) >= ENTRIES_MAX
    }

    /// Counts what was recorded.
    pub(super) fn count_entries(&self, count: usize) {
        self.entries.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// A number that no counter has had.
    pub(super) fn next_counter(&self) -> Counter {
        Counter(self.counters.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn publish(&self, key: Key, id: &str) {
        let mut directory = self.directory();
        if directory.known.len() == KNOWN_MAX {
            directory.known.pop_front();
        }
        directory.known.push_back((key, id.to_owned()));
    }

    pub(super) fn withdraw(&self, key: Key, id: &str) {
        let mut directory = self.directory();
        directory.known.retain(|(other, _)| *other != key);
        if directory.gone.len() == GONE_MAX {
            directory.gone.pop_front();
        }
        directory.gone.push_back((key, id.to_owned()));
    }

    /// A record of anybody's.
    pub(super) fn draw_record(&self, rng: &mut Rng) -> Option<(Key, String)> {
        let directory = self.directory();
        let gone = rng.percent(GONE_PERCENT) && !directory.gone.is_empty();
        let list = if gone { &directory.gone } else { &directory.known };
        if list.is_empty() { None } else { list.get(rng.below(list.len())).cloned() }
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
