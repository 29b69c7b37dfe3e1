//! Records: read by id, written, deleted together with what refers to them.
//!
//! Source: PocketBase `core/record_model.go`, `core/record_query.go`.

use std::sync::Arc;

use pando_filter::{Dialect, Sql, postgres::holds_nul};
use pando_schema::{
    Collection, CollectionKind, Field, FieldKind, Index, Problem, Problems, Record, StoreCheck,
    Value,
};

use crate::{Action, Change, Conn, StoreError, Tx};

/// Ids in one `IN (…)` list.
const IDS_PER_QUERY: usize = 500;

/// Records that one pass of a cascade loads.
const CASCADE_BATCH: i64 = 4_000;

/// Why a record was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the record is not valid")]
    Invalid(Problems),
    /// A required relation field would lose its only record.
    #[error("the record {id:?} of {collection:?} must keep its reference")]
    Required { collection: String, id: String },
    #[error("the only superuser must stay")]
    LastSuperuser,
    #[error("failed to write the record")]
    Store(#[from] StoreError),
}

impl Conn {
    /// The record with that id.
    pub async fn find(
        &mut self,
        collection: &Arc<Collection>,
        id: &str,
    ) -> Result<Option<Record>, StoreError> {
        let sql = select_by_id(self.dialect(), collection, id);
        Ok(self.records(collection, &sql).await?.pop())
    }

    /// Some record of the collection.
    pub async fn find_any(
        &mut self,
        collection: &Arc<Collection>,
    ) -> Result<Option<Record>, StoreError> {
        let mut sql = select(self.dialect(), collection);
        sql.push(" LIMIT 1");
        Ok(self.records(collection, &sql).await?.pop())
    }

    /// The record whose `column` is `value`; the database compares them as the column's index does
    /// if `nocase` says whether that ignores ASCII case.
    pub async fn find_by(
        &mut self,
        collection: &Arc<Collection>,
        column: &str,
        value: &str,
        nocase: bool,
    ) -> Result<Option<Record>, StoreError> {
        let mut sql = select(self.dialect(), collection);
        sql.push(" WHERE ");
        push_is(&mut sql, column, value, nocase);
        sql.push(" LIMIT 1");
        Ok(self.records(collection, &sql).await?.pop())
    }

    /// The records with those ids, in no particular order; those that do not exist are left out.
    pub async fn find_all(
        &mut self,
        collection: &Arc<Collection>,
        ids: &[String],
    ) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_QUERY) {
            let mut sql = select(self.dialect(), collection);
            sql.push(" WHERE ").quoted("id").is_one_of(ids);
            found.extend(self.records(collection, &sql).await?);
        }
        Ok(found)
    }

    /// The ids of at most `limit` records of `collection` whose `field` refers to the record with
    /// `id`.
    pub async fn referring_ids(
        &mut self,
        collection: &Collection,
        field: &Field,
        id: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut sql = self.sql();
        sql.push("SELECT ").quoted("id").push(" FROM ").quoted(&collection.name).push(" WHERE ");
        push_refers(&mut sql, collection, field, id);
        if sql.dialect == Dialect::Postgres && collection.kind != CollectionKind::View {
            // SQLite finds them in that order.
            sql.push(" ORDER BY \"_n\"");
        }
        sql.push(" LIMIT ").integer(limit);
        self.texts(&sql).await
    }
}

impl Tx {
    /// The record with that id, which nobody else changes until this transaction ends.
    pub async fn find(
        &mut self,
        collection: &Arc<Collection>,
        id: &str,
    ) -> Result<Option<Record>, StoreError> {
        let mut sql = select_by_id(self.dialect(), collection, id);
        if sql.dialect == Dialect::Postgres {
            // SQLite has one writer in any case. References to the record may come and go.
            sql.push(" FOR NO KEY UPDATE");
        }
        Ok(self.records(collection, &sql).await?.pop())
    }

