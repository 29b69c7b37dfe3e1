//! Files in a bucket of an object store that speaks Amazon's S3 protocol, under the same keys as in
//! a folder.
//!
//! An own client over hyper: what is needed of S3 is eight requests and a signature, and the large
//! libraries bring dozens of crates for it.
//!
//! Source: PocketBase's `tools/filesystem/internal/s3blob`; a bucket written by either server can
//! be used by the other.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::object::Content;
use crate::{Attributes, BlobError, Key, Listed, NewAttributes, Object, Prefix, Uploaded};

mod client;
mod config;
mod describe;
mod download;
mod error;
mod list;
mod sign;
mod upload;
mod xml;

use client::Client;
pub use client::Patience;
pub use config::S3Config;
pub(crate) use download::{Download, Remote};
pub use error::S3Error;
pub(crate) use list::Pages;
pub(crate) use upload::part_bytes;

/// The size of the parts in which PocketBase stores large objects.
pub(crate) const PART_BYTES_OF_POCKETBASE: u64 = 6 << 20;

/// Files in a bucket. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct S3Blob {
    client: Arc<Client>,
}

impl fmt::Debug for S3Blob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("S3Blob").field(self.client.config()).finish()
    }
}

impl S3Blob {
    /// Asks nobody yet. Fails if the endpoint is none.
    pub fn new(config: &S3Config) -> Result<S3Blob, S3Error> {
        S3Blob::with_patience(config, Patience::default())
    }

    /// The same, with other deadlines.
    pub fn with_patience(config: &S3Config, patience: Patience) -> Result<S3Blob, S3Error> {
        Ok(S3Blob { client: Arc::new(Client::new(config, patience)?) })
    }

    pub fn config(&self) -> &S3Config {
        self.client.config()
    }

    pub(crate) async fn store(
        &self,
        key: &Key,
        uploaded: &Uploaded,
        original_name: &str,
    ) -> Result<(), BlobError> {
        let new = NewAttributes {
            content_type: uploaded.mime.to_string(),
            original_name: Some(original_name.to_owned()),
        };
        let content = uploaded.content.readable()?;
        upload::put(&self.client, key.as_str(), &content, uploaded.size_bytes, &new).await
    }

    pub(crate) async fn store_bytes(
        &self,
        key: &Key,
        content: Bytes,
        new: &NewAttributes,
    ) -> Result<(), BlobError> {
        let size_bytes = content.len() as u64;
        let content = Content::Memory(content);
        upload::put(&self.client, key.as_str(), &content, size_bytes, new).await
    }

    /// Keeps what is in another store.
    pub(crate) async fn store_object(
        &self,
        key: &Key,
        object: &Object,
        new: &NewAttributes,
    ) -> Result<(), BlobError> {
        let Object { attributes, content } = object;
        upload::put(&self.client, key.as_str(), content, attributes.size_bytes, new).await
    }

    pub(crate) async fn fetch(&self, key: &Key) -> Result<Object, BlobError> {
        download::open(&self.client, key.as_str()).await
    }

    pub(crate) async fn attributes(&self, key: &Key) -> Result<Attributes, BlobError> {
        download::attributes(&self.client, key.as_str()).await
    }

    /// The entity tag of an object, without quotes.
    pub(crate) async fn tag(&self, key: &Key) -> Result<String, BlobError> {
        download::tag(&self.client, key.as_str()).await
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), BlobError> {
        list::delete(&self.client, key.as_str()).await
    }

    pub(crate) async fn delete_prefix(&self, prefix: &Prefix) -> Result<u64, BlobError> {
        list::delete_all(&self.client, prefix).await
    }

    pub(crate) async fn list(
        &self,
        prefix: Option<&Prefix>,
        count_max: usize,
    ) -> Result<Vec<Listed>, BlobError> {
        list::list(&self.client, prefix, count_max).await
    }

    /// All objects under a prefix.
    pub(crate) fn pages(&self, prefix: &Prefix) -> Pages {
        Pages::new(&self.client, prefix)
    }
}
