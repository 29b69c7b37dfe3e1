//! Picks the upstream for one request: the less loaded of two random ones, or of all.
//!
//! Load is the square of the expected latency times requests in flight. Latencies within a factor of
//! two count as equal: below that the difference is noise, and following noise would starve equal
//! servers. Squared, since what is in flight at a slow server is waited for longer: with the plain
//! product, as Finagle has it, the slow one gets so many requests that they decide the tail.
//!
//! Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS
//! 12(10), 2001.
//!
//! *Invariant*: among equal upstreams the first one drawn wins, so shares follow the weights.

use rand::Rng;

/// Latencies whose ratio is below this are equal.
const SAME_LATENCY: f64 = 2.0;
/// Below that, differences come from the machine and not from the server.
const LATENCY_FLOOR_MICROS: f64 = 250.0;

/// How busy an upstream is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// See [`Estimate::expected`](crate::Estimate::expected).
    pub latency_micros: f64,
    pub in_flight: u32,
    /// Its share of the work, slow start considered; above 0.
    pub weight: f64,
}

impl Load {
    /// Whether a request should rather go here than to `other`.
    fn lighter_than(&self, other: &Load) -> bool {
        let [mine, theirs] =
            [self, other].map(|load| load.latency_micros.max(LATENCY_FLOOR_MICROS));
        let ratio = mine / theirs;
        let equal = (1.0 / SAME_LATENCY..=SAME_LATENCY).contains(&ratio);
        // Squared: one that is five times slower and idle takes five times as long as the others,
        // so it shall wait until their queues are that long and longer.
        let ratio = if equal { 1.0 } else { ratio * ratio };
        ratio * self.queue() < other.queue()
    }

    /// Requests in flight as an upstream of weight 1 would have them, with the one to come.
    fn queue(&self) -> f64 {
        f64::from(self.in_flight) / self.weight + 1.0
    }
}

/// The index of the less loaded of two random upstreams, drawn by their weights.
///
/// `load` answers `None` for those that must not be taken. `None` if that is all of them. With
/// `uniform` the weights are known to be equal, so that no request need look at all upstreams.
pub fn two_choices(
    count: usize,
    rng: &mut impl Rng,
    uniform: bool,
    load: impl Fn(usize) -> Option<Load>,
) -> Option<usize> {
    let first = draw(count, rng, &load, uniform, None)?;
    let Some(second) = draw(count, rng, &load, uniform, Some(first.0)) else {
        return Some(first.0);
    };
    Some(if second.1.lighter_than(&first.1) { second.0 } else { first.0 })
}

/// How often a blind draw is tried before the weights are summed up.
const BLIND_DRAWS: usize = 4;

/// A random upstream other than `taken`, by weight.
fn draw(
    count: usize,
    rng: &mut impl Rng,
    load: &impl Fn(usize) -> Option<Load>,
    uniform: bool,
    taken: Option<usize>,
) -> Option<(usize, Load)> {
    if count == 0 {
        return None;
    }
    for _ in 0..if uniform { BLIND_DRAWS } else { 0 } {
        let index = rng.random_range(0..count);
        if taken != Some(index)
            && let Some(found) = load(index)
        {
            return Some((index, found));
        }
    }
    draw_by_sum(count, rng, load, taken)
}

fn draw_by_sum(
    count: usize,
    rng: &mut impl Rng,
    load: &impl Fn(usize) -> Option<Load>,
    taken: Option<usize>,
) -> Option<(usize, Load)> {
    let eligible = || (0..count).filter(|&index| taken != Some(index));
    let sum: f64 = eligible().filter_map(load).map(|load| load.weight).sum();
    let mut left = rng.random::<f64>() * sum;
    let mut last = None;
    for index in eligible() {
        let Some(found) = load(index) else { continue };
        last = Some((index, found));
        left -= found.weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// The index of the least loaded upstream of all; equal ones have equal chances.
pub fn least_loaded(
    count: usize,
    rng: &mut impl Rng,
    load: impl Fn(usize) -> Option<Load>,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    let mut equals = 0;
    for index in 0..count {
        let Some(found) = load(index) else { continue };
        let queue = found.queue();
        match best {
            Some((_, least)) if queue > least => {}
            Some((_, least)) if queue == least => {
                equals += 1;
                if rng.random_range(0..equals) == 0 {
                    best = Some((index, queue));
                }
            }
            _ => {
                equals = 1;
                best = Some((index, queue));
            }
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    const IDLE: Load = Load { latency_micros: 1_000.0, in_flight: 0, weight: 1.0 };

    /// How often each upstream is picked in 100,000 requests, in percent.
    fn shares(loads: &[Option<Load>]) -> Vec<u32> {
        let mut rng = StdRng::seed_from_u64(7);
        let mut counts = vec![0_u32; loads.len()];
        for _ in 0..100_000 {
            let uniform = loads.iter().flatten().all(|load| load.weight == 1.0);
            counts[two_choices(loads.len(), &mut rng, uniform, |index| loads[index]).unwrap()] += 1;
        }
        counts.into_iter().map(|count| (f64::from(count) / 1_000.0).round() as u32).collect()
    }

    #[test]
    fn equal_upstreams_get_equal_shares() {
        let equal = |shares: Vec<u32>, share| shares.iter().all(|one| one.abs_diff(share) <= 1);
        assert!(equal(shares(&[Some(IDLE); 4]), 25));
        // Noise in the latency changes nothing.
        let noisy = |micros| Some(Load { latency_micros: micros, ..IDLE });
        assert!(equal(shares(&[noisy(1_000.0), noisy(1_900.0), noisy(1_100.0)]), 33));
    }

    #[test]
    fn weights_are_shares() {
        let weighing = |weight| Some(Load { weight, ..IDLE });
        assert_eq!(shares(&[weighing(1.0), weighing(3.0)]), [25, 75]);
        let warming = shares(&[weighing(1.0), weighing(1.0), weighing(0.1)]);
        assert_eq!(warming[2], 5, "{warming:?}");
    }

    #[test]
    fn slow_and_busy_upstreams_are_avoided() {
        let slow = Some(Load { latency_micros: 5_000.0, ..IDLE });
        assert_eq!(shares(&[slow, Some(IDLE)]), [0, 100]);
        let busy = Some(Load { in_flight: 3, ..IDLE });
        assert_eq!(shares(&[busy, Some(IDLE)]), [0, 100]);
        // A slow one is better than a fast one with a long queue.
        let queue = Some(Load { in_flight: 29, ..IDLE });
        assert_eq!(shares(&[slow, queue]), [100, 0]);
    }

    #[test]
    fn what_must_not_be_taken_is_not() {
        assert_eq!(shares(&[None, Some(IDLE), None, None]), [0, 100, 0, 0]);
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(two_choices(2, &mut rng, true, |_| None), None);
        assert_eq!(two_choices(0, &mut rng, true, |_| Some(IDLE)), None);
        assert_eq!(least_loaded(2, &mut rng, |_| None), None);
    }

    #[test]
    fn the_least_loaded_of_all() {
        let mut rng = StdRng::seed_from_u64(1);
        let loads = [5, 2, 9].map(|in_flight| Load { in_flight, ..IDLE });
        assert_eq!(least_loaded(3, &mut rng, |index| Some(loads[index])), Some(1));
        let heavy =
            |index| Some(Load { weight: if index == 2 { 10.0 } else { 1.0 }, ..loads[index] });
        assert_eq!(least_loaded(3, &mut rng, heavy), Some(2));
        let mut counts = [0; 3];
        for _ in 0..3_000 {
            counts[least_loaded(3, &mut rng, |_| Some(IDLE)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
