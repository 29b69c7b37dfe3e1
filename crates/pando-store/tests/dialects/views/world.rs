//! The collections of the comparison with PocketBase, with random records, in both databases.

use std::sync::Arc;

use pando_schema::{
    Collection, CollectionKind, Draft, Field, FieldKind, Record, Schema, SqlValue, Value,
    quote_names, single_statement, system_collections, view_columns, view_fields, with_text_id,
};
use pando_store::postgres::view::{RowOrder, ViewRefused, translate};
use pando_store::postgres::{FUNCTIONS, TABLES, ddl};
use pando_testkit::{Postgres, Rng, compare};
use rusqlite::types::ValueRef;
use serde_json::{Map, Value as Json};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, NoTls};

use crate::databases::{insert, parameter};

const NOW: &str = "2024-02-10 11:12:13.456Z";

const WORDS: [&str; 18] = [
    "",
    "a",
    "B",
    "alpha",
    "Beta",
    "gamma ray",
    "Épsilon",
    "5",
    "5.0",
    "-7.5",
    "true",
    "null",
    "[1,2]",
    "{\"a\":1}",
    "it's",
    "back\\slash%_",
    "12abc",
    "日本",
];
const NUMBERS: [f64; 12] = [0.0, 1.0, 2.0, 5.0, -3.0, 1.5, -0.5, 3.25, 7.0, 100.0, 12345.0, 1e-5];
const JSON: [&str; 10] = [
    "null",
    "5",
    "1.5",
    "\"a\"",
    "\"5\"",
    "true",
    "[1,\"two\",{\"three\":3}]",
    "{\"a\":1,\"nested\":{\"x\":[1,2.5,\"y\"]},\"list\":[1,2,3]}",
    "{\"a\":\"text\",\"empty\":\"\"}",
    "{\"a\":null,\"nested\":{}}",
];
const DATES: [&str; 5] = [
    "",
    "2024-02-10 11:12:13.456Z",
    "2023-12-31 23:59:59.999Z",
    "2020-02-29 01:02:03.004Z",
    "2018-07-01 00:00:00.000Z",
];

/// The schema with the views that were made, and the databases.
pub(crate) struct World {
    pub(crate) schema: Schema,
    pub(crate) lite: rusqlite::Connection,
    pub(crate) client: Client,
    _server: Arc<Postgres>,
}

/// Why there is no view.
#[derive(Debug)]
pub(crate) enum Failed {
    /// SQLite has none either.
    Sqlite,
    Refused(ViewRefused),
    /// A translation that PostgreSQL does not take.
    Postgres(String),
}

fn map(definition: &Json) -> Map<String, Json> {
    definition.as_object().unwrap().clone()
}

/// Collections as the API makes them of the definitions.
fn base_schema(rng: &mut Rng) -> Schema {
    let mut random = rand(rng);
    let mut all: Vec<Arc<Collection>> =
        system_collections(&mut random, NOW).into_iter().map(Arc::new).collect();
    let users = all.iter().position(|one| one.name == "users").unwrap();
    let fields: Vec<Json> = all[users].fields.iter().map(Field::to_json).collect();
    let indexes: Vec<Json> = all[users].indexes.iter().map(|index| index.as_str().into()).collect();
    let (patch, definitions) = compare::definitions(&fields, &indexes);
    let with_ids = |definition: &Json, schema: &Schema| {
        let mut text = definition.to_string();
        for collection in schema.iter() {
            text = text.replace(&format!("{{{{{}}}}}", collection.name), &collection.id);
        }
        map(&serde_json::from_str(&text).unwrap())
    };
    for definition in definitions {
        let schema = Schema::new(all.iter().cloned());
        let mut draft = Draft::create(&with_ids(&definition, &schema), &mut random).unwrap();
        draft.prepare(None, &schema, NOW).unwrap();
        all.push(Arc::new(draft.collection));
    }
    let schema = Schema::new(all.iter().cloned());
    let mut draft = Draft::update(&all[users], &with_ids(&patch, &schema)).unwrap();
    draft.prepare(Some(&all[users]), &schema, NOW).unwrap();
    all[users] = Arc::new(draft.collection);
    Schema::new(all)
}

fn rand(rng: &mut Rng) -> rand::rngs::StdRng {
    rand::SeedableRng::seed_from_u64(rng.next_u64())
}

