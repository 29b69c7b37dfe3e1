//! What can go wrong below a request, told apart as far as callers act on it.

use std::path::PathBuf;

use crate::postgres;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("failed to open the data directory {path:?}")]
    Open { path: PathBuf, source: std::io::Error },
    #[error(
        "the data directory {0:?} is in use by another process\nhint: stop the other `pando`, or \
         choose another directory with --dir"
    )]
    InUse(PathBuf),
    #[error(
        "the data directory {0:?} was written by PocketBase before 0.23\nhint: start it once with \
         PocketBase 0.40, which brings it up to date, then with Pando"
    )]
    TooOld(PathBuf),
    #[error("the stored collection {name:?} cannot be read: {reason}")]
    BadCollection { name: String, reason: String },
    #[error("the stored settings cannot be read: {0}")]
    BadSettings(String),
    /// A UNIQUE index or primary key refused the row. `what` is what the index covers, as
    /// `table.column, …` or `index 'name'`.
    #[error("a value that must be unique exists already: {what}")]
    NotUnique { what: String },
    /// Too many requests wait for a connection or for the writer.
    #[error("the database is busy")]
    Busy,
    /// The query ran longer than the limit.
    #[error("the query took too long and was stopped")]
    Timeout,
    /// The URL of the database cannot be used.
    #[error("the URL of the database cannot be used: {0}")]
    BadUrl(String),
    /// The database server is not one that Pando can work with, or does not let it.
    #[error("the database cannot be used: {0}")]
    Unsuitable(String),
    /// The database server cannot be reached or does not take requests now.
    #[error("the database server is not available: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Home(#[from] crate::moving::HomeError),
    /// The connection was lost during a commit: it may have happened or not.
    #[error("the connection to the database was lost during a commit, which may have happened")]
    Unknown,
    /// Another server has changed collections or settings, which this one does not know yet.
    #[error("collections or settings have changed on another server")]
    Outdated,
    /// It and other transactions waited for each other, so it was undone.
    #[error("other writes were in the way")]
    Conflict,
    /// A statement of the transaction failed earlier, so nothing of it happened.
    #[error("the transaction was undone")]
    Undone,
    /// The process is stopping: no fault, so never logged as one.
    #[error("stopping")]
    Stopping,
    /// The commit that this write shared with others failed; none of them happened.
    #[error("failed to commit")]
    Commit(#[source] std::sync::Arc<StoreError>),
    /// Our own fault; logged where it happened.
    #[error("the transaction panicked")]
    Panicked,
    /// The database refused a statement.
    #[error("the database failed")]
    Sqlite(#[source] rusqlite::Error),
    /// The database refused a statement.
    #[error("the database failed: {}", crate::postgres::words(.0))]
    Postgres(tokio_postgres::Error),
}

impl StoreError {
    /// What the database itself said, for the author of a statement, in the form in which
    /// PocketBase's driver says it: the kind of error, the message, the extended code.
    pub fn database_message(&self) -> String {
        let (code, message) = match self {
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, Some(message))) => {
                (error.extended_code, message.clone())
            }
            StoreError::Sqlite(rusqlite::Error::SqlInputError { error, msg, .. }) => {
                (error.extended_code, msg.clone())
            }
            StoreError::NotUnique { what } => (
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
                format!("UNIQUE constraint failed: {what}"),
            ),
            StoreError::Sqlite(error) => return error.to_string(),
            StoreError::Postgres(error) => match postgres::words_of_sqlite(error) {
                Some(message) => (rusqlite::ffi::SQLITE_ERROR, message.to_owned()),
                None => return postgres::words(error),
            },
            other => return other.to_string(),
        };
        // The low byte is the kind.
        let kind = match code & 0xff {
            rusqlite::ffi::SQLITE_ERROR => "SQL logic error",
            rusqlite::ffi::SQLITE_CONSTRAINT => "constraint failed",
            other => rusqlite::ffi::code_to_str(other),
        };
        format!("{kind}: {message} ({code})")
    }
}

impl StoreError {
    /// Whether a statement failed on what the database holds, and not on the database itself.
    pub fn is_refusal(&self) -> bool {
        matches!(self, StoreError::Sqlite(_) | StoreError::Postgres(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return StoreError::Sqlite(error);
        };
        match (code.code, code.extended_code) {
            (rusqlite::ErrorCode::OperationInterrupted, _) => StoreError::Timeout,
            (
                rusqlite::ErrorCode::ConstraintViolation,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            ) => {
                let text = message.as_deref().unwrap_or_default();
                let what = text.strip_prefix("UNIQUE constraint failed: ").unwrap_or(text);
                StoreError::NotUnique { what: what.to_owned() }
            }
            _ => StoreError::Sqlite(error),
        }
    }
}
