//! A write transaction: the only place from which the database changes.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;

use pando_filter::Sql;
use pando_schema::{Schema, Settings};
use tracing::warn;

use crate::store::{Known, Shared};
use crate::{Change, Conn, StoreError, design, postgres};

/// What a piece of transaction work returns; `Box::pin(async move { … })` makes one.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One request's view of the database while it writes. Reads see what it wrote before.
///
/// Reading goes through [`Conn`]; records, collections and settings are written with the methods
/// of the modules of those names.
pub struct Tx {
    conn: Held,
    /// Where changes of tables are judged, if not in the database itself.
    design: Option<Conn>,
    /// The collections as of this transaction, its own changes included.
    pub(crate) schema: Arc<Schema>,
    /// The settings as of this transaction, its own changes included.
    pub(crate) settings: Arc<Settings>,
    /// Of collections and settings, as of the beginning.
    version: u64,
    /// Whether other servers want to know what is written.
    shared: bool,
    /// Whether it may change collections or settings.
    alters: bool,
    changes: Vec<Change>,
    /// On PostgreSQL, where several transactions run at once. Let go of last.
    hold: Option<postgres::Hold>,
}

/// How often a change of collections is begun anew since other servers were faster.
const ALTER_ATTEMPTS_MAX: u32 = 10;

enum Held {
    Own(Conn),
    Pooled(postgres::Pooled),
}

/// Where a request's part of the transaction began.
pub(crate) struct Mark {
    change_count: usize,
    schema: Arc<Schema>,
    settings: Arc<Settings>,
}

impl Tx {
    /// For SQLite, where one transaction after the other uses it.
    pub(crate) fn own(conn: Conn, known: &Known) -> Tx {
        Tx::new(Held::Own(conn), known, None)
    }

    /// For PostgreSQL, where each transaction has one of its own.
    pub(crate) fn pooled(conn: postgres::Pooled, known: &Known, hold: postgres::Hold) -> Tx {
        Tx::new(Held::Pooled(conn), known, Some(hold))
    }

