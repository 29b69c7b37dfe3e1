//! Deleting files and whole folders.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::walk;
use crate::key::{ATTRIBUTES_SUFFIX, SEGMENTS_MAX};
use crate::{BlobError, Key, Prefix};

/// Deletes a file and its side file.
pub(super) fn file(root: &OwnedFd, key: &Key) -> Result<(), BlobError> {
    let (folder, name) = key.split();
    let dir = walk::open_folder(root, folder)?;
    unlink(&dir, name)?;
    match unlink(&dir, &format!("{name}{ATTRIBUTES_SUFFIX}")) {
        Ok(()) | Err(BlobError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes all files under a prefix, and the folder if the prefix is one. Returns how many files
/// that was, side files not counted. Symbolic links are deleted, not followed.
pub(super) fn prefix(root: &OwnedFd, prefix: &Prefix) -> Result<u64, BlobError> {
    let dir = match walk::open_folder(root, prefix.folder()) {
        Ok(dir) => dir,
        Err(BlobError::NotFound) => return Ok(0),
        Err(error) => return Err(error),
    };
    let count = empty(&dir, prefix.name_start(), SEGMENTS_MAX)?;
    if prefix.name_start().is_empty() {
        let (parent, name) = prefix.folder().rsplit_once('/').unwrap_or(("", prefix.folder()));
        remove_folder(&walk::open_folder(root, parent)?, name)?;
    }
    Ok(count)
}

/// Deletes a file whose deletion is only tidiness.
pub(super) fn quietly(dir: &OwnedFd, name: &str) {
    if let Err(error) = unlink(dir, name) {
        tracing::debug!(%error, name, "failed to delete a file");
    }
}

/// Deletes the entries of a folder whose name starts with `name_start`: files first, so that who
/// makes a thumb meanwhile and then finds its original gone knows that nobody else deletes it.
fn empty(dir: &OwnedFd, name_start: &str, depth_max: usize) -> Result<u64, BlobError> {
    let mut count = 0;
    let mut folders = Vec::new();
    let names = walk::names(dir)?;
    for name in names.iter().filter(|name| name.starts_with(name_start)) {
        let stat = match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(BlobError::io("inspect", name, errno.into())),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            match unlink(dir, name) {
                Ok(()) if !name.ends_with(ATTRIBUTES_SUFFIX) => count += 1,
                Ok(()) | Err(BlobError::NotFound) => {}
                Err(error) => return Err(error),
            }
        } else {
            folders.push(name.as_str());
        }
    }
    for name in folders.into_iter().filter(|_| depth_max > 0) {
        match walk::open_segment(dir.as_fd(), name) {
            Ok(folder) => count += empty(&folder, "", depth_max - 1)?,
            // Another server was faster.
            Err(BlobError::NotFound) => continue,
            Err(error) => return Err(error),
        }
        remove_folder(dir, name)?;
    }
    Ok(count)
}

fn unlink(dir: &OwnedFd, name: &str) -> Result<(), BlobError> {
    rustix::fs::unlinkat(dir, name, AtFlags::empty())
        .map_err(|errno| BlobError::io("delete", name, errno.into()))
}

/// Removes an empty folder. One that is gone, or that something new was stored in, is left alone.
fn remove_folder(dir: &OwnedFd, name: &str) -> Result<(), BlobError> {
    match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
        Err(errno) => Err(BlobError::io("delete", name, errno.into())),
    }
}
