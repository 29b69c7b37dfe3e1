//! View collections: their query tried, their view made, their fields kept in line with what they
//! read.
//!
//! A query is written by a superuser and reaches the database as it is, but only as a part of one
//! statement that makes a view or reads a sample.
//!
//! Source: PocketBase `core/view.go`, `core/collection_query.go`.

use std::sync::Arc;

use pando_filter::Dialect;
use pando_schema::{
    Collection, CollectionKind, Draft, Field, Record, Schema, SqlValue, ViewColumn, ViewQueryError,
    quote_names, random_text, same_fields, single_statement, view_columns, view_field_problem,
    view_fields, view_file_source, with_text_id,
};
use serde_json::Map;
use tracing::{debug, warn};

use crate::collections::CollectionError;
use crate::postgres::view::RowOrder;
use crate::records::{push_refers, quoted, select};
use crate::{Conn, StoreError, Tx, postgres};

/// Records that are looked at when a query is tried, as in PocketBase.
const SAMPLE_RECORDS: i64 = 10;

/// Why a query cannot be that of a view, in PocketBase's words.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error(transparent)]
    Query(#[from] ViewQueryError),
    #[error("{}", .0.database_message())]
    Database(#[from] StoreError),
    #[error("empty table info probably due to invalid or missing table {0}")]
    NoColumns(String),
    /// A column cannot be a field.
    #[error("{0}")]
    Field(String),
    #[error("failed to normalize view query id: {0}")]
    Id(#[source] Box<ViewError>),
    #[error(
        "failed to retrieve query records: {}; failed query: {statement}",
        .source.database_message()
    )]
    Sample { source: StoreError, statement: String },
    /// The query means nothing that PostgreSQL could do.
    #[error(transparent)]
    Untranslatable(#[from] postgres::view::ViewRefused),
    #[error("the query could return records with empty or invalid ids")]
    EmptyId,
    #[error("the query could return records with non-unique ids")]
    SameId,
}

/// The fields of a query, and what is wrong with it. A query without an id has fields all the same.
pub(crate) struct ViewFields {
    pub(crate) fields: Vec<Field>,
    pub(crate) outcome: Result<(), ViewError>,
}

impl Tx {
    /// The fields that a query gives.
    pub(crate) async fn view_fields(&mut self, query: &str) -> ViewFields {
        match self.read_columns(query).await {
            Ok((columns, types)) => {
                let names = types.iter().map(|(name, _)| name.as_str());
                let (fields, outcome) = view_fields(&columns, names);
                ViewFields { fields, outcome: outcome.map_err(ViewError::from) }
            }
            Err(error) => ViewFields { fields: Vec::new(), outcome: Err(error) },
        }
    }

    async fn read_columns(
        &mut self,
        query: &str,
    ) -> Result<(Vec<ViewColumn>, Vec<(String, String)>), ViewError> {
        let columns = view_columns(query, &self.schema, &mut rand::rng())?;
        let types = self.column_types(query).await?;
        Ok((columns, types))
    }

    /// Names and types of a query's columns, as of a view that is made of it for a moment.
    async fn column_types(&mut self, query: &str) -> Result<Vec<(String, String)>, ViewError> {
        let name = format!("_temp_{}", random_text(&mut rand::rng(), 6));
        let design = self.design().await?;
        let types = make_view(design, &name, query).await?;
        drop_view(design, &name)?;
        Ok(types)
    }

    /// Tries a query: its fields, and the first records that it gives. Nothing stays.
    pub async fn try_view(
        &mut self,
        query: &str,
    ) -> Result<(Arc<Collection>, Vec<Record>), ViewError> {
        let query = single_statement(query)?;
        let ViewFields { fields, outcome } = self.view_fields(query).await;
        outcome?;
        let name = format!("temp_view_{}", random_text(&mut rand::rng(), 5));
        let mut view = Collection::new(CollectionKind::View, &name, "", &mut rand::rng());
        view.fields = fields;
        if let Some(problem) = view_field_problem(&view, &self.schema, &mut rand::rng()) {
            return Err(ViewError::Field(problem));
        }
        let wrapped = match self.column_types(query).await {
            Ok(types) => with_text_id(query, &types).map_err(ViewError::from),
            Err(error) => Err(error),
        };
        let query = wrapped.map_err(|error| ViewError::Id(Box::new(error)))?;
        let view = Arc::new(view);
        let sample = self.sample(&view, &query).await?;
        check_ids(&sample)?;
        Ok((view, sample))
    }

    /// The first records of a query, read within the time for queries: other writes wait.
    async fn sample(
        &mut self,
        view: &Arc<Collection>,
        query: &str,
    ) -> Result<Vec<Record>, ViewError> {
        let alias = quoted(&view.name);
        let records = match self.dialect() {
            Dialect::Sqlite => {
                let mut sql = self.sql();
                let columns = view.fields.iter().map(|field| quoted(&field.name));
                sql.text = format!(
                    "SELECT {} FROM (SELECT * FROM ({})) {alias} LIMIT {SAMPLE_RECORDS}",
                    columns.collect::<Vec<_>>().join(", "),
                    quote_names(query)?
                );
                self.sqlite().watch()?;
                let records = self.records(view, &sql).await;
                self.sqlite().unwatch()?;
                records
            }
            Dialect::Postgres => {
                let translated =
                    postgres::view::translate(query, &view.fields, &self.schema, RowOrder::Read)?;
                self.sample_in_postgres(view, &translated, SAMPLE_RECORDS).await
            }
        };
        records.map_err(|source| ViewError::Sample {
            source,
            statement: format!(
                "SELECT {alias}.* FROM (SELECT * FROM ({query})) {alias} LIMIT {SAMPLE_RECORDS}"
            ),
        })
    }

    /// Makes the view of a collection, which takes over the fields of its query. `old_name` is
    /// that of the view until now.
    pub(crate) async fn save_view(
        &mut self,
        collection: &mut Collection,
        old_name: Option<&str>,
    ) -> Result<(), ViewError> {
        let query = &collection.view_query;
        let ViewFields { fields, outcome } = self.view_fields(query).await;
        outcome?;
        if let Some(old_name) = old_name {
            drop_view(self.design().await?, old_name)?;
        }
        let types = self.column_types(query).await;
        let wrapped = types.and_then(|types| Ok(with_text_id(query, &types)?));
        let query = wrapped.map_err(|error| ViewError::Id(Box::new(error)))?;
        make_view(self.design().await?, &collection.name, &query).await?;
        collection.fields = fields;
        Ok(())
    }

    /// Brings the fields of all views but the one with `except_id` in line with what they read.
    /// Fails if a query does not work any more, once all were tried.
    pub(crate) async fn sync_views(&mut self, except_id: &str) -> Result<(), CollectionError> {
        let mut outcome = self.sync_views_once(except_id).await;
        // Views of changed views may have to change as well. Each pass settles those whose views
        // are settled, so there are at most as many passes as views.
        let views_max = self.schema.iter().count();
        for _ in 0..views_max {
            if !matches!(outcome, Ok(true)) {
                break;
            }
            outcome = self.sync_views_once(except_id).await;
        }
        outcome.map(|_changed| ())
    }

    async fn sync_views_once(&mut self, except_id: &str) -> Result<bool, CollectionError> {
        let schema = Arc::clone(&self.schema);
        let mut changed = false;
        let mut failure = None;
        for view in schema.iter().filter(|view| view.kind == CollectionKind::View) {
            if view.id == except_id {
                continue;
            }
            let synced = self.sync_view(view).await;
            match synced {
                Ok(one_changed) => changed |= one_changed,
                Err(error) => {
                    warn!(view = view.name, error = format!("{error:#}"), "a view does not work");
                    // The first is told, but rather one that says what is wrong with a field.
                    let telling =
                        |error: &CollectionError| matches!(error, CollectionError::Invalid(_));
                    if failure.as_ref().is_none_or(|first| !telling(first) && telling(&error)) {
                        failure = Some(error);
                    }
                }
            }
        }
        failure.map_or(Ok(changed), Err)
    }

    /// True if the view changed.
    async fn sync_view(&mut self, view: &Arc<Collection>) -> Result<bool, CollectionError> {
        let ViewFields { fields, outcome } = self.view_fields(&view.view_query).await;
        outcome.map_err(CollectionError::View)?;
        if same_fields(&fields, &view.fields) {
            return Ok(false);
        }
        let draft = Draft::update(view, &Map::new()).map_err(CollectionError::Malformed)?;
        self.save_draft(draft, Some(view)).await?;
        Ok(true)
    }
}

impl Conn {
    /// The record whose file the `field` of a view shows: file names are unique, so the one of
    /// that name is meant.
    pub async fn find_by_view_file(
        &mut self,
        schema: &Schema,
        view: &Arc<Collection>,
        field: &str,
        file: &str,
    ) -> Result<Option<Record>, StoreError> {
        let source = view_file_source(view, field, schema, &mut rand::rng());
        let Some((collection, field)) = source else { return Ok(None) };
        let Some(field) = collection.field(&field) else { return Ok(None) };
        let mut sql = select(self.dialect(), &collection);
        sql.push(" WHERE ");
        push_refers(&mut sql, &collection, field, file);
        sql.push(" LIMIT 1");
        Ok(self.records(&collection, &sql).await?.pop())
    }
}

/// Makes a view in SQLite, in the place of the one of that name if there is one. Returns names and
/// types of its columns.
pub(crate) async fn make_view(
    conn: &mut Conn,
    name: &str,
    query: &str,
) -> Result<Vec<(String, String)>, ViewError> {
    drop_view(conn, name)?;
    let query = quote_names(single_statement(query)?)?;
    conn.sqlite().single(&statement(name, &query)).map_err(|error| match error {
        StoreError::Sqlite(rusqlite::Error::MultipleStatement) => {
            ViewError::Query(ViewQueryError::Multiple)
        }
        error => ViewError::Database(error),
    })?;
    // Only now the database looks whether there are such tables and columns.
    let mut sql = conn.sql();
    sql.push("SELECT name, type FROM PRAGMA_TABLE_INFO(").bind(name).push(")");
    let types = conn.rows(&sql).await;
    let types = types.map_err(ViewError::from).and_then(|rows| {
        let pairs = rows.into_iter().filter_map(|row| match <[_; 2]>::try_from(row) {
            Ok([SqlValue::Text(name), SqlValue::Text(kind)]) => Some((name, kind)),
            _ => None,
        });
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() { Err(ViewError::NoColumns(name.to_owned())) } else { Ok(pairs) }
    });
    if types.is_err() {
        drop_view(conn, name)?;
    }
    types
}

/// Makes the view of a stored collection in SQLite.
pub(crate) async fn make_stored_view(conn: &mut Conn, view: &Collection) -> Result<(), ViewError> {
    let types = make_view(conn, &view.name, &view.view_query).await?;
    let query = with_text_id(&view.view_query, &types)?;
    make_view(conn, &view.name, &query).await?;
    Ok(())
}

/// Makes the view of a stored collection in SQLite although it does not work. A query that does
/// not even make a statement is left out.
pub(crate) fn make_broken_view(conn: &mut Conn, view: &Collection) -> Result<(), StoreError> {
    drop_view(conn, &view.name)?;
    let query = single_statement(&view.view_query).and_then(quote_names);
    if let Ok(query) = query
        && let Err(error) = conn.sqlite().single(&statement(&view.name, &query))
    {
        debug!(view = view.name, error = error.database_message(), "a view is left out");
    }
    Ok(())
}

/// What makes a view of a query: in parentheses, so that a second statement does not fit in.
fn statement(name: &str, query: &str) -> String {
    format!("{}{query})", statement_start(name))
}

fn statement_start(name: &str) -> String {
    format!("CREATE VIEW {} AS SELECT * FROM (", quoted(name))
}

/// The query in a statement that made a view.
pub(crate) fn query_of<'s>(name: &str, statement: &'s str) -> Option<&'s str> {
    statement.strip_prefix(&statement_start(name))?.strip_suffix(')')
}

fn drop_view(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    conn.sqlite().single(&format!("DROP VIEW IF EXISTS {}", quoted(name)))
}

/// A hint at ids that cannot be used; what comes after the sample is not looked at.
fn check_ids(sample: &[Record]) -> Result<(), ViewError> {
    for (index, record) in sample.iter().enumerate() {
        if record.id().is_empty() {
            return Err(ViewError::EmptyId);
        }
        if sample[..index].iter().any(|other| other.id() == record.id()) {
            return Err(ViewError::SameId);
        }
    }
    Ok(())
}
