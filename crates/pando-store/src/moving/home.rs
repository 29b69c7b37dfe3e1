//! Where a data directory says that its records are, and what a start makes of that.
//!
//! Written by the decision of a move, in `_pando_move`. PocketBase does not know of it.

use std::path::Path;

use std::time::Duration;

use rusqlite::OpenFlags;

use super::gate::Home;
use super::sealed::unseal;
use crate::StoreError;

/// How long a database may take to say what it is.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What `data.db` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marker {
    /// Where the records are, if they were moved.
    pub moved_to: Option<MovedTo>,
    /// Whether there is anything in `data.db` that a fresh one does not have.
    pub filled: bool,
    /// Counts how often the records were moved, or moved back.
    pub epoch: i64,
}

/// Where the records were moved to.
#[derive(Clone, PartialEq, Eq)]
pub struct MovedTo {
    /// The id of the move, which `pando.moving` has in the right database.
    pub id: String,
    pub url: String,
}

impl std::fmt::Debug for MovedTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may have a password in it.
        f.debug_struct("MovedTo").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a configuration and a data directory do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    #[error(
        "database.url is set, but the records are in data.db\nhint: move them with `pando move \
         database --to URL` first, or take database.url out of the configuration"
    )]
    NotMoved,
    #[error(
        "the records were moved to another database than the one of this address\nhint: does \
         database.url name the right one? Without it, the address of the move is used"
    )]
    Elsewhere,
    #[error(
        "the database is being filled by `pando move database` and is not complete\nhint: run that \
         command again on the data directory that moves, and start there"
    )]
    Incomplete,
    #[error(
        "the move to this database was undone, and the records are in data.db again\nhint: take \
         database.url out of the configuration, or name an empty database"
    )]
    Undone,
}

/// What a start uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub home: Home,
    /// The id that `pando.moving` must have there, if records were moved to it.
    pub move_id: Option<String>,
}

/// Decides from the data directory and the configured URL. The URL wins: the database that records
/// were moved to may have another address by now. That it is the same one shows its move id.
pub fn decide(marker: &Marker, configured: Option<&str>) -> Result<Decision, HomeError> {
    let at = |url: &str, move_id| Decision { home: Home::Postgres(url.to_owned()), move_id };
    match (&marker.moved_to, configured) {
        (None, None) => Ok(Decision { home: Home::Sqlite, move_id: None }),
        (None, Some(_)) if marker.filled => Err(HomeError::NotMoved),
        (None, Some(url)) => Ok(at(url, None)),
        (Some(moved), url) => Ok(at(url.unwrap_or(&moved.url), Some(moved.id.clone()))),
    }
}

/// Checks that the database at `url` is the one that records were moved to, or that it is not half
/// of a move.
pub(crate) async fn check_home(url: &str, move_id: Option<&str>) -> Result<(), StoreError> {
    let connector = crate::postgres::Connector::new(url, ANSWER_WITHIN)?;
    let client = connector.client().await?;
    let known = "SELECT to_regclass('pando.moving') IS NOT NULL";
    let trace = match client.query_one(known, &[]).await?.get(0) {
        false => None,
        true => client.query_opt("SELECT id, phase FROM pando.moving", &[]).await?,
    };
    let trace = trace.map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)));
    Ok(judge(trace.as_ref().map(|(id, phase)| (id.as_str(), phase.as_str())), move_id)?)
}

/// What the id and the phase of `pando.moving` mean for a start.
fn judge(trace: Option<(&str, &str)>, move_id: Option<&str>) -> Result<(), HomeError> {
    match (trace, move_id) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(HomeError::Elsewhere),
        (Some((id, _)), Some(wanted)) if id != wanted => Err(HomeError::Elsewhere),
        (Some((_, "undone")), _) => Err(HomeError::Undone),
        // Another server, or a directory made anew: but the records are here.
        (Some((_, "moved" | "finished")), _) => Ok(()),
        (Some(_), _) => Err(HomeError::Incomplete),
    }
}

