//! Seeds for random tests; the generator itself is the lab's.

use std::ops::Range;

pub use pando_lab::Rng;

/// The seeds that a test tries: those of `default`, unless the environment says `COUNT` or
/// `FIRST..END` under `variable`.
pub fn seeds(variable: &str, default: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var(variable) else { return default };
    let (first, end) = text.split_once("..").unwrap_or(("0", &text));
    match (first.parse(), end.parse()) {
        (Ok(first), Ok(end)) => first..end,
        _ => panic!("{variable} must be COUNT or FIRST..END"),
    }
}
