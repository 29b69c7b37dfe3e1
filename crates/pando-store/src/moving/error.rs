//! What can go wrong while a database moves, told apart as far as the operator acts on it.

use crate::StoreError;

use super::plan::Plan;

/// Why a value cannot be in PostgreSQL as it is in SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Obstacle {
    #[error("PostgreSQL cannot store the character NUL")]
    Nul,
    #[error("it is not valid UTF-8")]
    NotUtf8,
    #[error("it is not valid JSON")]
    NotJson,
    #[error("it is a text that is no number")]
    NotNumber,
    #[error("it is a text that is no date")]
    NotDate,
}

/// Why a database cannot take what is to be moved into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetProblem {
    #[error("it is PostgreSQL {0}, and at least 15 is needed")]
    TooOld(String),
    #[error("its encoding is {0}\nhint: create it with ENCODING 'UTF8'")]
    Encoding(String),
    #[error("it takes no writes")]
    ReadOnly,
    #[error("{user:?} may not create a {what} in it\nhint: {hint}")]
    Rights { user: String, what: &'static str, hint: String },
    #[error("it is not empty: it has {0:?}\nhint: create a new database for Pando")]
    NotEmpty(String),
    #[error("another move began to fill it\nhint: choose another database, or make this one anew")]
    Taken,
}

/// Why a move cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoRefusal {
    #[error(
        "the database was moved more than {0} hours ago, and what was written since is not known"
    )]
    TooLate(u64),
    #[error("the move was finished, and what was written since is not known")]
    Finished,
    #[error("data.db was written to after the move by another program: that would be lost")]
    SourceChanged,
    #[error("these collections were changed after the move, which cannot be taken back: {}", .0.join(", "))]
    Collections(Vec<String>),
    #[error("another database serves at that address than the one that was moved to")]
    OtherTarget,
    #[error("{0} other servers work with the database\nhint: stop all but this one first")]
    OtherServers(i64),
}

/// Why a move, or its undo, did not go through. What was done of it stays, to be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("there is no data.db to move")]
    NoSource,
    #[error("failed to use data.db")]
    Source(#[source] StoreError),
    #[error("the stored collection {name:?} cannot be read: {reason}")]
    BadCollection { name: String, reason: String },
    #[error("failed to connect to the PostgreSQL database")]
    Connect(#[source] StoreError),
    #[error("the PostgreSQL database failed: {}", words(.0))]
    Target(#[source] tokio_postgres::Error),
    #[error("the PostgreSQL database cannot be used: {}", joined(.0))]
    Unfit(Vec<TargetProblem>),
    #[error("some of what is stored cannot be moved")]
    Obstacles(Box<Plan>),
    /// A value that was written after the plan was made.
    #[error(
        "the field {field:?} of the record {id:?} of {collection:?} cannot be moved: {obstacle}"
    )]
    Unstorable { collection: String, field: String, id: String, obstacle: Obstacle },
    #[error("{statement:?} failed in PostgreSQL: {}", words(.source))]
    Statement { statement: String, source: tokio_postgres::Error },
    #[error("the view {name:?} cannot be made in PostgreSQL: {reason}")]
    View { name: String, reason: String },
    /// A difference that a repair did not mend.
    #[error("the record {id:?} of {collection:?} differs between the two databases")]
    Differs { collection: String, id: String },
    #[error("the database was moved to PostgreSQL already")]
    AlreadyMoved,
    #[error("another move is at work in the PostgreSQL database")]
    NotAlone,
    #[error("no database was moved from this directory")]
    NotMoved,
    #[error("the move cannot be undone: {0}")]
    UndoRefused(UndoRefusal),
    #[error("the writes of the server could not be held")]
    Gate(#[source] StoreError),
    /// Writes were let go on each time, since not all was over within the limit.
    #[error(
        "the last changes did not come over within {limit_ms} ms, {attempts} times\nhint: try again when fewer writes are going on"
    )]
    TooSlow { limit_ms: u128, attempts: u32 },
    #[error("stopped; run the same command again to go on")]
    Stopped,
}

impl From<rusqlite::Error> for MoveError {
    fn from(error: rusqlite::Error) -> MoveError {
        MoveError::Source(error.into())
    }
}

impl From<tokio_postgres::Error> for MoveError {
    fn from(error: tokio_postgres::Error) -> MoveError {
        MoveError::Target(error)
    }
}

/// What the server said. The driver's own message says only that it said something.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => match said.where_() {
            Some(place) => format!("{} ({place})", said.message()),
            None => said.message().to_owned(),
        },
        None => error.to_string(),
    }
}

fn joined(problems: &[TargetProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
