//! A stored file opened for reading, and the reader of a part of it.

use std::fmt;
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

use crate::error::{blocking, settled};
use crate::s3::{Download, Remote};
use crate::{Attributes, BlobError};

/// Files up to this size are read in one go when they are opened.
pub(crate) const WHOLE_BYTES_MAX: u64 = 64 * 1024;
/// How much of a larger file one read brings, and so what a download keeps in memory.
const CHUNK_BYTES: u64 = 256 * 1024;

/// A stored file opened for reading. One in a folder stays readable when it is deleted meanwhile;
/// of one in a bucket reading fails then.
#[derive(Debug, Clone)]
pub struct Object {
    pub attributes: Attributes,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    File(Arc<File>),
    Remote(Arc<Remote>),
}

impl fmt::Debug for Content {
    /// Without the bytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Content::Memory(_) => "Memory",
            Content::File(_) => "File",
            Content::Remote(_) => "Remote",
        })
    }
}

impl Content {
    /// All bytes of `range`, which must lie within the content and fit into memory.
    pub(crate) async fn read_range(&self, range: Range<u64>) -> Result<Bytes, BlobError> {
        let length = (range.end - range.start) as usize;
        match self {
            Content::Memory(bytes) => Ok(bytes.slice(range.start as usize..range.end as usize)),
            Content::File(file) => {
                let file = Arc::clone(file);
                blocking(move || {
                    let mut buffer = vec![0; length];
                    let read = file.read_exact_at(&mut buffer, range.start);
                    read.map_err(|error| BlobError::io("read", "stored file", error))?;
                    Ok(buffer.into())
                })
                .await
            }
            Content::Remote(_) => {
                let mut reader = ObjectReader::new(self, range);
                let mut all = Vec::with_capacity(length);
                while let Some(piece) = reader.next().await? {
                    all.extend_from_slice(&piece);
                }
                Ok(all.into())
            }
        }
    }
}

impl Object {
    /// Reads the bytes of `range`, which must lie within the file.
    pub fn read(&self, range: Range<u64>) -> ObjectReader {
        let end = range.end.min(self.attributes.size_bytes);
        ObjectReader::new(&self.content, range.start.min(end)..end)
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

/// Yields a range of a file in chunks: of at most 256 KiB from a folder, as they come from a bucket.
pub struct ObjectReader {
    content: Content,
    at: u64,
    end: u64,
    pending: Pending,
}

/// What is being read.
enum Pending {
    Nothing,
    File(JoinHandle<Result<Bytes, BlobError>>),
    /// Between two chunks.
    Download(Box<Download>),
    Piece(Piece),
}

type Piece = Pin<Box<dyn Future<Output = (Box<Download>, Result<Bytes, BlobError>)> + Send>>;

impl fmt::Debug for ObjectReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectReader { content, at, end, .. } = self;
        formatter.debug_tuple("ObjectReader").field(content).field(&(*at..*end)).finish()
    }
}

impl ObjectReader {
    fn new(content: &Content, range: Range<u64>) -> ObjectReader {
        let (content, pending) = (content.clone(), Pending::Nothing);
        ObjectReader { content, at: range.start, end: range.end, pending }
    }

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
                let (file, at) = (Arc::clone(file), self.at);
                ready!(self.poll_file(&file, at, context))
            }
            Content::Remote(remote) => {
                let remote = Arc::clone(remote);
                ready!(self.poll_remote(&remote, context))
            }
        };
        match &chunk {
            Ok(bytes) => self.at += bytes.len() as u64,
            Err(_) => self.at = self.end,
        }
        Poll::Ready(Some(chunk))
    }

    fn poll_file(
        &mut self,
        file: &Arc<File>,
        at: u64,
        context: &mut Context<'_>,
    ) -> Poll<Result<Bytes, BlobError>> {
        if !matches!(self.pending, Pending::File(_)) {
            let length = CHUNK_BYTES.min(self.end - at) as usize;
            let file = Arc::clone(file);
            let reading = tokio::task::spawn_blocking(move || read_chunk(&file, at, length));
            self.pending = Pending::File(reading);
        }
        let Pending::File(reading) = &mut self.pending else { return Poll::Pending };
        let joined = ready!(Pin::new(reading).poll(context));
        self.pending = Pending::Nothing;
        Poll::Ready(settled(joined))
    }

    fn poll_remote(
        &mut self,
        remote: &Arc<Remote>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Bytes, BlobError>> {
        let mut piece = match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Piece(piece) => piece,
            Pending::Download(download) => next_of(download),
            Pending::Nothing | Pending::File(_) => {
                next_of(Box::new(Download::new(remote, self.at..self.end)))
            }
        };
        match piece.as_mut().poll(context) {
            Poll::Pending => {
                self.pending = Pending::Piece(piece);
                Poll::Pending
            }
            Poll::Ready((download, chunk)) => {
                self.pending = Pending::Download(download);
                Poll::Ready(chunk)
            }
        }
    }
}

/// The next piece, and the download that goes on behind it.
fn next_of(mut download: Box<Download>) -> Piece {
    Box::pin(async move {
        let chunk = download.next().await;
        (download, chunk)
    })
}

fn read_chunk(file: &File, at: u64, length: usize) -> Result<Bytes, BlobError> {
    let mut buffer = vec![0; length];
    let read = file.read_at(&mut buffer, at).and_then(|read| {
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    });
    buffer.truncate(read.map_err(|source| BlobError::io("read", "stored file", source))?);
    Ok(buffer.into())
}