impl World {
    pub(crate) async fn make(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let schema = base_schema(&mut rng);
        let server = Postgres::start().unwrap();
        let database = server.database().unwrap();
        let (client, connection) = tokio_postgres::connect(&database, NoTls).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "it ends with the client")]
        tokio::spawn(connection);
        client.batch_execute(FUNCTIONS).await.unwrap();
        client.batch_execute(TABLES).await.unwrap();
        for collection in schema.iter() {
            for statement in ddl::create_table(collection) {
                client.batch_execute(&statement).await.unwrap();
            }
            for index in collection.new_indexes().unwrap() {
                let statement = ddl::create_index(collection, &index.statement).unwrap();
                client.batch_execute(&statement).await.unwrap();
            }
        }
        let lite = lite_of(&schema);
        let world = World { schema, lite, client, _server: server };
        world.fill(&mut rng).await;
        world
    }

    async fn fill(&self, rng: &mut Rng) {
        for collection in self.schema.iter() {
            let row = "INSERT INTO _collections (id, system, type, name) VALUES (?1, ?2, ?3, ?4)";
            let kind = if collection.auth.is_some() { "auth" } else { "base" };
            let system = i64::from(collection.system);
            let values = rusqlite::params![collection.id, system, kind, collection.name];
            self.lite.execute(row, values).unwrap();
            let row = "INSERT INTO _collections (id, system, type, name) VALUES ($1, $2::text = '1', $3, $4)";
            let system = system.to_string();
            self.client
                .execute(row, &[&collection.id, &system, &kind, &collection.name])
                .await
                .unwrap();
            let count = if collection.name.starts_with('_') { 2 } else { 8 + rng.below(12) };
            for number in 0..count {
                let record = self.record(collection, number, count, rng);
                self.insert(&record).await;
            }
        }
        self.client.batch_execute("ANALYZE").await.unwrap();
    }

    async fn insert(&self, record: &Record) {
        let names: Vec<String> =
            record.collection.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        let marks = vec!["?"; names.len()].join(",");
        let table = &record.collection.name;
        let text = format!("INSERT INTO `{table}` ({}) VALUES ({marks})", names.join(","));
        let values = record.values.iter().map(|value| lite_value(&value.to_sql()));
        if self.lite.execute(&text, rusqlite::params_from_iter(values)).is_err() {
            // A unique index.
            return;
        }
        let sql = insert(record);
        let values: Vec<Box<dyn ToSql + Sync>> = sql.values.iter().map(parameter).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value).collect();
        self.client.execute(&sql.text, &values).await.unwrap();
    }

    fn record(
        &self,
        collection: &Arc<Collection>,
        number: usize,
        count: usize,
        rng: &mut Rng,
    ) -> Record {
        let mut record = Record::new(Arc::clone(collection));
        for (index, field) in collection.fields.iter().enumerate() {
            record.values[index] = self.value(field, rng);
        }
        // In no order, as ids are.
        let scattered = number * 7 % (count + usize::from(count.is_multiple_of(7)));
        record.put("id", Value::Text(id_of(&collection.name, scattered)));
        record
    }

    fn value(&self, field: &Field, rng: &mut Rng) -> Value {
        let text = |rng: &mut Rng| (*rng.pick(&WORDS)).to_owned();
        let one = |rng: &mut Rng| match &field.kind {
            FieldKind::Relation { collection_id, .. } => {
                let target = self.schema.by_id(collection_id).unwrap();
                id_of(&target.name, rng.below(20))
            }
            _ => (*rng.pick(&["red", "blue", "a", "b", "it's.png", "x_y"])).to_owned(),
        };
        match &field.kind {
            FieldKind::Number { .. } => Value::Number(*rng.pick(&NUMBERS)),
            FieldKind::Bool { .. } => Value::Bool(rng.percent(50)),
            FieldKind::Date { .. } | FieldKind::Autodate { .. } => {
                Value::Text((*rng.pick(&DATES)).to_owned())
            }
            FieldKind::Json { .. } => Value::Json((*rng.pick(&JSON)).to_owned()),
            FieldKind::GeoPoint { .. } => Value::GeoPoint {
                lon: *rng.pick(&[0.0, 23.32, -179.5]),
                lat: *rng.pick(&[0.0, 42.7]),
            },
            FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
                if field.multiple() {
                    Value::List((0..rng.below(4)).map(|_| one(rng)).collect())
                } else if rng.percent(80) {
                    Value::Text(one(rng))
                } else {
                    Value::Text(String::new())
                }
            }
            FieldKind::Text { .. } if matches!(field.name.as_str(), "username" | "slug") => {
                Value::Text(format!("{}{}", text(rng), rng.below(1000)))
            }
            FieldKind::Email { .. } | FieldKind::Password { .. } => {
                Value::Text(format!("m{}@example.com", rng.below(100_000)))
            }
            FieldKind::Text { .. } if field.name == "tokenKey" => {
                Value::Text(format!("key{}", rng.below(1_000_000)))
            }
            FieldKind::Text { .. } | FieldKind::Editor { .. } | FieldKind::Url { .. } => {
                Value::Text(text(rng))
            }
        }
    }

    /// Makes a view in both databases and in the schema, as a superuser does.
    pub(crate) async fn make_view(&mut self, name: &str, query: &str) -> Result<(), Failed> {
        let mut view = self.view(name, query).map_err(|_| Failed::Sqlite)?;
        let types = self.types(name).map_err(|_| Failed::Sqlite)?;
        assert_eq!(types.len(), view.fields.len(), "{query}");
        view.view_query = query.to_owned();
        let made = translate(query, &view.fields, &self.schema, RowOrder::Free);
        let made = made.map_err(Failed::Refused);
        let made = match made {
            Ok(body) => {
                let text = format!("CREATE VIEW {} AS {body}", ddl::quoted(name));
                let done = self.client.batch_execute(&text).await;
                done.map_err(|error| Failed::Postgres(format!("{error:?}\n  {text}")))
            }
            Err(error) => Err(error),
        };
        if made.is_err() {
            self.lite.execute_batch(&format!("DROP VIEW `{name}`")).unwrap();
            return made;
        }
        let all = self.schema.iter().cloned().chain([Arc::new(view)]);
        self.schema = Schema::new(all.collect::<Vec<_>>());
        Ok(())
    }

    pub(crate) async fn drop_view(&mut self, name: &str) {
        self.lite.execute_batch(&format!("DROP VIEW `{name}`")).unwrap();
        let drop = format!("DROP VIEW {}", ddl::quoted(name));
        self.client.batch_execute(&drop).await.unwrap();
        let left = self.schema.iter().filter(|one| one.name != name).cloned();
        self.schema = Schema::new(left.collect::<Vec<_>>());
    }

    fn types(&self, name: &str) -> Result<Vec<(String, String)>, String> {
        let text = "SELECT name, type FROM PRAGMA_TABLE_INFO(?)";
        let mut statement = self.lite.prepare(text).unwrap();
        let rows = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect).map_err(|error| error.to_string())
    }

    fn create_lite(&self, name: &str, query: &str) -> Result<(), String> {
        let single = single_statement(query).map_err(|error| error.to_string())?;
        let query = quote_names(single).map_err(|error| error.to_string())?;
        let drop = format!("DROP VIEW IF EXISTS `{name}`");
        let create = format!("CREATE VIEW `{name}` AS SELECT * FROM ({query})");
        let done = self.lite.execute_batch(&drop).and_then(|()| {
            self.lite.prepare(&create).and_then(|mut statement| statement.raw_execute())
        });
        done.map(drop_count).map_err(|error| error.to_string())
    }

    /// Makes the view in SQLite, and says which fields it has.
    fn view(&self, name: &str, query: &str) -> Result<Collection, String> {
        let mut random = rand(&mut Rng::new(1));
        let columns =
            view_columns(query, &self.schema, &mut random).map_err(|error| error.to_string())?;
        self.create_lite(name, query)?;
        let outcome = self.types(name).and_then(|types| {
            let (fields, outcome) = view_fields(&columns, types.iter().map(|it| it.0.as_str()));
            outcome.map_err(|error| error.to_string())?;
            let wrapped = with_text_id(query, &types).map_err(|error| error.to_string())?;
            self.create_lite(name, &wrapped)?;
            Ok(fields)
        });
        if outcome.is_err() {
            let _ = self.lite.execute_batch(&format!("DROP VIEW IF EXISTS `{name}`"));
        }
        let mut view = Collection::new(CollectionKind::View, name, "", &mut random);
        view.fields = outcome?;
        Ok(view)
    }

    /// The rows of a statement in SQLite.
    pub(crate) fn lite_rows(
        &self,
        view: &Collection,
        text: &str,
        values: &[SqlValue],
    ) -> Result<Vec<Vec<Value>>, String> {
        let run = || -> rusqlite::Result<Vec<Vec<Value>>> {
            let mut statement = self.lite.prepare(text)?;
            let mut rows =
                statement.query(rusqlite::params_from_iter(values.iter().map(lite_value)))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let fields = view.fields.iter().enumerate();
                let row: rusqlite::Result<Vec<Value>> =
                    fields.map(|(index, field)| Ok(of_lite(field, row.get_ref(index)?))).collect();
                all.push(row?);
            }
            Ok(all)
        };
        run().map_err(|error| error.to_string())
    }

    /// The rows of a statement in PostgreSQL.
    pub(crate) async fn heavy_rows(
        &self,
        view: &Collection,
        text: &str,
        values: &[SqlValue],
    ) -> Result<Vec<Vec<Value>>, String> {
        let values: Vec<Box<dyn ToSql + Sync>> = values.iter().map(parameter).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value).collect();
        let rows = self.client.query(text, &values).await.map_err(|error| format!("{error:?}"))?;
        let of_row = |row: &tokio_postgres::Row| {
            view.fields
                .iter()
                .enumerate()
                .map(|(index, field)| {
                    row.get::<_, Option<Cell>>(index)
                        .map_or_else(|| Value::from_sql_null(field), |cell| of_heavy(field, cell))
                })
                .collect()
        };
        Ok(rows.iter().map(of_row).collect())
    }
}

