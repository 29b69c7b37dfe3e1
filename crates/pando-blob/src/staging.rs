//! Where files lie until they are complete: a hidden folder within the root, so that giving a file
//! its name is one step on one file system.
//!
//! Several servers may use the folder at the same time, over a network file system too.
//!
//! Invariant: what somebody may still be writing is never deleted. A file is a leftover when nobody
//! has touched it for a day, by the clock of the file system that it lies on: clocks of servers may
//! differ.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::error::blocking;
use crate::folder::{TempFile, walk};
use crate::{BlobError, Upload};

/// The name of the folder. No key has a segment that begins like this.
const FOLDER: &str = ".pando-staging";
/// Longer than any upload takes: each of its pieces touches its file, and a server waits for the
/// next one for `web.body_timeout`, minutes.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3600);

/// Takes in files that are not stored yet. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Staging {
    root: Arc<OwnedFd>,
}

impl Staging {
    /// Staging within the folder `root`.
    pub(crate) fn within(root: Arc<OwnedFd>) -> Staging {
        Staging { root }
    }

    /// Begins to receive a file of at most `bytes_max` bytes, to be stored later.
    pub fn upload(&self, bytes_max: u64) -> Upload {
        Upload::new(self.clone(), bytes_max)
    }

    /// Makes an empty file.
    pub(crate) fn create(&self) -> Result<TempFile, BlobError> {
        // Opened each time: whoever tidies up by hand may delete the folder.
        TempFile::create(Arc::new(walk::make_folder(&self.root, FOLDER)?))
    }

    /// Deletes what processes that died left behind. Returns how many files that was.
    pub async fn remove_leftovers(&self) -> Result<u64, BlobError> {
        let staging = self.clone();
        blocking(move || staging.remove_older_than(LEFTOVER_AGE)).await
    }

    fn remove_older_than(&self, age: Duration) -> Result<u64, BlobError> {
        let dir = match walk::open_segment(self.root.as_fd(), FOLDER) {
            Ok(dir) => dir,
            Err(BlobError::NotFound) => return Ok(0),
            Err(error) => return Err(error),
        };
        let now = self.create()?.modified()?;
        let mut count = 0;
        for name in walk::names(&dir)?.iter().filter(|name| TempFile::named(name)) {
            let Ok(file) = walk::open_regular(&dir, name) else { continue };
            let touched: SystemTime = match file.metadata().and_then(|known| known.modified()) {
                Ok(touched) => touched,
                Err(_) => continue,
            };
            if now.duration_since(touched).is_ok_and(|untouched| untouched > age) {
                match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
                    Ok(()) => count += 1,
                    // Another server was faster.
                    Err(Errno::NOENT) => {}
                    Err(errno) => return Err(BlobError::io("delete", name, errno.into())),
                }
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
