//! The views of both databases show the same: those of the comparison with PocketBase, and random
//! ones, with filters and sorts on top.

mod expressions;
mod world;

use expect_test::expect;
use pando_filter::{Columns, Dialect, Query, Sql};
use pando_schema::{Collection, Value};
use pando_testkit::compare::views::{POSTS_QUERY, queries};
use pando_testkit::{Rng, seeds};

use crate::schema;
use world::{Failed, World};

/// Random queries for each set of records.
const QUERIES_PER_SEED: usize = 100;

/// How the queries fared.
#[derive(Default)]
struct Tally {
    same: usize,
    of_sqlite: usize,
    refused: Vec<String>,
    different: Vec<String>,
}

fn statement(world: &World, filter: &str, sort: &str, dialect: Dialect) -> Option<Sql> {
    let view = world.schema.find("seen")?;
    let mut query = Query::new(&world.schema, view, None, schema::NOW).ok()?;
    query.speak(dialect);
    if !filter.is_empty() {
        query.filter(&pando_filter::parse(filter).ok()?).ok()?;
    }
    if !sort.is_empty() {
        query.sort(sort).ok()?;
    }
    Some(query.list(Columns::All, 1000, 0))
}

fn shown(rows: &[Vec<Value>]) -> Vec<String> {
    rows.iter().map(|row| normal(&format!("{row:?}"))).collect()
}

fn sorted(rows: &[Vec<Value>]) -> Vec<String> {
    let mut rows = shown(rows);
    rows.sort();
    rows
}

/// Whether no two rows have the same id, so that a sort by it orders them all.
fn total(view: &Collection, rows: &[Vec<Value>]) -> bool {
    let place = view.fields.iter().position(|field| field.name == "id");
    let mut ids: Vec<_> =
        rows.iter().map(|row| format!("{:?}", place.map(|at| &row[at]))).collect();
    ids.sort();
    ids.windows(2).all(|pair| pair[0] != pair[1])
}

/// Without the point of whole real numbers, which get lost among values of other types, and
/// without the sign of zero.
fn normal(row: &str) -> String {
    let mut normal = String::new();
    for (at, character) in row.char_indices() {
        let digit = |text: &str| text.starts_with(|next: char| next.is_ascii_digit());
        let (before, after) = (&row[..at], &row[at + character.len_utf8()..]);
        let point = |rest: &str| rest.starts_with(".0") && !digit(&rest[2..]);
        if before.ends_with(|last: char| last.is_ascii_digit()) && point(&row[at..]) {
            continue;
        }
        if character == '0' && before.ends_with('.') && point(&row[at - 1..]) {
            continue;
        }
        let zero = character == '-' && after.starts_with('0') && !digit(&after[1..]);
        if zero && (!after[1..].starts_with('.') || point(&after[1..])) {
            continue;
        }
        normal.push(character);
    }
    normal
}

/// Compares a list of the view; `None` if neither database has an answer.
async fn compare_list(world: &World, filter: &str, sort: &str) -> Option<Result<(), String>> {
    let view = world.schema.find("seen")?;
    let lite = statement(world, filter, sort, Dialect::Sqlite)?;
    let heavy = statement(world, filter, sort, Dialect::Postgres)?;
    let expected = world.lite_rows(view, &lite.text, &lite.values);
    let found = world.heavy_rows(view, &heavy.text, &heavy.values).await;
    match (expected, found) {
        (Err(_), Err(_)) => None,
        (Ok(expected), Ok(found)) => {
            let (expected, found) = match total(view, &expected) && sort.contains("id") {
                true => (shown(&expected), shown(&found)),
                false => (sorted(&expected), sorted(&found)),
            };
            let differences: Vec<String> = expected
                .iter()
                .zip(&found)
                .filter(|(one, other)| one != other)
                .take(2)
                .map(|(one, other)| format!("\n    {one}\n    {other}"))
                .collect();
            if expected == found {
                return Some(Ok(()));
            }
            let counts = format!("{} and {} rows", expected.len(), found.len());
            Some(Err(format!(
                "{filter:?} {sort:?}: {counts}{}\n  {}",
                differences.concat(),
                heavy.text
            )))
        }
        (expected, found) => {
            let [expected, found] = [expected, found].map(|rows| rows.map(|rows| rows.len()));
            Some(Err(format!("{filter:?} {sort:?}: {expected:?} and {found:?}\n  {}", heavy.text)))
        }
    }
}

