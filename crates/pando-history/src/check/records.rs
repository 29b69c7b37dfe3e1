//! Whether what was seen of one record is possible.
//!
//! Each sight has a *floor*: the rank that whoever looked must not fall behind. It comes from what
//! he wrote and saw himself and, where reads are linearizable, from what anybody did.

use std::collections::BTreeMap;

use super::Rules;
use super::sights::{By, Sight};
use super::timeline::Timeline;
use crate::{FaultKind, History, Key, Moment, Seen, SessionId, Step, Verdict, Version};

/// Judges the sights of one record.
pub(super) fn check(
    timeline: &Timeline,
    mut sights: Vec<Sight>,
    rules: Rules,
    verdict: &mut Verdict,
) {
    sights.sort_by_key(|sight| (sight.begin, sight.end));
    let mut by_end: Vec<usize> = (0..sights.len()).collect();
    by_end.sort_by_key(|index| sights[*index].end);
    let mut by_end = by_end.into_iter().peekable();
    let mut ranks: Vec<usize> = Vec::with_capacity(sights.len());
    let mut known = Known { timeline, rules, anybody: 0, sessions: BTreeMap::new() };
    for sight in &sights {
        // Whatever ended before this one began, began before it, so it has its rank already.
        while let Some(index) = by_end.next_if(|index| sights[*index].end < sight.begin) {
            known.anybody = known.anybody.max(ranks[index]);
        }
        let floor = known.floor(sight);
        let rank = match rank(timeline, sight, floor) {
            Ok(rank) => rank,
            Err((kind, why)) => {
                verdict.add(kind, sight.end, || describe(timeline.key, sight, &why));
                0
            }
        };
        let own = known.sessions.entry(sight.session).or_default();
        *own = (*own).max(rank);
        ranks.push(rank);
    }
}

/// Nothing that was made once is there twice, in the end or in a list.
pub(super) fn check_unique(history: &History, verdict: &mut Verdict) {
    for read in &history.reads {
        if let Seen::Records(_, found) = &read.seen {
            check_list(found, read.end, "a list", verdict);
        }
    }
    for step in history.streams.iter().flat_map(|stream| &stream.steps) {
        if let Step::Fetched { end, seen, .. } = step {
            check_list(seen, *end, "a list", verdict);
        }
    }
    if let Some(last) = &history.last {
        check_list(&last.records, last.end, "the end", verdict);
    }
}

fn check_list(found: &[(Key, Version)], at: Moment, place: &str, verdict: &mut Verdict) {
    let mut counts: BTreeMap<Key, u32> = BTreeMap::new();
    for (key, _) in found {
        *counts.entry(*key).or_default() += 1;
    }
    for (key, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
        verdict.add(FaultKind::Doubled, at, || {
            format!("{count} records in {place} at {at} come from the one creation of {key}")
        });
    }
}

/// Who knew what when a sight began.
struct Known<'a> {
    timeline: &'a Timeline,
    rules: Rules,
    /// The highest rank in any sight that had ended.
    anybody: usize,
    sessions: BTreeMap<SessionId, usize>,
}

/// What a sight must not fall behind, and why.
struct Floor {
    rank: usize,
    reason: Reason,
}

enum Reason {
    OwnWrite,
    OwnSight,
    Acknowledged,
    OthersSight,
}

impl Known<'_> {
    fn floor(&self, sight: &Sight) -> Floor {
        let nothing = Floor { rank: 0, reason: Reason::OwnSight };
        let acknowledged = self.timeline.acknowledged_before(sight.begin);
        let own = self.sessions.get(&sight.session).copied().unwrap_or_default();
        let writer = sight.session.0 == self.timeline.key.owner;
        let own_write = if writer { acknowledged } else { 0 };
        let all = match sight.by {
            // It may tell of what is long past; its order is judged with its stream.
            By::Event => return nothing,
            By::Read => self.rules.linearizable,
            By::Last => true,
        };
        let (acknowledged, anybody) = if all { (acknowledged, self.anybody) } else { (0, 0) };
        [
            Floor { rank: anybody, reason: Reason::OthersSight },
            Floor { rank: acknowledged, reason: Reason::Acknowledged },
            Floor { rank: own, reason: Reason::OwnSight },
            Floor { rank: own_write, reason: Reason::OwnWrite },
        ]
        .into_iter()
        .fold(nothing, |best, next| if next.rank >= best.rank { next } else { best })
    }
}

/// The rank that was seen, or what is wrong with it.
fn rank(timeline: &Timeline, sight: &Sight, floor: Floor) -> Result<usize, (FaultKind, String)> {
    let rank = match sight.seen {
        Some(version) => rank_of_version(timeline, version, sight.end)
            .map_err(|why| (FaultKind::Phantom, why))?,
        None => match timeline.rank_of_deletion() {
            // Whoever knows of nothing may as well look at the time before the creation.
            Some(rank)
                if timeline.happening(rank).begin <= sight.end
                    && (floor.rank > 0 || sight.by == By::Event) =>
            {
                rank
            }
            _ if sight.by == By::Event => {
                return Err((FaultKind::Phantom, "which nobody had asked for".to_owned()));
            }
            _ => 0,
        },
    };
    if rank >= floor.rank {
        return Ok(rank);
    }
    let kind = if sight.by == By::Last { FaultKind::Lost } else { FaultKind::Stale };
    Err((kind, floor.explain(timeline)))
}

fn rank_of_version(timeline: &Timeline, version: Version, end: Moment) -> Result<usize, String> {
    let Some(rank) = timeline.rank_of(version) else {
        return Err(match timeline.refused(version) {
            true => "which was refused".to_owned(),
            false => "which nobody wrote".to_owned(),
        });
    };
    let begin = timeline.happening(rank).begin;
    if begin > end {
        return Err(format!("which was written only from {begin} on"));
    }
    Ok(rank)
}

impl Floor {
    fn explain(&self, timeline: &Timeline) -> String {
        let happening = timeline.happening(self.rank);
        let what = named(happening.version);
        match (&self.reason, happening.acknowledged) {
            (Reason::OwnWrite, Some(at)) => format!("its own write of {what} was answered at {at}"),
            (Reason::Acknowledged, Some(at)) => format!("{what} was acknowledged at {at}"),
            (Reason::OwnSight, _) => format!("it had seen {what} before"),
            (Reason::OthersSight, _) => format!("{what} had been seen before"),
            (Reason::OwnWrite | Reason::Acknowledged, None) => format!("{what} was written before"),
        }
    }
}

fn named(version: Option<Version>) -> String {
    version.map_or_else(|| "its deletion".to_owned(), |version| format!("version {version}"))
}

fn describe(key: Key, sight: &Sight, why: &str) -> String {
    let Sight { session, begin, end, .. } = sight;
    let what = match sight.seen {
        Some(version) => format!("version {version} of record {key}"),
        None if sight.by == By::Event => format!("the deletion of record {key}"),
        None => format!("no record {key}"),
    };
    match sight.by {
        By::Read => format!("{session} read {what} from {begin} to {end}; {why}"),
        By::Event => format!("{session} was told of {what} at {end}; {why}"),
        By::Last => format!("{what} in the end; {why}"),
    }
}
