//! Where stored files are kept: one closed set of stores.

use bytes::Bytes;

use crate::{
    Attributes, BlobError, FolderBlob, Key, Listed, NewAttributes, Object, Prefix, Uploaded,
};

/// A store of files. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Blob {
    Folder(FolderBlob),
}

impl Blob {
    /// Keeps an uploaded file under `key`, in place of what was there. When this returns, the
    /// file survives a loss of power. `original_name` is what the client called it.
    pub async fn store(
        &self,
        key: &Key,
        uploaded: Uploaded,
        original_name: &str,
    ) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.store(key, uploaded, original_name).await,
        }
    }

    /// Keeps `content` under `key`; otherwise like [`store`](Self::store).
    pub async fn store_bytes(
        &self,
        key: &Key,
        content: Bytes,
        new: NewAttributes,
    ) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.store_bytes(key, content, new).await,
        }
    }

    /// Opens a file. Fails with `NotFound` if there is none.
    pub async fn fetch(&self, key: &Key) -> Result<Object, BlobError> {
        match self {
            Blob::Folder(folder) => folder.fetch(key).await,
        }
    }

    /// What is known of a file. Fails with `NotFound` if there is none.
    pub async fn attributes(&self, key: &Key) -> Result<Attributes, BlobError> {
        match self {
            Blob::Folder(folder) => folder.attributes(key).await,
        }
    }

    pub async fn exists(&self, key: &Key) -> Result<bool, BlobError> {
        match self.attributes(key).await {
            Ok(_) => Ok(true),
            Err(BlobError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file. Fails with `NotFound` if there is none.
    pub async fn delete(&self, key: &Key) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.delete(key).await,
        }
    }

    /// Removes all files under a prefix; a folder itself goes too. Returns how many files there
    /// were; a prefix without files is no error.
    pub async fn delete_prefix(&self, prefix: &Prefix) -> Result<u64, BlobError> {
        match self {
            Blob::Folder(folder) => folder.delete_prefix(prefix).await,
        }
    }

    /// The files right in one folder (`None`: the top; not those in folders within), sorted by
    /// key, at most `count_max` of them.
    pub async fn list(
        &self,
        prefix: Option<&Prefix>,
        count_max: usize,
    ) -> Result<Vec<Listed>, BlobError> {
        match self {
            Blob::Folder(folder) => folder.list(prefix, count_max).await,
        }
    }
}
