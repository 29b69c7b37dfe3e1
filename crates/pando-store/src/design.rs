//! The design of the tables: a database of SQLite in memory, with all tables, indexes and views of
//! the collections, but no rows.
//!
//! On PostgreSQL it judges changes of collections: what PocketBase says of an index or a query is
//! what SQLite says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pando_schema::{Collection, CollectionKind, Schema, SqlValue};
use tracing::debug;

use crate::sqlite::{Access, Connection, connect};
use crate::views::{make_broken_view, make_stored_view};
use crate::{Conn, StoreError, bootstrap, table};

/// Statements on it are about structure, and fast.
const TIME_MAX: Duration = Duration::from_secs(30);

/// The statement that made a view, and the query that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownView {
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) statement: String,
}

/// Makes the design of `schema`, its views by the known statements where there are such.
pub(crate) async fn of(schema: &Schema, known: &[KnownView]) -> Result<Conn, StoreError> {
    let db = connect(Path::new(":memory:"), Access::ReadWrite)?;
    let mut conn: Conn = Connection::new(db, TIME_MAX).into();
    conn.batch("BEGIN").await?;
    conn.batch(bootstrap::DATA_TABLES).await?;
    let (views, tables): (Vec<_>, Vec<_>) =
        schema.iter().partition(|collection| collection.kind == CollectionKind::View);
    for collection in tables {
        table::create(&mut conn, collection).await.map_err(|error| {
            let name = collection.name.clone();
            StoreError::BadCollection { name, reason: error.to_string() }
        })?;
    }
    let mut left = Vec::new();
    for view in views {
        let same = |known: &&KnownView| known.name == view.name && known.query == view.view_query;
        match known.iter().find(same) {
            Some(known) => conn.sqlite().single(&known.statement)?,
            None => left.push(view),
        }
    }
    make_views(&mut conn, left).await?;
    conn.batch("COMMIT").await?;
    Ok(conn)
}

/// Makes views, each after those that it reads. What then still does not work is there all the
/// same, as SQLite keeps it when what it reads goes: it stands in the way of other changes.
async fn make_views(conn: &mut Conn, mut views: Vec<&Arc<Collection>>) -> Result<(), StoreError> {
    loop {
        let count = views.len();
        let mut left = Vec::new();
        for view in views {
            if !made(conn, view).await {
                left.push(view);
            }
        }
        views = left;
        if views.is_empty() || views.len() == count {
            break;
        }
    }
    for view in views {
        make_broken_view(conn, view)?;
    }
    Ok(())
}

/// The statements of the views of a design.
pub(crate) async fn views(
    design: &mut Conn,
    schema: &Schema,
) -> Result<Vec<KnownView>, StoreError> {
    let mut sql = design.sql();
    sql.push("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name");
    let rows = design.rows(&sql).await?;
    let views = rows.into_iter().filter_map(|row| match <[_; 2]>::try_from(row) {
        Ok([SqlValue::Text(name), SqlValue::Text(statement)]) => {
            let view = schema.iter().find(|one| one.name == name)?;
            Some(KnownView { query: view.view_query.clone(), name, statement })
        }
        _ => None,
    });
    Ok(views.collect())
}

/// Makes a view, if its query works.
async fn made(conn: &mut Conn, view: &Collection) -> bool {
    let outcome = make_stored_view(conn, view).await;
    if let Err(error) = &outcome {
        debug!(view = view.name, error = format!("{error:#}"), "a view cannot be made");
    }
    outcome.is_ok()
}
