//! One pass over all files: what the new store lacks or has otherwise is copied.
//!
//! A pass can be repeated at will and be cut off anywhere; nothing has to be remembered.

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;

use super::Depth;
use super::compare::{Compared, compare};
use super::copy::copy;
use super::walk::Walk;
use crate::error::settled;
use crate::{Blob, BlobError, Key, Listed, Prefix};

/// Files that are looked at or copied at once.
const AT_ONCE: usize = 8;
/// How often a file is tried again while a store cannot be reached, beside the store's own tries.
const PATIENCE_MAX: u32 = 8;
const PATIENCE_PAUSE: Duration = Duration::from_secs(2);
/// How often a file is looked at that comes and goes.
const LOOKS_MAX: u32 = 5;
/// How many files that cannot be copied are told.
const FAILURES_TOLD_MAX: usize = 10;

/// What a pass looks at.
#[derive(Debug, Clone, Copy)]
pub struct Passing<'a> {
    pub from: &'a Blob,
    pub to: &'a Blob,
    /// The content of files that have changed since is always looked at.
    pub changed_since: SystemTime,
    /// How closely is looked at the others.
    pub depth: Depth,
}

/// What a pass has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassOutcome {
    /// Files that were there already, copied, or deleted meanwhile.
    pub files: u64,
    pub bytes: u64,
    pub copied_files: u64,
    pub copied_bytes: u64,
    /// Files that could not be copied, and why; only some of them.
    pub failures: Vec<String>,
    pub failed_files: u64,
}

impl PassOutcome {
    fn add(&mut self, key: &Key, settled: Result<Settled, BlobError>) -> Result<(), BlobError> {
        match settled {
            Ok(settled) => {
                self.files += 1;
                self.bytes += settled.size_bytes;
                self.copied_files += u64::from(settled.copied);
                self.copied_bytes += if settled.copied { settled.size_bytes } else { 0 };
                Ok(())
            }
            // What is wrong with this file alone can wait for the end.
            Err(
                error @ (BlobError::Io { .. }
                | BlobError::Symlink(_)
                | BlobError::Attributes { .. }),
            ) => {
                self.failed_files += 1;
                if self.failures.len() < FAILURES_TOLD_MAX {
                    self.failures.push(format!("{key}: {}", with_causes(&error)));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", with_causes(source)),
        None => error.to_string(),
    }
}

/// A file and what became of it.
type Seen = (Key, Result<Settled, BlobError>);

pub(super) struct Settled {
    size_bytes: u64,
    copied: bool,
}

/// Goes through all files under `prefix` and adds to `outcome`, which `watch` sees after each file.
/// Fails with `Stopping` if `watch` says `Break`.
pub async fn pass(
    passing: Passing<'_>,
    prefix: &Prefix,
    outcome: &mut PassOutcome,
    watch: &mut (dyn FnMut(&PassOutcome) -> ControlFlow<()> + Send),
) -> Result<(), BlobError> {
    let mut walk = Walk::begin(passing.from, prefix);
    let mut at_work = JoinSet::new();
    let mut more = true;
    while more || !at_work.is_empty() {
        if more && at_work.len() < AT_ONCE {
            match walk.next().await? {
                Some(listed) => {
                    let work = settle(passing, listed);
                    at_work.spawn(work);
                }
                None => more = false,
            }
            continue;
        }
        let Some(done) = at_work.join_next().await else { break };
        let (key, done) = settled(done)?;
        outcome.add(&key, done)?;
        if watch(outcome).is_break() {
            return Err(BlobError::Stopping);
        }
    }
    Ok(())
}

/// Sees to one file, with patience for stores that cannot be reached for a while.
pub(super) fn settle(
    passing: Passing<'_>,
    listed: Listed,
) -> impl Future<Output = Result<Seen, BlobError>> + use<> {
    let (from, to) = (passing.from.clone(), passing.to.clone());
    let depth = match listed.modified >= passing.changed_since {
        true => Depth::Content,
        false => passing.depth,
    };
    async move {
        let mut tries = 0;
        loop {
            match settle_now(&from, &to, &listed.key, depth).await {
                Err(error) if error.is_temporary() && tries < PATIENCE_MAX => {
                    tries += 1;
                    tokio::time::sleep(PATIENCE_PAUSE * tries).await;
                }
                settled => return Ok((listed.key, settled)),
            }
        }
    }
}

/// A file that is deleted or stored anew while it is looked at is looked at again.
async fn settle_now(from: &Blob, to: &Blob, key: &Key, depth: Depth) -> Result<Settled, BlobError> {
    for _ in 0..LOOKS_MAX {
        match look(from, to, key, depth).await {
            Err(BlobError::NotFound) => {}
            settled => return settled,
        }
        if !from.exists(key).await? {
            // Whoever deleted it may have been through with the new store before it was copied.
            forget(to, key).await?;
            return Ok(Settled { size_bytes: 0, copied: false });
        }
    }
    let source = std::io::ErrorKind::Interrupted.into();
    Err(BlobError::Io { action: "copy", name: key.to_string(), source })
}

/// Fails with `NotFound` if the file is not there, or not any more.
async fn look(from: &Blob, to: &Blob, key: &Key, depth: Depth) -> Result<Settled, BlobError> {
    let size_bytes = match compare(from, to, key, depth).await? {
        Compared::Same { size_bytes } => return Ok(Settled { size_bytes, copied: false }),
        Compared::Different { size_bytes } => size_bytes,
    };
    copy(from, to, key).await?;
    match from.exists(key).await? {
        true => Ok(Settled { size_bytes, copied: true }),
        false => Err(BlobError::NotFound),
    }
}

async fn forget(to: &Blob, key: &Key) -> Result<(), BlobError> {
    match to.delete(key).await {
        Ok(()) | Err(BlobError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}