/// The tables of a schema in SQLite.
fn lite_of(schema: &Schema) -> rusqlite::Connection {
    let lite = rusqlite::Connection::open_in_memory().unwrap();
    lite.execute_batch(
        "CREATE TABLE _collections (id TEXT PRIMARY KEY NOT NULL, system BOOLEAN DEFAULT FALSE \
         NOT NULL, type TEXT DEFAULT 'base' NOT NULL, name TEXT UNIQUE NOT NULL)",
    )
    .unwrap();
    for collection in schema.iter() {
        let columns: Vec<String> = collection
            .columns()
            .iter()
            .map(|column| format!("`{}` {}", column.name, column.definition))
            .collect();
        let text = format!("CREATE TABLE `{}` ({})", collection.name, columns.join(","));
        lite.execute_batch(&text).unwrap();
        for index in collection.new_indexes().unwrap() {
            lite.execute_batch(&index.statement).unwrap();
        }
    }
    lite
}

fn drop_count(_count: usize) {}

fn id_of(collection: &str, number: usize) -> String {
    format!("{}{number:03}", collection.trim_start_matches('_'))
}

fn lite_value(value: &SqlValue) -> rusqlite::types::Value {
    match value {
        SqlValue::Null => rusqlite::types::Value::Null,
        SqlValue::Int(number) => rusqlite::types::Value::Integer(*number),
        SqlValue::Real(number) => rusqlite::types::Value::Real(*number),
        SqlValue::Text(text) => rusqlite::types::Value::Text(text.clone()),
    }
}

fn of_lite(field: &Field, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::from_sql_null(field),
        ValueRef::Integer(number) => Value::from_sql_int(field, number),
        ValueRef::Real(number) => Value::from_sql_real(field, number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Value::from_sql_text(field, String::from_utf8_lossy(bytes))
        }
    }
}

/// A column in one of the types that columns have.
enum Cell {
    Text(String),
    Number(f64),
    Bool(bool),
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(
        kind: &Type,
        bytes: &'a [u8],
    ) -> Result<Cell, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::FLOAT8 => Cell::Number(f64::from_sql(kind, bytes)?),
            Type::BOOL => Cell::Bool(bool::from_sql(kind, bytes)?),
            Type::TEXT | Type::JSON => Cell::Text(String::from_utf8(bytes.to_vec())?),
            _ => return Err(format!("a column of type {kind}").into()),
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn of_heavy(field: &Field, cell: Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::from_sql_text(field, text),
        Cell::Number(number) => Value::from_sql_real(field, number),
        Cell::Bool(on) => Value::from_sql_int(field, on.into()),
    }
}
