//! What can go wrong with stored files.

use std::io;

use crate::{KeyError, S3Error};

/// An operation on stored files failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no such file")]
    NotFound,
    #[error("a symbolic link stands where {0:?} should be")]
    Symlink(String),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the file is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("failed to read the attributes of {name:?}")]
    Attributes {
        name: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("failed to {action} {name:?}")]
    Io {
        action: &'static str,
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("failed to {action} {name:?} in the bucket")]
    Bucket {
        action: &'static str,
        name: String,
        #[source]
        source: Box<S3Error>,
    },
    /// While files are moved to another place.
    #[error("the file is stored, but not in the place that files are moved to")]
    NotMirrored(#[source] Box<BlobError>),
    #[error("the process is stopping")]
    Stopping,
}

impl BlobError {
    /// Sorts an I/O error: an absent file is told apart from everything else.
    pub(crate) fn io(action: &'static str, name: &str, source: io::Error) -> BlobError {
        match source.kind() {
            // Stale: another server has deleted it on a network file system.
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::StaleNetworkFileHandle => BlobError::NotFound,
            _ => BlobError::Io { action, name: name.to_owned(), source },
        }
    }
}

impl BlobError {
    /// Sorts an error of a bucket: an absent object is told apart from everything else.
    pub(crate) fn bucket(action: &'static str, name: &str, source: S3Error) -> BlobError {
        if source.is_absence() {
            return BlobError::NotFound;
        }
        BlobError::Bucket { action, name: name.to_owned(), source: Box::new(source) }
    }

    /// Whether the same may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        match self {
            BlobError::Bucket { source, .. } => source.is_temporary(),
            BlobError::NotMirrored(source) => source.is_temporary(),
            BlobError::Stopping => true,
            BlobError::NotFound
            | BlobError::Symlink(_)
            | BlobError::Key(_)
            | BlobError::TooLarge { .. }
            | BlobError::Attributes { .. }
            | BlobError::Io { .. } => false,
        }
    }
}

/// Runs blocking file work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    settled(tokio::task::spawn_blocking(work).await)
}

/// The result of blocking work; its panic goes on in the caller.
pub(crate) fn settled<T>(
    joined: Result<Result<T, BlobError>, tokio::task::JoinError>,
) -> Result<T, BlobError> {
    match joined {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(BlobError::Stopping),
        },
    }
}
