//! Collections: read from their table, saved together with the tables of their records.
//!
//! Source: PocketBase `core/collection_model.go`, `core/collection_query.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pando_filter::{Dialect, Sql};
use pando_schema::{
    Collection, CollectionKind, CollectionRow, Draft, DraftError, ImportError, Missing, Problems,
    Record, Schema, SqlValue, Surroundings, plan_import,
};
use serde_json::{Map, Value as Json};

use crate::records::select;
use crate::{Conn, StoreError, Tx, ViewError, WriteError, table};

const TABLE: &str = "_collections";

/// Records that one step of a truncation deletes.
const TRUNCATE_BATCH: i64 = 500;

/// The columns of the table of collections. `system` is a bool, `fields`, `indexes` and `options`
/// are JSON, the others are texts.
pub(crate) const COLUMNS: [&str; 14] = [
    "id",
    "system",
    "type",
    "name",
    "fields",
    "indexes",
    "listRule",
    "viewRule",
    "createRule",
    "updateRule",
    "deleteRule",
    "options",
    "created",
    "updated",
];

/// All collections, as stored.
pub(crate) async fn load_all(conn: &mut Conn) -> Result<Vec<Arc<Collection>>, StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT ");
    for (index, column) in COLUMNS.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).quoted(column);
    }
    sql.push(" FROM ").quoted(TABLE).push(" ORDER BY ");
    match sql.dialect {
        Dialect::Sqlite => sql.push("rowid"),
        Dialect::Postgres => sql.push("\"_n\""),
    };
    let rows = conn.rows(&sql).await?;
    rows.into_iter().map(|row| collection(row).map(Arc::new)).collect()
}

fn collection(row: Vec<SqlValue>) -> Result<Collection, StoreError> {
    let mut cells = row.into_iter();
    let mut optional = || match cells.next() {
        Some(SqlValue::Text(text)) => Some(text),
        Some(SqlValue::Int(number)) => Some(number.to_string()),
        Some(SqlValue::Null | SqlValue::Real(_)) | None => None,
    };
    let row = CollectionRow {
        id: optional().unwrap_or_default(),
        system: optional().is_some_and(|flag| flag != "0"),
        kind: optional().unwrap_or_default(),
        name: optional().unwrap_or_default(),
        fields: optional().unwrap_or_default(),
        indexes: optional().unwrap_or_default(),
        list_rule: optional(),
        view_rule: optional(),
        create_rule: optional(),
        update_rule: optional(),
        delete_rule: optional(),
        options: optional().unwrap_or_default(),
        created: optional().unwrap_or_default(),
        updated: optional().unwrap_or_default(),
    };
    let name = row.name.clone();
    Collection::from_stored(row)
        .map_err(|error| StoreError::BadCollection { name, reason: error.to_string() })
}

pub(crate) async fn insert_row(conn: &mut Conn, collection: &Collection) -> Result<(), StoreError> {
    let mut sql = conn.sql();
    sql.push("INSERT INTO ").quoted(TABLE).push(" (");
    for (index, column) in COLUMNS.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).quoted(column);
    }
    sql.push(") VALUES (");
    for (index, (column, cell)) in COLUMNS.iter().zip(cells(collection)).enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        push_cell(&mut sql, column, cell);
    }
    sql.push(")");
    conn.execute(&sql).await?;
    Ok(())
}

pub(crate) async fn update_row(conn: &mut Conn, collection: &Collection) -> Result<(), StoreError> {
    let mut sql = conn.sql();
    sql.push("UPDATE ").quoted(TABLE).push(" SET ");
    for (index, (column, cell)) in COLUMNS.iter().zip(cells(collection)).skip(1).enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).quoted(column).push(" = ");
        push_cell(&mut sql, column, cell);
    }
    sql.push(" WHERE ").quoted("id").push(" = ").bind(collection.id.as_str());
    conn.execute(&sql).await?;
    Ok(())
}

