//! Tables and views of collections, changed in the database and, where that is PostgreSQL, first in
//! the design of it in SQLite, which says what is wrong in PocketBase's words.

use std::sync::Arc;

use pando_filter::Dialect;
use pando_schema::{Collection, CollectionKind, Record, TableChanges};
use tracing::warn;

use crate::collections::CollectionError;
use crate::postgres::view::RowOrder;
use crate::postgres::{ddl, tables, view};
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
        let mut views: Vec<_> =
            schema.iter().filter(|other| other.kind == CollectionKind::View).collect();
        // Views may read others: each pass makes those whose sources are there.
        loop {
            let count = views.len();
            let last = views.is_empty();
            let mut left = Vec::new();
            for view in views {
                if !self.make_view(view).await? {
                    left.push(view);
                }
            }
            if last || left.len() == count {
                return Ok(());
            }
            views = left;
        }
    }

    /// Makes a view in PostgreSQL. False if that cannot be.
    async fn make_view(&mut self, collection: &Collection) -> Result<bool, StoreError> {
        let (query, fields) = (&collection.view_query, &collection.fields);
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
