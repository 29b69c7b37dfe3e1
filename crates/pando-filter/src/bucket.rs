//! The bucket of a record: which part of the data an id belongs to, for ever.
//!
//! `bucket(id) = XXH64(id, seed 0) & 4095` over the UTF-8 bytes of the id. Stored in the column
//! `_b` of every table, so no release may change it.
//!
//! Source: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>, "XXH64".

/// How many buckets there are.
pub const BUCKETS: u16 = 4096;

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// The bucket of the record with that id.
pub fn bucket(id: &str) -> u16 {
    u16::try_from(xxh64(id.as_bytes()) & u64::from(BUCKETS - 1)).unwrap_or(0)
}

/// XXH64 with seed 0.
pub(crate) fn xxh64(input: &[u8]) -> u64 {
    let length = u64::try_from(input.len()).unwrap_or(u64::MAX);
    let (stripes, rest) = input.as_chunks::<32>();
    let mut hash = if stripes.is_empty() { PRIMES[4] } else { long(stripes) };
    hash = hash.wrapping_add(length);
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        hash ^= round(0, u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3]);
    }
    let (halves, rest) = rest.as_chunks::<4>();
    for half in halves {
        hash ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(PRIMES[0]);
        hash = hash.rotate_left(23).wrapping_mul(PRIMES[1]).wrapping_add(PRIMES[2]);
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
        hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

/// The state after all whole stripes of 32 bytes.
fn long(stripes: &[[u8; 32]]) -> u64 {
    let mut lanes =
        [PRIMES[0].wrapping_add(PRIMES[1]), PRIMES[1], 0, 0_u64.wrapping_sub(PRIMES[0])];
    for stripe in stripes {
        for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    let turns = [1, 7, 12, 18];
    let start = lanes
        .iter()
        .zip(turns)
        .fold(0_u64, |sum, (lane, turn)| sum.wrapping_add(lane.rotate_left(turn)));
    lanes.iter().fold(start, |hash, lane| {
        (hash ^ round(0, *lane)).wrapping_mul(PRIMES[0]).wrapping_add(PRIMES[3])
    })
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIMES[1])).rotate_left(31).wrapping_mul(PRIMES[0])
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket, xxh64};

    #[test]
    fn the_hash_gives_the_published_values() {
        assert_eq!(xxh64(b""), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(xxh64(b"abc"), 0x44bc_2cf5_ad77_0999);
        let long = b"Nobody inspects the spammish repetition";
        assert_eq!(xxh64(long), 0xfbce_a83c_8a37_8bf1);
    }

    #[test]
    fn buckets_never_change() {
        let buckets = ["", "a", "abc", "0123456789abcde", "records_made_by_hand_may_be_longer_é"];
        assert_eq!(buckets.map(bucket), [0x999, 0xe5b, 0x999, 0xa4d, 0xf6f]);
    }

    #[test]
    fn similar_ids_spread() {
        let mut used = vec![false; usize::from(BUCKETS)];
        for number in 0..100_000 {
            used[usize::from(bucket(&format!("user{number:07}")))] = true;
        }
        assert!(used.iter().all(|used| *used));
    }
}
