//! The tables and views of collections in PostgreSQL, made and changed along with the design of
//! them in SQLite, which has judged the change before.

use pando_schema::{Collection, CollectionKind, NewIndex, TableChanges, index_failure};

use super::ddl;
use crate::collections::CollectionError;
use crate::records::columns_of_index;
use crate::table::refused;
use crate::{Conn, StoreError};

/// Makes the table of a new collection and its indexes.
pub(crate) async fn create(
    conn: &mut Conn,
    collection: &Collection,
) -> Result<(), CollectionError> {
    run_all(conn, ddl::create_table(collection)).await?;
    let indexes = collection.new_indexes().map_err(CollectionError::Invalid)?;
    create_indexes(conn, collection, &indexes).await
}

/// Gives a table another name.
pub(crate) async fn rename(conn: &mut Conn, old: &str, new: &str) -> Result<(), StoreError> {
    conn.batch(&format!("ALTER TABLE {} RENAME TO {}", ddl::quoted(old), ddl::quoted(new))).await
}

/// Changes a table. What was stored stays, but for dropped columns.
pub(crate) async fn change(
    conn: &mut Conn,
    collection: &Collection,
    changes: &TableChanges,
) -> Result<(), CollectionError> {
    run_all(conn, ddl::change_table(collection, changes)).await?;
    create_indexes(conn, collection, &changes.created_indexes).await
}

/// Drops the table of a collection.
pub(crate) async fn drop(conn: &mut Conn, collection: &Collection) -> Result<(), StoreError> {
    if collection.kind == CollectionKind::View {
        return Ok(());
    }
    for statement in ddl::drop_table(collection) {
        conn.batch(&statement).await?;
    }
    Ok(())
}

async fn run_all(conn: &mut Conn, statements: Vec<String>) -> Result<(), CollectionError> {
    for statement in statements {
        conn.batch(&statement).await.map_err(|source| refused("", source))?;
    }
    Ok(())
}

async fn create_indexes(
    conn: &mut Conn,
    collection: &Collection,
    indexes: &[NewIndex],
) -> Result<(), CollectionError> {
    for index in indexes {
        let failure = match ddl::create_index(collection, &index.statement) {
            Ok(statement) => match conn.batch(&statement).await {
                Ok(()) => continue,
                Err(StoreError::NotUnique { .. }) => not_unique(collection, index),
                Err(error) => error.database_message(),
            },
            Err(refused) => refused.to_string(),
        };
        return Err(CollectionError::Invalid(index_failure(index, &failure)));
    }
    Ok(())
}

/// What SQLite says of values that are there twice.
fn not_unique(collection: &Collection, index: &NewIndex) -> String {
    let columns = columns_of_index(collection, &index.name);
    let what = match columns.is_empty() {
        true => format!("index '{}'", index.name),
        false => {
            let named = columns.iter().map(|column| format!("{}.{column}", collection.name));
            named.collect::<Vec<_>>().join(", ")
        }
    };
    StoreError::NotUnique { what }.database_message()
}
