//! PostgreSQL takes the statements that make and change tables.

use std::sync::Arc;

use pando_filter::{Columns, Dialect, Query, Sql};
use pando_schema::{Collection, FieldKind, Record, Value};
use pando_store::postgres::{FUNCTIONS, ddl};
use pando_testkit::Postgres;
use tokio_postgres::Client;

use crate::databases::{connect, insert, parameter};
use crate::schema;

async fn run(client: &Client, statements: &[String]) {
    for statement in statements {
        client
            .batch_execute(statement)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

async fn execute(client: &Client, sql: &Sql) -> Result<(), String> {
    let values: Vec<_> = sql.values.iter().map(parameter).collect();
    let values: Vec<_> = values.iter().map(|value| &**value).collect();
    let outcome = client.execute(&sql.text, &values).await;
    outcome.map(drop).map_err(|error| error.code().map_or("", |code| code.code()).to_owned())
}

/// The first column of the only row, as text.
async fn one(client: &Client, text: &str) -> String {
    let row = client.query_one(text, &[]).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

fn make_multiple(collection: &mut Collection, name: &str, multiple: bool) {
    let field = collection.fields.iter_mut().find(|field| field.name == name).unwrap();
    if let FieldKind::Select { max_select, .. } | FieldKind::Relation { max_select, .. } =
        &mut field.kind
    {
        *max_select = if multiple { 5 } else { 1 };
    }
}

#[tokio::test]
async fn tables_are_made_changed_and_dropped() {
    let server = Postgres::start().unwrap();
    let client = connect(&server).await;
    // At every start.
    run(&client, &[FUNCTIONS.to_owned()]).await;
    let schema = schema::schema();
    let old = Arc::clone(schema.find("posts").unwrap());
    run(&client, &ddl::create_table(&old)).await;
    let mut record = Record::new(Arc::clone(&old));
    record.put("id", Value::Text("p1".to_owned()));
    record.put("title", Value::Text("Ab".to_owned()));
    record.put("cat", Value::Text("a\"b".to_owned()));
    record.put("cats", Value::List(vec!["x".to_owned(), "y\u{e9}".to_owned()]));
    assert_eq!(execute(&client, &insert(&record)).await, Ok(()));
    assert_eq!(execute(&client, &insert(&record)).await, Err("23505".to_owned()));

    let mut new = (*old).clone();
    new.name = "news".to_owned();
    make_multiple(&mut new, "cat", true);
    make_multiple(&mut new, "cats", false);
    make_multiple(&mut new, "tags", false);
    make_multiple(&mut new, "author", true);
    // Two columns swap their names.
    for field in &mut new.fields {
        field.name = match field.name.as_str() {
            "title" => "body".to_owned(),
            "body" => "title".to_owned(),
            _ => continue,
        };
    }
    new.fields.retain(|field| field.name != "xmin");
    let indexes = [
        "CREATE UNIQUE INDEX `n_body` ON `news` (`body` COLLATE NOCASE, `views` DESC) WHERE `body` != ''",
        "CREATE INDEX n_meta ON news (json_extract(meta, '$.a'), loc, pub) WHERE at IS NOT NULL AND pub = 1",
    ];
    new.indexes = indexes.map(str::to_owned).to_vec();
    let changes = new.changes_from(&old).unwrap();
    run(&client, &ddl::change_table(&new, &changes)).await;
    for index in &changes.created_indexes {
        run(&client, &[ddl::create_index(&new, &index.statement).unwrap()]).await;
    }
    assert_eq!(one(&client, "SELECT cat::text FROM news").await, r#"["a\"b"]"#);
    assert_eq!(one(&client, "SELECT cats FROM news").await, "y\u{e9}");
    assert_eq!(one(&client, "SELECT body FROM news").await, "Ab");
    // A table may have the old name at once.
    let mut other = (*old).clone();
    other.id = "pbc_other".to_owned();
    run(&client, &ddl::create_table(&other)).await;
    run(&client, &ddl::drop_table(&other)).await;

    let mut twin = Record::new(Arc::new(new.clone()));
    twin.put("id", Value::Text("p2".to_owned()));
    twin.put("body", Value::Text("aB".to_owned()));
    assert_eq!(execute(&client, &insert(&twin)).await, Err("23505".to_owned()));
    run(&client, &ddl::drop_table(&new)).await;
}

/// The plan of a query over many rows.
async fn plan(client: &Client, filter: &str, sort: &str, ids: &[&str]) -> String {
    let schema = schema::schema();
    let mut query = Query::new(&schema, schema.find("posts").unwrap(), None, schema::NOW).unwrap();
    query.speak(Dialect::Postgres);
    if !filter.is_empty() {
        query.filter(&pando_filter::parse(filter).unwrap()).unwrap();
    }
    if !sort.is_empty() {
        query.sort(sort).unwrap();
    }
    if !ids.is_empty() {
        query.only_ids(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    }
    let sql = query.list(Columns::Id, 30, 0);
    let values: Vec<_> = sql.values.iter().map(parameter).collect();
    let values: Vec<_> = values.iter().map(|value| &**value).collect();
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) {}", sql.text), &values).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn indexes_serve_the_usual_statements() {
    let server = Postgres::start().unwrap();
    let client = connect(&server).await;
    let schema = schema::schema();
    for collection in schema.iter() {
        run(&client, &ddl::create_table(collection)).await;
    }
    let posts = schema.find("posts").unwrap();
    let columns = ["`title` COLLATE NOCASE", "`title`", "`score`", "`author`", "`at`"];
    for (number, column) in columns.iter().enumerate() {
        let statement = format!("CREATE INDEX `i{number}` ON `posts` ({column})");
        run(&client, &[ddl::create_index(posts, &statement).unwrap()]).await;
    }
    let rows = "INSERT INTO posts (_b, id, title, score, at, author) \
                SELECT i % 4096, 'p' || i, 't' || i, i, '2024-01-01 00:00:00.000Z', 'u' || i \
                FROM generate_series(1, 20000) i";
    run(&client, &[rows.to_owned(), "ANALYZE".to_owned()]).await;
    let indexed: [(&str, &str, &[&str]); 13] = [
        ("", "", &["p7"]),
        ("pub = true", "title", &["p7", "p8", "p9"]),
        ("boards_via_posts.name ?= 'x'", "", &[]),
        ("comments_via_post.by ?= 'x'", "-at", &[]),
        ("title = 't5'", "", &[]),
        ("title != '' && score = 5", "", &[]),
        ("score > 19990", "-score", &[]),
        ("at > @now", "-at", &[]),
        ("author = 'u7' && title ~ 'x'", "-at,id", &[]),
        ("author.name ?= 'x' && author = 'u7'", "", &[]),
        ("", "-score", &[]),
        ("", "id", &[]),
        ("", "", &[]),
    ];
    for (filter, sort, ids) in indexed {
        let plan = plan(&client, filter, sort, ids).await;
        assert!(!plan.contains("Seq Scan on posts"), "{filter:?} {sort:?} {ids:?}\n{plan}");
    }
    let by_id = plan(&client, "", "", &["p7"]).await;
    assert!(by_id.contains("Index Cond"), "{by_id}");
}
