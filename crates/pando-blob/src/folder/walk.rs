//! Opening, making and listing folders below the root, one segment at a time.
//!
//! Invariant: no symbolic link is ever followed.

use std::fs::File;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Listed, TempFile};
use crate::key::ATTRIBUTES_SUFFIX;
use crate::{BlobError, Key, Prefix};

/// What new folders may be used for, less the process's umask. As PocketBase makes them.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);
const FOLDER_FLAGS: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);
/// Non-blocking, so that a named pipe in the folder cannot hang us.
const FILE_FLAGS: OFlags =
    OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::RDONLY);

/// Opens a folder below the root; the empty path is the root itself.
pub(super) fn open_folder(root: &OwnedFd, folder: &str) -> Result<OwnedFd, BlobError> {
    let mut segments = folder.split('/');
    let first = segments.next().filter(|segment| !segment.is_empty()).unwrap_or(".");
    let mut dir = open_segment(root.as_fd(), first)?;
    for segment in segments {
        dir = open_segment(dir.as_fd(), segment)?;
    }
    Ok(dir)
}

/// Opens a folder below the root and makes what is missing of it, durably.
pub(crate) fn make_folder(root: &OwnedFd, folder: &str) -> Result<OwnedFd, BlobError> {
    let mut dir = open_segment(root.as_fd(), ".")?;
    for segment in folder.split('/').filter(|segment| !segment.is_empty()) {
        dir = match open_segment(dir.as_fd(), segment) {
            Err(BlobError::NotFound) => {
                match rustix::fs::mkdirat(&dir, segment, FOLDER_MODE) {
                    Ok(()) => sync(&dir, segment)?,
                    Err(Errno::EXIST) => {}
                    Err(errno) => return Err(BlobError::io("make", segment, errno.into())),
                }
                open_segment(dir.as_fd(), segment)?
            }
            opened => opened?,
        };
    }
    Ok(dir)
}

/// Opens a plain file; anything else under that name counts as absent.
pub(crate) fn open_regular(dir: &OwnedFd, name: &str) -> Result<File, BlobError> {
    let opened = rustix::fs::openat(dir, name, FILE_FLAGS, Mode::empty());
    let file = opened.map_err(|errno| failure(dir.as_fd(), "open", name, errno))?;
    let stat = rustix::fs::fstat(&file);
    let stat = stat.map_err(|errno| BlobError::io("inspect", name, errno.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(file.into()),
        _ => Err(BlobError::NotFound),
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn sync(dir: &OwnedFd, name: &str) -> Result<(), BlobError> {
    rustix::fs::fsync(dir).map_err(|errno| BlobError::io("sync", name, errno.into()))
}

/// The files of one folder, sorted, without side files and unfinished ones.
pub(super) fn list(
    root: &OwnedFd,
    prefix: Option<&Prefix>,
    count_max: usize,
) -> Result<Vec<Listed>, BlobError> {
    let (folder, name_start) = prefix.map_or(("", ""), |p| (p.folder(), p.name_start()));
    let dir = match open_folder(root, folder) {
        Ok(dir) => dir,
        Err(BlobError::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names: Vec<String> = names(&dir)?;
    names.retain(|name| {
        name.starts_with(name_start) && !name.ends_with(ATTRIBUTES_SUFFIX) && !TempFile::named(name)
    });
    names.sort_unstable();
    let mut listed = Vec::new();
    for name in names {
        let text = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let Ok(key) = Key::parse(text) else { continue };
        // Files may vanish while we look.
        let Ok(stat) = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            listed.push(Listed { key, size_bytes: stat.st_size as u64, modified: modified(&stat) });
            if listed.len() == count_max {
                break;
            }
        }
    }
    Ok(listed)
}

/// Tells all files under a prefix, those in folders below too, as they come.
pub(super) fn all(
    root: &OwnedFd,
    prefix: &Prefix,
    tell: &mut dyn FnMut(Listed) -> ControlFlow<()>,
) -> Result<(), BlobError> {
    match open_folder(root, prefix.folder()) {
        Ok(dir) => all_within(&dir, prefix.folder(), prefix.name_start(), tell).map(drop),
        Err(BlobError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn all_within(
    dir: &OwnedFd,
    folder: &str,
    name_start: &str,
    tell: &mut dyn FnMut(Listed) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, BlobError> {
    let failed = |errno: Errno| BlobError::io("list", folder, errno.into());
    for entry in Dir::read_from(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        let text = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        // That leaves out `.`, `..`, side files and unfinished files.
        let Ok(key) = Key::parse(text) else { continue };
        let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if !name.starts_with(name_start) {
            continue;
        }
        let told = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => match open_segment(dir.as_fd(), name) {
                Ok(below) => all_within(&below, key.as_str(), "", tell)?,
                // It has just been deleted.
                Err(BlobError::NotFound) => continue,
                Err(error) => return Err(error),
            },
            FileType::RegularFile => {
                let (size_bytes, modified) = (stat.st_size as u64, modified(&stat));
                tell(Listed { key, size_bytes, modified })
            }
            // A link is no file, which its owner is told when files move.
            _ => continue,
        };
        if told.is_break() {
            return Ok(told);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The names in a folder that are UTF-8.
pub(crate) fn names(dir: &OwnedFd) -> Result<Vec<String>, BlobError> {
    let failed = |errno: Errno| BlobError::io("list", "folder", errno.into());
    let mut names = Vec::new();
    for entry in Dir::read_from(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

/// Opens a folder within a folder; a symbolic link is refused.
pub(crate) fn open_segment(dir: BorrowedFd<'_>, segment: &str) -> Result<OwnedFd, BlobError> {
    rustix::fs::openat(dir, segment, FOLDER_FLAGS, Mode::empty())
        .map_err(|errno| failure(dir, "open", segment, errno))
}

/// Tells symbolic links apart from other failures, for the operator who made them.
fn failure(dir: BorrowedFd<'_>, action: &'static str, name: &str, errno: Errno) -> BlobError {
    if matches!(errno, Errno::LOOP | Errno::NOTDIR | Errno::MLINK) {
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
        if stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink) {
            return BlobError::Symlink(name.to_owned());
        }
    }
    BlobError::io(action, name, errno.into())
}

fn modified(stat: &Stat) -> SystemTime {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    UNIX_EPOCH + Duration::new(seconds, stat.st_mtime_nsec as u32)
}
