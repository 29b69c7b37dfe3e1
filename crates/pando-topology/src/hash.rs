//! The same upstream for the same key, unless that one has more than its share.
//!
//! Each upstream gets a score from the key and its own id, and the highest score wins (rendezvous
//! hashing): when an upstream comes or goes, only its own keys move. One that has more than
//! `BOUND` times its fair share of what is in flight is passed over, so one hot key cannot drown it.
//!
//! Source: Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996; Mirrokni,
//! Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.

use crate::Load;

/// How much of the mean an upstream may have in flight.
const BOUND: f64 = 1.25;

/// What must go to the same upstream, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// FNV-1a, then mixed: the same on every machine and in every version.
    pub fn of(bytes: &[u8]) -> Key {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Key(mix(hash))
    }

    /// The score of an upstream for this key: the larger the weight, the larger its chance to have
    /// the highest one.
    fn score(self, upstream: Key, weight: f64) -> f64 {
        // 53 bits as a number in (0, 1].
        let uniform = ((mix(self.0 ^ upstream.0) >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        -weight / uniform.ln()
    }
}

/// Splitmix64's last steps.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The index of the upstream for `key`. `upstream` answers with the hash of its id and its load, or
/// `None` for those that must not be taken.
pub fn hash_pick(
    count: usize,
    key: Key,
    upstream: impl Fn(usize) -> Option<(Key, Load)>,
) -> Option<usize> {
    let mut in_flight = 1.0;
    let mut weights = 0.0;
    for (_, load) in (0..count).filter_map(&upstream) {
        in_flight += f64::from(load.in_flight);
        weights += load.weight;
    }
    let mut best: Option<(usize, f64)> = None;
    for index in 0..count {
        let Some((id, load)) = upstream(index) else { continue };
        let fair = (BOUND * in_flight * load.weight / weights).ceil();
        // Somebody is below the mean, so somebody is found.
        if f64::from(load.in_flight) + 1.0 > fair {
            continue;
        }
        let score = key.score(id, load.weight);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Load = Load { latency_micros: 0.0, in_flight: 0, weight: 1.0 };

    fn pick(key: u32, ids: &[&str], load: impl Fn(usize) -> Option<Load>) -> Option<usize> {
        let key = Key::of(&key.to_le_bytes());
        hash_pick(ids.len(), key, |index| Some((Key::of(ids[index].as_bytes()), load(index)?)))
    }

    #[test]
    fn keys_stay_when_others_come_and_go() {
        let four = ["a", "b", "c", "d"];
        let mut moved = 0;
        for key in 0..10_000 {
            let before = pick(key, &four, |_| Some(IDLE)).unwrap();
            let after = pick(key, &four[..3], |_| Some(IDLE)).unwrap();
            match before {
                3 => moved += 1,
                kept => assert_eq!(after, kept, "key {key}"),
            }
        }
        assert!((2_300..2_700).contains(&moved), "{moved}");
    }

    #[test]
    fn weights_are_shares_of_keys() {
        let weights = [1.0, 3.0];
        let load = |index: usize| Some(Load { weight: weights[index], ..IDLE });
        let heavy = (0..10_000).filter(|&key| pick(key, &["a", "b"], load) == Some(1)).count();
        assert!((7_300..7_700).contains(&heavy), "{heavy}");
    }

    #[test]
    fn a_hot_key_overflows_to_one_and_the_same_neighbour() {
        let ids = ["a", "b", "c", "d"];
        let owner = pick(1, &ids, |_| Some(IDLE)).unwrap();
        let busy =
            |index: usize| Some(Load { in_flight: if index == owner { 9 } else { 3 }, ..IDLE });
        let neighbour = pick(1, &ids, busy).unwrap();
        assert_ne!(neighbour, owner);
        assert_eq!(pick(1, &ids, busy), Some(neighbour));
        assert_eq!(pick(1, &ids, |_| None), None);
    }

    #[test]
    fn in_flight_stays_within_the_bound() {
        // All requests have one key and none ends.
        let mut in_flight = [0_u32; 5];
        for _ in 0..1_000 {
            let loads = in_flight;
            let load = |index: usize| Some(Load { in_flight: loads[index], ..IDLE });
            in_flight[pick(1, &["a", "b", "c", "d", "e"], load).unwrap()] += 1;
        }
        assert!(in_flight.iter().all(|&count| count <= 250), "{in_flight:?}");
    }
}
