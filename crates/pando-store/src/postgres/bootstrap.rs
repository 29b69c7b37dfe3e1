//! What is done with a PostgreSQL database at the start: checked, made if it is new, read.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use pando_filter::{Dialect, Sql};
use pando_schema::{Schema, Settings, SqlValue, system_collections};

use super::{CLUSTER, FUNCTIONS, TABLES, facts, tables};
use crate::store::Known;
use crate::{Conn, StoreError, collections, settings};

/// What processes that start at once wait for: "pand" in ASCII.
const START_LOCK: i64 = 0x7061_6e64;

/// Checks the server, installs the functions, and fills a new database like a fresh data
/// directory. Several processes may do so at once.
pub(super) async fn prepare(conn: &mut Conn, key: Option<&str>) -> Result<(), StoreError> {
    facts::check(conn).await?;
    let mut lock = sql("SELECT pg_advisory_lock(");
    lock.bind(START_LOCK).push(")::text");
    conn.rows(&lock).await?;
    let done = prepare_alone(conn, key).await;
    let mut unlock = sql("SELECT pg_advisory_unlock(");
    unlock.bind(START_LOCK).push(")");
    conn.rows(&unlock).await?;
    done
}

async fn prepare_alone(conn: &mut Conn, key: Option<&str>) -> Result<(), StoreError> {
    install_functions(conn).await?;
    let found = conn.rows(&sql("SELECT to_regclass('pando.state')::text")).await?;
    if !matches!(found.first().map(Vec::as_slice), Some([SqlValue::Null])) {
        return Ok(());
    }
    conn.batch("BEGIN").await?;
    let filled = fill(conn, key).await;
    conn.batch(if filled.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    filled
}

/// Runs [`functions`] unless the very same ones are there: to replace them takes a while, and makes
/// statements plan anew.
async fn install_functions(conn: &mut Conn) -> Result<(), StoreError> {
    let mark = functions_mark();
    let mut there = sql("SELECT 1 FROM pg_namespace WHERE nspname = 'pando' \
                         AND obj_description(oid, 'pg_namespace') = ");
    there.bind(mark.as_str());
    if conn.exists(&there).await? {
        return Ok(());
    }
    conn.batch(&format!("BEGIN; {}; COMMIT", functions())).await
}

/// [`FUNCTIONS`] and [`CLUSTER`], and the mark that they are there.
pub(crate) fn functions() -> String {
    format!("{FUNCTIONS}; {CLUSTER}; COMMENT ON SCHEMA pando IS '{}'", functions_mark())
}

fn functions_mark() -> String {
    let mut hasher = DefaultHasher::new();
    (FUNCTIONS, CLUSTER).hash(&mut hasher);
    format!("functions {:016x}", hasher.finish())
}

async fn fill(conn: &mut Conn, key: Option<&str>) -> Result<(), StoreError> {
    conn.batch(TABLES).await?;
    let system = system_collections(&mut rand::rng(), &crate::now());
    for collection in system {
        collections::insert_row(conn, &collection).await?;
        tables::create(conn, &collection).await.map_err(|error| StoreError::BadCollection {
            name: collection.name.clone(),
            reason: error.to_string(),
        })?;
    }
    settings::store(conn, &Settings::initial(), key).await
}

/// How often collections and settings have changed, and whether several servers are at work.
pub(super) async fn version(conn: &mut Conn) -> Result<(u64, bool), StoreError> {
    let rows = conn.rows(&sql("SELECT \"version\", \"shared\" FROM pando.state")).await?;
    let Some([SqlValue::Int(version), shared]) = rows.first().map(Vec::as_slice) else {
        return Err(StoreError::Unsuitable("pando.state is empty".to_owned()));
    };
    Ok((u64::try_from(*version).unwrap_or(0), *shared == SqlValue::Int(1)))
}

/// Collections and settings, as of one moment.
pub(super) async fn load(conn: &mut Conn, key: Option<&str>) -> Result<Known, StoreError> {
    conn.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let loaded = load_within(conn, key).await;
    conn.batch("ROLLBACK").await?;
    loaded
}

pub(crate) async fn load_within(conn: &mut Conn, key: Option<&str>) -> Result<Known, StoreError> {
    let (version, shared) = version(conn).await?;
    let schema = Arc::new(Schema::new(collections::load_all(conn).await?));
    let settings = Arc::new(settings::load(conn, key).await?);
    Ok(Known { schema, settings, version, shared })
}

fn sql(text: &'static str) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(text);
    sql
}
