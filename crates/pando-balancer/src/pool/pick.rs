//! The upstream for one try of a request.

use std::sync::Arc;
use std::time::Duration;

use pando_topology::{Key, Load, Turns, hash_pick, least_loaded, two_choices};
use rand::rngs::StdRng;

use super::{Pool, Serving};
use crate::config::Choice;
use crate::upstream::Upstream;

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) choice: Choice,
    /// For [`Choice::Hash`].
    pub(crate) key: Option<Key>,
    /// It will have an endless answer.
    pub(crate) stream: bool,
    /// Those that were tried, by id.
    pub(crate) tried: &'a [u64],
}

impl Pool {
    /// The upstream to ask, or `None` if all have as much as they can take, or there are none.
    ///
    /// Those that were tried are asked again only if there is nobody else.
    pub(crate) fn pick(
        &self,
        wish: &Wish<'_>,
        now: Duration,
        rng: &mut StdRng,
        turns: &mut Turns,
    ) -> Option<Arc<Upstream>> {
        let roster = self.roster.load();
        let fresh = roster.pick(wish, now, rng, turns);
        let again = || roster.pick(&Wish { tried: &[], ..*wish }, now, rng, turns);
        match wish.tried {
            [] => fresh,
            _ => fresh.or_else(again),
        }
    }

    /// Whether there is anybody to ask.
    pub(crate) fn deserted(&self) -> bool {
        self.roster.load().entries.is_empty()
    }
}

impl Serving {
    fn pick(
        &self,
        wish: &Wish<'_>,
        now: Duration,
        rng: &mut StdRng,
        turns: &mut Turns,
    ) -> Option<Arc<Upstream>> {
        let count = self.entries.len();
        let eligible = |index: usize| {
            let (upstream, weight) = &self.entries[index];
            let usable = !wish.tried.contains(&upstream.id) && !upstream.full();
            usable.then_some((upstream, *weight))
        };
        let load = |index: usize| -> Option<Load> {
            let (upstream, weight) = eligible(index)?;
            Some(upstream.load(now, weight))
        };
        let index = match (wish.choice, wish.key) {
            // Streams stay: so it is their number that must be even, not the work of the moment.
            _ if wish.stream => least_loaded(count, rng, |index| {
                let (upstream, weight) = eligible(index)?;
                Some(upstream.load_of_streams(weight))
            }),
            (Choice::Hash, Some(key)) => {
                hash_pick(count, key, |index| Some((self.entries[index].0.key, load(index)?)))
            }
            (Choice::PeakEwma | Choice::Hash, _) => two_choices(count, rng, self.uniform, load),
            (Choice::LeastRequests, _) => least_loaded(count, rng, load),
            (Choice::RoundRobin, _) => {
                if turns.count() != count {
                    *turns = Turns::new(count, rand::Rng::random_range(rng, 0..count.max(1)));
                }
                turns.next(|index| Some(eligible(index)?.1))
            }
        };
        Some(Arc::clone(&self.entries[index?].0))
    }
}
