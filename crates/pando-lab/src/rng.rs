//! A small seeded generator (SplitMix64): the same seed gives the same draws on every release.

/// Random numbers for tests and loads; not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Starts the sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An independent sequence for `label`, so that one part can grow without moving the others.
    pub fn fork(&self, label: &str) -> Self {
        // FNV-1a, 64 bits.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state: self.state ^ hash }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which must not be zero.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "an empty range has no member");
        usize::try_from(self.next_u64() % end as u64).expect("a remainder of a usize fits")
    }

    /// A number in `start..end`.
    pub fn between(&mut self, start: i64, end: i64) -> i64 {
        let width = end.abs_diff(start).max(1);
        start.wrapping_add_unsigned(self.next_u64() % width)
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.next_u64() % 100 < percent
    }

    /// One of the items, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// `count` characters of `alphabet` (ASCII).
    pub fn text(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count).map(|_| char::from(*self.pick(alphabet))).collect()
    }

    /// A record id as PocketBase makes them: 15 characters of `a-z0-9`.
    pub fn record_id(&mut self) -> String {
        self.text("abcdefghijklmnopqrstuvwxyz0123456789", 15)
    }

    /// Puts the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}
