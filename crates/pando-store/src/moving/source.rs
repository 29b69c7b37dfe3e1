//! The data directory that moves: its database on a connection of the mover's own.
//!
//! Invariant: nothing here keeps the database locked for longer than a moment, and no read
//! transaction stays open for longer than a slice of work, so that the server's log starts over.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pando_schema::{Collection, CollectionRow};
use rusqlite::OptionalExtension as _;

use super::error::MoveError;
use super::sealed::unseal;
use super::table::Table;
use crate::StoreError;
use crate::sqlite::{Access, connect};

/// How long to wait for the server's write.
pub(super) const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Changes that are forgotten in one transaction: few enough that no write waits for long.
const FORGOTTEN_MAX: i64 = 2_000;

/// Such transactions one after the other: as many changes as one pass brings over.
const FORGETS_MAX: usize = 10;

pub(super) struct Source {
    pub(super) db: rusqlite::Connection,
    pub(super) path: PathBuf,
    pub(super) key: Option<String>,
}

/// What a data directory knows of a move: the row of `_pando_move`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Of this move, in both databases.
    pub(super) id: String,
    /// Whether PostgreSQL has taken over.
    pub(super) moved: bool,
    pub(super) url: String,
    /// Counts how often the home of the data changed.
    pub(super) epoch: i64,
    /// When PostgreSQL took over, or when the move was begun the last time.
    pub(super) since_unix_s: i64,
    /// The last change that came over.
    pub(super) decided_seq: i64,
    /// Whether data.db has begun to take back what was written since.
    pub(super) undoing: bool,
}

impl Record {
    /// Seconds since [`Record::since_unix_s`].
    pub(super) fn age_s(&self) -> u64 {
        u64::try_from(unix_s() - self.since_unix_s).unwrap_or(0)
    }
}

impl Source {
    /// Opens `data.db` in `dir`. Fails if there is none. `key` is that of the settings.
    pub(super) fn open(dir: &Path, key: Option<&str>) -> Result<Source, MoveError> {
        let path = dir.join("data.db");
        if !path.exists() {
            return Err(MoveError::NoSource);
        }
        let db = connect(&path, Access::ReadWrite).map_err(MoveError::Source)?;
        // The server writes its log back itself, at better moments than in our commits.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Source { db, path, key: key.map(str::to_owned) })
    }

    /// How many bytes the database has.
    pub(super) fn bytes(&self) -> u64 {
        self.path.metadata().map_or(0, |file| file.len())
    }

    pub(super) fn has_table(&self, name: &str) -> Result<bool, MoveError> {
        let text = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        Ok(self.db.query_row(text, [name], |_row| Ok(())).optional()?.is_some())
    }

    /// What is known of a move.
    pub(super) fn record(&self) -> Result<Option<Record>, MoveError> {
        if !self.has_table("_pando_move")? {
            return Ok(None);
        }
        let text = "SELECT id, backend, url, epoch, since, decided, undoing FROM _pando_move";
        let record = |row: &rusqlite::Row<'_>| {
            Ok(Record {
                id: row.get(0)?,
                moved: row.get::<_, String>(1)? == "postgres",
                url: row.get(2)?,
                epoch: row.get(3)?,
                since_unix_s: row.get(4)?,
                decided_seq: row.get(5)?,
                undoing: row.get(6)?,
            })
        };
        let Some(mut record) = self.db.query_row(text, [], record).optional()? else {
            return Ok(None);
        };
        record.url = unseal(&record.url, self.key.as_deref())?;
        Ok(Some(record))
    }

    /// All collections, in the order in which they were made.
    pub(super) fn collections(&self) -> Result<Vec<Arc<Collection>>, MoveError> {
        let text = "SELECT id, system, type, name, fields, indexes, listRule, viewRule, createRule, \
                    updateRule, deleteRule, options, created, updated \
                    FROM _collections ORDER BY _rowid_";
        let mut statement = self.db.prepare(text)?;
        let rows = statement.query_map([], collection_row)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(collection).collect()
    }

    /// The tables that move, the system's first.
    pub(super) fn tables(&self) -> Result<Vec<Table>, MoveError> {
        let collections = self.collections()?;
        let of_collections = collections.iter().filter_map(Table::of);
        Ok(Table::system().into_iter().chain(of_collections).collect())
    }

    /// Begins to read one state of the database. Returns the last change that it has.
    pub(super) fn begin(&self) -> Result<i64, MoveError> {
        self.db.execute_batch("BEGIN")?;
        self.last_seq()
    }

    /// Ends what `begin` began.
    pub(super) fn end(&self) -> Result<(), MoveError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// The last change of the log; 0 if there is no log.
    pub(super) fn last_seq(&self) -> Result<i64, MoveError> {
        let text = "SELECT coalesce(max(seq), 0) FROM _pando_changes";
        match self.db.prepare_cached(text) {
            Ok(mut statement) => Ok(statement.query_row([], |row| row.get(0))?),
            Err(rusqlite::Error::SqliteFailure(_, _) | rusqlite::Error::SqlInputError { .. }) => {
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets changes up to `seq` that came over, but for the last one of all: it keeps the count.
    /// Does nothing at a moment when the server writes, and not all at once, so that no write has to
    /// wait for long; what is left is for the next time.
    pub(super) fn forget(&self, seq: i64) -> Result<(), MoveError> {
        self.db.busy_timeout(Duration::ZERO)?;
        // Nothing is lost if it happens again.
        self.db.pragma_update(None, "synchronous", "NORMAL")?;
        let text = "DELETE FROM _pando_changes WHERE seq IN (SELECT seq FROM _pando_changes \
                    WHERE seq <= ?1 AND seq < (SELECT max(seq) FROM _pando_changes) \
                    ORDER BY seq LIMIT ?2)";
        let mut done = Ok(0);
        for _ in 0..FORGETS_MAX {
            done = self.db.prepare_cached(text)?.execute([seq, FORGOTTEN_MAX]);
            if !matches!(done, Ok(count) if i64::try_from(count) == Ok(FORGOTTEN_MAX)) {
                break;
            }
        }
        self.db.pragma_update(None, "synchronous", "FULL")?;
        self.db.busy_timeout(BUSY_WAIT_MAX)?;
        match done {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                Ok(())
            }
            done => Ok(done.map(drop)?),
        }
    }
}

fn collection_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<CollectionRow> {
    let text = |index| row.get::<_, Option<String>>(index);
    Ok(CollectionRow {
        id: text(0)?.unwrap_or_default(),
        system: row.get(1)?,
        kind: text(2)?.unwrap_or_default(),
        name: text(3)?.unwrap_or_default(),
        fields: text(4)?.unwrap_or_default(),
        indexes: text(5)?.unwrap_or_default(),
        list_rule: text(6)?,
        view_rule: text(7)?,
        create_rule: text(8)?,
        update_rule: text(9)?,
        delete_rule: text(10)?,
        options: text(11)?.unwrap_or_default(),
        created: text(12)?.unwrap_or_default(),
        updated: text(13)?.unwrap_or_default(),
    })
}

pub(super) fn collection(row: CollectionRow) -> Result<Arc<Collection>, MoveError> {
    let name = row.name.clone();
    let collection = Collection::from_stored(row);
    collection
        .map(Arc::new)
        .map_err(|error| MoveError::BadCollection { name, reason: error.to_string() })
}

/// Seconds since 1970.
pub(super) fn unix_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> MoveError {
        MoveError::Source(error)
    }
}
