//! Files that come and go with writes: stored before the transaction, deleted after it, by tasks
//! that go on when the client has gone.
//!
//! Invariant: a file that no record names is deleted, unless the process ends first.

use std::fmt;
use std::sync::Arc;

use pando_blob::{BlobError, Key, Prefix};
use pando_store::{Tx, TxFuture};
use tokio::runtime::Handle;
use tracing::warn;

use crate::ApiError;
use crate::app::{App, SharedApp};
use crate::submission::SubmittedFile;

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
}

impl Stored {
    /// The write happened: a record names them.
    fn keep(mut self) {
        self.keys.clear();
    }

    /// The write did not happen.
    async fn delete(mut self) {
        let keys = std::mem::take(&mut self.keys);
        delete_files(&self.app, keys.into_iter().map(Obsolete::File)).await;
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        // Without a runtime the process is about to end.
        if keys.is_empty() || Handle::try_current().is_err() {
            return;
        }
        let app = Arc::clone(&self.app);
        self.app.life.track(async move {
            delete_files(&app, keys.into_iter().map(Obsolete::File)).await;
        });
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
        let mut stored = Stored { app: Arc::clone(&shared), keys: Vec::new() };
        for (key, file) in files {
            stored.keys.push(key.clone());
            if let Err(error) = shared.blob.store(&key, file.content, &file.original_name).await {
                stored.delete().await;
                return Err(ApiError::internal(error));
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
    stored: Vec<Stored>,
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
        match shared.store.write(work).await {
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

/// Deletes files. One that stays behind is only a waste, so failures are logged and not told.
pub(crate) async fn delete_files(app: &App, obsolete: impl IntoIterator<Item = Obsolete>) {
    for obsolete in obsolete {
        if let Err(error) = delete_file(app, &obsolete).await {
            warn!(error = format!("{error:#}"), "failed to delete files of a record");
        }
    }
}

async fn delete_file(app: &App, obsolete: &Obsolete) -> Result<(), BlobError> {
    match obsolete {
        Obsolete::Folder(folder) => app.blob.delete_prefix(folder).await.map(drop),
        Obsolete::File(key) => {
            app.blob.delete(key).await?;
            let (folder, name) = key.as_str().rsplit_once('/').unwrap_or_default();
            app.blob.delete_prefix(&Prefix::parse(&format!("{folder}/thumbs_{name}/"))?).await?;
            Ok(())
        }
    }
}
