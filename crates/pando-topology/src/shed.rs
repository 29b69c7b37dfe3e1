//! Which requests are refused when the process itself runs out of memory or files.
//!
//! The more is used, the more urgent a request must be. Urgency is RFC 9218's: 0 is the most
//! urgent, 7 the least, 3 what a request has that says nothing.

/// How much is used, each as a share of what there is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    pub memory: f64,
    pub files: f64,
}

/// Shares used, and the most urgent requests that are then refused.
const STEPS: [(f64, u8); 4] = [(0.90, 6), (0.93, 4), (0.96, 3), (0.98, 0)];

/// What is refused now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shedding {
    /// Requests of this urgency and less urgent ones; 8 refuses nobody.
    pub from_urgency: u8,
}

impl Shedding {
    pub const NONE: Shedding = Shedding { from_urgency: 8 };

    pub fn of(pressure: Pressure) -> Shedding {
        let used = pressure.memory.max(pressure.files);
        let reached = STEPS.iter().rev().find(|(share, _)| used >= *share);
        reached.map_or(Shedding::NONE, |&(_, from_urgency)| Shedding { from_urgency })
    }

    pub fn refuses(&self, urgency: u8) -> bool {
        urgency >= self.from_urgency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_urgent_first() {
        let refused = |memory, files| {
            let shedding = Shedding::of(Pressure { memory, files });
            (0..8).filter(|&urgency| shedding.refuses(urgency)).collect::<Vec<u8>>()
        };
        assert_eq!(refused(0.5, 0.89), []);
        assert_eq!(refused(0.91, 0.1), [6, 7]);
        assert_eq!(refused(0.1, 0.94), [4, 5, 6, 7]);
        assert_eq!(refused(0.96, 0.1), [3, 4, 5, 6, 7]);
        assert_eq!(refused(0.99, 0.1), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
