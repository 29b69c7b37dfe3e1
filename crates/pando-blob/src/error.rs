//! What can go wrong with stored files.

use std::io;

use crate::KeyError;

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