async fn translation(world: &World) -> String {
    let text = "SELECT pg_get_viewdef('seen'::regclass)";
    world.client.query_one(text, &[]).await.map_or_else(|_| String::new(), |row| row.get(0))
}

/// Makes a view of the query in both databases and compares what it shows.
async fn compare_query(world: &mut World, query: &str, filters: &[&str], tally: &mut Tally) {
    match world.make_view("seen", query).await {
        Err(Failed::Sqlite) => {
            tally.of_sqlite += 1;
            return;
        }
        Err(Failed::Refused(reason)) => {
            tally.refused.push(format!("{query}\n    {reason}"));
            return;
        }
        Err(Failed::Postgres(reason)) => {
            tally.different.push(format!("{query}\n  {reason}"));
            return;
        }
        Ok(()) => {}
    }
    let mut outcome = Ok(());
    for filter in std::iter::once(&"").chain(filters) {
        for sort in ["", "-id", "x0,id", "-y0,x1,-id", "title,n,id"] {
            match compare_list(world, filter, sort).await {
                None | Some(Ok(())) => {}
                Some(Err(difference)) => outcome = outcome.and(Err(difference)),
            }
        }
    }
    match outcome {
        Ok(()) => tally.same += 1,
        Err(difference) => {
            let text = translation(world).await;
            tally.different.push(format!("{query}\n  {difference}\n  {text}"));
        }
    }
    world.drop_view("seen").await;
}

#[tokio::test]
async fn the_queries_of_the_comparison_show_the_same() {
    let mut world = World::make(1).await;
    let mut tally = Tally::default();
    let all = queries::QUERIES.iter().chain([&POSTS_QUERY]).chain(expressions::QUERIES);
    for query in all.copied() {
        let volatile = ["random()", "'now'"].iter().any(|part| query.contains(part));
        if volatile && !query.contains("limit 0") {
            continue;
        }
        compare_query(&mut world, query, &["id != ''", "id > 'c' && name ~ 'a'"], &mut tally).await;
    }
    assert!(tally.different.is_empty(), "{}", tally.different.join("\n"));
    // What SQLite alone has.
    expect![[r#"
        select name as id from sqlite_master where name = 'teams'
            "sqlite_master" must be rewritten for PostgreSQL: PostgreSQL has no such table; read _collections"#]]
    .assert_eq(&tally.refused.join("\n"));
    assert!(tally.same > 100, "only {} queries work", tally.same);
}

#[tokio::test]
async fn random_queries_show_the_same() {
    let mut tally = Tally::default();
    for seed in seeds("PANDO_DIALECT_SEEDS", 0..2) {
        let mut world = World::make(seed).await;
        let mut rng = Rng::new(seed);
        for _ in 0..QUERIES_PER_SEED {
            let query = match rng.percent(40) {
                true => queries::random(&mut rng),
                false => expressions::random(&mut rng),
            };
            let (one, other) = (queries::filter(&mut rng), expressions::filter(&mut rng));
            compare_query(&mut world, &query, &[one, &other], &mut tally).await;
            assert!(tally.different.len() < 6, "{}", tally.different.join("\n"));
        }
    }
    let Tally { same, of_sqlite, refused, different } = tally;
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    // Many of the queries work, or the test shows nothing.
    assert!(2 * same > of_sqlite, "{same} queries work and {of_sqlite} do not");
}
