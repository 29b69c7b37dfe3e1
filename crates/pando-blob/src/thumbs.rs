//! Thumbs on demand: made once, a few at a time, and kept beside their originals.
//!
//! Invariants: at most `workers_max` images are decoded at once, whoever waits or gives up; two
//! requests for one thumb make it once.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::thumb::{self, ThumbError, ThumbSize};
use crate::{Blob, BlobError, Key, NewAttributes, Object};

/// How much work thumbs may cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbLimits {
    /// Images decoded at once. Each takes up to 16 bytes per pixel at worst, usually 3 or 4.
    pub workers_max: usize,
    /// Different thumbs being made or waited for; more fail with `Busy`.
    pub pending_max: usize,
    /// How long a thumb may wait for its turn.
    pub wait_max: Duration,
    /// Largest image that is decoded, in pixels.
    pub source_pixels_max: u64,
    /// Largest image file that is read, in bytes.
    pub source_bytes_max: u64,
}

impl Default for ThumbLimits {
    /// Half the cores, 256 pending for at most a minute (PocketBase's wait), images of at most
    /// 64 megapixels and 64 MiB.
    fn default() -> ThumbLimits {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        ThumbLimits {
            workers_max: (cores / 2).max(1),
            pending_max: 256,
            wait_max: Duration::from_secs(60),
            source_pixels_max: 64 << 20,
            source_bytes_max: 64 << 20,
        }
    }
}

/// Makes and finds thumbs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Thumbs {
    limits: ThumbLimits,
    workers: Arc<Semaphore>,
    /// Thumbs being made.
    pending: Arc<Mutex<HashMap<Key, Pending>>>,
}

/// A thumb that requests are interested in; whoever holds the lock makes it.
#[derive(Debug, Default)]
struct Pending {
    making: Arc<AsyncMutex<()>>,
    request_count: usize,
}

impl Thumbs {
    pub fn new(limits: ThumbLimits) -> Thumbs {
        let workers = Arc::new(Semaphore::new(limits.workers_max.max(1)));
        Thumbs { limits, workers, pending: Arc::default() }
    }

    /// The thumb of a file in `blob`, and the name to serve it under; made if there is none yet. Fails with
    /// `Blob(NotFound)` if there is no original; after other failures serve the original.
    pub async fn fetch(
        &self,
        blob: &Blob,
        original: &Key,
        size: &ThumbSize,
    ) -> Result<(Object, String), ThumbError> {
        let name = format!("{}_{}", size.as_str(), original.name());
        let key = thumb_key(original, &name)?;
        match blob.fetch(&key).await {
            Err(BlobError::NotFound) => {}
            found => return Ok((found?, name)),
        }
        let turn = self.turn(&key)?;
        let result = {
            let _making = turn.making.lock().await;
            match blob.fetch(&key).await {
                // Another request made it while we waited.
                Ok(object) => Ok(object),
                Err(BlobError::NotFound) => self.make(blob, original, &key, size).await,
                Err(error) => Err(error.into()),
            }
        };
        Ok((result?, name))
    }

    async fn make(
        &self,
        blob: &Blob,
        original: &Key,
        key: &Key,
        size: &ThumbSize,
    ) -> Result<Object, ThumbError> {
        let object = blob.fetch(original).await?;
        let content_type = object.attributes.content_type.clone();
        let readable = object.attributes.size_bytes <= self.limits.source_bytes_max;
        if !thumb::type_supported(&content_type) || !readable {
            return Err(ThumbError::Unsupported(size.as_str().to_owned()));
        }
        let turn =
            tokio::time::timeout(self.limits.wait_max, Arc::clone(&self.workers).acquire_owned());
        let worker = turn.await.map_err(|_| ThumbError::Busy)?.map_err(|_| ThumbError::Busy)?;
        let image = object.read_all().await?;
        let (size, pixels_max) = (size.clone(), self.limits.source_pixels_max);
        let made = tokio::task::spawn_blocking(move || {
            // Held here, so that a request that is given up still counts while it computes.
            let _worker = worker;
            let make = || thumb::make(&image, &content_type, &size, pixels_max);
            catch_unwind(AssertUnwindSafe(make)).unwrap_or(Err(ThumbError::Panicked))
        });
        let (content, written_type) = made.await.map_err(|_| BlobError::Stopping)??;
        let new = NewAttributes { content_type: written_type.to_owned(), original_name: None };
        blob.store_bytes(key, content.into(), new).await?;
        if !blob.exists(original).await? {
            // Whoever deleted it, here or on another server, may have been through with its thumbs.
            blob.delete(key).await?;
            return Err(BlobError::NotFound.into());
        }
        Ok(blob.fetch(key).await?)
    }

    /// The lock of a thumb that is to be made.
    fn turn(&self, key: &Key) -> Result<Turn<'_>, ThumbError> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if !pending.contains_key(key) && pending.len() >= self.limits.pending_max {
            return Err(ThumbError::Busy);
        }
        let entry = pending.entry(key.clone()).or_default();
        entry.request_count += 1;
        Ok(Turn { thumbs: self, key: key.clone(), making: Arc::clone(&entry.making) })
    }
}

/// One request's interest in a thumb; the last one to go takes the entry with it.
struct Turn<'a> {
    thumbs: &'a Thumbs,
    key: Key,
    making: Arc<AsyncMutex<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut pending = self.thumbs.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = pending.get_mut(&self.key) {
            entry.request_count -= 1;
            if entry.request_count == 0 {
                pending.remove(&self.key);
            }
        }
    }
}

/// `<folder>/thumbs_<name>/<size>_<name>`.
fn thumb_key(original: &Key, thumb_name: &str) -> Result<Key, BlobError> {
    let (folder, name) = original.split();
    let slash = if folder.is_empty() { "" } else { "/" };
    Ok(Key::parse(format!("{folder}{slash}thumbs_{name}/{thumb_name}"))?)
}

#[cfg(test)]
mod tests;