    /// Asks the database what the validation of a record left open, and adds what is wrong.
    pub async fn check(
        &mut self,
        record: &Record,
        checks: &[StoreCheck],
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        for check in checks {
            let holds = match check {
                StoreCheck::IdFree { id } => {
                    let mut sql = self.sql();
                    sql.push("SELECT 1 FROM ").quoted(&record.collection.name).push(" WHERE ");
                    push_is(&mut sql, "id", id, true);
                    !self.exists(&sql).await?
                }
                StoreCheck::RelatedExist { collection_id, ids, .. } => {
                    let Some(related) = self.schema.by_id(collection_id).cloned() else {
                        check.fail_without_collection(problems);
                        continue;
                    };
                    self.count_of(&related, ids).await? == ids.len()
                }
                StoreCheck::AuthIdFree { id } if problems.is_empty() => {
                    self.auth_id_free(&record.collection, id).await?
                }
                StoreCheck::AuthIdFree { .. } => true,
            };
            if !holds {
                check.fail(problems);
            }
        }
        Ok(())
    }

    /// How many of the records with `ids` exist, and will until this transaction ends.
    async fn count_of(
        &mut self,
        collection: &Collection,
        ids: &[String],
    ) -> Result<usize, StoreError> {
        let mut count = 0;
        for ids in ids.chunks(IDS_PER_QUERY) {
            let mut sql = self.sql();
            sql.push("SELECT ").quoted("id").push(" FROM ").quoted(&collection.name);
            sql.push(" WHERE ").quoted("id").is_one_of(ids);
            if sql.dialect == Dialect::Postgres && collection.kind != CollectionKind::View {
                // Else one could be deleted before the reference to it is there to be cleared.
                sql.push(" FOR KEY SHARE");
            }
            count += self.rows(&sql).await?.len();
        }
        Ok(count)
    }

    /// Writes a new record. Values must be complete and valid but for what only the database
    /// knows.
    pub async fn insert(&mut self, mut record: Record) -> Result<Arc<Record>, WriteError> {
        record.fill_saved(true, &crate::now());
        let all = 0..record.values.len();
        check_storable(self.dialect(), &record, all.clone())?;
        let collection = &record.collection;
        let mut sql = self.sql();
        sql.push("INSERT INTO ").quoted(&collection.name).push(" (");
        push_columns(&mut sql, &collection.fields);
        if sql.dialect == Dialect::Postgres {
            sql.push(", ").push("\"_b\"");
        }
        sql.push(") VALUES (");
        for index in all {
            sql.push(if index == 0 { "" } else { ", " });
            sql.bind_stored(&collection.fields[index], &record.values[index]);
        }
        if sql.dialect == Dialect::Postgres {
            sql.push(", ").bind_bucket(record.id());
        }
        sql.push(")");
        let written = self.execute_soon(sql).await;
        written.map_err(|error| refusal(error, collection))?;
        if record.collection.auth.is_some() {
            self.after_auth_insert(&record).await?;
        }
        let record = Arc::new(record);
        self.announce(Change { action: Action::Create, record: Arc::clone(&record) });
        Ok(record)
    }

    /// Writes the values in which `record` differs from `original`, which is how it is stored.
    pub async fn update(
        &mut self,
        mut record: Record,
        original: &Record,
    ) -> Result<Arc<Record>, WriteError> {
        if record.collection.auth.is_some() {
            self.prepare_auth_update(&mut record, original).await?;
        }
        record.fill_saved(false, &crate::now());
        let collection = &record.collection;
        let changed: Vec<usize> = (0..record.values.len())
            .filter(|&index| record.values[index] != original.values[index])
            .collect();
        if !changed.is_empty() {
            check_storable(self.dialect(), &record, changed.iter().copied())?;
            let mut sql = self.sql();
            sql.push("UPDATE ").quoted(&collection.name).push(" SET ");
            for (count, &index) in changed.iter().enumerate() {
                let field = &collection.fields[index];
                sql.push(if count == 0 { "" } else { ", " }).quoted(&field.name).push(" = ");
                sql.bind_stored(field, &record.values[index]);
            }
            if sql.dialect == Dialect::Postgres && record.id() != original.id() {
                sql.push(", \"_b\" = ").bind_bucket(record.id());
            }
            sql.push(" WHERE ").quoted("id").push(" = ").bind(original.id());
            let written = self.execute_soon(sql).await;
            written.map_err(|error| refusal(error, collection))?;
        }
        let record = Arc::new(record);
        self.announce(Change { action: Action::Update, record: Arc::clone(&record) });
        Ok(record)
    }

