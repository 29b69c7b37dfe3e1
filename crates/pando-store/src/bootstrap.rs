//! Opening a data directory: the lock, the tables of a fresh one, what is loaded at the start.
//!
//! Source: PocketBase `migrations/`; a fresh directory is what PocketBase 0.40.6 makes.

use std::fs::File;
use std::path::Path;

use pando_schema::{Schema, Settings, system_collections};

use crate::{Conn, StoreError, StoreOptions, collections, settings, table};

/// The file that a process locks while it uses the directory. PocketBase ignores it.
const LOCK_FILE: &str = ".pando.lock";

/// What PocketBase 0.40.6 has applied to a fresh data.db, so that it does not apply it again.
const MIGRATIONS: [&str; 8] = [
    "1640988000_aux_init.go",
    "1640988000_init.go",
    "1717233556_v0.23_migrate.go",
    "1717233557_v0.23_migrate2.go",
    "1717233558_v0.23_migrate3.go",
    "1717233559_v0.23_migrate4.go",
    "1763020353_update_default_auth_alert_templates.go",
    "1778828400_normalize_indexes.go",
];

pub(crate) const DATA_TABLES: &str = "
CREATE TABLE `_migrations` (file VARCHAR(255) PRIMARY KEY NOT NULL, applied INTEGER NOT NULL);
CREATE TABLE `_params` (
    `id`      TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL,
    `value`   JSON DEFAULT NULL,
    `created` TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL,
    `updated` TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL
);
CREATE TABLE `_collections` (
    `id`         TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL,
    `system`     BOOLEAN DEFAULT FALSE NOT NULL,
    `type`       TEXT DEFAULT \"base\" NOT NULL,
    `name`       TEXT UNIQUE NOT NULL,
    `fields`     JSON DEFAULT \"[]\" NOT NULL,
    `indexes`    JSON DEFAULT \"[]\" NOT NULL,
    `listRule`   TEXT DEFAULT NULL,
    `viewRule`   TEXT DEFAULT NULL,
    `createRule` TEXT DEFAULT NULL,
    `updateRule` TEXT DEFAULT NULL,
    `deleteRule` TEXT DEFAULT NULL,
    `options`    JSON DEFAULT \"{}\" NOT NULL,
    `created`    TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL,
    `updated`    TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL
);
CREATE INDEX idx__collections_type on `_collections` (`type`);
";

pub(crate) const AUXILIARY_TABLES: &str = "
CREATE TABLE IF NOT EXISTS `_logs` (
    `id`      TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL,
    `level`   INTEGER DEFAULT 0 NOT NULL,
    `message` TEXT DEFAULT \"\" NOT NULL,
    `data`    JSON DEFAULT \"{}\" NOT NULL,
    `created` TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%fZ')) NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_logs_level on `_logs` (`level`);
CREATE INDEX IF NOT EXISTS idx_logs_message on `_logs` (`message`);
CREATE INDEX IF NOT EXISTS idx_logs_created_hour on `_logs` (strftime('%Y-%m-%d %H:00:00', `created`));
";

/// Makes the directory if need be and locks it for this process, until the file is dropped.
pub(crate) fn lock(dir: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Open { path: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let file = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK_FILE));
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Fills a fresh directory; checks that an old one is of a layout that we know.
pub(crate) async fn prepare(conn: &mut Conn, options: &StoreOptions) -> Result<(), StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT name FROM pragma_table_info('_collections')");
    let columns = conn.texts(&sql).await?;
    if columns.is_empty() {
        conn.batch("BEGIN IMMEDIATE").await?;
        // Without a commit the transaction ends with the connection.
        fill(conn, options).await?;
        conn.batch("COMMIT").await?;
    } else if !columns.iter().any(|column| column == "fields") {
        return Err(StoreError::TooOld(options.dir.clone()));
    }
    Ok(())
}

async fn fill(conn: &mut Conn, options: &StoreOptions) -> Result<(), StoreError> {
    conn.batch(DATA_TABLES).await?;
    for name in MIGRATIONS {
        let mut sql = conn.sql();
        sql.push("INSERT INTO `_migrations` (file, applied) VALUES (").bind(name);
        sql.push(", unixepoch('now', 'subsec') * 1000000)");
        conn.execute(&sql).await?;
    }
    let system = system_collections(&mut rand::rng(), &crate::now());
    for collection in system {
        collections::insert_row(conn, &collection).await?;
        table::create(conn, &collection).await.map_err(|error| StoreError::BadCollection {
            name: collection.name.clone(),
            reason: error.to_string(),
        })?;
    }
    let initial = Settings::initial();
    settings::store(conn, &initial, options.encryption_key.as_deref()).await
}

/// All collections of the database.
pub(crate) async fn load_schema(conn: &mut Conn) -> Result<Schema, StoreError> {
    collections::load_all(conn).await.map(Schema::new)
}

/// The settings of the database; the defaults if it has none.
pub(crate) async fn load_settings(
    conn: &mut Conn,
    encryption_key: Option<&str>,
) -> Result<Settings, StoreError> {
    settings::load(conn, encryption_key).await
}
