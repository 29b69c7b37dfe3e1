//! The database that is moved to: whether it will do, and how far the move has come there.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

use super::error::{MoveError, TargetProblem};
use super::table::Table;
use crate::postgres::{Connector, TABLES, ddl, functions};

const STATE: &str = include_str!("target.sql");

/// The oldest release that will do, as `server_version_num` says it.
const VERSION_MIN: i32 = 150_000;

/// The schemas and tables that a new database does not have.
const FOREIGN: &str = "\
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n \
    ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    AND (n.nspname = 'pando' OR n.nspname = current_schema()) \
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') \
    ORDER BY n.nspname <> 'pando', c.relname LIMIT 1";

/// What movers lock: "pandomov" in ASCII.
const LOCK: i64 = 0x7061_6e64_6f6d_6f76;

/// How long the session of a mover that is gone may take to end.
const ALONE_WITHIN_S: u32 = 20;

/// Views are dropped with the tables that they read.
const VIEWS_GONE: &str = "UPDATE pando.moving SET views = ''";

/// A connection to the database that is moved to.
pub(super) struct Target {
    pub(super) client: Client,
    /// By the key of the table.
    pub(super) states: BTreeMap<String, TableState>,
    /// The last change of the log that is here.
    pub(super) applied: i64,
    statements: BTreeMap<String, Statement>,
    /// The highest `_n` that each sequence is known to be beyond.
    pub(super) counted: BTreeMap<String, i64>,
}

/// How far a table has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableState {
    pub(super) name: String,
    pub(super) definition: String,
    pub(super) copied: i64,
    pub(super) complete: bool,
    pub(super) indexed: bool,
    pub(super) compared: i64,
    pub(super) verified: bool,
}

/// What the database says of an earlier move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) id: String,
    pub(super) phase: String,
}

impl Target {
    pub(super) async fn connect(url: &str) -> Result<Target, MoveError> {
        let connector = Connector::new(url, Duration::ZERO).map_err(MoveError::Connect)?;
        let client = connector.client().await.map_err(MoveError::Connect)?;
        let target = Target {
            client,
            states: BTreeMap::new(),
            applied: 0,
            statements: BTreeMap::new(),
            counted: BTreeMap::new(),
        };
        // Our own writes are none that would have to be taken back.
        target.client.batch_execute("SET pando.mover = 'on'").await?;
        Ok(target)
    }