    /// Deletes a record. What refers to it goes too or loses the reference, as its field says.
    /// Returns all records that are gone.
    pub async fn delete(&mut self, record: Arc<Record>) -> Result<Vec<Arc<Record>>, WriteError> {
        let mut deleted = Vec::new();
        // A list instead of recursion, so that a long chain of references cannot overflow.
        let mut doomed = vec![record];
        while let Some(record) = doomed.pop() {
            self.check_superuser_left(&record).await?;
            let mut sql = self.sql();
            sql.push("DELETE FROM ").quoted(&record.collection.name);
            sql.push(" WHERE ").quoted("id").push(" = ").bind(record.id());
            if self.execute(&sql).await? == 0 {
                // Reached twice through different references.
                continue;
            }
            self.announce(Change { action: Action::Delete, record: Arc::clone(&record) });
            if record.collection.auth.is_some() {
                self.after_auth_delete(&record).await?;
            }
            self.release_references(&record, &mut doomed).await?;
            deleted.push(record);
        }
        Ok(deleted)
    }

    /// Removes the id of `record` from all relation fields, and adds those records to `doomed`
    /// that must not live without it.
    async fn release_references(
        &mut self,
        record: &Record,
        doomed: &mut Vec<Arc<Record>>,
    ) -> Result<(), WriteError> {
        let schema = Arc::clone(&self.schema);
        let mut collections: Vec<&Arc<Collection>> =
            schema.iter().filter(|other| other.kind != CollectionKind::View).collect();
        collections.sort_by(|a, b| a.name.cmp(&b.name));
        for collection in collections {
            for (index, field) in collection.fields.iter().enumerate() {
                let FieldKind::Relation { collection_id, cascade_delete, required, .. } =
                    &field.kind
                else {
                    continue;
                };
                if *collection_id != record.collection.id {
                    continue;
                }
                let policy = Reference { index, cascade: *cascade_delete, required: *required };
                self.release_field(record, collection, policy, doomed).await?;
            }
        }
        Ok(())
    }

    async fn release_field(
        &mut self,
        record: &Record,
        collection: &Arc<Collection>,
        reference: Reference,
        doomed: &mut Vec<Arc<Record>>,
    ) -> Result<(), WriteError> {
        let mut after = String::new();
        loop {
            let field = &collection.fields[reference.index];
            let sql = referring(self.dialect(), collection, field, record.id(), &after);
            let referring = self.records(collection, &sql).await?;
            let Some(last) = referring.last() else { return Ok(()) };
            last.id().clone_into(&mut after);
            for referrer in referring {
                self.release_one(record, referrer, reference, doomed).await?;
            }
        }
    }

    async fn release_one(
        &mut self,
        record: &Record,
        referrer: Record,
        reference: Reference,
        doomed: &mut Vec<Arc<Record>>,
    ) -> Result<(), WriteError> {
        let mut changed = referrer.clone();
        let left = remove_id(&mut changed.values[reference.index], record.id());
        if left == 0 && reference.cascade {
            doomed.push(Arc::new(referrer));
            return Ok(());
        }
        if left == 0 && reference.required {
            let collection = referrer.collection.name.clone();
            return Err(WriteError::Required { collection, id: referrer.id().to_owned() });
        }
        self.update(changed, &referrer).await?;
        Ok(())
    }
}

/// A relation field and what happens to its record when the related one goes.
#[derive(Clone, Copy)]
struct Reference {
    index: usize,
    cascade: bool,
    required: bool,
}

/// Takes `id` out of a relation value. Returns how many ids are left.
fn remove_id(value: &mut Value, id: &str) -> usize {
    match value {
        Value::List(ids) => {
            ids.retain(|other| other != id);
            ids.len()
        }
        Value::Text(text) => {
            text.clear();
            0
        }
        Value::Bool(_) | Value::Number(_) | Value::Json(_) | Value::GeoPoint { .. } => 0,
    }
}

/// The records whose `field` refers to `id`, those after a given id, a batch at a time.
fn referring(
    dialect: Dialect,
    collection: &Collection,
    field: &Field,
    id: &str,
    after: &str,
) -> Sql {
    let mut sql = select(dialect, collection);
    sql.push(" WHERE ");
    push_refers(&mut sql, collection, field, id);
    sql.push(" AND ").quoted("id").push(" > ").bind(after);
    sql.push(" ORDER BY ").quoted("id").push(" LIMIT ").integer(CASCADE_BATCH);
    if dialect == Dialect::Postgres {
        sql.push(" FOR NO KEY UPDATE");
    }
    sql
}

