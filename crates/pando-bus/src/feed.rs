//! Brings entries into the order of their numbers.
//!
//! A number that is missing holds up those behind it until its entry comes, or it is known that it
//! has none.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Entries on their way out. `T` is what is known of one.
#[derive(Debug)]
pub(crate) struct Feed<T> {
    /// The first number that was not given out.
    next: u64,
    held: BTreeMap<u64, Option<T>>,
    /// The last number that is known to have been given by the journal.
    head: u64,
}

impl<T> Feed<T> {
    /// One that has seen everything before `next`.
    pub(crate) fn starting_at(next: u64) -> Feed<T> {
        Feed { next, held: BTreeMap::new(), head: next.saturating_sub(1) }
    }

    /// The entry of that number. One that was known before stays as it was.
    pub(crate) fn put(&mut self, number: u64, entry: T) {
        self.reaches(number);
        if number >= self.next {
            self.held.entry(number).or_insert(Some(entry));
        }
    }

    /// That number has no entry.
    pub(crate) fn skip(&mut self, number: u64) {
        self.reaches(number);
        if number >= self.next {
            self.held.entry(number).or_insert(None);
        }
    }

    /// The journal has given numbers up to that one.
    pub(crate) fn reaches(&mut self, number: u64) {
        self.head = self.head.max(number);
    }

    /// The next entry, if it is there.
    pub(crate) fn first(&mut self) -> Option<&T> {
        while matches!(self.held.get(&self.next), Some(None)) {
            self.held.remove(&self.next);
            self.next += 1;
        }
        self.held.get(&self.next)?.as_ref()
    }

    /// The entry that [`Feed::first`] showed has been given out.
    pub(crate) fn pop(&mut self) {
        if self.held.remove(&self.next).is_some() {
            self.next += 1;
        }
    }

    /// The numbers that hold up the others, or are the last and have not come.
    pub(crate) fn gap(&self) -> Option<RangeInclusive<u64>> {
        let last = match self.held.first_key_value() {
            Some((first, _)) => first - 1,
            None => self.head,
        };
        (last >= self.next).then_some(self.next..=last)
    }

    /// The last number that the journal is known to have given.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Goes on after `last`, whatever came before.
    pub(crate) fn jump(&mut self, last: u64) {
        self.reaches(last);
        self.next = self.next.max(last + 1);
        self.held = self.held.split_off(&self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(feed: &mut Feed<&'static str>) -> String {
        let mut taken = Vec::new();
        while let Some(entry) = feed.first() {
            taken.push(*entry);
            feed.pop();
        }
        taken.join(" ")
    }

    #[test]
    fn entries_come_out_in_order_and_once() {
        let mut feed = Feed::starting_at(5);
        feed.put(6, "six");
        feed.put(4, "four");
        assert_eq!(taken(&mut feed), "");
        assert_eq!(feed.gap(), Some(5..=5));
        feed.put(5, "five");
        feed.put(5, "again");
        assert_eq!(taken(&mut feed), "five six");
        feed.put(6, "late");
        assert_eq!((taken(&mut feed).as_str(), feed.gap(), feed.head()), ("", None, 6));
    }

    #[test]
    fn numbers_without_an_entry_hold_up_nobody() {
        let mut feed = Feed::starting_at(1);
        feed.put(4, "four");
        feed.skip(2);
        assert_eq!(feed.gap(), Some(1..=1));
        feed.put(1, "one");
        assert_eq!(taken(&mut feed), "one");
        assert_eq!(feed.gap(), Some(3..=3));
        feed.skip(3);
        assert_eq!(taken(&mut feed), "four");
    }

    #[test]
    fn what_the_journal_has_given_and_nobody_brought_is_a_gap() {
        let mut feed = Feed::<&str>::starting_at(1);
        assert_eq!(feed.gap(), None);
        feed.reaches(3);
        assert_eq!(feed.gap(), Some(1..=3));
        feed.put(2, "two");
        assert_eq!(feed.gap(), Some(1..=1));
    }

    #[test]
    fn a_jump_forgets_what_is_before() {
        let mut feed = Feed::starting_at(1);
        feed.put(2, "two");
        feed.put(9, "nine");
        feed.jump(8);
        assert_eq!(taken(&mut feed), "nine");
        feed.jump(3);
        assert_eq!(feed.gap(), None);
    }
}
