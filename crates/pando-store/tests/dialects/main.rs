//! Both databases give the same answers: the same records in random filters, sorts and rules, on
//! SQLite and on PostgreSQL.
//!
//! `PANDO_DIALECT_SEEDS` sets which sets of records and filters are tried, as `COUNT` or
//! `FIRST..END`.

#![expect(clippy::unwrap_used, reason = "functions of tests count as tests")]

mod databases;
mod filters;
mod records;
mod schema;
mod tables;
mod views;

use std::ops::Range;

use databases::{Databases, Found};
use filters::Filters;
use pando_filter::{Columns, Dialect, Origin, Query, RequestContext, Sql};
use pando_schema::{Record, Schema};
use pando_testkit::{Rng, seeds};

const SEEDS: u64 = 4;
const FILTERS_PER_SEED: usize = 100;

/// The statements of one case for one database: the list, the count, whether there is any.
fn statements(
    schema: &Schema,
    case: &filters::Case,
    request: &RequestContext,
    dialect: Dialect,
) -> Option<[Sql; 3]> {
    let posts = schema.find(case.collection)?;
    let mut query = Query::new(schema, posts, Some(request), schema::NOW).ok()?;
    query.speak(dialect);
    if case.visible {
        query.only_visible();
    }
    query.filter(&pando_filter::parse(&case.filter).ok()?).ok()?;
    if !case.sort.is_empty() {
        query.sort(&case.sort).ok()?;
    }
    if !case.ids.is_empty() {
        query.only_ids(&case.ids);
    }
    Some([query.list(Columns::All, 1000, case.offset), query.count(), query.exists()])
}

/// Whether the order of the rows is SQLite's promise. It is not where rows that joins repeat are
/// made distinct, and are equal in the sort or sorted by what is repeated: then it depends on the
/// indexes that SQLite makes for the query. Nor is it without a sort, where an index is of use.
fn ordered(lite: &Sql, case: &filters::Case) -> bool {
    let mut terms = case.sort.split(',').map(|term| term.trim_start_matches(['-', '+']));
    let repeated = ["comments", "each", "tags."].iter().any(|part| case.sort.contains(part));
    let total = terms.any(|term| matches!(term, "id" | "@rowid"));
    // The indexes of the test's schema, and those of ids.
    let indexed = ["score", "pg_class", "id"].iter().any(|part| case.filter.contains(part));
    if !total && indexed {
        return false;
    }
    !lite.text.contains("DISTINCT") || (total && !repeated)
}

/// The records that only one of the databases found.
fn different(one: &Found, other: &Found, records: &[Record]) -> String {
    let (Found::Rows(one), Found::Rows(other)) = (one, other) else { return String::new() };
    let only = |record: &&Record| {
        let id = record.id().to_owned();
        one.contains(&id) != other.contains(&id)
    };
    records.iter().filter(only).map(|record| format!("\n  {:?}", record.values)).collect()
}

/// Compares the answers to one case. `None` if SQLite has no answer either.
async fn compare_case(
    databases: &Databases,
    lite: &[Sql],
    heavy: &[Sql],
    case: &filters::Case,
    title: &str,
    records: &[Record],
) -> Option<Result<(), String>> {
    let mut compared = None;
    for (lite, heavy) in lite.iter().zip(heavy) {
        let expected = databases.sqlite(lite).await;
        let Found::Rows(_) = expected else { continue };
        let found = databases.postgres(heavy).await;
        let same = match ordered(lite, case) {
            true => found == expected,
            false => found.sorted() == expected.sorted(),
        };
        if !same {
            let wrong = different(&expected, &found, records);
            let (text, values) = (&heavy.text, &heavy.values);
            return Some(Err(format!(
                "{title}{wrong}\n  SQLite: {expected:?}\n  {}\n  PostgreSQL: {found:?}\n  {text}\n  \
                 {values:?}",
                lite.text
            )));
        }
        compared = Some(Ok(()));
    }
    compared
}

/// Differences that are shown at most.
const SHOWN_MAX: usize = 8;

#[derive(Default)]
struct Tally {
    tried: usize,
    compared: usize,
    differences: Vec<String>,
}

impl Tally {
    fn add(&mut self, outcome: Option<Result<(), String>>) {
        self.tried += 1;
        match outcome {
            None => {}
            Some(Ok(())) => self.compared += 1,
            Some(Err(difference)) => self.differences.push(difference),
        }
        assert!(self.differences.len() < SHOWN_MAX, "{}", self.differences.join("\n"));
    }

    /// Most filters are valid, or the test shows nothing.
    fn check(self, percent: usize) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
        let Tally { compared, tried, .. } = self;
        assert!(compared * 100 > tried * percent, "only {compared} of {tried} filters were valid");
    }
}

fn tried() -> Range<u64> {
    seeds("PANDO_DIALECT_SEEDS", 0..SEEDS)
}

/// What a seed stands for.
struct Trial {
    /// In both databases.
    records: Vec<Record>,
    filters: Filters,
    request: RequestContext,
}

impl Trial {
    /// `purpose` tells apart the filters of several tests with one seed.
    async fn prepare(seed: u64, purpose: &str, schema: &Schema, databases: &Databases) -> Trial {
        let rng = Rng::new(seed);
        let records = records::records(schema, &mut rng.fork("records"));
        databases.fill(schema, &records).await;
        let filters = Filters::new(rng.fork(purpose));
        let request = filters::request(schema, &mut rng.fork("request"));
        Trial { records, filters, request }
    }
}

#[tokio::test]
async fn lists_and_counts_are_the_same() {
    let schema = schema::schema();
    let databases = Databases::start(&schema).await;
    let mut tally = Tally::default();
    for seed in tried() {
        let Trial { records, mut filters, request } =
            Trial::prepare(seed, "filters", &schema, &databases).await;
        for _ in 0..FILTERS_PER_SEED {
            let case = filters.case();
            let title = format!("{seed} {case:?}");
            let lite = statements(&schema, &case, &request, Dialect::Sqlite);
            let heavy = statements(&schema, &case, &request, Dialect::Postgres);
            tally.add(match (lite, heavy) {
                (Some(lite), Some(heavy)) => {
                    compare_case(&databases, &lite, &heavy, &case, &title, &records).await
                }
                _ => None,
            });
        }
    }
    tally.check(70);
}

#[tokio::test]
async fn rules_of_single_records_are_the_same() {
    let schema = schema::schema();
    let databases = Databases::start(&schema).await;
    let mut tally = Tally::default();
    for seed in tried() {
        let Trial { records, mut filters, request } =
            Trial::prepare(seed, "rules", &schema, &databases).await;
        let posts: Vec<_> =
            records.iter().filter(|record| record.collection.name == "posts").collect();
        for round in 0..FILTERS_PER_SEED {
            let case = filters.posts_case();
            let rule = &case.filter;
            let record = posts[round % posts.len()];
            for origin in [Origin::Stored, Origin::Submitted] {
                let statement = |dialect| {
                    let now = schema::NOW;
                    let mut query =
                        Query::of_record(&schema, record, origin, Some(&request), now).ok()?;
                    query.speak(dialect);
                    query.filter(&pando_filter::parse(rule).ok()?).ok()?;
                    Some([query.exists()])
                };
                let title = format!("{seed} {origin:?} {rule}\n  {:?}", record.values);
                tally.add(match (statement(Dialect::Sqlite), statement(Dialect::Postgres)) {
                    (Some(lite), Some(heavy)) => {
                        compare_case(&databases, &lite, &heavy, &case, &title, &records).await
                    }
                    _ => None,
                });
            }
        }
    }
    tally.check(60);
}
