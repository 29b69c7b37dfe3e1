//! Files that go from one store to another while they are used.
//!
//! Until the end the old store is the truth: it is read first and has every file. The new store is
//! filled from it ([`pass()`]), at last with each upload doing its part (`Mirroring`), so that then
//! both have every file. From the decision on the new store is the truth, and the old one is asked
//! for what is missing, which is nothing if all went well.
//!
//! Invariants: a file that is acknowledged is in the store that is read first, on every server, and
//! if that server does not know yet which one that is, in the other; a file that is deleted while it
//! is copied does not come back, since who deletes begins with the old store, and who copies looks
//! there again afterwards; nothing is deleted from the new store that was not copied to it.

use crate::{Blob, BlobError, Key};

mod compare;
mod copy;
mod pass;
mod trial;
mod walk;

pub use compare::Depth;
pub use pass::{PassOutcome, Passing, pass};
pub use trial::{Obstacle, Trial, try_out};
pub use walk::{Count, count};

use copy::copy;

/// How far files are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Uploads go to the old store.
    Copying,
    /// Uploads go to both stores.
    Mirroring,
    /// Uploads go to the new store.
    Moved,
}

/// Two stores, while files go from one to the other.
#[derive(Debug)]
pub struct Moving {
    pub from: Blob,
    pub to: Blob,
    pub phase: Phase,
}

impl Moving {
    /// The store that has every file.
    pub(crate) fn primary(&self) -> &Blob {
        match self.phase {
            Phase::Copying | Phase::Mirroring => &self.from,
            Phase::Moved => &self.to,
        }
    }

    /// The other one, which may have what a server that knows less or more has stored.
    pub(crate) fn secondary(&self) -> &Blob {
        match self.phase {
            Phase::Copying | Phase::Mirroring => &self.to,
            Phase::Moved => &self.from,
        }
    }

    /// Copies a file that is stored where it is read first, if it must be in both.
    pub(crate) async fn mirror(&self, key: &Key) -> Result<(), BlobError> {
        if self.phase != Phase::Mirroring {
            return Ok(());
        }
        let copied = Box::pin(copy(&self.from, &self.to, key)).await;
        copied.map_err(|error| BlobError::NotMirrored(Box::new(error)))
    }
}

impl Blob {
    /// Sees to it that a file is where it must be, which was stored in `before` when that was where
    /// it had to be. Fails as [`store`](Self::store) does.
    pub async fn adopt(&self, key: &Key, before: &Blob) -> Result<(), BlobError> {
        match self {
            Blob::Folder(_) | Blob::S3(_) => match self.exists(key).await? {
                true => Ok(()),
                false => Box::pin(copy(before, self, key)).await,
            },
            Blob::Moving(moving) => {
                Box::pin(moving.primary().adopt(key, before)).await?;
                moving.mirror(key).await
            }
        }
    }
}

#[cfg(test)]
mod tests;
