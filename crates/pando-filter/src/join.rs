//! Tables that a query joins to reach the fields that a filter names.

use crate::SqlValue;
use crate::condition::write_one_of;
use crate::sql::{Ident, Sql};
use crate::term::{Alias, Column, Term, write_each};

/// A table and the name under which a query reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BaseTable {
    pub(crate) name: Ident,
    pub(crate) alias: Alias,
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
    Table(Ident),
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
        match &self.source {
            Source::Table(name) => {
                sql.ident(name);
            }
            Source::Items(column) => write_each(sql, column),
            Source::SentItems(items) => {
                sql.push("json_each(").bind(items.clone()).push(")");
            }
        }
        sql.push(" ");
        self.alias.write(sql);
        match &self.on {
            On::All => {}
            On::Equal(column, term) => {
                sql.push(" ON ");
                self.alias.write(sql);
                sql.push(".").ident(column).push(" = ");
                term.write(sql);
            }
            On::Ids(ids) => {
                sql.push(" ON ");
                self.alias.write(sql);
                sql.push(".`id`");
                write_one_of(sql, ids);
            }
            On::Contains { table, column, items } => {
                sql.push(" ON ");
                table.write(sql);
                sql.push(".`id` IN (SELECT ");
                items.write(sql);
                sql.push(".value FROM ");
                write_each(sql, &Column { table: self.alias.clone(), name: column.clone() });
                sql.push(" ");
                items.write(sql);
                sql.push(")");
            }
        }
    }
}
