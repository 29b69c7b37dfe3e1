//! The design of the tables: a database of SQLite in memory, with all tables, indexes and views of
//! the collections, but no rows.
//!
//! On PostgreSQL it judges changes of collections: what PocketBase says of an index or a query is
//! what SQLite says.

use std::path::Path;
use std::time::Duration;

use pando_schema::{Collection, CollectionKind, Schema};
use tracing::debug;

use crate::sqlite::{Access, Connection, connect};
use crate::views::make_stored_view;
use crate::{Conn, StoreError, bootstrap, table};

/// Statements on it are about structure, and fast.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Makes the design of `schema`.
pub(crate) async fn of(schema: &Schema) -> Result<Conn, StoreError> {
    let db = connect(Path::new(":memory:"), Access::ReadWrite)?;
    let mut conn: Conn = Connection::new(db, TIME_MAX).into();
    conn.batch(bootstrap::DATA_TABLES).await?;
    let (mut views, tables): (Vec<_>, Vec<_>) =
        schema.iter().partition(|collection| collection.kind == CollectionKind::View);
    for collection in tables {
        table::create(&mut conn, collection).await.map_err(|error| {
            let name = collection.name.clone();
            StoreError::BadCollection { name, reason: error.to_string() }
        })?;
    }
    // Views may read others: each pass makes those whose sources are there.
    loop {
        let count = views.len();
        let mut left = Vec::new();
        for view in views {
            if !made(&mut conn, view).await {
                left.push(view);
            }
        }
        views = left;
        if views.is_empty() || views.len() == count {
            return Ok(conn);
        }
    }
}

/// Makes a view; one whose query does not work is left out, as its records cannot be read either.
async fn made(conn: &mut Conn, view: &Collection) -> bool {
    let outcome = make_stored_view(conn, view).await;
    if let Err(error) = &outcome {
        debug!(view = view.name, error = format!("{error:#}"), "a view cannot be made");
    }
    outcome.is_ok()
}
