//! What active checks say about an upstream.
//!
//! A new upstream serves until its first check says otherwise: it was named or has announced
//! itself, and a request that cannot reach it goes to another one. Its first check decides alone;
//! after that several in a row must agree.

/// How many checks in a row change the mind.
#[derive(Debug, Clone, Copy)]
pub struct CheckPolicy {
    pub fall: u32,
    pub rise: u32,
}

/// What one check saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    Passed,
    /// It answers, and says that it will stop soon.
    Draining,
    /// It answered otherwise, or not in time.
    Failed,
    /// Nobody listens at its address.
    Refused,
}

/// What is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Up,
    Draining,
    Failing,
    /// It is not there at all: not even an emergency sends requests to it.
    Gone,
}

/// The checks so far.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    health: Health,
    /// Checks in a row that contradict `health`.
    against: u32,
    first: bool,
}

impl Default for Checked {
    fn default() -> Checked {
        Checked { health: Health::Up, against: 0, first: true }
    }
}

impl Checked {
    pub fn health(&self) -> Health {
        self.health
    }

    /// Whether it was checked at all.
    pub fn known(&self) -> bool {
        !self.first
    }

    /// Takes in a check; true if the belief has changed.
    pub fn observe(&mut self, observation: Observation, policy: CheckPolicy) -> bool {
        let before = self.health;
        let seen = match observation {
            Observation::Passed => Health::Up,
            Observation::Draining => Health::Draining,
            Observation::Failed => Health::Failing,
            Observation::Refused => Health::Gone,
        };
        let down = |health| matches!(health, Health::Failing | Health::Gone);
        let needed = match (before, seen) {
            _ if self.first => 1,
            // What an upstream says about itself needs no second witness.
            (_, Health::Draining) => 1,
            (before, seen) if down(before) && down(seen) => 1,
            (_, Health::Failing | Health::Gone) => policy.fall,
            (before, Health::Up) if down(before) => policy.rise,
            (_, Health::Up) => 1,
        };
        self.first = false;
        self.against = if seen == before { 0 } else { self.against + 1 };
        if self.against >= needed {
            self.against = 0;
            self.health = seen;
        }
        before != self.health
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// `+` passed, `-` failed, `x` refused, `d` draining; shows the belief after each.
    #[track_caller]
    fn check(checks: &str, expect: Expect) {
        let mut checked = Checked::default();
        let mut shown = String::new();
        for letter in checks.chars() {
            let observation = match letter {
                '+' => Observation::Passed,
                '-' => Observation::Failed,
                'x' => Observation::Refused,
                _ => Observation::Draining,
            };
            checked.observe(observation, CheckPolicy { fall: 3, rise: 2 });
            shown.push(match checked.health() {
                Health::Up => 'U',
                Health::Draining => 'D',
                Health::Failing => 'F',
                Health::Gone => 'G',
            });
        }
        expect.assert_eq(&shown);
    }

    #[test]
    fn several_in_a_row_must_agree() {
        check("++--+---+-++", expect!["UUUUUUUFFFFU"]);
    }

    #[test]
    fn the_first_check_decides_alone() {
        check("-++", expect!["FFU"]);
        check("x+", expect!["GG"]);
    }

    #[test]
    fn draining_is_believed_at_once() {
        check("+d+", expect!["UDU"]);
        check("+ddxxx", expect!["UDDDDG"]);
    }

    #[test]
    fn failing_and_gone_are_told_apart_at_once() {
        check("+---x-", expect!["UUUFGF"]);
        check("+-x-", expect!["UUUF"]);
    }
}
