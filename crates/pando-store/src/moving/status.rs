//! What there is to know of a move without doing anything.

use super::error::MoveError;
use super::target::Target;
use super::undo::UNDO_S;
use super::{MovedTo, Moving};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing was moved, and nothing is being moved.
    AtHome,
    /// A move has begun and is not over.
    Moving {
        /// Changes in the log of data.db.
        logged: i64,
    },
    Moved {
        to: MovedTo,
        moved_unix_s: i64,
        /// How long it can still be undone; 0 if it cannot.
        undo_left_s: u64,
        /// Whether it has begun to be undone.
        undoing: bool,
    },
}

impl Moving {
    /// How things stand.
    pub async fn status(&self) -> Result<Status, MoveError> {
        let source = self.source()?;
        let Some(record) = source.record()? else { return Ok(Status::AtHome) };
        if !record.moved {
            return Ok(match record.id.is_empty() {
                true => Status::AtHome,
                false => Status::Moving { logged: source.last_seq()? },
            });
        }
        let age = record.age_s();
        let captured = Target::connect(&record.url).await?.captures().await?;
        Ok(Status::Moved {
            to: MovedTo { id: record.id, url: record.url },
            moved_unix_s: record.since_unix_s,
            undo_left_s: if captured { UNDO_S.saturating_sub(age) } else { 0 },
            undoing: record.undoing,
        })
    }
}
