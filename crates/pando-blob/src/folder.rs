//! Files in a local folder, in PocketBase's layout: `<root>/<key>` and `<root>/<key>.attrs`.
//!
//! Invariants: every path is walked segment by segment from the open root without following
//! symbolic links, so nothing outside the root can be reached; a file is visible whole or not at
//! all; what `store` returned for is on the disk, names included.
//!
//! Source: PocketBase's `tools/filesystem/internal/fileblob`.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use md5::{Digest, Md5};

use crate::attributes::SideFile;
use crate::error::blocking;
use crate::key::ATTRIBUTES_SUFFIX;
use crate::object::{Content, WHOLE_BYTES_MAX};
use crate::upload::{Staged, UploadedContent};
use crate::{Attributes, BlobError, Key, NewAttributes, Object, Prefix, Staging, Uploaded};

mod mark;
mod remove;
mod temp;
pub(crate) mod walk;

pub(crate) use temp::{NAME_START, TempFile};

/// Largest side file that is read; PocketBase's have a few hundred bytes.
const SIDE_FILE_BYTES_MAX: u64 = 64 * 1024;
/// How often a folder that vanishes while a file is stored in it is made again.
const STORE_ATTEMPTS: u32 = 3;

/// Files in a local folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FolderBlob {
    root: Arc<OwnedFd>,
}

/// One entry of a folder's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: Key,
    pub size_bytes: u64,
    pub modified: SystemTime,
}

impl FolderBlob {
    /// Opens the folder `root`, making it if absent. Others may use it at the same time.
    pub fn open(root: &Path) -> Result<FolderBlob, BlobError> {
        let opened = std::fs::create_dir_all(root).and_then(|()| File::open(root));
        let root = opened.map_err(|error| BlobError::io("open", &root.to_string_lossy(), error))?;
        Ok(FolderBlob { root: Arc::new(root.into()) })
    }

    /// Where files for this folder lie until they are stored.
    pub fn staging(&self) -> Staging {
        Staging::within(Arc::clone(&self.root))
    }

    /// What tells this folder from all others, on whichever server it is seen.
    pub async fn mark(&self) -> Result<String, BlobError> {
        let blob = self.clone();
        blocking(move || mark::of(&blob.root)).await
    }

    /// How much more the disk takes.
    pub fn free_bytes(&self) -> Result<u64, BlobError> {
        let known = rustix::fs::fstatvfs(&self.root);
        let known = known.map_err(|errno| BlobError::io("inspect", "folder", errno.into()))?;
        Ok(known.f_bavail.saturating_mul(known.f_frsize))
    }

    pub(crate) async fn store(
        &self,
        key: &Key,
        uploaded: Uploaded,
        original_name: &str,
    ) -> Result<(), BlobError> {
        let new = NewAttributes {
            content_type: uploaded.mime.to_string(),
            original_name: Some(original_name.to_owned()),
        };
        self.store_as(key, uploaded, new).await
    }

    /// Keeps a file with what the caller knows of it.
    pub(crate) async fn store_as(
        &self,
        key: &Key,
        uploaded: Uploaded,
        new: NewAttributes,
    ) -> Result<(), BlobError> {
        let (blob, key) = (self.clone(), key.clone());
        blocking(move || blob.store_now(&key, uploaded.content, &new)).await
    }

    pub(crate) async fn store_bytes(
        &self,
        key: &Key,
        content: Bytes,
        new: NewAttributes,
    ) -> Result<(), BlobError> {
        let (blob, key) = (self.clone(), key.clone());
        blocking(move || blob.store_now(&key, UploadedContent::Memory(content), &new)).await
    }

    pub(crate) async fn fetch(&self, key: &Key) -> Result<Object, BlobError> {
        let (blob, key) = (self.clone(), key.clone());
        blocking(move || blob.fetch_now(&key)).await
    }

    pub(crate) async fn attributes(&self, key: &Key) -> Result<Attributes, BlobError> {
        let (blob, key) = (self.clone(), key.clone());
        blocking(move || blob.open_file(&key).map(|(_, attributes)| attributes)).await
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), BlobError> {
        let (blob, key) = (self.clone(), key.clone());
        blocking(move || remove::file(&blob.root, &key)).await
    }

    pub(crate) async fn delete_prefix(&self, prefix: &Prefix) -> Result<u64, BlobError> {
        let (blob, prefix) = (self.clone(), prefix.clone());
        blocking(move || remove::prefix(&blob.root, &prefix)).await
    }

