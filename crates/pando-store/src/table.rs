//! The table of a collection's records in SQLite: made, changed without losing values, dropped.
//!
//! Source: PocketBase `core/collection_record_table_sync.go`.

use pando_schema::{
    Collection, CollectionKind, Column, Conversion, NewIndex, Shape, SqlValue, TableChanges,
    index_failure,
};

use crate::collections::CollectionError;
use crate::records::quoted;
use crate::{Conn, StoreError};

/// Makes the table of a new collection and its indexes.
pub(crate) async fn create(
    conn: &mut Conn,
    collection: &Collection,
) -> Result<(), CollectionError> {
    if collection.kind == CollectionKind::View {
        return Ok(());
    }
    let column = |column: Column| format!("{} {}", quoted(&column.name), column.definition);
    let columns: Vec<String> = collection.columns().into_iter().map(column).collect();
    let statement = format!("CREATE TABLE {} ({})", quoted(&collection.name), columns.join(", "));
    run(conn, "", &statement).await?;
    create_indexes(conn, &collection.new_indexes().map_err(CollectionError::Invalid)?)
}

/// Changes a table. What was stored stays, but for dropped columns.
pub(crate) async fn change(
    conn: &mut Conn,
    collection: &Collection,
    changes: &TableChanges,
) -> Result<(), CollectionError> {
    for index in &changes.dropped_indexes {
        run(conn, "", &format!("DROP INDEX IF EXISTS {}", quoted(index))).await?;
    }
    if let Some((old, new)) = &changes.renamed_table {
        run(conn, "", &format!("ALTER TABLE {} RENAME TO {}", quoted(old), quoted(new))).await?;
    }
    let alter = format!("ALTER TABLE {}", quoted(&collection.name));
    for column in &changes.dropped_columns {
        let step = format!("failed to drop column {column} - ");
        run(conn, &step, &format!("{alter} DROP COLUMN {}", quoted(column))).await?;
    }
    // All get temporary names first, since they may swap names with each other.
    let mut named = Vec::new();
    for column in &changes.added_columns {
        let temporary = temporary(&column.name);
        let step = format!("failed to add column {} - ", column.name);
        let definition = column.definition;
        run(conn, &step, &format!("{alter} ADD COLUMN {} {definition}", quoted(&temporary)))
            .await?;
        named.push((temporary, &column.name));
    }
    for (old, new) in &changes.renamed_columns {
        let temporary = temporary(new);
        let step = format!("failed to rename column {old} - ");
        run(
            conn,
            &step,
            &format!("{alter} RENAME COLUMN {} TO {}", quoted(old), quoted(&temporary)),
        )
        .await?;
        named.push((temporary, new));
    }
    for (temporary, name) in named {
        run(conn, "", &format!("{alter} RENAME COLUMN {} TO {}", quoted(&temporary), quoted(name)))
            .await?;
    }
    for conversion in &changes.conversions {
        convert(conn, collection, conversion).await?;
    }
    create_indexes(conn, &changes.created_indexes)
}

/// Drops the table or view of a collection.
pub(crate) async fn drop(conn: &mut Conn, collection: &Collection) -> Result<(), StoreError> {
    let kind = if collection.kind == CollectionKind::View { "VIEW" } else { "TABLE" };
    conn.batch(&format!("DROP {kind} IF EXISTS {}", quoted(&collection.name))).await
}

/// Runs one step. The superuser is told which step the database refused, and why.
async fn run(conn: &mut Conn, step: &str, statement: &str) -> Result<(), CollectionError> {
    conn.batch(statement).await.map_err(|source| refused(step, source))
}

pub(crate) fn refused(step: &str, source: StoreError) -> CollectionError {
    CollectionError::Table { step: step.to_owned(), source }
}

fn create_indexes(conn: &mut Conn, indexes: &[NewIndex]) -> Result<(), CollectionError> {
    for index in indexes {
        if let Err(error) = conn.sqlite().single(&index.statement) {
            return Err(CollectionError::Invalid(index_failure(index, &error.database_message())));
        }
    }
    Ok(())
}

/// Makes a column anew, its values turned from one text into a list or back.
async fn convert(
    conn: &mut Conn,
    collection: &Collection,
    conversion: &Conversion,
) -> Result<(), CollectionError> {
    // Views would refer to the column while it is renamed, which SQLite refuses.
    let mut sql = conn.sql();
    sql.push("SELECT name, sql FROM sqlite_master WHERE type = 'view' AND sql IS NOT NULL");
    let views = conn.rows(&sql).await?;
    for view in &views {
        if let Some(SqlValue::Text(name)) = view.first() {
            run(conn, "", &format!("DROP VIEW {}", quoted(name))).await?;
        }
    }
    let column = &conversion.column;
    let (table, name) = (quoted(&collection.name), quoted(&column.name));
    let old = quoted(&format!("_{}", temporary(&column.name)));
    let value = match conversion.to {
        Shape::List => format!(
            "CASE WHEN COALESCE({old}, '') = '' THEN '[]' \
             WHEN json_valid({old}) AND json_type({old}) = 'array' THEN {old} \
             ELSE json_array({old}) END"
        ),
        Shape::Single => format!(
            "CASE WHEN COALESCE({old}, '[]') = '[]' THEN '' \
             WHEN json_valid({old}) AND json_type({old}) = 'array' \
             THEN COALESCE(json_extract({old}, '$[#-1]'), '') \
             ELSE {old} END"
        ),
    };
    let statements = format!(
        "ALTER TABLE {table} RENAME COLUMN {name} TO {old};
         ALTER TABLE {table} ADD COLUMN {name} {definition};
         UPDATE {table} SET {name} = {value};
         ALTER TABLE {table} DROP COLUMN {old};",
        definition = column.definition
    );
    run(conn, "", &statements).await?;
    for view in &views {
        if let Some(SqlValue::Text(statement)) = view.get(1) {
            run(conn, "", statement).await?;
        }
    }
    Ok(())
}

fn temporary(name: &str) -> String {
    format!("{name}{:08x}", rand::random::<u32>())
}
