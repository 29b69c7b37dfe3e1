//! What is computed from a collection once and then kept with it.

use std::fmt;
use std::sync::OnceLock;

/// A value that follows from the rest of the collection, made when it is first needed.
///
/// A copy starts without one, since copies are made to be changed; and it counts neither for
/// equality nor for debugging.
pub struct Derived<T>(OnceLock<T>);

impl<T> Derived<T> {
    pub(crate) fn or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }
}

impl<T> Default for Derived<T> {
    fn default() -> Derived<T> {
        Derived(OnceLock::new())
    }
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Derived<T> {
        Derived::default()
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _other: &Derived<T>) -> bool {
        true
    }
}

impl<T> fmt::Debug for Derived<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}
