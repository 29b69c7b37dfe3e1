//! Who takes requests now: the upstreams of a pool with their weights, from all that is known.
//!
//! *Invariant*: as long as a pool has an upstream at all, the roster has one; an emergency is
//! answered by trying those that are believed to be ill, not by refusing everybody.

use std::time::Duration;

use crate::{Health, slow_start};

/// When to stop believing that most of a pool is ill.
#[derive(Debug, Clone, Copy)]
pub struct RosterPolicy {
    /// Below this share of healthy upstreams health is ignored; 0 never.
    pub panic_below: f64,
    pub slow_start: Duration,
}

/// What is known about one upstream.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub health: Health,
    pub ejected: bool,
    /// It has said goodbye, or the operator drains it.
    pub leaving: bool,
    pub weight: f64,
    /// Since when it has been taking requests; the start of its slow start. `None`: it need not.
    pub serving_since: Option<Duration>,
}

/// The outcome: for each upstream, in the same order, its weight if it takes requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    pub weights: Vec<Option<f64>>,
    /// Health is ignored.
    pub panic: bool,
    /// Somebody is in its slow start, so the weights change with time.
    pub warming: bool,
}

impl Roster {
    pub fn of(standings: &[Standing], now: Duration, policy: &RosterPolicy) -> Roster {
        let well = |one: &Standing| one.health == Health::Up && !one.ejected && !one.leaving;
        let leaving = |one: &Standing| one.leaving || one.health == Health::Draining;
        let staying = standings.iter().filter(|one| !leaving(one)).count();
        let healthy = standings.iter().filter(|one| well(one)).count();
        let panic = (healthy as f64) < staying as f64 * policy.panic_below
            || (healthy == 0 && !standings.is_empty());
        let mut weights = pick(standings, |one| match panic {
            false => well(one),
            true => !leaving(one) && one.health != Health::Gone,
        });
        // The last resorts: those that are going, then those that seem to have gone.
        let last_resorts: [&dyn Fn(&Standing) -> bool; 3] =
            [&|one| leaving(one) && one.health != Health::Gone, &|one| !leaving(one), &|_| true];
        for acceptable in last_resorts {
            if weights.iter().any(Option::is_some) {
                break;
            }
            weights = pick(standings, acceptable);
        }
        let warming = !panic && warm_up(&mut weights, standings, now, policy.slow_start);
        Roster { weights, panic, warming }
    }
}

/// Lowers the weights of those that are new, unless all are: then everybody is needed, and the
/// shares are the same. True if somebody is new.
fn warm_up(
    weights: &mut [Option<f64>],
    standings: &[Standing],
    now: Duration,
    window: Duration,
) -> bool {
    let share = |one: &Standing| {
        one.serving_since.map_or(1.0, |since| slow_start(now.saturating_sub(since), window))
    };
    let serving = || weights.iter().zip(standings).filter(|(weight, _)| weight.is_some());
    let new_count = serving().filter(|(_, one)| share(one) < 1.0).count();
    if new_count < serving().count() {
        for (weight, one) in weights.iter_mut().zip(standings) {
            *weight = weight.map(|weight| weight * share(one));
        }
    }
    new_count > 0
}

fn pick(standings: &[Standing], acceptable: impl Fn(&Standing) -> bool) -> Vec<Option<f64>> {
    standings.iter().map(|one| acceptable(one).then_some(one.weight)).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    const POLICY: RosterPolicy =
        RosterPolicy { panic_below: 0.5, slow_start: Duration::from_secs(30) };
    const NOW: Duration = Duration::from_secs(1_000);

    fn standing(letter: char) -> Standing {
        let up = Standing {
            health: Health::Up,
            ejected: false,
            leaving: false,
            weight: 1.0,
            serving_since: None,
        };
        match letter {
            'u' => up,
            'f' => Standing { health: Health::Failing, ..up },
            'g' => Standing { health: Health::Gone, ..up },
            'd' => Standing { health: Health::Draining, ..up },
            'l' => Standing { leaving: true, ..up },
            'e' => Standing { ejected: true, ..up },
            'n' => Standing { serving_since: Some(NOW), ..up },
            _ => Standing { serving_since: Some(NOW - POLICY.slow_start / 2), ..up },
        }
    }

    #[track_caller]
    fn check(letters: &str, expect: Expect) {
        let standings: Vec<Standing> = letters.chars().map(standing).collect();
        let roster = Roster::of(&standings, NOW, &POLICY);
        let mut shown: Vec<String> = Vec::new();
        for weight in &roster.weights {
            shown.push(weight.map_or("-".to_owned(), |weight| format!("{weight:.2}")));
        }
        let words = [(roster.panic, " panic"), (roster.warming, " warming")];
        let words: String = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        expect.assert_eq(&format!("{}{words}", shown.join(" ")));
    }

    #[test]
    fn the_ill_and_the_leaving_are_left_out() {
        check("uuud", expect!["1.00 1.00 1.00 -"]);
        check("uufl", expect!["1.00 1.00 - -"]);
        check("uueg", expect!["1.00 1.00 - -"]);
        check("", expect![""]);
    }

    #[test]
    fn when_most_are_ill_health_is_ignored() {
        check("uff", expect!["1.00 1.00 1.00 panic"]);
        check("uf", expect!["1.00 -"]);
        // But nobody is sent where nothing is.
        check("ugg", expect!["1.00 - - panic"]);
        check("fg", expect!["1.00 - panic"]);
        check("uddd", expect!["1.00 - - -"]);
    }

    #[test]
    fn last_resorts() {
        check("dl", expect!["1.00 1.00 panic"]);
        check("dg", expect!["1.00 - panic"]);
        check("gg", expect!["1.00 1.00 panic"]);
    }

    #[test]
    fn new_ones_start_slowly() {
        check("un", expect!["1.00 0.10 warming"]);
        check("uuh", expect!["1.00 1.00 0.55 warming"]);
        check("nh", expect!["1.00 1.00 warming"]);
        check("nff", expect!["1.00 1.00 1.00 panic"]);
    }

    proptest! {
        #[test]
        fn somebody_serves_whatever_happens(letters in "[ufgdlenh]{1,12}") {
            let standings: Vec<Standing> = letters.chars().map(standing).collect();
            let roster = Roster::of(&standings, NOW, &POLICY);
            prop_assert_eq!(roster.weights.len(), standings.len());
            prop_assert!(roster.weights.iter().any(Option::is_some));
            prop_assert!(roster.weights.iter().flatten().all(|weight| *weight > 0.0));
        }
    }
}
