//! Values of all kinds are what an insert of the same record would have stored, to the byte.

#[path = "../dialects/records.rs"]
mod records;
#[expect(dead_code, reason = "the other tests need it all")]
#[path = "../dialects/schema.rs"]
mod schema;

use std::error::Error;
use std::sync::Arc;

use pando_filter::{Dialect, Ident, Sql};
use pando_schema::{Collection, Record, SqlValue, Value};
use pando_store::postgres::{FUNCTIONS, ddl};
use pando_testkit::Rng;
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::compared::same_records;
use crate::world::{World, connect};

/// Lists and names in the form in which they are read, and so written by a server.
fn as_read(record: &mut Record) {
    let fields = Arc::clone(&record.collection);
    for (field, value) in fields.fields.iter().zip(&mut record.values) {
        if let (Value::List(_) | Value::Text(_), SqlValue::Text(text)) = (&*value, value.to_sql()) {
            *value = Value::from_sql_text(field, text);
        }
    }
}

/// Puts collections and records into data.db as they are.
fn fill(lite: &rusqlite::Connection, collections: &[&Collection], records: &[Record]) {
    lite.execute_batch("BEGIN").unwrap();
    for collection in collections {
        let row = collection.to_stored();
        lite.execute("DELETE FROM _collections WHERE name = ?1", [&row.name]).unwrap();
        let text = "INSERT INTO _collections (id, system, type, name, fields, indexes, options) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = rusqlite::params![
            row.id,
            row.system,
            row.kind,
            row.name,
            row.fields,
            row.indexes,
            row.options
        ];
        lite.execute(text, values).unwrap();
        let column =
            |column: &pando_schema::Column| format!("`{}` {}", column.name, column.definition);
        let columns: Vec<String> = collection.columns().iter().map(column).collect();
        lite.execute_batch(&format!(
            "DROP TABLE IF EXISTS `{name}`; CREATE TABLE `{name}` ({})",
            columns.join(","),
            name = collection.name
        ))
        .unwrap();
    }
    for record in records {
        let marks = vec!["?"; record.values.len()].join(",");
        let names = record.collection.fields.iter().map(|field| format!("`{}`", field.name));
        let (table, names) = (&record.collection.name, names.collect::<Vec<_>>().join(","));
        let text = format!("INSERT INTO `{table}` ({names}) VALUES ({marks})");
        let values = record.values.iter().map(|value| match value.to_sql() {
            SqlValue::Null => rusqlite::types::Value::Null,
            SqlValue::Int(number) => number.into(),
            SqlValue::Real(number) => number.into(),
            SqlValue::Text(text) => text.into(),
        });
        lite.execute(&text, rusqlite::params_from_iter(values)).unwrap();
    }
    lite.execute_batch("COMMIT").unwrap();
}

async fn insert(client: &Client, record: &Record) {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push("INSERT INTO ").ident(&Ident::parse(&record.collection.name).unwrap());
    sql.push(" (\"_b\"");
    for field in &record.collection.fields {
        sql.push(", ").ident(&Ident::parse(&field.name).unwrap());
    }
    sql.push(") VALUES (").bind_bucket(record.id());
    for (field, value) in record.collection.fields.iter().zip(&record.values) {
        sql.push(", ").bind_stored(field, value);
    }
    sql.push(")");
    let values: Vec<Box<dyn ToSql + Sync>> = sql
        .values
        .iter()
        .map(|value| -> Box<dyn ToSql + Sync> {
            match value {
                SqlValue::Null => Box::new(None::<String>),
                SqlValue::Int(number) => Box::new(*number),
                SqlValue::Real(number) => Box::new(*number),
                SqlValue::Text(text) => Box::new(text.clone()),
            }
        })
        .collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value).collect();
    client.execute(&sql.text, &values).await.unwrap();
}

/// What a column holds, in its binary form.
struct Bytes(Option<Vec<u8>>);

impl<'a> FromSql<'a> for Bytes {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Bytes, Box<dyn Error + Sync + Send>> {
        Ok(Bytes(Some(raw.to_owned())))
    }

    fn from_sql_null(_: &Type) -> Result<Bytes, Box<dyn Error + Sync + Send>> {
        Ok(Bytes(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// All of a table, in its binary form.
async fn bytes(client: &Client, collection: &Collection) -> Vec<Vec<Option<Vec<u8>>>> {
    let columns: Vec<String> = collection.fields.iter().map(|f| ddl::quoted(&f.name)).collect();
    let (columns, table) = (columns.join(", "), ddl::quoted(&collection.name));
    let text = format!("SELECT _b, _n, {columns} FROM {table} ORDER BY id");
    let rows = client.query(&text, &[]).await.unwrap();
    let cells = |row: &tokio_postgres::Row| {
        (0..row.len()).map(|index| row.get::<_, Bytes>(index).0).collect()
    };
    rows.iter().map(cells).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_stores_what_an_insert_stores() {
    for seed in 0..3 {
        let schema = schema::schema();
        let mut records = records::records(&schema, &mut Rng::new(seed));
        records.iter_mut().for_each(as_read);
        let collections: Vec<&Collection> = schema.iter().map(|one| &**one).collect();
        let world = World::start().await;
        fill(&world.lite(), &collections, &records);
        // The same rows by single inserts.
        let other = connect(&world.server.database().unwrap()).await;
        other.batch_execute(FUNCTIONS).await.unwrap();
        for collection in &collections {
            for statement in ddl::create_table(collection) {
                other.batch_execute(&statement).await.unwrap();
            }
        }
        for record in &records {
            insert(&other, record).await;
        }
        let planned = world.plan().await.unwrap();
        assert_eq!(planned.obstacles, []);
        world.run().await.unwrap();
        let client = world.client().await;
        for collection in collections {
            let (copied, inserted) =
                (bytes(&client, collection).await, bytes(&other, collection).await);
            assert!(!inserted.is_empty(), "{}", collection.name);
            assert_eq!(copied.len(), inserted.len(), "{}", collection.name);
            for (copied, inserted) in copied.iter().zip(&inserted) {
                assert_eq!(copied, inserted, "{}", collection.name);
            }
        }
        // And back.
        let touch = "UPDATE posts SET title = title; UPDATE comments SET text = text; \
                     UPDATE users SET name = name; UPDATE pg_class SET note = note";
        client.batch_execute(&touch.replace("pg_class", "\"pg_class~\"")).await.unwrap();
        world.undo().await.unwrap();
        same_records(&world, schema.iter().map(|one| &**one)).await;
    }
}
