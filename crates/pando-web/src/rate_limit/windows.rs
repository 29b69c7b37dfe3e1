//! Counters per client, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Limit;

const SHARDS: usize = 16;
/// With 16 shards 131,072 counters of about 64 bytes: 8 MiB.
const CLIENTS_PER_SHARD_MAX: usize = 8_192;

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub(super) scope: u64,
    pub(super) ip: IpAddr,
}

#[derive(Debug, Default)]
pub(super) struct Windows {
    pub(super) hasher: RandomState,
    shards: [Mutex<HashMap<Client, Window>>; SHARDS],
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at_seconds: u64,
    used: u64,
}

impl Windows {
    /// Counts one request. Fails with the seconds to wait when the share is used up.
    pub(super) fn count(&self, client: Client, limit: &Limit, now_seconds: u64) -> Result<(), u32> {
        let mut shard = self.shard(client);
        if shard.len() >= CLIENTS_PER_SHARD_MAX && !shard.contains_key(&client) {
            make_room(&mut shard, now_seconds);
        }
        let fresh =
            Window { ends_at_seconds: now_seconds.saturating_add(limit.window_seconds), used: 0 };
        let window = shard.entry(client).or_insert(fresh);
        if window.ends_at_seconds <= now_seconds {
            *window = fresh;
        }
        if window.used >= limit.requests_max {
            let wait = window.ends_at_seconds - now_seconds;
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        window.used += 1;
        Ok(())
    }

    fn shard(&self, client: Client) -> MutexGuard<'_, HashMap<Client, Window>> {
        let index = self.hasher.hash_one(client) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets windows that ended; all of them if none did: rather let some requests through than
/// shut everybody out because one client comes from many addresses.
fn make_room(shard: &mut HashMap<Client, Window>, now_seconds: u64) {
    shard.retain(|_, window| window.ends_at_seconds > now_seconds);
    if shard.len() >= CLIENTS_PER_SHARD_MAX {
        shard.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LIMIT: Limit = Limit { requests_max: 2, window_seconds: 5 };

    fn client(number: u32) -> Client {
        Client { scope: 7, ip: Ipv4Addr::from_bits(number).into() }
    }

    #[test]
    fn a_window_lets_its_share_through() {
        let windows = Windows::default();
        let outcomes: Vec<_> = [100, 101, 101, 104, 105, 106, 107]
            .map(|now| windows.count(client(1), &LIMIT, now))
            .into();
        assert_eq!(outcomes, [Ok(()), Ok(()), Err(4), Err(1), Ok(()), Ok(()), Err(3)]);
    }

    #[test]
    fn clients_and_scopes_are_counted_apart() {
        let windows = Windows::default();
        for _ in 0..2 {
            assert_eq!(windows.count(client(1), &LIMIT, 100), Ok(()));
            assert_eq!(windows.count(client(2), &LIMIT, 100), Ok(()));
            let other = Client { scope: 8, ..client(1) };
            assert_eq!(windows.count(other, &LIMIT, 100), Ok(()));
        }
        assert_eq!(windows.count(client(1), &LIMIT, 100), Err(5));
    }

    #[test]
    fn memory_is_bounded() {
        let windows = Windows::default();
        for number in 0..200_000 {
            let _ = windows.count(client(number), &LIMIT, 100);
        }
        let kept: usize = windows.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * CLIENTS_PER_SHARD_MAX);
    }
}
