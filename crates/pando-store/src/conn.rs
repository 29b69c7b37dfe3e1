//! A connection to the database, and what may be asked of it.
//!
//! The calls are `async` since PostgreSQL is behind a network. On SQLite they are done when they
//! return. What PostgreSQL needs to wait is boxed, so that it costs requests on SQLite nothing.

use std::collections::HashMap;
use std::sync::Arc;

use pando_filter::{Author, Compiled, Dialect, ParseError, Sql, compile};
use pando_schema::{Collection, Record, Schema, SqlValue};

use crate::{StoreError, postgres, sqlite};

/// One connection, used by one request at a time.
pub struct Conn {
    database: Database,
    rules: Rules,
}

enum Database {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

/// Rules prepared for one version of the schema, as statements are for the database.
#[derive(Default)]
struct Rules {
    schema: Option<Arc<Schema>>,
    /// By the id of the collection, then the rule's text.
    compiled: HashMap<String, HashMap<String, Arc<Compiled>>>,
}

impl From<sqlite::Connection> for Conn {
    fn from(connection: sqlite::Connection) -> Conn {
        Conn { database: Database::Sqlite(connection), rules: Rules::default() }
    }
}

impl From<postgres::Connection> for Conn {
    fn from(connection: postgres::Connection) -> Conn {
        Conn { database: Database::Postgres(connection), rules: Rules::default() }
    }
}

impl Conn {
    /// What statements must be written in.
    pub fn dialect(&self) -> Dialect {
        match self.database {
            Database::Sqlite(_) => Dialect::Sqlite,
            Database::Postgres(_) => Dialect::Postgres,
        }
    }

    /// An empty statement for this database.
    pub fn sql(&self) -> Sql {
        Sql::new(self.dialect())
    }

    /// A rule of `collection`, prepared to be evaluated. Kept for as long as `schema` is current.
    pub fn rule(
        &mut self,
        schema: &Arc<Schema>,
        collection: &Collection,
        rule: &str,
    ) -> Result<Arc<Compiled>, ParseError> {
        if !self.rules.schema.as_ref().is_some_and(|known| Arc::ptr_eq(known, schema)) {
            self.rules = Rules { schema: Some(Arc::clone(schema)), compiled: HashMap::new() };
        }
        let of_collection = self.rules.compiled.get(&collection.id);
        if let Some(compiled) = of_collection.and_then(|rules| rules.get(rule)) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new(compile(rule, collection, schema, Author::Operator)?);
        let of_collection = self.rules.compiled.entry(collection.id.clone()).or_default();
        of_collection.insert(rule.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// Runs a statement that returns no rows. Returns how many rows it changed.
    pub async fn execute(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        match &mut self.database {
            Database::Sqlite(database) => database.execute(sql),
            Database::Postgres(database) => Box::pin(database.execute(sql)).await,
        }
    }

    /// Runs statements that take no values.
    pub(crate) async fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        match &mut self.database {
            Database::Sqlite(database) => database.batch(text),
            Database::Postgres(database) => Box::pin(database.batch(text)).await,
        }
    }

    /// The rows of a query that selects the columns of `collection` in the order of its fields.
    pub async fn records(
        &mut self,
        collection: &Arc<Collection>,
        sql: &Sql,
    ) -> Result<Vec<Record>, StoreError> {
        match &mut self.database {
            Database::Sqlite(database) => database.records(collection, sql),
            Database::Postgres(database) => Box::pin(database.records(collection, sql)).await,
        }
    }

    /// The rows of `list`, and the number that `count` finds, in one round trip.
    pub async fn page(
        &mut self,
        collection: &Arc<Collection>,
        list: &Sql,
        count: Option<&Sql>,
    ) -> Result<(Vec<Record>, Option<i64>), StoreError> {
        let Some(count) = count else { return Ok((self.records(collection, list).await?, None)) };
        match &mut self.database {
            Database::Sqlite(database) => {
                let records = database.records(collection, list)?;
                Ok((records, Some(self.integer(count).await?.unwrap_or(0))))
            }
            Database::Postgres(database) => {
                let (records, total) = Box::pin(database.page(collection, list, count)).await?;
                Ok((records, Some(total)))
            }
        }
    }

    /// All rows, as the database typed them. For what is not a record.
    pub async fn rows(&mut self, sql: &Sql) -> Result<Vec<Vec<SqlValue>>, StoreError> {
        match &mut self.database {
            Database::Sqlite(database) => database.rows(sql),
            Database::Postgres(database) => Box::pin(database.rows(sql)).await,
        }
    }

    /// The first column of all rows, as text.
    pub async fn texts(&mut self, sql: &Sql) -> Result<Vec<String>, StoreError> {
        let rows = self.rows(sql).await?;
        let texts = rows.into_iter().map(|row| match row.into_iter().next() {
            None | Some(SqlValue::Null) => String::new(),
            Some(SqlValue::Int(number)) => number.to_string(),
            Some(SqlValue::Real(number)) => number.to_string(),
            Some(SqlValue::Text(text)) => text,
        });
        Ok(texts.collect())
    }

    /// The first column of the first row, if there is one and it is an integer.
    pub async fn integer(&mut self, sql: &Sql) -> Result<Option<i64>, StoreError> {
        let rows = self.rows(sql).await?;
        Ok(match rows.first().and_then(|row| row.first()) {
            Some(SqlValue::Int(number)) => Some(*number),
            Some(SqlValue::Null | SqlValue::Real(_) | SqlValue::Text(_)) | None => None,
        })
    }

    /// Whether the query has a row.
    pub async fn exists(&mut self, sql: &Sql) -> Result<bool, StoreError> {
        match &mut self.database {
            Database::Sqlite(database) => database.exists(sql),
            Database::Postgres(database) => Ok(!Box::pin(database.rows(sql)).await?.is_empty()),
        }
    }

    /// The SQLite connection in it. For what only SQLite does.
    pub(crate) fn sqlite(&mut self) -> &mut sqlite::Connection {
        match &mut self.database {
            Database::Sqlite(database) => database,
            Database::Postgres(_) => unreachable!("only called where SQLite is at work"),
        }
    }

    /// The PostgreSQL connection in it, if it is one.
    pub(crate) fn postgres(&mut self) -> Option<&mut postgres::Connection> {
        match &mut self.database {
            Database::Postgres(database) => Some(database),
            Database::Sqlite(_) => None,
        }
    }
}
