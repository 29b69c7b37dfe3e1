//! A small schema and its database, for tests.

use std::sync::Arc;

use pando_schema::{
    Collection, CollectionKind, Derived, Field, FieldKind, Record, Rules, Schema, Value,
};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::{Sql, SqlValue};

/// Saturday.
pub(crate) const NOW: OffsetDateTime = datetime!(2024-02-10 11:12:13.456789 UTC);

fn field(name: &str, kind: &str) -> Field {
    let mut field = Field::new(name, FieldKind::blank(kind).unwrap());
    field.id = format!("{kind}_{name}");
    field
}

fn many(mut field: Field) -> Field {
    match &mut field.kind {
        FieldKind::Select { max_select, .. }
        | FieldKind::File { max_select, .. }
        | FieldKind::Relation { max_select, .. } => *max_select = 9,
        _ => panic!("{} holds no list", field.name),
    }
    field
}

fn relation(name: &str, target: &str) -> Field {
    let mut field = field(name, "relation");
    if let FieldKind::Relation { collection_id, .. } = &mut field.kind {
        *collection_id = target.to_owned();
    }
    field
}

fn hidden(mut field: Field) -> Field {
    field.hidden = true;
    field
}

fn collection(
    name: &str,
    kind: CollectionKind,
    list: Option<&str>,
    fields: Vec<Field>,
) -> Collection {
    let mut all = vec![field("id", "text")];
    all.extend(fields);
    Collection {
        id: format!("pbc_{name}"),
        name: name.to_owned(),
        kind,
        system: false,
        fields: all,
        indexes: Vec::new(),
        rules: Rules { list: list.map(str::to_owned), ..Rules::default() },
        auth: None,
        view_query: String::new(),
        created: String::new(),
        updated: String::new(),
        json_shape: Derived::default(),
    }
}

pub(crate) fn schema() -> Schema {
    let users = collection(
        "users",
        CollectionKind::Auth,
        Some(""),
        vec![
            field("email", "email"),
            field("emailVisibility", "bool"),
            field("verified", "bool"),
            hidden(field("password", "password")),
            field("name", "text"),
            field("age", "number"),
            many(field("roles", "select")),
            relation("org", "pbc_orgs"),
        ],
    );
    let orgs =
        collection("orgs", CollectionKind::Base, Some("name != 'x'"), vec![field("name", "text")]);
    let closed = collection("closed", CollectionKind::Base, None, vec![field("name", "text")]);
    let mut posts = collection(
        "posts",
        CollectionKind::Base,
        Some(""),
        vec![
            field("title", "text"),
            field("views", "number"),
            field("pub", "bool"),
            field("at", "date"),
            field("cat", "select"),
            many(field("cats", "select")),
            relation("author", "pbc_users"),
            many(relation("tags", "pbc_tags")),
            relation("shut", "pbc_closed"),
            field("meta", "json"),
            field("loc", "geoPoint"),
            hidden(field("secret", "text")),
        ],
    );
    posts.indexes.push("CREATE INDEX `posts_title` ON `posts` (`title`)".to_owned());
    let tags = collection("tags", CollectionKind::Base, Some(""), vec![field("name", "text")]);
    let comments = collection(
        "comments",
        CollectionKind::Base,
        Some(""),
        vec![relation("post", "pbc_posts"), field("text", "text")],
    );
    Schema::new([users, orgs, closed, posts, tags, comments].map(Arc::new))
}

/// A record of the collection with the given values, in order; the rest is unset.
pub(crate) fn record(schema: &Schema, collection: &str, values: Vec<Value>) -> Record {
    let collection = Arc::clone(schema.find(collection).unwrap());
    let mut record = Record::new(collection);
    for (slot, value) in record.values.iter_mut().zip(values) {
        *slot = value;
    }
    record
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// An empty database with the tables of `schema`.
pub(crate) fn database(schema: &Schema) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    for collection in schema.iter() {
        let columns: Vec<String> = collection
            .fields
            .iter()
            .map(|field| format!("`{}` {}", field.name, field.column_definition()))
            .collect();
        db.execute_batch(&format!("CREATE TABLE `{}` ({})", collection.name, columns.join(",")))
            .unwrap();
        for index in &collection.indexes {
            db.execute_batch(index).unwrap();
        }
    }
    db
}

pub(crate) fn insert(db: &Connection, record: &Record) {
    let marks = vec!["?"; record.values.len()].join(",");
    let values = record.values.iter().map(|value| cell(&value.to_sql()));
    db.prepare_cached(&format!("INSERT INTO `{}` VALUES ({marks})", record.collection.name))
        .unwrap()
        .execute(rusqlite::params_from_iter(values))
        .unwrap();
}

/// The first column of all rows, as text.
pub(crate) fn rows(db: &Connection, sql: &Sql) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(&sql.text)?;
    let values = sql.values.iter().map(cell);
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
    rows.map(|row| {
        Ok(match row? {
            Cell::Null => "null".to_owned(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text,
            Cell::Blob(_) => "blob".to_owned(),
        })
    })
    .collect()
}

fn cell(value: &SqlValue) -> Cell {
    match value {
        SqlValue::Null => Cell::Null,
        SqlValue::Int(number) => Cell::Integer(*number),
        SqlValue::Real(number) => Cell::Real(*number),
        SqlValue::Text(text) => Cell::Text(text.clone()),
    }
}
