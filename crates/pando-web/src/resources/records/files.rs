//! Files that come and go with writes: stored before the transaction, deleted after it, by tasks
//! that go on when the client has gone.
//!
//! Invariants: when a record is committed, the files that it names are where they belong by the
//! settings as of that commit; a file that no record names is deleted, unless the process ends
//! first.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use pando_blob::{BlobError, Key, Prefix};
use pando_schema::Settings;
use pando_store::{StoreError, Tx, TxFuture};
use tokio::runtime::Handle;
use tracing::warn;

use crate::ApiError;
use crate::app::{App, SharedApp};
use crate::submission::SubmittedFile;

/// How long the answer to a request waits for the deletion of files.
const DELETION_WAIT_MAX: Duration = Duration::from_secs(2);

/// How often files follow to where they belong before a write is given up. A move takes three steps.
const FOLLOWS_MAX: u32 = 5;

/// Files that nothing refers to any more.
#[derive(Debug, Clone)]
pub(crate) enum Obsolete {
    /// One file and its thumbs.
    File(Key),
    /// All files of a record.
    Folder(Prefix),
}

/// Files that were stored for a write; deleted again when dropped, unless they are kept.
pub(crate) struct Stored {
    app: SharedApp,
    keys: Vec<Key>,
    /// The settings by which they were put where they are.
    by: Arc<Settings>,
}

impl Stored {
    /// The write happened: a record names them.
    fn keep(mut self) {
        self.keys.clear();
    }

    /// The write did not happen.
    async fn delete(mut self) {
        let files = self.take();
        delete_files_by(&self.app, Arc::clone(&self.by), files).await;
    }

    fn take(&mut self) -> Vec<Obsolete> {
        std::mem::take(&mut self.keys).into_iter().map(Obsolete::File).collect()
    }

    /// Puts a file where it belongs.
    async fn put(&mut self, key: Key, file: SubmittedFile) -> Result<(), ApiError> {
        self.keys.push(key.clone());
        let blob = self.app.files.by(&self.by)?;
        match blob.store(&key, file.content, &file.original_name).await {
            Ok(()) => Ok(()),
            Err(error @ BlobError::NotMirrored(_)) => self.app.stop_mirroring(error).await,
            Err(error) => Err(ApiError::of_bucket(error)),
        }
    }

    /// Sees to it that the files are where they belong by newer settings.
    async fn follow(&mut self, settings: &Arc<Settings>) -> Result<(), ApiError> {
        let (before, now) = (self.app.files.by(&self.by)?, self.app.files.by(settings)?);
        for key in &self.keys {
            match now.adopt(key, &before).await {
                Ok(()) => {}
                Err(error @ BlobError::NotMirrored(_)) => self.app.stop_mirroring(error).await?,
                Err(error) => return Err(ApiError::of_bucket(error)),
            }
        }
        self.by = Arc::clone(settings);
        Ok(())
    }
}

