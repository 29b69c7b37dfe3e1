//! Where Pando answers otherwise on purpose; `docs/deviations.md` explains each.

use serde_json::Value;

use super::scenario::{Action, Step};

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
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "Malformed HTTP",
        reason: "what is no HTTP/1.1 is answered by the HTTP library, with a bare 400",
        covers: |step, left, right| {
            let refused = left["status"].as_u64().is_some_and(|status| status >= 400);
            matches!(step.action, Action::SendRaw(_)) && refused && right["status"] == 400
        },
    },
    Deviation {
        name: "Batch item of null",
        reason: "PocketBase fails with 500; a client's mistake is a 400 with what to change",
        covers: |step, left, right| {
            let batch =
                matches!(&step.action, Action::Send(request) if request.target == "/api/batch");
            batch && left["status"] == 500 && right["status"] == 400
        },
    },
];

/// The deviation that explains a difference.
pub(super) fn find(step: &Step, left: &Value, right: &Value) -> Option<&'static Deviation> {
    DEVIATIONS.iter().find(|deviation| (deviation.covers)(step, left, right))
}
