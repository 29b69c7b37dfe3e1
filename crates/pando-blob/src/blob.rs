//! Where stored files are kept: one closed set of stores.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Attributes, BlobError, FolderBlob, Key, Listed, Moving, NewAttributes, Object, Prefix, S3Blob,
    Uploaded,
};

/// A store of files. Cheap to clone.
///
/// What waits for the network is boxed, so that requests about folders are no larger for it.
#[derive(Debug, Clone)]
pub enum Blob {
    Folder(FolderBlob),
    S3(S3Blob),
    /// Two stores, while files go from one to the other.
    Moving(Arc<Moving>),
}

impl Blob {
    /// Keeps an uploaded file under `key`, in place of what was there. When this returns, the
    /// file survives a loss of power. `original_name` is what the client called it.
    ///
    /// Fails with `NotMirrored` if the file is stored, but not yet where files move to.
    pub async fn store(
        &self,
        key: &Key,
        uploaded: Uploaded,
        original_name: &str,
    ) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.store(key, uploaded, original_name).await,
            Blob::S3(s3) => Box::pin(s3.store(key, &uploaded, original_name)).await,
            Blob::Moving(moving) => {
                Box::pin(moving.primary().store(key, uploaded, original_name)).await?;
                Box::pin(moving.mirror(key)).await
            }
        }
    }

    /// Keeps `content` under `key`; otherwise like [`store`](Self::store). It is for what can be
    /// made again: while files move, it is kept where they are read first.
    pub async fn store_bytes(
        &self,
        key: &Key,
        content: Bytes,
        new: NewAttributes,
    ) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.store_bytes(key, content, new).await,
            Blob::S3(s3) => Box::pin(s3.store_bytes(key, content, &new)).await,
            Blob::Moving(moving) => Box::pin(moving.primary().store_bytes(key, content, new)).await,
        }
    }

    /// Opens a file. Fails with `NotFound` if there is none.
    pub async fn fetch(&self, key: &Key) -> Result<Object, BlobError> {
        match self {
            Blob::Folder(folder) => folder.fetch(key).await,
            Blob::S3(s3) => Box::pin(s3.fetch(key)).await,
            Blob::Moving(moving) => match Box::pin(moving.primary().fetch(key)).await {
                Err(BlobError::NotFound) => Box::pin(moving.secondary().fetch(key)).await,
                fetched => fetched,
            },
        }
    }

    /// What is known of a file. Fails with `NotFound` if there is none.
    pub async fn attributes(&self, key: &Key) -> Result<Attributes, BlobError> {
        match self {
            Blob::Folder(folder) => folder.attributes(key).await,
            Blob::S3(s3) => Box::pin(s3.attributes(key)).await,
            Blob::Moving(moving) => match Box::pin(moving.primary().attributes(key)).await {
                Err(BlobError::NotFound) => Box::pin(moving.secondary().attributes(key)).await,
                found => found,
            },
        }
    }

    pub async fn exists(&self, key: &Key) -> Result<bool, BlobError> {
        match self.attributes(key).await {
            Ok(_) => Ok(true),
            Err(BlobError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file. May fail with `NotFound` if there is none; a bucket does not tell.
    pub async fn delete(&self, key: &Key) -> Result<(), BlobError> {
        match self {
            Blob::Folder(folder) => folder.delete(key).await,
            Blob::S3(s3) => Box::pin(s3.delete(key)).await,
            Blob::Moving(moving) => {
                let first = Box::pin(moving.primary().delete(key)).await;
                let second = Box::pin(moving.secondary().delete(key)).await;
                match (first, second) {
                    (first, Err(BlobError::NotFound)) => first,
                    (Err(BlobError::NotFound), second) => second,
                    (first, second) => first.and(second),
                }
            }
        }
    }

    /// Removes all files under a prefix; a folder itself goes too. Returns how many files there
    /// were; a prefix without files is no error.
    pub async fn delete_prefix(&self, prefix: &Prefix) -> Result<u64, BlobError> {
        match self {
            Blob::Folder(folder) => folder.delete_prefix(prefix).await,
            Blob::S3(s3) => Box::pin(s3.delete_prefix(prefix)).await,
            Blob::Moving(moving) => {
                // The order matters to whoever copies at the same time.
                let first = Box::pin(moving.primary().delete_prefix(prefix)).await;
                let second = Box::pin(moving.secondary().delete_prefix(prefix)).await;
                Ok(first?.max(second?))
            }
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
            Blob::S3(s3) => Box::pin(s3.list(prefix, count_max)).await,
            Blob::Moving(moving) => Box::pin(moving.primary().list(prefix, count_max)).await,
        }
    }
}
