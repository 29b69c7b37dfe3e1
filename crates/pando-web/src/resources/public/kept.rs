//! Small files kept in memory, each as long as the file system says that it is the same.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::site::{Content, File};

/// All kept files together; past it, all are forgotten and read again as they are asked for.
const KEPT_BYTES_MAX: usize = 16 << 20;
const KEPT_FILES_MAX: usize = 4_096;
/// File systems tell changes apart by clocks that may stand still for some milliseconds: what
/// changed just now may change again unseen.
const SETTLED_SECONDS: u64 = 2;

/// Files by the name under which they are asked for.
#[derive(Debug, Default)]
pub(super) struct Kept {
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    by_name: HashMap<String, (Version, Arc<File>)>,
    bytes: usize,
}

/// Which content of which file. The system sets the time of change; nobody else can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size_bytes: u64,
    changed_at: (i64, i64),
}

impl Version {
    pub(super) fn of(metadata: &Metadata) -> Version {
        Version {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            changed_at: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        u64::try_from(self.changed_at.0).is_ok_and(|changed| changed + SETTLED_SECONDS <= now)
    }
}

impl Kept {
    /// What is kept under `name`, if it is this version.
    pub(super) fn find(&self, name: &str, version: Version) -> Option<Arc<File>> {
        let files = self.lock();
        let (known, file) = files.by_name.get(name)?;
        (*known == version).then(|| Arc::clone(file))
    }

    /// Keeps a file that was read whole.
    pub(super) fn keep(&self, name: String, file: &Arc<File>) {
        if file.version.settled() {
            self.keep_settled(name, file);
        }
    }

    pub(super) fn keep_settled(&self, name: String, file: &Arc<File>) {
        let Content::Whole(whole) = &file.content else { return };
        // Read while it grew or shrank, it would be a version that never was.
        if file.version.size_bytes != whole.len() as u64 {
            return;
        }
        let mut files = self.lock();
        let full = files.bytes + whole.len() > KEPT_BYTES_MAX;
        if full || files.by_name.len() >= KEPT_FILES_MAX {
            *files = Files::default();
        }
        files.bytes += whole.len();
        if let Some((old, _)) = files.by_name.insert(name, (file.version, Arc::clone(file))) {
            files.bytes -= usize::try_from(old.size_bytes).unwrap_or(0);
        }
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let files = self.lock();
        (files.by_name.len(), files.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
