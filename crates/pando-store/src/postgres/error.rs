//! What PostgreSQL's errors mean for us.
//!
//! Source: PostgreSQL's documentation, "PostgreSQL Error Codes".

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Our own: `pando.refuse_version`.
const OUTDATED: &str = "PV001";

/// Our own: a function failed as SQLite's does, with its words.
const OF_SQLITE: &str = "PV002";

/// What SQLite says where it fails as well.
pub(crate) fn words_of_sqlite(error: &Error) -> Option<&str> {
    let told = error.as_db_error()?;
    match told.code().code() {
        OF_SQLITE => Some(told.message()),
        _ if *told.code() == SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
            (told.message() == "bigint out of range").then_some("integer overflow")
        }
        _ => None,
    }
}

/// What an error says, its causes included: the driver's own words are but "db error".
pub(crate) fn words(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        let detail = told.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail}", told.message());
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        let Some(told) = error.as_db_error() else {
            let broken = error.is_closed()
                || error.source().is_some_and(|cause| cause.is::<std::io::Error>());
            return match broken {
                true => StoreError::Unavailable(words(&error)),
                false => StoreError::Postgres(error),
            };
        };
        match *told.code() {
            SqlState::UNIQUE_VIOLATION => {
                let what = match told.constraint().unwrap_or_default() {
                    "_collections_name_key" => "_collections.name".to_owned(),
                    "_collections_pkey" => "_collections.id".to_owned(),
                    index => format!("index '{index}'"),
                };
                StoreError::NotUnique { what }
            }
            SqlState::QUERY_CANCELED => StoreError::Timeout,
            SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => {
                StoreError::Conflict
            }
            SqlState::LOCK_NOT_AVAILABLE | SqlState::TOO_MANY_CONNECTIONS => StoreError::Busy,
            SqlState::CANNOT_CONNECT_NOW
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            | SqlState::DISK_FULL
            | SqlState::OUT_OF_MEMORY
            | SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unavailable(words(&error)),
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                let hint = "hint: user and password stand in database.url";
                StoreError::Unsuitable(format!("{}\n{hint}", words(&error)))
            }
            SqlState::INVALID_CATALOG_NAME => {
                let hint = "hint: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0";
                StoreError::Unsuitable(format!("{}\n{hint}", words(&error)))
            }
            SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Unsuitable(words(&error)),
            ref code if code.code() == OUTDATED => StoreError::Outdated,
            _ => StoreError::Postgres(error),
        }
    }
}

impl StoreError {
    /// Whether the caller's collections are, or may be, no longer those of the database.
    pub fn is_outdated(&self) -> bool {
        match self {
            StoreError::Outdated => true,
            StoreError::Postgres(error) => {
                let outdated = [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN];
                error.code().is_some_and(|code| outdated.contains(code))
            }
            _ => false,
        }
    }

    /// Whether a prepared statement brings other types than it did when it was prepared.
    pub(crate) fn is_outdated_plan(&self) -> bool {
        matches!(self, StoreError::Postgres(error)
            if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
                && error.as_db_error().is_some_and(|told| told.message().contains("cached plan")))
    }
}