    /// Waits until no other mover is at work here: neither another process nor the session of one
    /// that has died or lost patience, which may still write what it was sent.
    pub(super) async fn alone(self) -> Result<Target, MoveError> {
        let text =
            format!("SET lock_timeout = '{ALONE_WITHIN_S}s'; SELECT pg_advisory_lock({LOCK})");
        match self.client.batch_execute(&text).await {
            Ok(()) => {}
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                return Err(MoveError::NotAlone);
            }
            Err(error) => return Err(error.into()),
        }
        self.client.batch_execute("SET lock_timeout = 0").await?;
        Ok(self)
    }

    /// All that keeps this database from taking the move with that id.
    pub(super) async fn problems(&self, id: &str) -> Result<Vec<TargetProblem>, MoveError> {
        let text = "SELECT current_setting('server_version_num')::int, \
                    current_setting('server_version'), current_setting('server_encoding'), \
                    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', \
                    has_database_privilege(current_database(), 'CREATE'), \
                    coalesce(has_schema_privilege(current_schema(), 'CREATE'), FALSE), \
                    current_user::text, current_database()::text";
        let row = self.client.query_one(text, &[]).await?;
        let mut problems = Vec::new();
        if row.get::<_, i32>(0) < VERSION_MIN {
            problems.push(TargetProblem::TooOld(row.get(1)));
        }
        let encoding: String = row.get(2);
        if encoding != "UTF8" {
            problems.push(TargetProblem::Encoding(encoding));
        }
        if row.get(3) {
            problems.push(TargetProblem::ReadOnly);
        }
        let (user, database): (String, String) = (row.get(6), row.get(7));
        if !row.get::<_, bool>(4) {
            let hint = format!("GRANT CREATE ON DATABASE {database} TO {user}");
            problems.push(TargetProblem::Rights { user: user.clone(), what: "schema", hint });
        }
        if !row.get::<_, bool>(5) {
            let hint = format!("GRANT CREATE ON SCHEMA public TO {user}, in that database");
            problems.push(TargetProblem::Rights { user, what: "table", hint });
        }
        problems.extend(self.occupied(id).await?);
        Ok(problems)
    }

    async fn occupied(&self, id: &str) -> Result<Option<TargetProblem>, MoveError> {
        if let Some(trace) = self.trace().await? {
            // 'moved' is a move that ended just before its decision.
            let ours = trace.id == id && matches!(trace.phase.as_str(), "filling" | "moved");
            return Ok((!ours).then_some(TargetProblem::Taken));
        }
        let found = self.client.query_opt(FOREIGN, &[]).await?;
        Ok(found.map(|row| TargetProblem::NotEmpty(row.get(0))))
    }

    /// What is here of a move.
    pub(super) async fn trace(&self) -> Result<Option<Trace>, MoveError> {
        let known = "SELECT to_regclass('pando.moving') IS NOT NULL";
        if !self.client.query_one(known, &[]).await?.get::<_, bool>(0) {
            return Ok(None);
        }
        let row = self.client.query_opt("SELECT id, phase FROM pando.moving", &[]).await?;
        Ok(row.map(|row| Trace { id: row.get(0), phase: row.get(1) }))
    }

    /// Makes what a move needs, in one transaction, or reads how far it has come.
    pub(super) async fn prepare(&mut self, id: &str, seq: i64) -> Result<(), MoveError> {
        if self.trace().await?.is_none() {
            let transaction = self.client.transaction().await?;
            transaction.batch_execute(&functions()).await?;
            transaction.batch_execute(TABLES).await?;
            transaction.batch_execute(STATE).await?;
            let text = "INSERT INTO pando.moving (id, applied) VALUES ($1, $2)";
            transaction.execute(text, &[&id, &seq]).await?;
            transaction.commit().await?;
        } else {
            self.client.batch_execute("UPDATE pando.moving SET phase = 'filling'").await?;
        }
        self.load().await
    }

    /// Reads how far the move has come.
    pub(super) async fn load(&mut self) -> Result<(), MoveError> {
        let row = self.client.query_one("SELECT applied FROM pando.moving", &[]).await?;
        self.applied = row.get(0);
        let text = "SELECT key, name, definition, copied, complete, indexed, compared, verified \
                    FROM pando.moving_tables";
        let rows = self.client.query(text, &[]).await?;
        let state = |row: &tokio_postgres::Row| {
            let state = TableState {
                name: row.get(1),
                definition: row.get(2),
                copied: row.get(3),
                complete: row.get(4),
                indexed: row.get(5),
                compared: row.get(6),
                verified: row.get(7),
            };
            (row.get(0), state)
        };
        self.states = rows.iter().map(state).collect();
        Ok(())
    }

    /// Makes a table that is not there.
    pub(super) async fn make_table(&mut self, table: &Table) -> Result<(), MoveError> {
        let definition = table.definition();
        let transaction = self.client.transaction().await?;
        if let Some(collection) = &table.collection {
            for statement in ddl::create_table(collection) {
                transaction.batch_execute(&statement).await?;
            }
        }
        let text = "INSERT INTO pando.moving_tables (key, name, definition) VALUES ($1, $2, $3)";
        transaction.execute(text, &[&table.key, &table.name, &definition]).await?;
        transaction.commit().await?;
        self.statements.clear();
        self.counted.remove(&table.key);
        self.load().await
    }

    /// Drops the table of a collection that is gone, or is another one by now.
    pub(super) async fn drop_table(
        &mut self,
        key: &str,
        state: &TableState,
    ) -> Result<(), MoveError> {
        let transaction = self.client.transaction().await?;
        let drop = format!("DROP TABLE IF EXISTS {} CASCADE", ddl::quoted(&state.name));
        transaction.batch_execute(&drop).await?;
        transaction.execute("DELETE FROM pando.moving_tables WHERE key = $1", &[&key]).await?;
        transaction.batch_execute(VIEWS_GONE).await?;
        transaction.commit().await?;
        self.statements.clear();
        self.load().await
    }

    /// The statement, prepared once.
    pub(super) async fn prepared(&mut self, text: &str) -> Result<Statement, MoveError> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(text).await?;
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }
}
