//! Records: read by id, written, deleted together with what refers to them.
//!
//! Source: PocketBase `core/record_model.go`, `core/record_query.go`.

use std::sync::Arc;

use pando_schema::{
    Collection, CollectionKind, Field, FieldKind, Problems, Record, SqlValue, StoreCheck, Value,
};

use crate::{Action, Change, Conn, StoreError, Tx};

/// Ids in one `IN (…)` list.
const IDS_PER_QUERY: usize = 500;

/// Records that one pass of a cascade loads.
const CASCADE_BATCH: usize = 4_000;

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
        let mut text = select(collection);
        text.push_str(" WHERE `id` = ? LIMIT 1");
        let id = [SqlValue::Text(id.to_owned())];
        Ok(self.records(collection, &text, &id).await?.pop())
    }

    /// Some record of the collection.
    pub async fn find_any(
        &mut self,
        collection: &Arc<Collection>,
    ) -> Result<Option<Record>, StoreError> {
        let text = format!("{} LIMIT 1", select(collection));
        Ok(self.records(collection, &text, &[]).await?.pop())
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
        let collate = if nocase { " COLLATE NOCASE" } else { "" };
        let text = format!("{} WHERE {} = ?{collate} LIMIT 1", select(collection), quoted(column));
        let value = [SqlValue::Text(value.to_owned())];
        Ok(self.records(collection, &text, &value).await?.pop())
    }

    /// The records with those ids, in no particular order; those that do not exist are left out.
    pub async fn find_all(
        &mut self,
        collection: &Arc<Collection>,
        ids: &[String],
    ) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_PER_QUERY) {
            let mut text = select(collection);
            text.push_str(" WHERE `id` IN (");
            text.push_str(&placeholders(ids.len()));
            text.push(')');
            let ids: Vec<SqlValue> = ids.iter().cloned().map(SqlValue::Text).collect();
            found.extend(self.records(collection, &text, &ids).await?);
        }
        Ok(found)
    }
}

impl Tx {
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
                    let table = quoted(&record.collection.name);
                    let text = format!("SELECT 1 FROM {table} WHERE `id` = ? COLLATE NOCASE");
                    !self.exists(&text, &[SqlValue::Text(id.clone())]).await?
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

    /// How many of the records with `ids` exist.
    async fn count_of(
        &mut self,
        collection: &Collection,
        ids: &[String],
    ) -> Result<usize, StoreError> {
        let mut count = 0;
        for ids in ids.chunks(IDS_PER_QUERY) {
            let table = quoted(&collection.name);
            let text =
                format!("SELECT COUNT(*) FROM {table} WHERE `id` IN ({})", placeholders(ids.len()));
            let ids: Vec<SqlValue> = ids.iter().cloned().map(SqlValue::Text).collect();
            let found = self.integer(&text, &ids).await?.unwrap_or(0);
            count += usize::try_from(found).unwrap_or(0);
        }
        Ok(count)
    }

    /// Writes a new record. Values must be complete and valid but for what only the database
    /// knows.
    pub async fn insert(&mut self, mut record: Record) -> Result<Arc<Record>, WriteError> {
        record.fill_saved(true, &crate::now());
        let collection = &record.collection;
        let mut text = format!("INSERT INTO {} (", quoted(&collection.name));
        push_columns(&mut text, &collection.fields);
        text.push_str(") VALUES (");
        text.push_str(&placeholders(collection.fields.len()));
        text.push(')');
        let values: Vec<SqlValue> = record.values.iter().map(Value::to_sql).collect();
        let written = self.execute(&text, &values).await;
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
            let mut text = format!("UPDATE {} SET ", quoted(&collection.name));
            for (count, &index) in changed.iter().enumerate() {
                text.push_str(if count == 0 { "" } else { ", " });
                text.push_str(&quoted(&collection.fields[index].name));
                text.push_str(" = ?");
            }
            text.push_str(" WHERE `id` = ?");
            let mut values: Vec<SqlValue> =
                changed.iter().map(|&index| record.values[index].to_sql()).collect();
            values.push(SqlValue::Text(original.id().to_owned()));
            let written = self.execute(&text, &values).await;
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
            let text = format!("DELETE FROM {} WHERE `id` = ?", quoted(&record.collection.name));
            let id = [SqlValue::Text(record.id().to_owned())];
            if self.execute(&text, &id).await? == 0 {
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
        let text = referring(collection, &collection.fields[reference.index]);
        let mut after = String::new();
        loop {
            let values = [SqlValue::Text(record.id().to_owned()), SqlValue::Text(after.clone())];
            let referring = self.records(collection, &text, &values).await?;
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

/// The ids of at most `limit` records whose `field` refers to an id.
pub fn referring_ids(collection: &Collection, field: &Field, limit: usize) -> String {
    let table = quoted(&collection.name);
    format!("SELECT `id` FROM {table} WHERE {} LIMIT {limit}", refers(collection, field))
}

/// The records whose `field` refers to an id, those after a given id, a batch at a time.
fn referring(collection: &Collection, field: &Field) -> String {
    let refers = refers(collection, field);
    format!(
        "{} WHERE {refers} AND `id` > ? ORDER BY `id` LIMIT {CASCADE_BATCH}",
        select(collection)
    )
}

/// The condition that `field` holds an id (or the name of a file), which is to be bound.
pub(crate) fn refers(collection: &Collection, field: &Field) -> String {
    let column = format!("{}.{}", quoted(&collection.name), quoted(&field.name));
    if field.multiple() {
        format!(
            "EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid({column}) THEN {column} \
             ELSE json_array({column}) END) WHERE value = ?)"
        )
    } else {
        format!("{column} = ?")
    }
}

/// Says in terms of fields why the database refused a row.
fn refusal(error: StoreError, collection: &Collection) -> WriteError {
    let StoreError::NotUnique { what } = &error else { return WriteError::Store(error) };
    let columns = what.split(", ").filter_map(|column| column.split_once('.'));
    let columns = columns.map(|(_table, column)| column);
    match pando_schema::unique_problems(collection, columns) {
        Some(problems) => WriteError::Invalid(problems),
        None => WriteError::Store(error),
    }
}

/// `SELECT` of all fields, in their order.
pub(crate) fn select(collection: &Collection) -> String {
    let mut text = String::with_capacity(64 + 16 * collection.fields.len());
    text.push_str("SELECT ");
    push_columns(&mut text, &collection.fields);
    text.push_str(" FROM ");
    text.push_str(&quoted(&collection.name));
    text
}

fn push_columns(text: &mut String, fields: &[Field]) {
    for (index, field) in fields.iter().enumerate() {
        text.push_str(if index == 0 { "`" } else { ", `" });
        text.push_str(&field.name);
        text.push('`');
    }
}

/// A name in quotes. Validation lets only letters, digits and underscores into names; the
/// quotes inside are doubled all the same.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn placeholders(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}