/// Appends the condition that `field` holds an id (or the name of a file).
pub(crate) fn push_refers(sql: &mut Sql, collection: &Collection, field: &Field, id: &str) {
    let column = |sql: &mut Sql| {
        sql.quoted(&collection.name).push(".").quoted(&field.name);
    };
    match sql.dialect {
        _ if !field.multiple() => {
            column(sql);
            sql.push(" = ").bind(id);
        }
        Dialect::Sqlite => {
            sql.push("EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(");
            column(sql);
            sql.push(") THEN ");
            column(sql);
            sql.push(" ELSE json_array(");
            column(sql);
            sql.push(") END) WHERE value = ").bind(id).push(")");
        }
        Dialect::Postgres => {
            sql.push("pando.list(");
            column(sql);
            sql.push(") @> ARRAY[").bind(id).push("]");
        }
    }
}

/// Refuses what PostgreSQL cannot store and SQLite can.
fn check_storable(
    dialect: Dialect,
    record: &Record,
    mut indexes: impl Iterator<Item = usize>,
) -> Result<(), WriteError> {
    if dialect == Dialect::Sqlite {
        return Ok(());
    }
    let Some(index) = indexes.find(|&index| holds_nul(&record.values[index])) else {
        return Ok(());
    };
    let mut problems = Problems::default();
    let words = "The database cannot store the NUL character (U+0000). Remove it from the value.";
    let problem = Problem::new("validation_nul_character", words);
    problems.add(&record.collection.fields[index].name, problem);
    Err(WriteError::Invalid(problems))
}

/// Says in terms of fields why the database refused a row.
fn refusal(error: StoreError, collection: &Collection) -> WriteError {
    let StoreError::NotUnique { what } = &error else { return WriteError::Store(error) };
    let problems = match what.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        Some(index) => {
            let columns = columns_of_index(collection, index);
            pando_schema::unique_problems(collection, columns.iter().map(String::as_str))
        }
        None => {
            let columns = what.split(", ").filter_map(|column| column.split_once('.'));
            pando_schema::unique_problems(collection, columns.map(|(_table, column)| column))
        }
    };
    match problems {
        Some(problems) => WriteError::Invalid(problems),
        None => WriteError::Store(error),
    }
}

/// The columns that an index of the collection's table covers, if it covers plain columns only.
/// SQLite names the columns then; PostgreSQL always names the index.
pub(crate) fn columns_of_index(collection: &Collection, name: &str) -> Vec<String> {
    if name.starts_with(&format!("{}~", collection.id)) {
        return vec!["id".to_owned()];
    }
    let known = |index: &Index| pando_filter::postgres::name(&index.index_name) == name;
    let indexes = collection.indexes.iter().map(|statement| Index::parse(statement));
    let Some(index) = indexes.into_iter().find(known) else { return Vec::new() };
    let names: Vec<String> = index.columns.into_iter().map(|column| column.name).collect();
    let plain = names.iter().all(|name| collection.field(name).is_some());
    if plain { names } else { Vec::new() }
}

/// `SELECT` of all fields, in their order.
pub(crate) fn select(dialect: Dialect, collection: &Collection) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push("SELECT ");
    push_columns(&mut sql, &collection.fields);
    sql.push(" FROM ").quoted(&collection.name);
    sql
}

fn select_by_id(dialect: Dialect, collection: &Collection, id: &str) -> Sql {
    let mut sql = select(dialect, collection);
    sql.push(" WHERE ").quoted("id").push(" = ").bind(id);
    // A view may have several records with the same id.
    sql.push(if collection.kind == CollectionKind::View { " LIMIT 1" } else { "" });
    sql
}

fn push_columns(sql: &mut Sql, fields: &[Field]) {
    for (index, field) in fields.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).quoted(&field.name);
    }
}

/// Appends that a column is `value`, without regard to the case of ASCII letters if `nocase`.
fn push_is(sql: &mut Sql, column: &str, value: &str, nocase: bool) {
    match (sql.dialect, nocase) {
        (_, false) => sql.quoted(column).push(" = ").bind(value),
        (Dialect::Sqlite, true) => {
            sql.quoted(column).push(" = ").bind(value).push(" COLLATE NOCASE")
        }
        (Dialect::Postgres, true) => {
            let value = value.to_ascii_lowercase();
            sql.push("lower(").quoted(column).push(") = ").bind(value)
        }
    };
}

/// A name in SQLite's quotes. Validation lets only letters, digits and underscores into names; the
/// quotes inside are doubled all the same.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