/// Reads what the data directory says; nothing if it has no database yet. `key` is that of the
/// settings.
pub fn read_marker(dir: &Path, key: Option<&str>) -> Result<Marker, StoreError> {
    let path = dir.join("data.db");
    if !path.exists() {
        return Ok(Marker::default());
    }
    // Not made if it vanishes meanwhile. Read-only could not read a log that is left over.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = rusqlite::Connection::open_with_flags(path, flags)?;
    db.busy_timeout(super::source::BUSY_WAIT_MAX)?;
    let mut marker = Marker { filled: filled(&db)?, ..Marker::default() };
    if exists(&db, "SELECT 1 FROM sqlite_master WHERE name = '_pando_move'")? {
        let text = "SELECT backend, id, url, epoch FROM _pando_move";
        let mut statement = db.prepare(text)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            marker.epoch = row.get(3)?;
            if row.get::<_, String>(0)? == "postgres" {
                let url = unseal(&row.get::<_, String>(2)?, key)?;
                marker.moved_to = Some(MovedTo { id: row.get(1)?, url });
            }
        }
    }
    Ok(marker)
}

/// Whether somebody has used the database: it has superusers, users, or collections of its own.
fn filled(db: &rusqlite::Connection) -> Result<bool, StoreError> {
    for table in ["_superusers", "users"] {
        let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        let known = db.prepare(known)?.exists([table])?;
        if known && exists(db, &format!("SELECT 1 FROM `{table}`"))? {
            return Ok(true);
        }
    }
    let known = exists(db, "SELECT 1 FROM sqlite_master WHERE name = '_collections'")?;
    let own = "SELECT 1 FROM _collections WHERE system = FALSE AND name <> 'users'";
    Ok(known && exists(db, own)?)
}

fn exists(db: &rusqlite::Connection, text: &str) -> Result<bool, StoreError> {
    Ok(db.prepare(text)?.exists([])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(url: Option<&str>, filled: bool) -> Marker {
        let moved_to = url.map(|url| MovedTo { id: "m1".to_owned(), url: url.to_owned() });
        Marker { moved_to, filled, epoch: 1 }
    }

    #[test]
    fn what_was_moved_is_found_again() {
        let postgres = |url: &str, id: Option<&str>| {
            let home = Home::Postgres(url.to_owned());
            Ok(Decision { home, move_id: id.map(str::to_owned) })
        };
        let lite = Ok(Decision { home: Home::Sqlite, move_id: None });
        assert_eq!(decide(&marker(None, false), None), lite);
        assert_eq!(decide(&marker(None, true), None), lite);
        assert_eq!(decide(&marker(None, false), Some("b")), postgres("b", None));
        assert_eq!(decide(&marker(None, true), Some("b")), Err(HomeError::NotMoved));
        assert_eq!(decide(&marker(Some("a"), true), None), postgres("a", Some("m1")));
        assert_eq!(decide(&marker(Some("a"), true), Some("b")), postgres("b", Some("m1")));
    }

    #[test]
    fn only_the_right_and_complete_database_serves() {
        assert_eq!(judge(None, None), Ok(()));
        assert_eq!(judge(None, Some("a")), Err(HomeError::Elsewhere));
        assert_eq!(judge(Some(("b", "moved")), Some("a")), Err(HomeError::Elsewhere));
        assert_eq!(judge(Some(("a", "moved")), Some("a")), Ok(()));
        assert_eq!(judge(Some(("a", "finished")), None), Ok(()));
        assert_eq!(judge(Some(("a", "filling")), None), Err(HomeError::Incomplete));
        assert_eq!(judge(Some(("a", "undone")), Some("a")), Err(HomeError::Undone));
    }

    #[test]
    fn a_fresh_directory_is_not_filled() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_marker(dir.path(), None).unwrap(), Marker::default());
    }
}
