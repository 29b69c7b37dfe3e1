//! A folder of files to serve.

use std::fs;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use pando_runtime::Lifecycle;
use tokio::sync::mpsc;

use super::kept::{Kept, Version};
use super::packed::Packed;
use crate::response::Body;

/// The file that stands for its folder.
pub(super) const INDEX: &str = "index.html";

/// Files up to this size are read when they are opened, and kept.
const WHOLE_BYTES_MAX: u64 = 256 << 10;
/// The most that one read of a larger one brings into memory.
const CHUNK_BYTES_MAX: u64 = 256 << 10;
/// Chunks read ahead of the client.
const CHUNKS_AHEAD: usize = 2;
/// What a file's type is recognised by, if its name does not tell.
const START_BYTES: usize = 512;

/// The folder, whether or not it exists yet.
#[derive(Debug)]
pub(crate) struct Site {
    root: Arc<Path>,
    kept: Kept,
    packed: Packed,
}

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Entry {
    File(Arc<File>),
    Folder,
    Missing,
}

/// A file opened to be sent.
#[derive(Debug)]
pub(super) struct File {
    /// Its path without links, and so its name.
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) modified: SystemTime,
    pub(super) version: Version,
    /// Its first bytes.
    pub(super) start: Bytes,
    pub(super) content: Content,
}

/// Where the bytes of a file are.
#[derive(Debug)]
pub(super) enum Content {
    /// All of a small file.
    Whole(Bytes),
    Opened(Arc<fs::File>),
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text between ranges.
    Text(Bytes),
    /// A range of the file.
    Content(Range<u64>),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Piece::Text(text) => text.len() as u64,
            Piece::Content(range) => range.end - range.start,
        }
    }
}

impl Site {
    pub(crate) fn new(root: &Path) -> Site {
        Site { root: root.into(), kept: Kept::default(), packed: Packed::default() }
    }

    /// Opens what is called `name` in the folder.
    pub(super) async fn look(&self, name: String) -> Entry {
        // The system has this in memory, as a rule; another thread would cost ten times as much.
        match fs::metadata(self.root.join(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Entry::Missing,
            Err(_) => {}
            Ok(metadata) if name == "." && metadata.is_dir() => return Entry::Folder,
            Ok(metadata) => {
                if let Some(file) = self.kept.find(&name, Version::of(&metadata)) {
                    return Entry::File(file);
                }
            }
        }
        let (root, within) = (Arc::clone(&self.root), name.clone());
        let found = tokio::task::spawn_blocking(move || look(&root, &within)).await;
        // What cannot be read is not there, whatever the reason: so PocketBase answers, too.
        let entry = found.map_err(io::Error::other).flatten().unwrap_or(Entry::Missing);
        if let Entry::File(file) = &entry {
            self.kept.keep(name, file);
        }
        entry
    }

    /// The file compressed, if it is small enough.
    pub(super) async fn packed(&self, file: &File) -> Option<Bytes> {
        self.packed.of(file).await
    }
}

fn look(root: &Path, name: &str) -> io::Result<Entry> {
    let root = root.canonicalize()?;
    let path = root.join(name).canonicalize()?;
    if !path.starts_with(&root) {
        return Ok(Entry::Missing);
    }
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Ok(Entry::Folder);
    }
    // Opening a pipe would wait for somebody to write to it.
    if !metadata.is_file() {
        return Ok(Entry::Missing);
    }
    let mut opened = fs::File::open(&path)?;
    let metadata = opened.metadata()?;
    let size_bytes = metadata.len();
    let small = size_bytes <= WHOLE_BYTES_MAX;
    let mut read = Vec::with_capacity(if small { size_bytes as usize } else { START_BYTES });
    let limit = if small { size_bytes } else { START_BYTES as u64 };
    (&mut opened).take(limit).read_to_end(&mut read)?;
    let read = Bytes::from(read);
    // A link has the type of its own name, not of what it leads to.
    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
    Ok(Entry::File(Arc::new(File {
        path,
        name,
        size_bytes: if small { read.len() as u64 } else { size_bytes },
        modified: metadata.modified()?,
        version: Version::of(&metadata),
        start: read.slice(..read.len().min(START_BYTES)),
        content: if small { Content::Whole(read) } else { Content::Opened(Arc::new(opened)) },
    })))
}

impl File {
    /// The pieces one after the other: at once if the file is small, else as the client takes
    /// them.
    pub(super) fn body(&self, life: &Lifecycle, pieces: Vec<Piece>) -> Body {
        let file = match &self.content {
            Content::Whole(whole) => return Body::Full(joined(whole, &pieces)),
            Content::Opened(file) => Arc::clone(file),
        };
        let length = pieces.iter().map(Piece::length).sum();
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        // Ends with the connection: sending fails once the body is dropped.
        drop(life.track(async move {
            for piece in pieces {
                if !send_piece(piece, &file, &sender).await {
                    return;
                }
            }
        }));
        Body::Stream { chunks, length: Some(length) }
    }
}

fn joined(whole: &Bytes, pieces: &[Piece]) -> Bytes {
    let slice = |range: &Range<u64>| whole.slice(range.start as usize..range.end as usize);
    if let [Piece::Content(range)] = pieces {
        return slice(range);
    }
    let mut joined = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => joined.extend_from_slice(text),
            Piece::Content(range) => joined.extend_from_slice(&slice(range)),
        }
    }
    joined.into()
}

/// Sends a piece, content in chunks. False once there is nothing more to send: the client is
/// gone, or the file became shorter.
async fn send_piece(
    piece: Piece,
    file: &Arc<fs::File>,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> bool {
    let mut range = match piece {
        Piece::Text(text) => return sender.send(Ok(text)).await.is_ok(),
        Piece::Content(range) => range,
    };
    while range.start < range.end {
        let next = range.start..range.end.min(range.start + CHUNK_BYTES_MAX);
        let reading = Arc::clone(file);
        let read = tokio::task::spawn_blocking(move || read_at(&reading, next)).await;
        let chunk = read.map_err(io::Error::other).flatten();
        let count = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        range.start += count;
        if sender.send(chunk).await.is_err() || count == 0 {
            return false;
        }
    }
    true
}

/// Reads what there is of `range`. Fails if that is nothing.
fn read_at(file: &fs::File, range: Range<u64>) -> io::Result<Bytes> {
    let mut buffer = vec![0; (range.end - range.start) as usize];
    let count = file.read_at(&mut buffer, range.start)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    buffer.truncate(count);
    Ok(buffer.into())
}

#[cfg(test)]
mod tests;
