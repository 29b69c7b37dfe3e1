//! Tables that a query joins to reach the fields that a filter names.

use crate::SqlValue;
use crate::condition::write_ids;
use crate::postgres;
use crate::sql::{Dialect, Ident, Sql};
use crate::term::{Alias, Column, Holds, Term, write_each};

/// A table and the name under which a query reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BaseTable {
    pub(crate) name: Ident,
    pub(crate) alias: Alias,
    /// The table has, in PostgreSQL, the columns `_b` and `_n`: it is neither a view nor a record
    /// that came with the query.
    pub(crate) keyed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JoinClause {
    pub(crate) source: Source,
    pub(crate) alias: Alias,
    pub(crate) on: On,
}

/// What is joined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Table {
        name: Ident,
        /// As of [`BaseTable`].
        keyed: bool,
    },
    /// The items of a column.
    Items(Column),
    /// The items of a JSON array that came with the request.
    SentItems(SqlValue),
}

/// Which of its rows belong to a row of the query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum On {
    All,
    /// `column` of the joined table is the term.
    Equal(Ident, Term),
    /// The id of the joined row is one of the texts.
    Ids(Vec<String>),
    /// The row of `table` is among the items of `column` of the joined table.
    Contains {
        table: Alias,
        column: Ident,
        items: Alias,
    },
}

impl JoinClause {
    pub(crate) fn write(&self, sql: &mut Sql) {
        sql.push("LEFT JOIN ");
        self.source.write(sql);
        sql.push(" ");
        self.alias.write(sql);
        if sql.dialect == Dialect::Postgres {
            sql.push(self.source.columns());
        }
        self.write_on(sql);
    }

    fn write_on(&self, sql: &mut Sql) {
        match &self.on {
            On::All if sql.dialect == Dialect::Postgres => {
                sql.push(" ON TRUE");
            }
            On::All => {}
            On::Equal(column, term) => {
                sql.push(" ON ");
                self.alias.write(sql);
                sql.push(".").ident(column).push(" = ");
                term.write(sql);
            }
            On::Ids(ids) => {
                sql.push(" ON ");
                let keyed = matches!(self.source, Source::Table { keyed: true, .. });
                let (Source::Table { name, .. }, alias) = (&self.source, self.alias.clone()) else {
                    return;
                };
                write_ids(sql, &BaseTable { name: name.clone(), alias, keyed }, ids);
            }
            On::Contains { table, column, items } => {
                sql.push(" ON ");
                let (holds, always) = (Holds::Json, false);
                let (joined, name) = (self.alias.clone(), column.clone());
                let column = Column { table: joined, name, holds, always, unstored: false };
                match sql.dialect {
                    Dialect::Sqlite => write_contains(sql, table, &column, items),
                    Dialect::Postgres => postgres::write_holds_id(sql, &column, table),
                }
            }
        }
    }
}

/// The row of `table` is among the items of `column`.
fn write_contains(sql: &mut Sql, table: &Alias, column: &Column, items: &Alias) {
    table.write(sql);
    sql.column("id").push(" IN (SELECT ");
    items.write(sql);
    sql.push(".value FROM ");
    write_each(sql, column);
    sql.push(" ");
    items.write(sql);
    sql.push(")");
}

impl Source {
    fn write(&self, sql: &mut Sql) {
        match self {
            Source::Table { name, .. } => {
                sql.ident(name);
            }
            Source::Items(column) => write_each(sql, column),
            Source::SentItems(items) => match sql.dialect {
                Dialect::Sqlite => {
                    sql.push("json_each(").bind(items.clone()).push(")");
                }
                Dialect::Postgres => postgres::write_items(sql, items),
            },
        }
    }

    /// The names of the columns, for PostgreSQL, where the functions that are joined have none.
    fn columns(&self) -> &'static str {
        match self {
            Source::Table { .. } => "",
            Source::Items(column) if column.holds == Holds::Json => "(value, ord)",
            Source::Items(_) | Source::SentItems(_) => "(value, text, ord)",
        }
    }
}
