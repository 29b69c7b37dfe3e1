//! What is done with a PostgreSQL database at the start: checked, made if it is new, read.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use pando_filter::{Dialect, Sql};
use pando_schema::{Schema, Settings, SqlValue, system_collections};

use super::{FUNCTIONS, TABLES, tables};
use crate::store::Known;
use crate::{Conn, StoreError, collections, settings};

/// The oldest server that will do: 15.0.
const VERSION_MIN: i64 = 150_000;

/// What processes that start at once wait for: "pand" in ASCII.
const START_LOCK: i64 = 0x7061_6e64;

/// Checks the server, installs the functions, and fills a new database like a fresh data
/// directory. Several processes may do so at once.
pub(super) async fn prepare(conn: &mut Conn, key: Option<&str>) -> Result<(), StoreError> {
    check(conn).await?;
    let mut lock = sql("SELECT pg_advisory_lock(");
    lock.bind(START_LOCK).push(")::text");
    conn.rows(&lock).await?;
    let done = prepare_alone(conn, key).await;
    let mut unlock = sql("SELECT pg_advisory_unlock(");
    unlock.bind(START_LOCK).push(")");
    conn.rows(&unlock).await?;
    done
}

async fn check(conn: &mut Conn) -> Result<(), StoreError> {
    let facts = "SELECT current_setting('server_version_num')::int8, \
                 current_setting('server_encoding'), current_setting('server_version'), \
                 has_database_privilege(current_database(), 'CREATE'), \
                 has_schema_privilege(current_schema(), 'CREATE'), current_user::text, \
                 current_setting('transaction_read_only'), current_schema()::text";
    let row = conn.rows(&sql(facts)).await?.pop().unwrap_or_default();
    let refused = |reason: String| Err(StoreError::Unsuitable(reason));
    let [
        SqlValue::Int(number),
        SqlValue::Text(encoding),
        SqlValue::Text(version),
        create_schema,
        create_table,
        SqlValue::Text(user),
        SqlValue::Text(read_only),
        schema,
    ] = row.as_slice()
    else {
        return refused("the server tells nothing about itself".to_owned());
    };
    if *number < VERSION_MIN {
        return refused(format!(
            "the server is PostgreSQL {version}\nhint: Pando needs 15 or later"
        ));
    }
    if encoding != "UTF8" {
        return refused(format!(
            "the database is encoded in {encoding}\nhint: make one by \
             CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        ));
    }
    if read_only == "on" {
        return refused(
            "the server only reads\nhint: give the URL of the primary; or is \
             default_transaction_read_only on?"
                .to_owned(),
        );
    }
    let new = conn.rows(&sql("SELECT to_regclass('pando.state')::text")).await?;
    let new = matches!(new.first().map(Vec::as_slice), Some([SqlValue::Null]));
    if *schema == SqlValue::Null {
        return refused("there is no schema to make tables in (search_path)".to_owned());
    }
    if *create_table != SqlValue::Int(1) || new && *create_schema != SqlValue::Int(1) {
        return refused(format!(
            "the user {user} may not make tables there\nhint: GRANT CREATE ON DATABASE … TO \
             \"{user}\"; GRANT CREATE ON SCHEMA public TO \"{user}\""
        ));
    }
    Ok(())
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

/// Runs [`FUNCTIONS`] unless the very same ones are there: to replace them takes a while, and
/// makes statements plan anew.
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

/// [`FUNCTIONS`], and the mark that they are there.
pub(crate) fn functions() -> String {
    format!("{FUNCTIONS}; COMMENT ON SCHEMA pando IS '{}'", functions_mark())
}

fn functions_mark() -> String {
    let mut hasher = DefaultHasher::new();
    FUNCTIONS.hash(&mut hasher);
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

/// How often collections and settings have changed.
pub(super) async fn version(conn: &mut Conn) -> Result<u64, StoreError> {
    let version = conn.integer(&sql("SELECT \"version\" FROM pando.state")).await?;
    Ok(version.and_then(|version| u64::try_from(version).ok()).unwrap_or(0))
}

/// Collections and settings, as of one moment.
pub(super) async fn load(conn: &mut Conn, key: Option<&str>) -> Result<Known, StoreError> {
    conn.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let loaded = load_within(conn, key).await;
    conn.batch("ROLLBACK").await?;
    loaded
}

pub(crate) async fn load_within(conn: &mut Conn, key: Option<&str>) -> Result<Known, StoreError> {
    let version = version(conn).await?;
    let schema = Arc::new(Schema::new(collections::load_all(conn).await?));
    let settings = Arc::new(settings::load(conn, key).await?);
    Ok(Known { schema, settings, version })
}

fn sql(text: &'static str) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(text);
    sql
}
