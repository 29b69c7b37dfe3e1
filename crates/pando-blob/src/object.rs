//! A stored file opened for reading, and the reader of a part of it.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::error::settled;
use crate::{Attributes, BlobError};

/// Files up to this size are read in one go when they are opened.
pub(crate) const WHOLE_BYTES_MAX: u64 = 64 * 1024;
/// How much of a larger file one read brings, and so what a download keeps in memory.
const CHUNK_BYTES: u64 = 256 * 1024;

/// A stored file opened for reading. It stays readable when it is deleted meanwhile.
#[derive(Debug, Clone)]
pub struct Object {
    pub attributes: Attributes,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

impl Object {
    /// Reads the bytes of `range`, which must lie within the file.
    pub fn read(&self, range: Range<u64>) -> ObjectReader {
        let end = range.end.min(self.attributes.size_bytes);
        ObjectReader { content: self.content.clone(), at: range.start.min(end), end, pending: None }
    }

    /// Reads everything; for content known to be small.
    pub async fn read_all(&self) -> Result<Bytes, BlobError> {
        let mut reader = self.read(0..self.attributes.size_bytes);
        let first = reader.next().await?.unwrap_or_default();
        if reader.at == reader.end {
            return Ok(first);
        }
        let mut all = Vec::with_capacity(self.attributes.size_bytes as usize);
        all.extend_from_slice(&first);
        while let Some(chunk) = reader.next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }
}

/// Yields a range of a file in chunks of at most 256 KiB.
#[derive(Debug)]
pub struct ObjectReader {
    content: Content,
    at: u64,
    end: u64,
    pending: Option<JoinHandle<Result<Bytes, BlobError>>>,
}

impl ObjectReader {
    /// How many bytes are still to come.
    pub fn remaining_bytes(&self) -> u64 {
        self.end - self.at
    }

    /// The next chunk, `None` at the end. Fails if the file became shorter meanwhile.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        poll_fn(|context| self.poll_next(context)).await.transpose()
    }

    /// [`next`](Self::next) for implementers of body or stream traits.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BlobError>>> {
        if self.at == self.end {
            return Poll::Ready(None);
        }
        let chunk = match &self.content {
            Content::Memory(bytes) => Ok(bytes.slice(self.at as usize..self.end as usize)),
            Content::File(file) => {
                let length = CHUNK_BYTES.min(self.end - self.at) as usize;
                let pending = self.pending.get_or_insert_with(|| {
                    let (file, at) = (Arc::clone(file), self.at);
                    tokio::task::spawn_blocking(move || read_chunk(&file, at, length))
                });
                let joined = ready!(Pin::new(pending).poll(context));
                self.pending = None;
                settled(joined)
            }
        };
        match &chunk {
            Ok(bytes) => self.at += bytes.len() as u64,
            Err(_) => self.at = self.end,
        }
        Poll::Ready(Some(chunk))
    }
}

fn read_chunk(file: &File, at: u64, length: usize) -> Result<Bytes, BlobError> {
    let mut buffer = vec![0; length];
    let read = file.read_at(&mut buffer, at).and_then(|read| {
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    });
    buffer.truncate(read.map_err(|source| BlobError::io("read", "stored file", source))?);
    Ok(buffer.into())
}
