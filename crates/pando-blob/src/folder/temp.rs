//! Files under names of their own until they are complete.
//!
//! Invariant: a [`TempFile`] that was not renamed is deleted when it is dropped.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::BlobError;

/// No segment of a key begins like this.
pub(crate) const NAME_START: &str = ".pando-";
const NAME_END: &str = ".tmp";
/// What new files may be used for, less the process's umask. As PocketBase makes them.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const FILE_FLAGS: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A file being written, in the folder `dir`.
#[derive(Debug)]
pub(crate) struct TempFile {
    dir: Arc<OwnedFd>,
    /// Empty once the file has its final name.
    name: String,
    file: File,
}

impl TempFile {
    pub(crate) fn create(dir: Arc<OwnedFd>) -> Result<TempFile, BlobError> {
        let name = format!("{NAME_START}{:016x}{NAME_END}", rand::random::<u64>());
        let opened = rustix::fs::openat(&dir, &name, FILE_FLAGS, FILE_MODE);
        let file = opened.map_err(|errno| BlobError::io("create", &name, errno.into()))?.into();
        Ok(TempFile { dir, name, file })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.file.write_all(bytes).map_err(|error| BlobError::io("write", &self.name, error))
    }

    /// Another handle to read it with, which stays when the file gets its name or is deleted.
    pub(crate) fn reader(&self) -> Result<Arc<File>, BlobError> {
        let reader = self.file.try_clone();
        reader.map(Arc::new).map_err(|error| BlobError::io("open", &self.name, error))
    }

    /// When it was written last, by the clock of its file system.
    pub(crate) fn modified(&self) -> Result<SystemTime, BlobError> {
        let modified = self.file.metadata().and_then(|known| known.modified());
        modified.map_err(|error| BlobError::io("inspect", &self.name, error))
    }

    /// Whether a file is one that we did not finish.
    pub(crate) fn named(name: &str) -> bool {
        name.starts_with(NAME_START) && name.ends_with(NAME_END)
    }

    /// Waits until the content is on the disk.
    pub(super) fn sync(&self) -> Result<(), BlobError> {
        self.file.sync_data().map_err(|error| BlobError::io("sync", &self.name, error))
    }

    /// Gives the file its final place and name, in place of what was there. The content must be
    /// synced; that of `target` remains to be.
    pub(super) fn rename(&mut self, target: &Arc<OwnedFd>, name: &str) -> Result<(), BlobError> {
        match rustix::fs::renameat(&self.dir, &self.name, target, name) {
            Ok(()) => {
                self.name.clear();
                Ok(())
            }
            Err(Errno::XDEV) => self.copy(target)?.rename(target, name),
            Err(errno) => Err(BlobError::io("rename", name, errno.into())),
        }
    }

    /// A synced copy on another file system.
    fn copy(&mut self, target: &Arc<OwnedFd>) -> Result<TempFile, BlobError> {
        let mut copy = TempFile::create(Arc::clone(target))?;
        let copied = self.file.seek(SeekFrom::Start(0));
        let copied = copied.and_then(|_| io::copy(&mut self.file, &mut copy.file));
        copied.map_err(|error| BlobError::io("copy", &self.name, error))?;
        copy.sync()?;
        Ok(copy)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        if let Err(errno) = rustix::fs::unlinkat(&self.dir, &self.name, AtFlags::empty()) {
            tracing::debug!(error = %errno, name = self.name, "failed to delete an unfinished file");
        }
    }
}
