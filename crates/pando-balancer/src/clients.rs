//! What one client may take: connections at once, and requests a second.
//!
//! A client is an address, or a /64 network in version 6, for that is what one customer has.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pando_topology::{RateDecision, RatePolicy, RateState};

/// Parts with a lock of their own, so that workers seldom meet.
const SHARDS: usize = 16;
/// Clients that a part remembers. Beyond that it limits only those whom it knows: forgetting a
/// limit for a while is better than refusing strangers.
const CLIENTS_PER_SHARD_MAX: usize = 65_536;

/// See [the module](self).
pub(crate) struct Clients {
    hasher: RandomState,
    shards: [Arc<Mutex<HashMap<ClientKey, Account>>>; SHARDS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ClientKey(u128);

#[derive(Debug, Default)]
struct Account {
    connections: u32,
    rate: RateState,
}

/// One more connection of a client, until it is dropped.
pub(crate) struct Present {
    key: ClientKey,
    shard: Arc<Mutex<HashMap<ClientKey, Account>>>,
}

impl Default for Clients {
    fn default() -> Clients {
        let shards = std::array::from_fn(|_| Arc::default());
        Clients { hasher: RandomState::new(), shards }
    }
}

impl Clients {
    /// Counts a connection, or refuses it if the client has `most` already.
    pub(crate) fn connect(
        &self,
        ip: IpAddr,
        most: u32,
    ) -> Result<Option<Present>, TooManyConnections> {
        let key = ClientKey::of(ip);
        let shard = self.shard(key);
        let mut accounts = lock(shard);
        if accounts.len() >= CLIENTS_PER_SHARD_MAX && !accounts.contains_key(&key) {
            return Ok(None);
        }
        let account = accounts.entry(key).or_default();
        if account.connections >= most {
            return Err(TooManyConnections);
        }
        account.connections += 1;
        Ok(Some(Present { key, shard: Arc::clone(shard) }))
    }

    /// Counts a request.
    pub(crate) fn ask(&self, ip: IpAddr, now: Duration, policy: RatePolicy) -> RateDecision {
        let key = ClientKey::of(ip);
        let mut accounts = lock(self.shard(key));
        if accounts.len() >= CLIENTS_PER_SHARD_MAX && !accounts.contains_key(&key) {
            return RateDecision::Allowed { remaining: 0 };
        }
        accounts.entry(key).or_default().rate.take(now, policy)
    }

    /// Forgets those who have all that they may have.
    pub(crate) fn sweep(&self, now: Duration) {
        for shard in &self.shards {
            lock(shard).retain(|_, account| account.connections > 0 || !account.rate.full(now));
        }
    }

    /// How many are remembered.
    pub(crate) fn count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, key: ClientKey) -> &Arc<Mutex<HashMap<ClientKey, Account>>> {
        // The remainder is below the number of parts.
        &self.shards[(self.hasher.hash_one(key) % SHARDS as u64) as usize]
    }
}

/// The client has as many connections as it may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyConnections;

impl ClientKey {
    fn of(ip: IpAddr) -> ClientKey {
        const NETWORK_64: u128 = !0 << 64;
        match ip.to_canonical() {
            IpAddr::V4(ip) => ClientKey(u128::from(ip.to_bits())),
            IpAddr::V6(ip) => ClientKey(ip.to_bits() & NETWORK_64),
        }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        if let Some(account) = lock(&self.shard).get_mut(&self.key) {
            account.connections = account.connections.saturating_sub(1);
        }
    }
}

fn lock(shard: &Mutex<HashMap<ClientKey, Account>>) -> MutexGuard<'_, HashMap<ClientKey, Account>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_client() {
        let clients = Clients::default();
        let ip = |text: &str| text.parse().unwrap();
        let first = clients.connect(ip("2001:db8::1"), 2).unwrap();
        let _second = clients.connect(ip("2001:db8::2"), 2).unwrap();
        assert!(clients.connect(ip("2001:db8::3"), 2).is_err(), "the same /64");
        assert!(clients.connect(ip("2001:db8:0:1::1"), 2).is_ok());
        drop(first);
        assert!(clients.connect(ip("2001:db8::3"), 2).is_ok());
        assert!(clients.connect(ip("::ffff:1.2.3.4"), 1).is_ok());
        clients.sweep(Duration::ZERO);
        assert_eq!(clients.count(), 1);
    }

    #[test]
    fn requests_are_limited_and_forgotten() {
        let clients = Clients::default();
        let policy = RatePolicy { per_second: 1, burst: 1 };
        let (ip, now) = ("1.2.3.4".parse().unwrap(), Duration::from_secs(9));
        assert_eq!(clients.ask(ip, now, policy), RateDecision::Allowed { remaining: 0 });
        assert!(matches!(clients.ask(ip, now, policy), RateDecision::Limited { .. }));
        clients.sweep(now);
        assert_eq!(clients.count(), 1);
        clients.sweep(now + Duration::from_secs(2));
        assert_eq!(clients.count(), 0);
    }
}
