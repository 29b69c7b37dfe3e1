//! The same tables and records in both databases.

use std::sync::Arc;

use pando_filter::{Dialect, Ident, Sql};
use pando_schema::{Record, Schema, SqlValue};
use pando_store::postgres::{FUNCTIONS, ddl};
use pando_store::{Store, StoreError, StoreOptions};
use pando_testkit::Postgres;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

/// What a statement gave: the first column of each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Rows(Vec<String>),
    Refused(String),
}

impl Found {
    pub(crate) fn sorted(&self) -> Found {
        let mut sorted = self.clone();
        if let Found::Rows(rows) = &mut sorted {
            rows.sort();
        }
        sorted
    }
}

pub(crate) struct Databases {
    store: Store,
    client: Client,
    _server: Arc<Postgres>,
    _dir: tempfile::TempDir,
}

impl Databases {
    pub(crate) async fn start(schema: &Schema) -> Databases {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions { dir: dir.path().to_owned(), ..StoreOptions::default() };
        let store = Store::open(&options).await.unwrap();
        let server = Postgres::start().unwrap();
        let client = connect(&server).await;
        let databases = Databases { store, client, _server: server, _dir: dir };
        databases.create(schema).await;
        databases
    }

    async fn create(&self, schema: &Schema) {
        for collection in schema.iter() {
            for statement in ddl::create_table(collection) {
                self.client.batch_execute(&statement).await.unwrap();
            }
            let columns: Vec<String> = collection
                .columns()
                .iter()
                .map(|column| format!("`{}` {}", column.name, column.definition))
                .collect();
            let table =
                format!("CREATE TABLE IF NOT EXISTS `{}` ({})", collection.name, columns.join(","));
            let drop = format!("DROP TABLE IF EXISTS `{}`", collection.name);
            self.lite(vec![lite(drop, vec![]), lite(table, vec![])]).await;
            let indexes = collection.new_indexes().unwrap();
            self.lite(indexes.into_iter().map(|index| lite(index.statement, vec![])).collect())
                .await;
        }
    }

    async fn lite(&self, statements: Vec<Sql>) {
        let written = self.store.write(move |tx| {
            Box::pin(async move {
                for statement in &statements {
                    tx.execute(statement).await?;
                }
                Ok::<(), StoreError>(())
            })
        });
        written.await.unwrap();
    }

    /// Replaces all records.
    pub(crate) async fn fill(&self, schema: &Schema, records: &[Record]) {
        let mut statements = Vec::new();
        for collection in schema.iter() {
            statements.push(lite(format!("DELETE FROM `{}`", collection.name), vec![]));
            self.client
                .batch_execute(&format!("DELETE FROM {}", ddl::quoted(&collection.name)))
                .await
                .unwrap();
        }
        for record in records {
            let names: Vec<String> =
                record.collection.fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let marks = vec!["?"; names.len()].join(",");
            let text = format!(
                "INSERT INTO `{}` ({}) VALUES ({marks})",
                record.collection.name,
                names.join(",")
            );
            statements.push(lite(text, record.values.iter().map(|value| value.to_sql()).collect()));
            let found = self.postgres(&insert(record)).await;
            assert_eq!(found, Found::Rows(Vec::new()), "{record:?}");
        }
        self.lite(statements).await;
        self.client.batch_execute("ANALYZE").await.unwrap();
    }

    pub(crate) async fn sqlite(&self, sql: &Sql) -> Found {
        match self.store.read().await.unwrap().texts(sql).await {
            Ok(rows) => Found::Rows(rows),
            Err(error) => Found::Refused(format!("{error:?}")),
        }
    }

    pub(crate) async fn postgres(&self, sql: &Sql) -> Found {
        let values: Vec<Box<dyn ToSql + Sync>> = sql.values.iter().map(parameter).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value).collect();
        match self.client.query(&sql.text, &values).await {
            Ok(rows) => Found::Rows(rows.iter().map(first_column).collect()),
            Err(error) => Found::Refused(format!("{error:?}")),
        }
    }
}

/// A statement for SQLite.
fn lite(text: String, values: Vec<SqlValue>) -> Sql {
    Sql { dialect: Dialect::Sqlite, text, values }
}

/// A connection to a new database that has the helper functions.
pub(crate) async fn connect(server: &Postgres) -> Client {
    let database = server.database().unwrap();
    let (client, connection) = tokio_postgres::connect(&database, NoTls).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
    tokio::spawn(connection);
    client.batch_execute(FUNCTIONS).await.unwrap();
    client
}

pub(crate) fn parameter(value: &SqlValue) -> Box<dyn ToSql + Sync> {
    match value {
        SqlValue::Null => Box::new(None::<String>),
        SqlValue::Int(number) => Box::new(*number),
        SqlValue::Real(number) => Box::new(*number),
        SqlValue::Text(text) => Box::new(text.clone()),
    }
}

fn first_column(row: &tokio_postgres::Row) -> String {
    if let Ok(text) = row.try_get::<_, String>(0) {
        return text;
    }
    if let Ok(number) = row.try_get::<_, i64>(0) {
        return number.to_string();
    }
    row.get::<_, i32>(0).to_string()
}

pub(crate) fn insert(record: &Record) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push("INSERT INTO ")
        .ident(&Ident::parse(&record.collection.name).unwrap())
        .push(" (\"_b\"");
    for field in &record.collection.fields {
        sql.push(", ").ident(&Ident::parse(&field.name).unwrap());
    }
    sql.push(") VALUES (").bind_bucket(record.id());
    for (field, value) in record.collection.fields.iter().zip(&record.values) {
        sql.push(", ").bind_stored(field, value);
    }
    sql.push(")");
    sql
}
