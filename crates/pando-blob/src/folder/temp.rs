//! Files under names of their own until they are complete.
//!
//! Invariant: a [`TempFile`] that was not renamed is deleted when it is dropped.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::BlobError;

const NAME_START: &str = ".pando-";
const NAME_END: &str = ".tmp";
/// What new files may be used for, less the process's umask. As PocketBase makes them.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const FILE_FLAGS: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Unfinished uploads untouched for so long belong to a process that died.
const LEFTOVER_AGE: Duration = Duration::from_secs(3600);

/// A file being written, in the folder `dir`.
#[derive(Debug)]
pub(crate) struct TempFile {
    dir: Arc<OwnedFd>,
    /// Empty once the file has its final name.
    name: String,
    file: File,
}

impl TempFile {
    pub(super) fn create(dir: Arc<OwnedFd>) -> Result<TempFile, BlobError> {
        let name = format!("{NAME_START}{:016x}{NAME_END}", rand::random::<u64>());
        let opened = rustix::fs::openat(&dir, &name, FILE_FLAGS, FILE_MODE);
        let file = opened.map_err(|errno| BlobError::io("create", &name, errno.into()))?.into();
        Ok(TempFile { dir, name, file })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.file.write_all(bytes).map_err(|error| BlobError::io("write", &self.name, error))
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

/// Whether a file is one that we did not finish.
pub(super) fn named(name: &str) -> bool {
    name.starts_with(NAME_START) && name.ends_with(NAME_END)
}

/// Makes an empty file in a folder outside the root, making the folder if absent.
pub(super) fn create_in_path(folder: &Path) -> Result<TempFile, BlobError> {
    let opened = File::open(folder).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).and_then(|()| File::open(folder))
        }
        _ => Err(error),
    });
    let dir = opened.map_err(|error| BlobError::io("open", &folder.to_string_lossy(), error))?;
    TempFile::create(Arc::new(dir.into()))
}

/// Deletes what processes that died left in the staging folder.
pub(super) fn remove_leftovers(folder: &Path) -> Result<(), BlobError> {
    let failed = |error| BlobError::io("list", &folder.to_string_lossy(), error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let modified = entry.metadata().and_then(|known| known.modified());
        let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if entry.file_name().to_str().is_some_and(named) && age > Some(LEFTOVER_AGE) {
            // Another process may have deleted it meanwhile.
            let removed = std::fs::remove_file(entry.path());
            tracing::info!(path = %entry.path().display(), ok = removed.is_ok(), "deleted an unfinished upload");
        }
    }
    Ok(())
}
