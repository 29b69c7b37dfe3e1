//! Tables and views of collections, changed in the database and, where that is PostgreSQL, first in
//! the design of it in SQLite, which says what is wrong in PocketBase's words.

use std::sync::Arc;

use pando_filter::Dialect;
use pando_schema::{Collection, CollectionKind, Record, SqlValue, TableChanges};
use tracing::warn;

use crate::collections::CollectionError;
use crate::design::{self, KnownView};
use crate::postgres::view::RowOrder;
use crate::postgres::{ddl, tables, view};
use crate::views::query_of;
use crate::{StoreError, Tx, table};

impl Tx {
    /// Makes the table of a new collection and its indexes. Views are made by `remake_views`.
    pub(crate) async fn create_table(
        &mut self,
        collection: &Collection,
    ) -> Result<(), CollectionError> {
        table::create(self.design().await?, collection).await?;
        match self.dialect() {
            Dialect::Postgres => tables::create(self, collection).await,
            Dialect::Sqlite => Ok(()),
        }
    }

    /// Changes a table. What was stored stays, but for dropped columns.
    pub(crate) async fn change_table(
        &mut self,
        collection: &Collection,
        changes: &TableChanges,
    ) -> Result<(), CollectionError> {
        table::change(self.design().await?, collection, changes).await?;
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        if collection.kind == CollectionKind::View {
            // It may have another name.
            return Ok(self.drop_views().await?);
        }
        // To SQLite, and so to `changes`, a name in other letters is the same.
        let known = self.schema.by_id(&collection.id).map(|known| known.name.clone());
        let old = known.filter(|old| changes.renamed_table.is_none() && *old != collection.name);
        if changes.is_empty() && old.is_none() {
            return Ok(());
        }
        // PostgreSQL changes no column that a view reads.
        self.drop_views().await?;
        if let Some(old) = old {
            tables::rename(self, &old, &collection.name).await?;
        }
        tables::change(self, collection, changes).await
    }

    /// Drops the table or view of a collection in PostgreSQL. SQLite has dropped it before.
    pub(crate) async fn drop_table(&mut self, collection: &Collection) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        self.drop_view(&collection.name, collection.kind).await?;
        self.drop_views().await?;
        tables::drop(self, collection).await?;
        self.remake_views().await
    }

    /// Makes all views anew in PostgreSQL, which a change may have dropped or made void. One that
    /// cannot be made is left out: reading it fails, as it does on SQLite.
    pub(crate) async fn remake_views(&mut self) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        self.drop_views().await?;
        let schema = Arc::clone(&self.schema);
        let known = design::views(self.design().await?, &schema).await?;
        self.keep_views(&known).await?;
        let mut views: Vec<_> =
            schema.iter().filter(|other| other.kind == CollectionKind::View).collect();
        // Views may read others: each pass makes those whose sources are there.
        loop {
            let count = views.len();
            let last = views.is_empty();
            let mut left = Vec::new();
            for view in views {
                if !self.make_view(view, &known).await? {
                    left.push(view);
                }
            }
            if last || left.len() == count {
                return Ok(());
            }
            views = left;
        }
    }

    /// The statements of the views as SQLite has them.
    pub(crate) async fn known_views(&mut self) -> Result<Vec<KnownView>, StoreError> {
        let mut sql = self.sql();
        sql.push("SELECT \"name\", \"query\", \"statement\" FROM pando.views ORDER BY \"name\"");
        let rows = self.rows(&sql).await?;
        let known = rows.into_iter().filter_map(|row| match <[_; 3]>::try_from(row) {
            Ok([SqlValue::Text(name), SqlValue::Text(query), SqlValue::Text(statement)]) => {
                Some(KnownView { name, query, statement })
            }
            _ => None,
        });
        Ok(known.collect())
    }

    async fn keep_views(&mut self, views: &[KnownView]) -> Result<(), StoreError> {
        if self.known_views().await? == views {
            return Ok(());
        }
        self.batch("DELETE FROM pando.views").await?;
        for view in views {
            let mut sql = self.sql();
            sql.push("INSERT INTO pando.views VALUES (").bind(view.name.as_str()).push(", ");
            sql.bind(view.query.as_str()).push(", ").bind(view.statement.as_str()).push(")");
            self.execute(&sql).await?;
        }
        Ok(())
    }

    /// Makes a view in PostgreSQL, of the query that SQLite has now. False if that cannot be.
    async fn make_view(
        &mut self,
        collection: &Collection,
        known: &[KnownView],
    ) -> Result<bool, StoreError> {
        let (name, fields) = (&collection.name, &collection.fields);
        let known = known.iter().find(|known| known.name == *name);
        let Some(query) = known.and_then(|known| query_of(name, &known.statement)) else {
            return Ok(false);
        };
        let query = match view::translate(query, fields, &self.schema, RowOrder::Free) {
            Ok(query) => query,
            Err(refused) => {
                warn!(view = collection.name, reason = refused.to_string(), "a view is left out");
                return Ok(false);
            }
        };
        let statement = format!("CREATE VIEW {} AS {query}", ddl::quoted(&collection.name));
        let mark = self.savepoint().await?;
        match self.batch(&statement).await {
            Ok(()) => {
                self.release().await?;
                Ok(true)
            }
            Err(error) => {
                warn!(
                    view = collection.name,
                    error = error.database_message(),
                    "a view is left out"
                );
                self.undo_to(mark).await?;
                Ok(false)
            }
        }
    }

    async fn drop_views(&mut self) -> Result<(), StoreError> {
        let schema = Arc::clone(&self.schema);
        for collection in schema.iter() {
            self.drop_view(&collection.name, collection.kind).await?;
        }
        Ok(())
    }

    async fn drop_view(&mut self, name: &str, kind: CollectionKind) -> Result<(), StoreError> {
        if kind != CollectionKind::View {
            return Ok(());
        }
        self.batch(&format!("DROP VIEW IF EXISTS {} CASCADE", ddl::quoted(name))).await
    }

    /// The first records of a translated query; a failure undoes nothing else.
    pub(crate) async fn sample_in_postgres(
        &mut self,
        view: &Arc<Collection>,
        query: &str,
        count: i64,
    ) -> Result<Vec<Record>, StoreError> {
        let columns: Vec<String> =
            view.fields.iter().map(|field| ddl::quoted(&field.name)).collect();
        let mut sql = self.sql();
        sql.text = format!("SELECT {} FROM ({query}) sample LIMIT {count}", columns.join(", "));
        let mark = self.savepoint().await?;
        let records = self.records(view, &sql).await;
        match &records {
            Ok(_) => self.release().await?,
            Err(_) => self.undo_to(mark).await?,
        }
        records
    }
}
