//! Counts those who wait.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts as waiting until it is dropped. Holds on to the count by a reference or an `Arc`.
pub(crate) struct Waiting<C: Deref<Target = AtomicUsize>>(C);

impl<C: Deref<Target = AtomicUsize>> Waiting<C> {
    /// Returns how many wait now, too.
    pub(crate) fn new(count: C) -> (Waiting<C>, usize) {
        let before = count.fetch_add(1, Ordering::Relaxed);
        (Waiting(count), before + 1)
    }
}

impl<C: Deref<Target = AtomicUsize>> Drop for Waiting<C> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
