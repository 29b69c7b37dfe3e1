//! Finds in the journal what the bus has not brought.
//!
//! A number without an entry belongs to a transaction that is not over, or that was undone. Which
//! of them shows once all transactions that could have been given it are over: then it is read once
//! more. One that goes on for very long holds up nobody else; when it is over at last and has left
//! an entry after all, watchers have missed it.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use pando_store::StoreError;
use pando_store::journal::Entry;
use pando_store::postgres::Link;

use crate::feed::Feed;

/// How long transactions that do not end hold up what others have written.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Numbers without an entry, and how it will be known why.
#[derive(Debug, Default)]
pub(crate) struct Repair {
    /// The gap that is looked into.
    suspect: Option<Suspect>,
    /// Gaps that were passed over.
    passed: Vec<Suspect>,
}

#[derive(Debug)]
struct Suspect {
    numbers: RangeInclusive<u64>,
    /// Transactions from this one on began too late to have been given one of the numbers.
    before: u64,
    since: Instant,
}

impl Repair {
    /// Whether there is something to look at although the feed has no gap.
    pub(crate) fn waits(&self) -> bool {
        !self.passed.is_empty()
    }

    /// Does not wait for the transactions before `before`, which may have been given any of
    /// `numbers`.
    pub(crate) fn pass(&mut self, numbers: RangeInclusive<u64>, before: u64) {
        self.passed.push(Suspect { numbers, before, since: Instant::now() });
    }

    /// Looks for what is missing. True if something was missed that cannot be told any more.
    pub(crate) async fn look<T>(
        &mut self,
        link: &mut Link,
        feed: &mut Feed<T>,
        known: impl Fn(Entry) -> T,
    ) -> Result<bool, StoreError> {
        let mut missed = self.look_at_passed(link).await?;
        let Some(gap) = feed.gap() else {
            self.suspect = None;
            return Ok(missed);
        };
        // What is over before entries are read has left what it leaves.
        let (next, oldest) = link.running().await?;
        for entry in link.entries(*gap.start(), *gap.end()).await? {
            feed.put(entry.number, known(entry));
        }
        let (_, gone) = link.ends().await?;
        if gone >= *gap.start() {
            feed.jump(gone);
            missed = true;
        }
        if let Some(gap) = feed.gap() {
            self.judge(feed, gap, next, oldest);
        }
        Ok(missed)
    }

    /// Decides about numbers that were looked for and not found, when transactions from `next` on
    /// had not begun and those before `oldest` were over.
    fn judge<T>(&mut self, feed: &mut Feed<T>, gap: RangeInclusive<u64>, next: u64, oldest: u64) {
        let same = |suspect: &&Suspect| suspect.numbers.start() == gap.start();
        let Some(suspect) = self.suspect.as_ref().filter(same) else {
            self.suspect = Some(Suspect { numbers: gap, before: next, since: Instant::now() });
            return;
        };
        // The gap may have grown since; of what is new in it nothing is known.
        let numbers = *gap.start()..=*suspect.numbers.end().min(gap.end());
        let over = oldest >= suspect.before;
        if over || suspect.since.elapsed() >= PATIENCE {
            numbers.clone().for_each(|number| feed.skip(number));
            let suspect = self.suspect.take();
            if let Some(suspect) = suspect.filter(|_| !over) {
                self.pass(numbers, suspect.before);
            }
        }
    }

    /// True if one of the gaps that were passed over had entries after all.
    async fn look_at_passed(&mut self, link: &mut Link) -> Result<bool, StoreError> {
        if self.passed.is_empty() {
            return Ok(false);
        }
        let (_, oldest) = link.running().await?;
        let mut missed = false;
        for suspect in &self.passed {
            if oldest >= suspect.before {
                let (first, last) = (*suspect.numbers.start(), *suspect.numbers.end());
                missed |= !link.entries(first, last).await?.is_empty();
            }
        }
        self.passed.retain(|suspect| oldest < suspect.before);
        Ok(missed)
    }
}
