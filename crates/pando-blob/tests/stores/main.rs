//! What a store of files must do for the code above it, run on each of them.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod bucket;
mod cases;
mod moving;

use bytes::Bytes;
use pando_blob::{Blob, FolderBlob, Key, Prefix, S3Blob, S3Config, Staging, Uploaded};
use pando_testkit::Bucket;
use tempfile::TempDir;

/// A store, and what keeps it.
struct Place {
    blob: Blob,
    staging: Staging,
    _bucket: Option<Bucket>,
    _dir: TempDir,
}

impl Place {
    fn folder() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let folder = FolderBlob::open(dir.path()).unwrap();
        let staging = folder.staging();
        Place { blob: Blob::Folder(folder), staging, _bucket: None, _dir: dir }
    }

    fn bucket() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let staging = FolderBlob::open(dir.path()).unwrap().staging();
        let bucket = Bucket::start().unwrap();
        let s3 = S3Blob::new(&config(&bucket)).unwrap();
        Place { blob: Blob::S3(s3), staging, _bucket: Some(bucket), _dir: dir }
    }

    /// Receives and stores a file as a server does.
    async fn put(&self, path: &str, content: &[u8]) {
        let mut upload = self.staging.upload(u64::MAX);
        for chunk in content.chunks(300_000) {
            upload.write(chunk).await.unwrap();
        }
        let uploaded = upload.finish().await.unwrap();
        self.blob.store(&key(path), uploaded, "Ä pic.png").await.unwrap();
    }

    async fn put_small(&self, path: &str, content: &'static [u8]) {
        let uploaded = Uploaded::from_bytes(Bytes::from_static(content));
        self.blob.store(&key(path), uploaded, "x").await.unwrap();
    }

    async fn content(&self, path: &str) -> Bytes {
        self.blob.fetch(&key(path)).await.unwrap().read_all().await.unwrap()
    }
}

fn config(bucket: &Bucket) -> S3Config {
    S3Config {
        bucket: bucket.name().to_owned(),
        region: bucket.region().to_owned(),
        endpoint: bucket.endpoint(),
        access_key: bucket.access_key().to_owned(),
        secret: bucket.secret().to_owned(),
        path_style: true,
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

/// Bytes that differ wherever one looks.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}
