//! Tries whether a store can be used, and how fast it is.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::error::settled;
use crate::{Blob, BlobError, Key, NewAttributes, Prefix};

/// Small files that are stored to see how long one takes, this many at once.
const SMALL_COUNT: u32 = 16;
const SMALL_BYTES: usize = 4 << 10;
/// The large file that is stored to see how long bytes take.
const LARGE_BYTES: usize = 4 << 20;
const AT_ONCE: u32 = 8;

/// What storing costs, with as many files at once as a move has.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    pub per_file: Duration,
    pub bytes_per_second: u64,
}

impl Trial {
    /// About how long so many files take.
    pub fn estimate(&self, files: u64, bytes: u64) -> Duration {
        let sending = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.max(1) as f64);
        self.per_file.mul_f64(files as f64) + sending
    }
}

/// A right that is missing, or another obstacle.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Obstacle {
    pub what: &'static str,
    #[source]
    pub source: BlobError,
}

/// Stores, lists, reads and deletes files of its own.
pub async fn try_out(blob: &Blob) -> Result<Trial, Obstacle> {
    let start = format!("pando_trial_{:016x}/", rand::random::<u64>());
    let prefix = Prefix::parse(&start).expect("a plain folder");
    let tried = try_all(blob, &start, &prefix).await;
    if tried.is_err() {
        // What could not be tried may not be deleted either.
        let _ = blob.delete_prefix(&prefix).await;
    }
    tried
}

async fn try_all(blob: &Blob, start: &str, prefix: &Prefix) -> Result<Trial, Obstacle> {
    let failed = |what| move |source| Obstacle { what, source };
    let key = |name: &str| Key::parse(format!("{start}{name}")).expect("a plain name");
    let storing = failed("a file cannot be stored");
    put(blob, &key("first"), SMALL_BYTES).await.map_err(storing)?;
    let listed = blob.list(Some(prefix), 2).await.map_err(failed("files cannot be listed"))?;
    let read = blob.fetch(&key("first")).await;
    let read = read.map_err(failed("a file cannot be read"))?.read_all().await;
    let read = read.map_err(failed("a file cannot be read"))?;
    if listed.len() != 1 || read.len() != SMALL_BYTES {
        let source = BlobError::NotFound;
        return Err(Obstacle { what: "what was stored is not what is there", source });
    }
    let began = Instant::now();
    let mut at_work = JoinSet::new();
    for number in 0..SMALL_COUNT {
        let (blob, key) = (blob.clone(), key(&number.to_string()));
        if at_work.len() as u32 == AT_ONCE
            && let Some(done) = at_work.join_next().await
        {
            settled(done).map_err(failed("a file cannot be stored"))?;
        }
        at_work.spawn(async move { put(&blob, &key, SMALL_BYTES).await });
    }
    while let Some(done) = at_work.join_next().await {
        settled(done).map_err(failed("a file cannot be stored"))?;
    }
    let per_file = began.elapsed() / SMALL_COUNT;
    let began = Instant::now();
    put(blob, &key("large"), LARGE_BYTES).await.map_err(failed("a file cannot be stored"))?;
    let took = began.elapsed().as_secs_f64().max(0.001);
    blob.delete_prefix(prefix).await.map_err(failed("a file cannot be deleted"))?;
    Ok(Trial { per_file, bytes_per_second: (LARGE_BYTES as f64 / took) as u64 })
}

async fn put(blob: &Blob, key: &Key, bytes: usize) -> Result<(), BlobError> {
    let new = NewAttributes { content_type: "text/plain".to_owned(), original_name: None };
    blob.store_bytes(key, Bytes::from(vec![b'x'; bytes]), new).await
}
