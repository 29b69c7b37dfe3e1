//! Where Pando answers otherwise on purpose; `docs/deviations.md` explains each.

use serde_json::Value;

use super::scenario::Step;

/// One deliberate difference.
#[derive(Debug)]
pub struct Deviation {
    /// The heading in `docs/deviations.md`.
    pub name: &'static str,
    pub reason: &'static str,
    /// Whether this difference is that deviation and nothing else: step, PocketBase's answer, ours.
    pub covers: fn(&Step, &Value, &Value) -> bool,
}

/// All deliberate differences.
pub const DEVIATIONS: &[Deviation] = &[];

/// The deviation that explains a difference.
pub(super) fn find(step: &Step, left: &Value, right: &Value) -> Option<&'static Deviation> {
    DEVIATIONS.iter().find(|deviation| (deviation.covers)(step, left, right))
}