    fn new(conn: Held, known: &Known, hold: Option<postgres::Hold>) -> Tx {
        Tx {
            conn,
            design: None,
            schema: Arc::clone(&known.schema),
            settings: Arc::clone(&known.settings),
            version: known.version,
            shared: known.shared,
            alters: false,
            changes: Vec::new(),
            hold,
        }
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

    /// To be called before collections or settings are changed, and before they are looked at to
    /// that end. On PostgreSQL it waits until all who write are done, and makes those wait who want
    /// to change something, too, here and on other servers.
    pub async fn alter(&mut self) -> Result<(), StoreError> {
        if self.alters {
            return Ok(());
        }
        if let Some(hold) = &mut self.hold {
            let (known, key) = (hold.alone().await, hold.encryption_key());
            self.know(&known);
            let mut attempts = 0;
            while !self.take_version().await? {
                attempts += 1;
                if attempts == ALTER_ATTEMPTS_MAX {
                    return Err(StoreError::Outdated);
                }
                // Another server was faster: go on with what it made of them.
                let known = postgres::load(self.conn(), key.as_deref()).await?;
                self.know(&known);
            }
        }
        self.alters = true;
        Ok(())
    }

    /// Makes the next version ours, unless somebody else has.
    async fn take_version(&mut self) -> Result<bool, StoreError> {
        let mut sql = self.sql();
        sql.push("UPDATE pando.state SET \"version\" = \"version\" + 1 WHERE \"version\" = ");
        sql.bind(i64::try_from(self.version).unwrap_or(i64::MAX));
        Ok(self.execute(&sql).await? > 0)
    }

    /// Where changes of tables are judged: SQLite, as PocketBase's statements and messages are its.
    /// On PostgreSQL that is a database in memory with the same tables, but no rows.
    pub(crate) async fn design(&mut self) -> Result<&mut Conn, StoreError> {
        if self.conn().postgres().is_none() {
            return Ok(self.conn());
        }
        if self.design.is_none() {
            let known = self.known_views().await?;
            self.design = Some(design::of(&self.schema, &known).await?);
        }
        Ok(self.design.as_mut().expect("just made"))
    }

    /// Runs a statement whose outcome is not needed to go on. Over a network it travels with the
    /// next one; if it fails, all is begun anew and fails here.
    pub(crate) async fn execute_soon(&mut self, sql: Sql) -> Result<(), StoreError> {
        match self.conn().postgres() {
            Some(connection) => Box::pin(connection.execute_later(sql)).await,
            None => self.execute(&sql).await.map(drop),
        }
    }

    fn conn(&mut self) -> &mut Conn {
        match &mut self.conn {
            Held::Own(conn) => conn,
            Held::Pooled(conn) => conn,
        }
    }

    /// What its end makes of collections and settings, if it may have changed them.
    pub(crate) fn learned(&self) -> Option<Known> {
        self.alters.then(|| Known {
            schema: Arc::clone(&self.schema),
            settings: Arc::clone(&self.settings),
            version: self.version + 1,
            shared: self.shared,
        })
    }

    fn know(&mut self, known: &Known) {
        self.schema = Arc::clone(&known.schema);
        self.settings = Arc::clone(&known.settings);
        self.version = known.version;
        self.shared = known.shared;
    }

    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Sets a point to which what follows can be undone, within a request's part.
    pub(crate) async fn savepoint(&mut self) -> Result<Mark, StoreError> {
        self.conn().batch("SAVEPOINT part").await?;
        if let Some(design) = &mut self.design {
            design.batch("SAVEPOINT part").await?;
        }
        Ok(self.mark())
    }

    pub(crate) async fn release(&mut self) -> Result<(), StoreError> {
        self.conn().batch("RELEASE part").await?;
        match &mut self.design {
            Some(design) => design.batch("RELEASE part").await,
            None => Ok(()),
        }
    }

    pub(crate) async fn undo_to(&mut self, mark: Mark) -> Result<(), StoreError> {
        const UNDO: &str = "ROLLBACK TO part; RELEASE part";
        self.back_to(mark);
        if let Some(connection) = self.conn().postgres() {
            connection.roll_back_to(UNDO).await?;
        } else {
            return self.conn().batch(UNDO).await;
        }
        match &mut self.design {
            Some(design) => design.batch(UNDO).await,
            None => Ok(()),
        }
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
}

/// For SQLite, where a group of jobs shares a transaction.
impl Tx {
    pub(crate) fn begin_group(&mut self) -> Result<(), StoreError> {
        self.sqlite().statement("BEGIN IMMEDIATE")
    }

    /// Commits, with one fsync, and makes visible what changed of collections and settings.
    pub(crate) fn commit_group(&mut self, shared: &Shared) -> Result<(), StoreError> {
        self.sqlite().statement("COMMIT")?;
        if let Some(known) = self.learned() {
            self.version = known.version;
            shared.learn(known);
        }
        self.alters = false;
        Ok(())
    }

    pub(crate) fn begin_job(&mut self) -> Result<Mark, StoreError> {
        self.sqlite().statement("SAVEPOINT job")?;
        Ok(self.mark())
    }

    pub(crate) fn keep_job(&mut self) -> Result<(), StoreError> {
        self.sqlite().statement("RELEASE job")
    }

    /// Undoes what was done since `mark`.
    pub(crate) fn undo_job(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.back_to(mark);
        self.sqlite().statement("ROLLBACK TO job")?;
        self.sqlite().statement("RELEASE job")
    }

    /// Forgets the whole transaction after a failure.
    pub(crate) fn abort(&mut self, shared: &Shared) {
        if self.sqlite().in_transaction()
            && let Err(error) = self.sqlite().statement("ROLLBACK")
        {
            warn!(error = format!("{error:#}"), "failed to roll back");
        }
        self.changes.clear();
        self.alters = false;
        self.know(&shared.known());
    }

    /// Leaves the files tidy: statistics fresh, the log written back into the database.
    pub(crate) fn finish_up(&mut self) {
        let tidy = "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);";
        if let Err(error) = self.sqlite().batch(tidy) {
            warn!(error = format!("{error:#}"), "failed to tidy up the database");
        }
    }
}

/// For PostgreSQL.
impl Tx {
    /// What is done from now on belongs together. See [`postgres::Connection::begin`].
    pub(crate) fn begin(&mut self, may_wait: bool) {
        if let Some(connection) = self.conn().postgres() {
            connection.begin(may_wait);
        }
    }

    /// Whether other servers want to know what it writes.
    pub(crate) fn shared(&self) -> bool {
        self.shared
    }

    /// Whether it may have changed collections or settings.
    pub(crate) fn alters(&self) -> bool {
        self.alters
    }

    /// The version of collections and settings with which it ends.
    pub(crate) fn version_after(&self) -> u64 {
        self.version + u64::from(self.alters)
    }

    /// Makes it last. See [`postgres::Connection::commit`].
    pub(crate) async fn commit(
        &mut self,
        draft: Option<&postgres::Draft>,
    ) -> (Option<u64>, Result<(), StoreError>) {
        let version = self.version_after();
        match self.conn().postgres() {
            Some(connection) => connection.commit(version, draft).await,
            None => unreachable!("on SQLite, a group of jobs commits"),
        }
    }

    /// Why another try may do better, after a failure.
    pub(crate) fn again(&mut self) -> Option<postgres::Again> {
        self.conn().postgres().and_then(|connection| connection.again())
    }

    pub(crate) async fn roll_back(&mut self) {
        let Some(connection) = self.conn().postgres() else { return };
        if let Err(error) = connection.roll_back().await {
            // The server rolls back when the connection is closed, which is next.
            warn!(error = format!("{error:#}"), "failed to roll back");
        }
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match &self.conn {
            Held::Own(conn) => conn,
            Held::Pooled(conn) => conn,
        }
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn()
    }
}
