//! All files of a store under a prefix, one after the other, in no particular order.

use std::ops::ControlFlow;

use tokio::sync::mpsc;

use crate::s3::Pages;
use crate::{Blob, BlobError, Listed, Prefix};

/// Files that a folder's walk is ahead.
const AHEAD_MAX: usize = 256;

/// A walk that is under way.
pub(super) enum Walk {
    Folder(mpsc::Receiver<Result<Listed, BlobError>>),
    S3(Pages),
}

impl Walk {
    pub(super) fn begin(blob: &Blob, prefix: &Prefix) -> Walk {
        match blob {
            Blob::Folder(folder) => {
                let (sender, receiver) = mpsc::channel(AHEAD_MAX);
                let (folder, prefix) = (folder.clone(), prefix.clone());
                // Ends when nobody listens any more.
                tokio::task::spawn_blocking(move || {
                    let told = folder.walk_now(&prefix, &mut |listed| match sender
                        .blocking_send(Ok(listed))
                    {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    });
                    if let Err(error) = told {
                        let _ = sender.blocking_send(Err(error));
                    }
                });
                Walk::Folder(receiver)
            }
            Blob::S3(s3) => Walk::S3(s3.pages(prefix)),
            Blob::Moving(moving) => Walk::begin(moving.primary(), prefix),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Listed>, BlobError> {
        match self {
            Walk::Folder(receiver) => receiver.recv().await.transpose(),
            Walk::S3(pages) => pages.next().await,
        }
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub files: u64,
    pub bytes: u64,
}

/// How much there is under a prefix. Tells how far it is from time to time; a `Break` ends it.
pub async fn count(
    blob: &Blob,
    prefix: &Prefix,
    watch: &mut (dyn FnMut(Count) -> ControlFlow<()> + Send),
) -> Result<Count, BlobError> {
    let mut count = Count::default();
    let mut walk = Walk::begin(blob, prefix);
    while let Some(listed) = walk.next().await? {
        count = Count { files: count.files + 1, bytes: count.bytes + listed.size_bytes };
        if watch(count).is_break() {
            return Err(BlobError::Stopping);
        }
    }
    Ok(count)
}