impl App {
    /// Lets a move of files wait while the place that they move to cannot be written to: until the
    /// move is decided, uploads need the old place only.
    async fn stop_mirroring(&self, error: BlobError) -> Result<(), ApiError> {
        warn!(error = format!("{error:#}"), "files are not copied to where they move for now");
        let key = self.store.encryption_key();
        let stopped = self.store.write(move |tx| {
            Box::pin(async move {
                tx.alter().await?;
                let mut settings = Settings::clone(tx.settings());
                if settings.mirror_files(false) {
                    tx.save_settings(settings, key.as_deref()).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        Ok(stopped.await?)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let files = self.take();
        // Without a runtime the process is about to end.
        if files.is_empty() || Handle::try_current().is_err() {
            return;
        }
        let (app, by) = (Arc::clone(&self.app), Arc::clone(&self.by));
        self.app.life.track(async move { delete_files_by(&app, by, files).await });
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stored").field(&self.keys).finish()
    }
}

/// Stores files. If the caller stops waiting, they are stored all the same, and deleted then.
pub(super) async fn store(
    app: &SharedApp,
    files: Vec<(Key, SubmittedFile)>,
) -> Result<Stored, ApiError> {
    let shared = Arc::clone(app);
    let storing = app.life.track(async move {
        let by = shared.store.settings();
        let mut stored = Stored { app: shared, keys: Vec::new(), by };
        for (key, file) in files {
            if let Err(error) = stored.put(key, file).await {
                stored.delete().await;
                return Err(error);
            }
        }
        Ok(stored)
    });
    storing.await.map_err(ApiError::internal)?
}

/// Runs `work` in a transaction and then deletes what it made obsolete or, if it failed, what was
/// `stored` for it. Goes on if the caller stops waiting.
pub(crate) async fn write<T, F>(
    app: &SharedApp,
    mut stored: Vec<Stored>,
    work: F,
) -> Result<T, ApiError>
where
    F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<(T, Vec<Obsolete>), ApiError>>
        + Clone
        + Send
        + 'static,
    T: Send + 'static,
{
    let shared = Arc::clone(app);
    let writing = app.life.track(async move {
        match write_where_files_are(&shared, &mut stored, work).await {
            Ok((outcome, obsolete)) => {
                stored.into_iter().for_each(Stored::keep);
                delete_files(&shared, obsolete).await;
                Ok(outcome)
            }
            Err(error) if error.maybe_done() => {
                // A file that nothing names is only a waste; a record without its file is a loss.
                stored.into_iter().for_each(Stored::keep);
                Err(error)
            }
            Err(error) => {
                for stored in stored {
                    stored.delete().await;
                }
                Err(error)
            }
        }
    });
    writing.await.map_err(ApiError::internal)?
}

/// Runs `work` in a transaction by whose settings the files of `stored` are where they belong.
/// Elsewhere they might not be found: files may have begun to move, or come to another place.
async fn write_where_files_are<T, F>(
    app: &SharedApp,
    stored: &mut [Stored],
    work: F,
) -> Result<(T, Vec<Obsolete>), ApiError>
where
    F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<(T, Vec<Obsolete>), ApiError>>
        + Clone
        + Send
        + 'static,
    T: Send + 'static,
{
    for _ in 0..FOLLOWS_MAX {
        let by: Vec<Arc<Settings>> = stored.iter().map(|stored| Arc::clone(&stored.by)).collect();
        let work = work.clone();
        let tried = app.store.write(move |tx| {
            Box::pin(async move {
                let now = tx.settings();
                if by.iter().all(|by| Arc::ptr_eq(by, now) || by.same_files(now)) {
                    return work(tx).await.map(Ok);
                }
                Ok::<_, ApiError>(Err(Arc::clone(now)))
            })
        });
        let settings = match tried.await? {
            Ok(outcome) => return Ok(outcome),
            Err(other) => other,
        };
        for stored in &mut *stored {
            stored.follow(&settings).await?;
        }
    }
    Err(ApiError::unavailable(anyhow::anyhow!("the place of files changes all the time")))
}

/// Deletes files. One that stays behind is only a waste, so failures are logged and not told, and
/// what takes long goes on alone.
pub(crate) async fn delete_files(app: &SharedApp, obsolete: Vec<Obsolete>) {
    delete_files_by(app, app.store.settings(), obsolete).await;
}

/// The same for files that are where they belong by `by`, or where they do now.
async fn delete_files_by(app: &SharedApp, by: Arc<Settings>, obsolete: Vec<Obsolete>) {
    if obsolete.is_empty() {
        return;
    }
    let shared = Arc::clone(app);
    let deleting = app.life.track(async move {
        for obsolete in obsolete {
            let now = shared.store.settings();
            let moved = (!by.same_files(&now)).then(|| Arc::clone(&now));
            for settings in [Some(Arc::clone(&by)), moved].into_iter().flatten() {
                if let Err(error) = delete_file(&shared, &settings, &obsolete).await {
                    warn!(error = format!("{error:#}"), "failed to delete files of a record");
                }
            }
        }
    });
    // Whoever has to wait longer does not learn more by it.
    let _ = tokio::time::timeout(DELETION_WAIT_MAX, deleting).await;
}

async fn delete_file(
    app: &App,
    settings: &Arc<Settings>,
    obsolete: &Obsolete,
) -> anyhow::Result<()> {
    let blob = app.files.by(settings);
    let blob = blob.map_err(|error| error.cause.unwrap_or_else(|| anyhow!("no place")))?;
    match obsolete {
        Obsolete::Folder(folder) => {
            blob.delete_prefix(folder).await?;
        }
        Obsolete::File(key) => {
            blob.delete(key).await?;
            let (folder, name) = key.as_str().rsplit_once('/').unwrap_or_default();
            blob.delete_prefix(&Prefix::parse(&format!("{folder}/thumbs_{name}/"))?).await?;
        }
    }
    Ok(())
}
