//! A write transaction: the only place from which the database changes.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;

use pando_schema::{Schema, Settings};
use tracing::warn;

use crate::store::Shared;
use crate::{Change, Conn, StoreError};

/// What a piece of transaction work returns; `Box::pin(async move { … })` makes one.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One request's view of the database while it writes. Reads see what it wrote before.
///
/// Reading goes through [`Conn`]; records, collections and settings are written with the methods
/// of the modules of those names.
pub struct Tx {
    conn: Conn,
    /// The collections as of this transaction, its own changes included.
    pub(crate) schema: Arc<Schema>,
    /// The settings as of this transaction, its own changes included.
    pub(crate) settings: Arc<Settings>,
    changes: Vec<Change>,
}

/// Where a request's part of the transaction began.
pub(crate) struct Mark {
    change_count: usize,
    schema: Arc<Schema>,
    settings: Arc<Settings>,
}

impl Tx {
    pub(crate) fn new(conn: Conn, schema: Arc<Schema>, settings: Arc<Settings>) -> Tx {
        Tx { conn, schema, settings, changes: Vec::new() }
    }

    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Notes a change, to be announced if the transaction commits.
    pub(crate) fn announce(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.conn.statement("BEGIN IMMEDIATE")
    }

    /// Commits, with one fsync, and returns what changed.
    pub(crate) fn commit(&mut self) -> Result<Vec<Change>, StoreError> {
        self.conn.statement("COMMIT")?;
        Ok(std::mem::take(&mut self.changes))
    }

    pub(crate) fn savepoint(&mut self) -> Result<Mark, StoreError> {
        self.conn.statement("SAVEPOINT job")?;
        Ok(self.mark())
    }

    pub(crate) fn release(&mut self) -> Result<(), StoreError> {
        self.conn.statement("RELEASE job")
    }

    /// Undoes what was done since `mark`.
    pub(crate) fn undo_to(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.back_to(mark);
        self.conn.statement("ROLLBACK TO job")?;
        self.conn.statement("RELEASE job")
    }

    /// Like [`Tx::savepoint`], within a request's part.
    pub(crate) fn inner_savepoint(&mut self) -> Result<Mark, StoreError> {
        self.conn.statement("SAVEPOINT inner")?;
        Ok(self.mark())
    }

    pub(crate) fn release_inner(&mut self) -> Result<(), StoreError> {
        self.conn.statement("RELEASE inner")
    }

    pub(crate) fn undo_inner(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.back_to(mark);
        self.conn.statement("ROLLBACK TO inner")?;
        self.conn.statement("RELEASE inner")
    }

    fn mark(&self) -> Mark {
        Mark {
            change_count: self.changes.len(),
            schema: Arc::clone(&self.schema),
            settings: Arc::clone(&self.settings),
        }
    }

    fn back_to(&mut self, mark: Mark) {
        self.changes.truncate(mark.change_count);
        self.schema = mark.schema;
        self.settings = mark.settings;
    }

    /// Forgets the whole transaction after a failure.
    pub(crate) fn abort(&mut self, shared: &Shared) {
        if self.conn.in_transaction()
            && let Err(error) = self.conn.statement("ROLLBACK")
        {
            warn!(error = format!("{error:#}"), "failed to roll back");
        }
        self.changes.clear();
        self.schema = shared.schema.load_full();
        self.settings = shared.settings.load_full();
    }

    /// Copies the write-ahead log into the database. False if somebody still reads what is older.
    pub(crate) fn write_log_back(&mut self) -> Result<bool, StoreError> {
        self.conn.write_log_back()
    }

    /// Leaves the files tidy: statistics fresh, the log written back into the database.
    pub(crate) fn finish_up(&mut self) {
        let tidy = "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);";
        if let Err(error) = self.conn.batch(tidy) {
            warn!(error = format!("{error:#}"), "failed to tidy up the database");
        }
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
