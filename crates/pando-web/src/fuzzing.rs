//! Ways in for the fuzz targets (`fuzz/`), which cannot see what is private here.

use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use pando_blob::{BlobError, FolderBlob, Staging};

use crate::request::Query;
use crate::submission::multipart;

/// Reads multipart bodies; uploads wait in a folder.
#[derive(Debug)]
pub struct MultipartReader {
    runtime: tokio::runtime::Runtime,
    staging: Staging,
}

impl MultipartReader {
    /// A reader with `dir` for its files.
    pub fn new(dir: &Path) -> Result<MultipartReader, BlobError> {
        let staging = FolderBlob::open(&dir.join("files"))?.staging();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("the system has room for a runtime");
        Ok(MultipartReader { runtime, staging })
    }

    /// Reads `body`, whose parts are delimited by `--b`. Returns the bytes of all fields and of
    /// all files, if it is a form.
    pub fn read(&self, body: &[u8]) -> Option<(usize, u64)> {
        let kind = "multipart/form-data; boundary=b";
        let (body, query) = (Full::new(Bytes::copy_from_slice(body)), Query::default());
        let reading = multipart::read(kind, &query, body, &self.staging, 1 << 30);
        let submission = self.runtime.block_on(reading).ok()?;
        let fields = serde_json::to_string(&submission.fields).map_or(0, |text| text.len());
        Some((fields, submission.files.iter().map(|file| file.content.size_bytes).sum()))
    }
}
