//! The mark of a folder: a random text in a hidden file, by which servers know whether they see the
//! same one.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::walk;
use crate::BlobError;

/// No key begins like this.
const NAME: &str = ".pando-folder";
const LENGTH: usize = 32;
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Another server may be about to write it.
const READS_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// The mark, made if there is none.
pub(super) fn of(root: &OwnedFd) -> Result<String, BlobError> {
    for _ in 0..READS_MAX {
        match read(root) {
            Ok(mark) if mark.len() == LENGTH => return Ok(mark),
            Ok(_) => std::thread::sleep(PAUSE),
            Err(BlobError::NotFound) => make(root)?,
            Err(error) => return Err(error),
        }
    }
    let source = std::io::ErrorKind::InvalidData.into();
    Err(BlobError::Io { action: "read", name: NAME.to_owned(), source })
}

fn read(root: &OwnedFd) -> Result<String, BlobError> {
    let dir = walk::open_segment(root.as_fd(), ".")?;
    let mut mark = String::new();
    let file = walk::open_regular(&dir, NAME)?.take(LENGTH as u64);
    let read = { file }.read_to_string(&mut mark);
    read.map_err(|error| BlobError::io("read", NAME, error))?;
    Ok(mark)
}

fn make(root: &OwnedFd) -> Result<(), BlobError> {
    let failed = |error| BlobError::io("write", NAME, error);
    let mut file: File = match rustix::fs::openat(root, NAME, NEW, FILE_MODE) {
        Ok(file) => file.into(),
        Err(Errno::EXIST) => return Ok(()),
        Err(errno) => return Err(failed(errno.into())),
    };
    let mark = format!("{:032x}", rand::random::<u128>());
    file.write_all(mark.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    walk::sync(root, NAME)
}