    pub(crate) async fn list(
        &self,
        prefix: Option<&Prefix>,
        count_max: usize,
    ) -> Result<Vec<Listed>, BlobError> {
        let (blob, prefix) = (self.clone(), prefix.cloned());
        blocking(move || walk::list(&blob.root, prefix.as_ref(), count_max)).await
    }

    /// Tells all files under a prefix, in no particular order, until `tell` says `Break`.
    pub(crate) fn walk_now(
        &self,
        prefix: &Prefix,
        tell: &mut dyn FnMut(Listed) -> ControlFlow<()>,
    ) -> Result<(), BlobError> {
        walk::all(&self.root, prefix, tell)
    }

    fn open_file(&self, key: &Key) -> Result<(File, Attributes), BlobError> {
        let (folder, name) = key.split();
        let dir = walk::open_folder(&self.root, folder)?;
        let file = walk::open_regular(&dir, name)?;
        let inspected = file.metadata().and_then(|known| Ok((known.len(), known.modified()?)));
        let (size_bytes, modified) =
            inspected.map_err(|error| BlobError::io("inspect", name, error))?;
        Ok((file, read_side_file(&dir, name)?.into_attributes(size_bytes, modified)))
    }

    fn fetch_now(&self, key: &Key) -> Result<Object, BlobError> {
        let (mut file, attributes) = self.open_file(key)?;
        if attributes.size_bytes > WHOLE_BYTES_MAX {
            return Ok(Object { attributes, content: Content::File(Arc::new(file)) });
        }
        let mut content = vec![0; attributes.size_bytes as usize];
        let read = file.read_exact(&mut content);
        read.map_err(|error| BlobError::io("read", key.name(), error))?;
        Ok(Object { attributes, content: Content::Memory(content.into()) })
    }

    fn store_now(
        &self,
        key: &Key,
        content: UploadedContent,
        new: &NewAttributes,
    ) -> Result<(), BlobError> {
        let (mut source, md5) = match content {
            UploadedContent::Memory(bytes) => {
                let md5 = Md5::digest(&bytes).into();
                (Source::Memory(bytes), md5)
            }
            UploadedContent::Staged(Staged { file, md5 }) => {
                file.sync()?;
                (Source::Staged(file), md5.finalize().into())
            }
        };
        let side_file = SideFile::write(new, md5)
            .map_err(|source| BlobError::Attributes { name: key.to_string(), source })?;
        let mut attempt = 1;
        loop {
            match self.place(key, &mut source, &side_file) {
                // The folder was deleted between making it and using it.
                Err(BlobError::NotFound) if attempt < STORE_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// Puts complete, synced files under their names: the side file first, so that a file is
    /// never seen without its type.
    fn place(&self, key: &Key, source: &mut Source, side_file: &[u8]) -> Result<(), BlobError> {
        let (folder, name) = key.split();
        let side_name = format!("{name}{ATTRIBUTES_SUFFIX}");
        let dir = Arc::new(walk::make_folder(&self.root, folder)?);
        let mut fresh;
        let content = match source {
            Source::Staged(file) => file,
            Source::Memory(bytes) => {
                fresh = self.staging().create()?;
                fresh.write(bytes)?;
                fresh.sync()?;
                &mut fresh
            }
        };
        let mut side = self.staging().create()?;
        side.write(side_file)?;
        side.sync()?;
        side.rename(&dir, &side_name)?;
        if let Err(error) = content.rename(&dir, name) {
            remove::quietly(&dir, &side_name);
            return Err(error);
        }
        walk::sync(&dir, folder)
    }
}

/// Content about to be placed.
enum Source {
    Memory(Bytes),
    Staged(TempFile),
}

fn read_side_file(dir: &OwnedFd, name: &str) -> Result<SideFile, BlobError> {
    let side_name = format!("{name}{ATTRIBUTES_SUFFIX}");
    let file = match walk::open_regular(dir, &side_name) {
        Ok(file) => file,
        Err(BlobError::NotFound) => return Ok(SideFile::absent()),
        Err(error) => return Err(error),
    };
    let mut json = Vec::with_capacity(512);
    let read = file.take(SIDE_FILE_BYTES_MAX).read_to_end(&mut json);
    read.map_err(|error| BlobError::io("read", &side_name, error))?;
    SideFile::parse(&json).map_err(|source| BlobError::Attributes { name: side_name, source })
}

#[cfg(test)]
mod tests;
