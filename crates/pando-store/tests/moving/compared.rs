//! Whether both databases hold the same, seen without the code that moves.

use std::collections::BTreeMap;

use pando_schema::{Collection, CollectionKind, Field, FieldKind, SqlValue, Value};
use pando_store::postgres::ddl;
use rusqlite::types::ValueRef;
use tokio_postgres::Client;

use crate::world::World;

/// Rows by id: `_n`, and the values in the order of the fields.
type Rows = BTreeMap<String, (i64, Vec<String>)>;

/// Fails if a record is missing in, extra in or different in PostgreSQL. Returns how many there are.
pub(crate) async fn same(world: &World) -> usize {
    let (lite, client) = (world.lite(), world.client().await);
    let count = same_records(world, world.store.schema().iter().map(|one| &**one)).await;
    for table in ["_collections", "_params"] {
        let text = format!("SELECT id FROM {table} ORDER BY id");
        let mut statement = lite.prepare(&text).unwrap();
        let here = statement.query_map([], |row| row.get(0)).unwrap();
        let here: Vec<String> = here.collect::<Result<_, _>>().unwrap();
        let there = client.query(&text, &[]).await.unwrap();
        assert_eq!(here, there.iter().map(|row| row.get(0)).collect::<Vec<String>>(), "{table}");
    }
    count
}

/// The same for the records of collections.
pub(crate) async fn same_records(
    world: &World,
    collections: impl Iterator<Item = &Collection>,
) -> usize {
    let (lite, client) = (world.lite(), world.client().await);
    let mut count = 0;
    for collection in collections {
        if collection.kind == CollectionKind::View {
            continue;
        }
        let here = of_sqlite(&lite, collection);
        let there = of_postgres(&client, collection).await;
        for (id, row) in &here {
            assert_eq!(there.get(id), Some(row), "{} {id}", collection.name);
        }
        let extra: Vec<&String> = there.keys().filter(|id| !here.contains_key(*id)).collect();
        assert!(extra.is_empty(), "{} has {extra:?} too many", collection.name);
        count += here.len();
    }
    count
}

pub(crate) fn of_sqlite(lite: &rusqlite::Connection, collection: &Collection) -> Rows {
    let columns: Vec<String> = collection.fields.iter().map(|f| format!("`{}`", f.name)).collect();
    let text = format!("SELECT _rowid_, {} FROM `{}`", columns.join(", "), collection.name);
    let mut statement = lite.prepare(&text).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut found = Rows::new();
    while let Some(row) = rows.next().unwrap() {
        let values: Vec<Value> = collection
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| value(field, row.get_ref(index + 1).unwrap()))
            .collect();
        let shown: Vec<String> = values.iter().map(shown).collect();
        found.insert(shown[0].clone(), (row.get(0).unwrap(), shown));
    }
    found
}

fn value(field: &Field, cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::from_sql_null(field),
        ValueRef::Integer(number) => Value::from_sql_int(field, number),
        ValueRef::Real(number) => Value::from_sql_real(field, number),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Value::from_sql_text(field, std::str::from_utf8(text).unwrap())
        }
    }
}

fn shown(value: &Value) -> String {
    match (value, value.to_sql()) {
        (Value::Bool(on), _) => on.to_string(),
        (Value::Number(number), _) => (number + 0.0).to_string(),
        (_, SqlValue::Text(text)) => text,
        (_, SqlValue::Null) => "NULL".to_owned(),
        (_, other) => panic!("{other:?}"),
    }
}

pub(crate) async fn of_postgres(client: &Client, collection: &Collection) -> Rows {
    let column = |field: &Field| {
        let cast = match field.kind {
            FieldKind::Number { .. } | FieldKind::Bool { .. } => "",
            _ => "::text",
        };
        format!("{}{cast}", ddl::quoted(&field.name))
    };
    let columns: Vec<String> = collection.fields.iter().map(column).collect();
    let (columns, table) = (columns.join(", "), ddl::quoted(&collection.name));
    let text = format!("SELECT _b, _n, {columns} FROM {table}");
    let mut found = Rows::new();
    for row in client.query(&text, &[]).await.unwrap() {
        let values: Vec<String> = collection
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| match field.kind {
                FieldKind::Number { .. } => row.get::<_, f64>(index + 2).to_string(),
                FieldKind::Bool { .. } => row.get::<_, bool>(index + 2).to_string(),
                _ => row.get::<_, Option<String>>(index + 2).unwrap_or("NULL".to_owned()),
            })
            .collect();
        let bucket = u16::try_from(row.get::<_, i16>(0)).unwrap();
        assert_eq!(bucket, pando_filter::bucket(&values[0]));
        found.insert(values[0].clone(), (row.get(1), values));
    }
    found
}