fn push_cell(sql: &mut Sql, column: &str, cell: SqlValue) {
    let postgres = sql.dialect == Dialect::Postgres;
    match column {
        "system" if postgres => sql.push("(").bind(cell).push(" <> 0)"),
        "fields" | "indexes" | "options" if postgres => sql.bind(cell).push("::json"),
        _ => sql.bind(cell),
    };
}

fn cells(collection: &Collection) -> [SqlValue; 14] {
    let row = collection.to_stored();
    let rule = |rule: Option<String>| rule.map_or(SqlValue::Null, SqlValue::Text);
    [
        SqlValue::Text(row.id),
        SqlValue::Int(row.system.into()),
        SqlValue::Text(row.kind),
        SqlValue::Text(row.name),
        SqlValue::Text(row.fields),
        SqlValue::Text(row.indexes),
        rule(row.list_rule),
        rule(row.view_rule),
        rule(row.create_rule),
        rule(row.update_rule),
        rule(row.delete_rule),
        SqlValue::Text(row.options),
        SqlValue::Text(row.created),
        SqlValue::Text(row.updated),
    ]
}

/// Why a collection was not saved or deleted.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    #[error("the request does not describe a collection")]
    Malformed(#[source] DraftError),
    #[error("the collection is not valid")]
    Invalid(Problems),
    #[error("the import is not valid")]
    Import(#[source] ImportError),
    #[error("[{0}] system collections cannot be deleted")]
    System(String),
    /// Relation fields of these collections refer to it.
    #[error("[{name}] failed to delete due to existing relation references: {}", referrers.join(", "))]
    Referenced { name: String, referrers: Vec<String> },
    /// A record must keep its reference to one that would go.
    #[error("failed to delete the records")]
    Records(#[source] WriteError),
    /// The query of a view does not work.
    #[error(transparent)]
    View(ViewError),
    /// A view reads what would go.
    #[error("[{name}] failed to delete due to existing view dependency")]
    ReadByView { name: String, source: Box<CollectionError> },
    /// The database refused a step of the change of a table.
    #[error("{step}{}", .source.database_message())]
    Table { step: String, source: StoreError },
    /// What an import could not save.
    #[error("failed to save collection {name:?}: {source}")]
    ImportSave { name: String, source: Box<CollectionError> },
    #[error("failed to save the collection")]
    Store(#[from] StoreError),
}

impl Tx {
    /// Saves a new collection and makes its table.
    pub async fn create_collection(
        &mut self,
        input: &Map<String, Json>,
    ) -> Result<Arc<Collection>, CollectionError> {
        self.alter().await?;
        let draft = Draft::create(input, &mut rand::rng()).map_err(CollectionError::Malformed)?;
        let saved = self.save_draft(draft, None).await?;
        self.adapt_views(&saved.id).await?;
        Ok(saved)
    }

    /// Saves what `input` changes of a collection and brings its table in line.
    pub async fn update_collection(
        &mut self,
        original: &Arc<Collection>,
        input: &Map<String, Json>,
    ) -> Result<Arc<Collection>, CollectionError> {
        self.alter().await?;
        let draft = Draft::update(original, input).map_err(CollectionError::Malformed)?;
        let saved = self.save_draft(draft, Some(original)).await?;
        self.adapt_views(&saved.id).await?;
        Ok(saved)
    }

    /// Adapts the views to a changed collection: all of them, or none if one cannot be. That is
    /// for the operator to mend; the change of the collection stands.
    async fn adapt_views(&mut self, changed_id: &str) -> Result<(), StoreError> {
        let mark = self.savepoint().await?;
        match self.sync_views(changed_id).await {
            Ok(()) => self.release().await,
            Err(_logged) => self.undo_to(mark).await,
        }
    }

    pub(crate) async fn save_draft(
        &mut self,
        mut draft: Draft,
        original: Option<&Arc<Collection>>,
    ) -> Result<Arc<Collection>, CollectionError> {
        let original = original.map(Arc::as_ref);
        let schema = Arc::clone(&self.schema);
        draft.prepare(original, &schema, &crate::now()).map_err(CollectionError::Malformed)?;
        let problem = self.load_view(&mut draft.collection).await;
        let catalog = Catalog::read(self.design().await?).await?;
        let checked = catalog.around(&schema, problem.as_deref(), |around| {
            draft.check(original, around, &mut rand::rng())
        });
        let collection = checked.map_err(CollectionError::Invalid)?;
        self.save_checked(collection, original).await
    }

    /// Gives a view the fields of its query. Returns what is wrong with the query.
    async fn load_view(&mut self, collection: &mut Collection) -> Option<String> {
        if collection.kind != CollectionKind::View {
            return None;
        }
        collection.fields = self.view_fields(&collection.view_query).await.fields;
        self.try_view(&collection.view_query).await.err().map(|error| error.to_string())
    }

    async fn save_checked(
        &mut self,
        mut collection: Collection,
        original: Option<&Collection>,
    ) -> Result<Arc<Collection>, CollectionError> {
        if collection.kind == CollectionKind::View {
            let old_name = original.map(|original| original.name.as_str());
            let made = self.save_view(&mut collection, old_name).await;
            made.map_err(CollectionError::View)?;
        }
        keep_superusers_safe(&mut collection);
        match original {
            None => {
                let inserted = insert_row(self, &collection).await;
                inserted.map_err(|source| table::refused("", source))?;
                self.create_table(&collection).await?;
            }
            Some(original) => {
                update_row(self, &collection).await?;
                let changes =
                    collection.changes_from(original).map_err(CollectionError::Invalid)?;
                self.change_table(&collection, &changes).await?;
            }
        }
        let collection = Arc::new(collection);
        self.replace(&collection.id, Some(&collection));
        self.remake_views().await?;
        Ok(collection)
    }

    /// Deletes a collection with its records. Returns nothing of the records: their files all lie
    /// in the collection's own folder.
    pub async fn delete_collection(
        &mut self,
        collection: &Arc<Collection>,
    ) -> Result<(), CollectionError> {
        self.alter().await?;
        let referrers: Vec<String> =
            self.schema.referrers(&collection.id).map(|c| c.name.clone()).collect();
        if !collection.system && !referrers.is_empty() {
            return Err(CollectionError::Referenced { name: collection.name.clone(), referrers });
        }
        self.drop_collection(collection, Integrity::Checked).await
    }

    async fn drop_collection(
        &mut self,
        collection: &Collection,
        integrity: Integrity,
    ) -> Result<(), CollectionError> {
        if collection.system {
            return Err(CollectionError::System(collection.name.clone()));
        }
        table::drop(self.design().await?, collection).await?;
        if integrity == Integrity::Checked {
            let name = collection.name.clone();
            let synced = self.sync_views(&collection.id).await;
            synced
                .map_err(|error| CollectionError::ReadByView { name, source: Box::new(error) })?;
        }
        let mut sql = self.sql();
        sql.push("DELETE FROM ").quoted(TABLE);
        sql.push(" WHERE ").quoted("id").push(" = ").bind(collection.id.as_str());
        self.execute(&sql).await?;
        if collection.kind == CollectionKind::Auth {
            self.delete_collection_dependents(collection).await?;
        }
        self.replace(&collection.id, None);
        self.drop_table(collection).await?;
        Ok(())
    }

    /// Deletes all records of a collection and what must go with them. Returns all that is gone.
    pub async fn truncate(
        &mut self,
        collection: &Arc<Collection>,
    ) -> Result<Vec<Arc<Record>>, CollectionError> {
        let mut sql = select(self.dialect(), collection);
        sql.push(" LIMIT ").integer(TRUNCATE_BATCH);
        let mut deleted = Vec::new();
        loop {
            let records = self.records(collection, &sql).await?;
            if records.is_empty() {
                return Ok(deleted);
            }
            for record in records {
                let gone = self.delete(Arc::new(record)).await;
                deleted.extend(gone.map_err(CollectionError::Records)?);
            }
        }
    }

    /// Creates and changes collections to be as `input` says. Returns those that were deleted.
    pub async fn import_collections(
        &mut self,
        input: Vec<Map<String, Json>>,
        missing: Missing,
    ) -> Result<Vec<Arc<Collection>>, CollectionError> {
        self.alter().await?;
        let schema = Arc::clone(&self.schema);
        let mut plan = plan_import(&schema, input, missing, &crate::now(), &mut rand::rng())
            .map_err(CollectionError::Import)?;
        for collection in &plan.deletes {
            self.drop_collection(collection, Integrity::Unchecked).await?;
        }
        for save in &plan.saves {
            self.save_imported(&save.draft.collection, save.original.as_deref()).await?;
        }
        // Checked only now, since the collections may refer to each other.
        for save in &mut plan.saves {
            let problem = self.load_view(&mut save.draft.collection).await;
            let schema = Arc::clone(&self.schema);
            let catalog = Catalog::read(self.design().await?).await?;
            let checked = catalog
                .around(&schema, problem.as_deref(), |around| save.check(around, &mut rand::rng()));
            checked.map_err(CollectionError::Invalid)?;
        }
        Ok(plan.deletes)
    }

    async fn save_imported(
        &mut self,
        collection: &Collection,
        original: Option<&Collection>,
    ) -> Result<(), CollectionError> {
        match self.save_checked(collection.clone(), original).await {
            Ok(saved) => {
                // Views that are not in line yet may be further on in the import.
                self.adapt_views(&saved.id).await?;
                Ok(())
            }
            Err(error @ (CollectionError::View(_) | CollectionError::Table { .. })) => {
                let name = collection.name.clone();
                Err(CollectionError::ImportSave { name, source: Box::new(error) })
            }
            Err(error) => Err(error),
        }
    }

    /// Puts `collection` in the place of the one with `id`, or removes that.
    fn replace(&mut self, id: &str, collection: Option<&Arc<Collection>>) {
        let others = self.schema.iter().filter(|other| other.id != id);
        let schema = Schema::new(others.chain(collection).cloned());
        self.schema = Arc::new(schema);
    }
}

/// Whether what refers to a collection, or reads it, protects it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integrity {
    Checked,
    /// Of an import, which brings all collections into a new state together.
    Unchecked,
}

/// What superusers need to log in cannot be switched off.
fn keep_superusers_safe(collection: &mut Collection) {
    if collection.name != "_superusers" {
        return;
    }
    if let Some(auth) = &mut collection.auth {
        auth.oauth2.enabled = false;
        auth.oauth2.providers.clear();
        auth.password_auth.enabled = true;
        // A one-time password alone does not make a superuser.
        auth.mfa.enabled |= auth.otp.enabled;
    }
}

/// The names of tables, views and indexes.
struct Catalog {
    /// Lower-cased.
    tables: BTreeSet<String>,
    /// Lower-cased name, and the table.
    indexes: BTreeMap<String, String>,
}

impl Catalog {
    async fn read(conn: &mut Conn) -> Result<Catalog, StoreError> {
        let mut catalog = Catalog { tables: BTreeSet::new(), indexes: BTreeMap::new() };
        let mut sql = conn.sql();
        sql.push("SELECT type, name, tbl_name FROM sqlite_master");
        for row in conn.rows(&sql).await? {
            let [SqlValue::Text(kind), SqlValue::Text(name), SqlValue::Text(table)] =
                row.as_slice()
            else {
                continue;
            };
            match kind.as_str() {
                "table" | "view" => {
                    catalog.tables.insert(name.to_lowercase());
                }
                "index" => {
                    catalog.indexes.insert(name.to_lowercase(), table.clone());
                }
                _ => {}
            }
        }
        Ok(catalog)
    }

    /// Calls `check` with all that a check of a collection must know.
    fn around<T>(
        &self,
        schema: &Schema,
        view_query_problem: Option<&str>,
        check: impl FnOnce(&Surroundings<'_>) -> T,
    ) -> T {
        check(&Surroundings {
            schema,
            check_rule: &|rule, collection| pando_filter::check_rule(rule, collection, schema),
            view_query_problem,
            table_exists: &|name| self.tables.contains(&name.to_lowercase()),
            index_table: &|name| self.indexes.get(&name.to_lowercase()).cloned(),
        })
    }
}
