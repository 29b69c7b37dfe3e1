//! Compressed files, kept so that each is compressed once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::site::{Content, File};
use crate::compress;

/// Larger files are sent as they are.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// All kept files together; past it, all are forgotten and made again as they are asked for.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// Compressed files by path.
#[derive(Debug, Default, Clone)]
pub(super) struct Packed {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    files: BTreeMap<PathBuf, Version>,
    bytes: usize,
}

#[derive(Debug)]
struct Version {
    modified: SystemTime,
    size_bytes: u64,
    packed: Bytes,
}

impl Packed {
    /// The file compressed. `None` if it is too large, cannot be read or changed meanwhile.
    pub(super) async fn of(&self, file: &File) -> Option<Bytes> {
        if file.size_bytes > FILE_BYTES_MAX {
            return None;
        }
        if let Some(packed) = self.lock().find(file) {
            return Some(packed);
        }
        let content = match &file.content {
            Content::Whole(whole) => whole.clone(),
            Content::Opened(_) => Bytes::from(tokio::fs::read(&file.path).await.ok()?),
        };
        if content.len() as u64 != file.size_bytes {
            return None;
        }
        let packed = compress::pack(content).await?;
        self.lock().keep(file, packed.clone());
        Some(packed)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&self, file: &File) -> Option<Bytes> {
        let version = self.files.get(&file.path)?;
        let same = version.modified == file.modified && version.size_bytes == file.size_bytes;
        same.then(|| version.packed.clone())
    }

    fn keep(&mut self, file: &File, packed: Bytes) {
        if self.bytes + packed.len() > KEPT_BYTES_MAX {
            self.files.clear();
            self.bytes = 0;
        }
        self.bytes += packed.len();
        let (modified, size_bytes) = (file.modified, file.size_bytes);
        let version = Version { modified, size_bytes, packed };
        if let Some(old) = self.files.insert(file.path.clone(), version) {
            self.bytes -= old.packed.len();
        }
    }
}
