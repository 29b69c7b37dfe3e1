//! A file on its way in: counted, hashed, and kept in memory or in a staged file.
//!
//! Invariant: memory per upload is bounded by [`BUFFER_BYTES`] plus one chunk; a staged file that
//! is not stored is deleted when its [`Uploaded`] or [`Upload`] is dropped.

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use crate::error::blocking;
use crate::folder::TempFile;
use crate::object::Content;
use crate::{BlobError, Mime, Staging, mime};

/// Uploads up to this size stay in memory; larger ones are written in pieces of this size or more.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file being received.
#[derive(Debug)]
pub struct Upload {
    staging: Staging,
    bytes_max: u64,
    size_bytes: u64,
    head: Vec<u8>,
    buffer: BytesMut,
    staged: Option<Staged>,
    /// Set while bytes are on their way to the disk; stays set if that was cancelled or failed.
    flushing: bool,
}

/// A file received in full, not yet stored.
#[derive(Debug)]
pub struct Uploaded {
    pub size_bytes: u64,
    pub mime: Mime,
    /// The beginning of the content: all that type and name are decided by.
    pub head: Vec<u8>,
    pub(crate) content: UploadedContent,
}

#[derive(Debug)]
pub(crate) enum UploadedContent {
    Memory(Bytes),
    Staged(Staged),
}

impl UploadedContent {
    /// The same content, to be read.
    pub(crate) fn readable(&self) -> Result<Content, BlobError> {
        match self {
            UploadedContent::Memory(bytes) => Ok(Content::Memory(bytes.clone())),
            UploadedContent::Staged(staged) => staged.file.reader().map(Content::File),
        }
    }
}

/// Content in a file of its own, with the hash of what was written so far.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) file: TempFile,
    pub(crate) md5: Md5,
}

impl Uploaded {
    /// A file of which all bytes are at hand.
    pub fn from_bytes(content: Bytes) -> Uploaded {
        let head = content[..content.len().min(mime::HEAD_BYTES)].to_vec();
        Uploaded {
            size_bytes: content.len() as u64,
            mime: Mime::detect(&head),
            head,
            content: UploadedContent::Memory(content),
        }
    }
}

impl Upload {
    pub(crate) fn new(staging: Staging, bytes_max: u64) -> Upload {
        Upload {
            staging,
            bytes_max,
            size_bytes: 0,
            head: Vec::new(),
            buffer: BytesMut::new(),
            staged: None,
            flushing: false,
        }
    }

    /// Takes the next bytes. Fails with `TooLarge` past the limit. After a failure or a
    /// cancelled call the upload is over: nothing more is accepted.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), BlobError> {
        self.size_bytes += chunk.len() as u64;
        if self.size_bytes > self.bytes_max {
            return Err(BlobError::TooLarge { bytes_max: self.bytes_max });
        }
        let head_missing = mime::HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&chunk[..chunk.len().min(head_missing)]);
        self.buffer.extend_from_slice(chunk);
        if self.buffer.len() > BUFFER_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Ends the upload.
    pub async fn finish(mut self) -> Result<Uploaded, BlobError> {
        if self.flushing || (self.staged.is_some() && !self.buffer.is_empty()) {
            self.flush().await?;
        }
        let content = match self.staged {
            Some(staged) => UploadedContent::Staged(staged),
            None => UploadedContent::Memory(self.buffer.freeze()),
        };
        let mime = Mime::detect(&self.head);
        Ok(Uploaded { size_bytes: self.size_bytes, mime, head: self.head, content })
    }

    /// Moves the buffer into the staged file.
    async fn flush(&mut self) -> Result<(), BlobError> {
        if std::mem::replace(&mut self.flushing, true) {
            let source = std::io::ErrorKind::Interrupted.into();
            return Err(BlobError::io("continue", "broken upload", source));
        }
        let buffer = self.buffer.split().freeze();
        let (staging, staged) = (self.staging.clone(), self.staged.take());
        let staged = blocking(move || {
            let mut staged = match staged {
                Some(staged) => staged,
                None => Staged { file: staging.create()?, md5: Md5::new() },
            };
            staged.md5.update(&buffer);
            staged.file.write(&buffer)?;
            Ok(staged)
        });
        self.staged = Some(staged.await?);
        self.flushing = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
