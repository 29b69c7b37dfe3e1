//! How often an account gets a mail, and how often its one-time passwords may be guessed.
//!
//! Kept in memory, as PocketBase does, so that a restart forgets it; in the database where several
//! servers share one.
//!
//! Source: PocketBase `apis/record_auth_*_request.go` (resend keys), `record_auth_with_otp.go`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pando_schema::Record;
use pando_store::{Store, StoreError};

/// How long the same mail is not sent again.
const RESEND_AFTER: Duration = Duration::from_secs(2 * 60);

/// Guesses at one-time passwords that one client has for one account in a window.
const OTP_GUESSES_MAX: u32 = 5;
const OTP_WINDOW: Duration = Duration::from_secs(180);

/// About 200 bytes each: some 13 MB.
const ENTRIES_MAX: usize = 65_536;

/// The mails that are not sent again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Resend {
    Verification,
    PasswordReset,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Sent(Resend, String, String),
    Guess(String, IpAddr),
}

impl Key {
    /// What all servers call it.
    fn name(&self) -> String {
        format!("login {self:?}")
    }
}

/// What happened lately.
#[derive(Debug, Default)]
pub(crate) struct LoginLimits {
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    until: Instant,
    count: u32,
}

impl LoginLimits {
    /// Whether that mail may be sent to `record`: once in a while. Notes that it is on its way.
    pub(super) async fn may_send(
        &self,
        store: &Store,
        resend: Resend,
        record: &Record,
    ) -> Result<bool, StoreError> {
        Ok(self.count(store, sent_key(resend, record), RESEND_AFTER).await? <= 1)
    }

    /// Lets the mail be sent again at once.
    pub(super) async fn forget_sent(
        &self,
        store: &Store,
        resend: Resend,
        record: &Record,
    ) -> Result<(), StoreError> {
        let key = sent_key(resend, record);
        self.lock().remove(&key);
        store.forget_count(&key.name()).await
    }

    /// Counts a guess. False if there were too many.
    pub(super) async fn guess_allowed(
        &self,
        store: &Store,
        record: &Record,
        ip: IpAddr,
    ) -> Result<bool, StoreError> {
        let key = Key::Guess(record.id().to_owned(), ip);
        Ok(self.count(store, key, OTP_WINDOW).await? <= u64::from(OTP_GUESSES_MAX))
    }

    /// How often this happened in the window that began with the first time, on all servers.
    async fn count(&self, store: &Store, key: Key, window: Duration) -> Result<u64, StoreError> {
        match store.count(&key.name(), window).await? {
            Some((count, _)) => Ok(count),
            None => Ok(self.count_here(key, window, Instant::now()).into()),
        }
    }

    fn count_here(&self, key: Key, window: Duration, now: Instant) -> u32 {
        let mut entries = self.lock();
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(&key) {
            make_room(&mut entries, now);
        }
        let fresh = Entry { until: now + window, count: 0 };
        let entry = entries.entry(key).or_insert(fresh);
        if entry.until <= now {
            *entry = fresh;
        }
        entry.count = entry.count.saturating_add(1);
        entry.count
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sent_key(resend: Resend, record: &Record) -> Key {
    Key::Sent(resend, record.collection.id.clone(), record.id().to_owned())
}

/// Forgets what is over; if nothing is, the mails, so that guesses stay counted; else everything.
fn make_room(entries: &mut HashMap<Key, Entry>, now: Instant) {
    entries.retain(|_, entry| entry.until > now);
    if entries.len() >= ENTRIES_MAX {
        entries.retain(|key, _| matches!(key, Key::Guess(..)));
    }
    if entries.len() >= ENTRIES_MAX {
        entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn guess(number: u32) -> Key {
        Key::Guess("someone".to_owned(), Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_window_begins_with_the_first_time_and_ends() {
        let (limits, start) = (LoginLimits::default(), Instant::now());
        let mut counts = Vec::new();
        for seconds in [0, 1, 179, 180, 181] {
            let now = start + Duration::from_secs(seconds);
            counts.push(limits.count_here(guess(1), OTP_WINDOW, now));
        }
        assert_eq!(counts, [1, 2, 3, 1, 2]);
        assert_eq!(limits.count_here(guess(2), OTP_WINDOW, start), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let (limits, start) = (LoginLimits::default(), Instant::now());
        for number in 0..200_000 {
            limits.count_here(guess(number), OTP_WINDOW, start);
        }
        assert!(limits.lock().len() <= ENTRIES_MAX);
    }
}
