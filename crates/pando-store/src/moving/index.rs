//! Indexes and views, made when the rows are there, which is faster.

use std::sync::Arc;

use pando_schema::{Collection, Schema};

use super::error::MoveError;
use super::mover::{Caught, Mover};
use super::progress::Step;
use super::table::Table;
use crate::postgres::{ddl, view};

impl Mover<'_> {
    /// Makes the indexes that collections declare, and the views.
    pub(super) async fn make_indexes(&mut self) -> Result<Caught, MoveError> {
        for table in self.tables.clone() {
            if self.target.states.get(&table.key).is_some_and(|state| state.indexed) {
                continue;
            }
            // Unique indexes want the rows as SQLite had them at one moment.
            let caught = self.catch_up_wholly().await?;
            if caught == Caught::Schema {
                return Ok(caught);
            }
            self.index(&table).await?;
            self.step_on(Step::Index, &table, 1)?;
        }
        self.make_views().await?;
        self.step(Step::Index, 0)?;
        Ok(Caught::Behind(0))
    }

    async fn index(&mut self, table: &Table) -> Result<(), MoveError> {
        self.target.client.batch_execute("BEGIN").await?;
        if let Some(collection) = &table.collection {
            for index in &collection.indexes {
                let made = ddl::create_index(collection, index);
                let statement = made.map_err(|refused| MoveError::View {
                    name: index.clone(),
                    reason: refused.to_string(),
                })?;
                let done = self.target.client.batch_execute(&statement).await;
                done.map_err(|source| MoveError::Statement { statement, source })?;
            }
        }
        let (name, key) = (table.target_name(), table.key.replace('\'', "''"));
        let watch = format!(
            "CREATE OR REPLACE TRIGGER \"~undo\" AFTER INSERT OR UPDATE OR DELETE ON {name} \
             FOR EACH ROW EXECUTE FUNCTION pando.note_change('{key}')"
        );
        self.target.client.batch_execute(&watch).await?;
        let text = "UPDATE pando.moving_tables SET indexed = TRUE WHERE key = $1";
        self.target.client.execute(text, &[&table.key]).await?;
        self.target.client.batch_execute("COMMIT").await?;
        // So that the first queries are planned well. Cannot be part of a transaction.
        self.target.client.batch_execute(&format!("VACUUM (ANALYZE) {name}")).await?;
        if let Some(state) = self.target.states.get_mut(&table.key) {
            state.indexed = true;
        }
        Ok(())
    }

    /// Makes all views, unless they are what they should be.
    async fn make_views(&mut self) -> Result<(), MoveError> {
        let schema = self.schema();
        let made = |view: &Arc<Collection>| Ok((view.name.clone(), view_statement(view, &schema)?));
        let statements = self.views.iter().map(made).collect::<Result<Vec<_>, MoveError>>()?;
        let made_of: String = statements.iter().map(|(_, text)| text.as_str()).collect();
        let row = self.target.client.query_one("SELECT views FROM pando.moving", &[]).await?;
        if row.get::<_, String>(0) == made_of {
            return Ok(());
        }
        self.target.client.batch_execute("BEGIN").await?;
        let text = "SELECT viewname::text FROM pg_views WHERE schemaname = current_schema()";
        for row in self.target.client.query(text, &[]).await? {
            let name = row.get::<_, String>(0).replace('"', "\"\"");
            let drop = format!("DROP VIEW IF EXISTS \"{name}\" CASCADE");
            self.target.client.batch_execute(&drop).await?;
        }
        self.make_in_some_order(statements).await?;
        self.target.client.execute("UPDATE pando.moving SET views = $1", &[&made_of]).await?;
        Ok(self.target.client.batch_execute("COMMIT").await?)
    }

    /// Views may read views, which must be there first: what fails is tried again when others are
    /// made.
    async fn make_in_some_order(
        &self,
        mut statements: Vec<(String, String)>,
    ) -> Result<(), MoveError> {
        while !statements.is_empty() {
            let mut failed = Vec::new();
            let (count, mut reason) = (statements.len(), None);
            for (name, statement) in statements {
                let client = &self.target.client;
                client.batch_execute("SAVEPOINT one").await?;
                match client.batch_execute(&statement).await {
                    Ok(()) => client.batch_execute("RELEASE one").await?,
                    Err(error) => {
                        client.batch_execute("ROLLBACK TO one").await?;
                        let said = error.as_db_error().map(|error| error.message().to_owned());
                        reason = Some((name.clone(), said.unwrap_or_else(|| error.to_string())));
                        failed.push((name, statement));
                    }
                }
            }
            if let (Some((name, reason)), true) = (reason, failed.len() == count) {
                return Err(MoveError::View { name, reason });
            }
            statements = failed;
        }
        Ok(())
    }
}

/// The statement that makes a view.
pub(super) fn view_statement(view: &Collection, schema: &Schema) -> Result<String, MoveError> {
    let query = view::translate(&view.view_query, &view.fields, schema, view::RowOrder::Free);
    let query = query.map_err(|refused| MoveError::View {
        name: view.name.clone(),
        reason: refused.to_string(),
    })?;
    Ok(format!("CREATE VIEW {} AS {query}", ddl::quoted(&view.name)))
}
