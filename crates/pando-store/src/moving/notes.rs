//! The notes that PostgreSQL takes of what changes there, and their end.
//!
//! A trigger is dropped under a lock that waits for everything that uses its table, and that all
//! else then waits for. A server is at work there, so it is asked for with little patience, again
//! and again.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::error::MoveError;
use super::target::Target;

/// How long the requests of a server wait for us at most.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = '100ms'";

/// How long they are left alone before the next try, and how often it is tried: for some minutes,
/// in which the slowest query ends.
const PAUSE: Duration = Duration::from_millis(500);
const TRIES_MAX: u32 = 600;

const TRIGGERS: &str = "SELECT format('DROP TRIGGER IF EXISTS \"~undo\" ON %s', tgrelid::regclass) \
                        FROM pg_trigger WHERE tgname = '~undo'";

impl Target {
    /// Whether what changes here is noted.
    pub(super) async fn captures(&self) -> Result<bool, MoveError> {
        let text = "SELECT to_regclass('pando.changes') IS NOT NULL";
        Ok(self.client.query_one(text, &[]).await?.get(0))
    }

    /// How large the notes are.
    pub(super) async fn notes_bytes(&self) -> Result<i64, MoveError> {
        let text = "SELECT coalesce(pg_relation_size(to_regclass('pando.changes')), 0)";
        Ok(self.client.query_one(text, &[]).await?.get(0))
    }

    /// Notes nothing any more, and says why: `phase` is a word of ours.
    pub(super) async fn stop_capture(&self, phase: &'static str) -> Result<(), MoveError> {
        for trigger in self.client.query(TRIGGERS, &[]).await? {
            self.patiently(trigger.get(0)).await?;
        }
        let end = format!(
            "DROP TABLE IF EXISTS pando.changes, pando.moving_tables; \
             UPDATE pando.moving SET phase = '{phase}'"
        );
        self.patiently(&end).await
    }

    /// Runs statements in one transaction that lets go when it would have to wait.
    async fn patiently(&self, statements: &str) -> Result<(), MoveError> {
        let text = format!("BEGIN; {LOCK_WAIT}; {statements}; COMMIT");
        let mut tries = 1;
        loop {
            let Err(error) = self.client.batch_execute(&text).await else { return Ok(()) };
            if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) || tries == TRIES_MAX {
                return Err(error.into());
            }
            self.client.batch_execute("ROLLBACK").await?;
            tokio::time::sleep(PAUSE).await;
            tries += 1;
        }
    }
}
