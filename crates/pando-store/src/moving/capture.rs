//! The change log in `data.db`, and the one row that says where the data is at home.
//!
//! Triggers note the id of each row that changes in `_pando_changes`, in the transaction that
//! changes it. SQLite has one writer, so the order of `seq` is the order of commits, and nothing
//! with a lower one shows up later. The log holds ids, not values: whoever reads it reads the rows
//! as they are then, so it does not matter how often an id stands in it.
//!
//! The last row of the log is never deleted: `seq` is counted on from it. (`AUTOINCREMENT` would
//! do so too, but leave a table behind that cannot be dropped.)

use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::error::MoveError;
use super::sealed::seal;
use super::source::{BUSY_WAIT_MAX, Source, unix_s};
use super::table::{Table, lite};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _pando_move (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    id      TEXT NOT NULL,
    backend TEXT NOT NULL,
    url     TEXT NOT NULL,
    epoch   INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    decided INTEGER NOT NULL DEFAULT 0,
    undoing BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE TABLE IF NOT EXISTS _pando_changes (seq INTEGER PRIMARY KEY, tbl TEXT NOT NULL, pk NOT NULL);
INSERT INTO _pando_changes (tbl, pk) SELECT '', '' WHERE NOT EXISTS (SELECT 1 FROM _pando_changes);
";

/// All triggers of ours, by the pattern of their names.
const TRIGGERS: &str = "SELECT name FROM sqlite_master WHERE type = 'trigger' \
                        AND name GLOB '_pando_[iurd]_*'";

impl Source {
    /// Begins to log the changes of all tables, if that has not begun. Returns the id of the move.
    pub(super) fn capture(&mut self, new_id: &str) -> Result<String, MoveError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        let text = "INSERT INTO _pando_move (one, id, backend, url, epoch, since) \
                    VALUES (1, ?1, 'sqlite', '', 0, ?2) ON CONFLICT (one) DO UPDATE SET \
                    id = CASE WHEN id = '' THEN excluded.id ELSE id END, since = excluded.since";
        transaction.execute(text, rusqlite::params![new_id, unix_s()])?;
        let id = transaction.query_row("SELECT id FROM _pando_move", [], |row| row.get(0))?;
        transaction.commit()?;
        self.watch_tables()?;
        Ok(id)
    }

    /// Sees to it that all tables have their triggers, also those made since.
    pub(super) fn watch_tables(&mut self) -> Result<(), MoveError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let watched = self.watch_tables_inside();
        let end = if watched.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.db.execute_batch(end)?;
        watched
    }

    fn watch_tables_inside(&self) -> Result<(), MoveError> {
        for table in self.tables()? {
            self.db.execute_batch(&triggers(&table))?;
        }
        Ok(())
    }

    /// Stops logging and forgets the log.
    pub(super) fn stop_capture(&mut self) -> Result<(), MoveError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        drop_triggers(&transaction)?;
        transaction.execute_batch("DROP TABLE IF EXISTS _pando_changes")?;
        Ok(transaction.commit()?)
    }

    /// Gives a move up that did not come to its decision: nothing of it stays here.
    pub(super) fn forget_move(&mut self) -> Result<(), MoveError> {
        self.stop_capture()?;
        let text = "UPDATE _pando_move SET id = '', url = '', undoing = FALSE WHERE one = 1";
        if self.has_table("_pando_move")? {
            self.db.execute_batch(text)?;
        }
        Ok(())
    }

    /// The one decision: from this commit on, the data is at home in PostgreSQL. False, and nothing
    /// decided, if anything was written after `seq`, or another program does not let us for
    /// longer than `within`.
    pub(super) fn decide_move(
        &mut self,
        url: &str,
        seq: i64,
        within: Duration,
    ) -> Result<bool, MoveError> {
        let url = seal(url, self.key.as_deref())?;
        self.db.busy_timeout(within)?;
        let decided = self.decide_at_once(&url, seq);
        self.db.busy_timeout(BUSY_WAIT_MAX)?;
        match decided {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                Ok(false)
            }
            decided => Ok(decided?),
        }
    }

    fn decide_at_once(&mut self, url: &str, seq: i64) -> rusqlite::Result<bool> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let text = "SELECT max(seq) FROM _pando_changes";
        let last: i64 = transaction.query_row(text, [], |row| row.get(0))?;
        if last != seq {
            return Ok(false);
        }
        let text = "UPDATE _pando_move SET backend = 'postgres', url = ?1, epoch = epoch + 1, \
                    since = ?2, decided = ?3, undoing = FALSE";
        transaction.execute(text, rusqlite::params![url, unix_s(), seq])?;
        transaction.commit()?;
        Ok(true)
    }

    /// Begins the way back: what is written here from now on is written by us.
    pub(super) fn begin_undo(&mut self) -> Result<(), MoveError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        drop_triggers(&transaction)?;
        transaction.execute_batch("UPDATE _pando_move SET undoing = TRUE")?;
        Ok(transaction.commit()?)
    }
}

/// The other decision, inside the transaction that brings the last changes: the data is at home in
/// SQLite again.
pub(super) fn decide_undo(transaction: &rusqlite::Connection) -> Result<(), MoveError> {
    transaction.execute_batch(
        "UPDATE _pando_move SET backend = 'sqlite', epoch = epoch + 1, id = '', url = '', \
         undoing = FALSE; DROP TABLE IF EXISTS _pando_changes;",
    )?;
    Ok(())
}

fn drop_triggers(db: &rusqlite::Connection) -> Result<(), MoveError> {
    let mut statement = db.prepare(TRIGGERS)?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    for name in names {
        db.execute_batch(&format!("DROP TRIGGER {}", lite(&name)))?;
    }
    Ok(())
}

/// The triggers of a table. They name no column but the id, so that any other can change.
fn triggers(table: &Table) -> String {
    let key = table.key.replace('\'', "''");
    let trigger = |kind: &str, event: &str, row: &str| {
        format!(
            "CREATE TRIGGER IF NOT EXISTS {} AFTER {event} BEGIN \
             INSERT INTO _pando_changes (tbl, pk) VALUES ('{key}', {row}.`id`); END;",
            lite(&format!("_pando_{kind}_{}", table.key))
        )
    };
    let name = lite(&table.name);
    let renamed = format!("UPDATE OF `id` ON {name} WHEN OLD.`id` IS NOT NEW.`id`");
    [
        trigger("i", &format!("INSERT ON {name}"), "NEW"),
        trigger("u", &format!("UPDATE ON {name}"), "NEW"),
        trigger("r", &renamed, "OLD"),
        trigger("d", &format!("DELETE ON {name}"), "OLD"),
    ]
    .concat()
}
