//! Whether the values that were seen of each counter are possible.
//!
//! A value counts the increments that had happened. So it is at least the number of those that were
//! acknowledged before, and at most the number of those that had been sent.

use std::collections::BTreeMap;

use super::Rules;
use crate::{
    Change, Counter, FaultKind, History, LastState, Moment, Outcome, Seen, SessionId, Verdict,
};

/// Judges all counters.
pub(super) fn check(history: &History, rules: Rules, verdict: &mut Verdict) {
    let mut counters: BTreeMap<Counter, Tape> = BTreeMap::new();
    for write in &history.writes {
        let Change::Increment(counter, shown) = write.change else { continue };
        if write.outcome == Outcome::Refused {
            continue;
        }
        let tape = counters.entry(counter).or_default();
        tape.begins.push(write.begin);
        if write.outcome == Outcome::Done {
            tape.acknowledged.push(write.end);
        }
        let (session, begin, end) = (write.session, write.begin, write.end);
        let sight = |value| Sight { session, begin, end, value, by: By::Increment };
        tape.sights.extend(shown.map(sight));
    }
    for read in &history.reads {
        let Seen::Counter(counter, value) = read.seen else { continue };
        let (session, begin, end) = (read.session, read.begin, read.end);
        let sight = Sight { session, begin, end, value, by: By::Read };
        counters.entry(counter).or_default().sights.push(sight);
    }
    verdict.tally.counters = counters.len() as u64;
    for (counter, mut tape) in counters {
        tape.begins.sort_unstable();
        tape.acknowledged.sort_unstable();
        tape.check(counter, rules, verdict);
        if let Some(last) = &history.last {
            tape.check_last(counter, last, verdict);
        }
    }
}

/// What happened to one counter.
#[derive(Debug, Default)]
struct Tape {
    /// When each increment was sent that was not refused, in order.
    begins: Vec<Moment>,
    acknowledged: Vec<Moment>,
    sights: Vec<Sight>,
}

#[derive(Clone, Copy, Debug)]
struct Sight {
    session: SessionId,
    begin: Moment,
    end: Moment,
    value: u64,
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Read,
    /// The answer to an increment, which counts itself.
    Increment,
}

impl Tape {
    fn check(&mut self, counter: Counter, rules: Rules, verdict: &mut Verdict) {
        self.sights.sort_by_key(|sight| (sight.begin, sight.end));
        let mut by_end: Vec<&Sight> = self.sights.iter().collect();
        by_end.sort_by_key(|sight| sight.end);
        let mut by_end = by_end.into_iter().peekable();
        let mut seen_by_anybody = 0;
        let mut seen_by: BTreeMap<SessionId, u64> = BTreeMap::new();
        let mut shown: BTreeMap<u64, Moment> = BTreeMap::new();
        for sight in &self.sights {
            while let Some(earlier) = by_end.next_if(|earlier| earlier.end < sight.begin) {
                seen_by_anybody = seen_by_anybody.max(earlier.value);
            }
            let own = seen_by.entry(sight.session).or_default();
            let strict = rules.linearizable || sight.by == By::Increment;
            let known = if strict { seen_by_anybody.max(*own) } else { *own };
            *own = (*own).max(sight.value);
            self.check_sight(counter, sight, known, strict, verdict);
            if sight.by == By::Increment
                && let Some(first) = shown.insert(sight.value, sight.end)
            {
                verdict.add(FaultKind::Lost, sight.end, || {
                    format!(
                        "two increments of counter {} were answered with {}, at {first} and at {}",
                        counter.0, sight.value, sight.end
                    )
                });
            }
        }
    }

    fn check_sight(
        &self,
        counter: Counter,
        sight: &Sight,
        known: u64,
        strict: bool,
        verdict: &mut Verdict,
    ) {
        let Sight { session, begin, end, value, by } = *sight;
        let (number, sent) = (counter.0, self.sent_by(end));
        if value > sent {
            verdict.add(FaultKind::Doubled, end, || {
                format!("{session} saw counter {number} at {value} at {end}; increments sent by then: {sent}")
            });
        }
        let own = u64::from(by == By::Increment);
        let done = if strict { self.acknowledged_before(begin) } else { 0 };
        let floor = done.max(known) + own;
        if value < floor {
            // Writes read what is there, so what an increment does not count is lost.
            let kind = if by == By::Increment { FaultKind::Lost } else { FaultKind::Stale };
            verdict.add(kind, end, || {
                format!(
                    "{session} saw counter {number} at {value} from {begin} to {end}; \
                     increments acknowledged before: {done}, highest seen before: {known}"
                )
            });
        }
    }

    fn check_last(&self, counter: Counter, last: &LastState, verdict: &mut Verdict) {
        let found: Vec<u64> =
            last.counters.iter().filter(|one| one.0 == counter).map(|one| one.1).collect();
        let (sent, done) = (self.begins.len() as u64, self.acknowledged.len() as u64);
        let (number, value) = (counter.0, found.first().copied().unwrap_or_default());
        if value > sent {
            verdict.add(FaultKind::Doubled, last.end, || {
                format!("counter {number} is {value} in the end; increments sent: {sent}")
            });
        }
        if value < done {
            verdict.add(FaultKind::Lost, last.end, || {
                format!("counter {number} is {value} in the end; increments acknowledged: {done}")
            });
        }
    }

    fn sent_by(&self, moment: Moment) -> u64 {
        self.begins.partition_point(|begin| *begin <= moment) as u64
    }

    fn acknowledged_before(&self, moment: Moment) -> u64 {
        self.acknowledged.partition_point(|end| *end < moment) as u64
    }
}
