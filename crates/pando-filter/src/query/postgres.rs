//! The statements for PostgreSQL, which lacks the order of rows that SQLite has by itself: rows
//! come in the order of `_n`, SQLite's rowid, where nothing else decides.

use pando_schema::Index;

use super::{Columns, Direction, Order, Query};
use crate::condition::Condition;
use crate::join::Source;
use crate::postgres::{sort_nullable, write_sort_key};
use crate::sql::Sql;
use crate::term::{Column, Term};

/// Pages whose place is part of the statement. Each is a statement of its own to the server, so
/// those further on, which few ask for, share one.
const PAGES_WRITTEN_OUT: i64 = 10;

/// Appends how many rows are read, after how many others. As text, not as values to be bound: of a
/// statement that does not tell how many rows it is about, PostgreSQL keeps no plan, but makes one
/// each time that it runs.
pub(super) fn write_page(sql: &mut Sql, limit: i64, offset: i64) {
    sql.push(" LIMIT ").integer(limit);
    match offset {
        ..=0 => {}
        _ if offset < PAGES_WRITTEN_OUT.saturating_mul(limit) => {
            sql.push(" OFFSET ").integer(offset);
        }
        _ => {
            sql.push(" OFFSET ").bind(offset);
        }
    }
}

impl Query<'_> {
    pub(super) fn write_list_postgres(&self, sql: &mut Sql, columns: Columns) {
        if !self.multiplies() {
            sql.push("SELECT ");
            self.write_columns(sql, columns);
            self.write_from(sql, false);
        } else if self.resolver.base.keyed && self.sorted_alone() {
            // The planner is free to start from the record or from what is joined.
            sql.push("SELECT ");
            self.write_columns(sql, columns);
            sql.push(" FROM ").ident(&self.resolver.base.name).push(" WHERE (");
            self.write_key(sql);
            sql.push(") IN (SELECT ");
            self.write_key(sql);
            self.write_from(sql, false);
            sql.push(")");
        } else {
            return self.write_first_rows(sql, columns);
        }
        self.write_sorts(sql);
    }

    pub(super) fn write_count_postgres(&self, sql: &mut Sql) {
        if !self.multiplies() {
            sql.push("SELECT COUNT(*)");
            self.write_from(sql, false);
        } else if self.resolver.base.keyed {
            sql.push("SELECT COUNT(*) FROM (SELECT DISTINCT ");
            self.write_key(sql);
            self.write_from(sql, false);
            sql.push(") q");
        } else {
            sql.push("SELECT COUNT(DISTINCT ");
            self.resolver.base.alias.write(sql);
            sql.column("id").push(")");
            self.write_from(sql, false);
        }
    }

    /// The primary key.
    fn write_key(&self, sql: &mut Sql) {
        let alias = &self.resolver.base.alias;
        alias.write(sql);
        sql.push(".\"_b\", ");
        alias.write(sql);
        sql.column("id");
    }

    /// Whether the order depends on the record alone, and not on what is joined.
    fn sorted_alone(&self) -> bool {
        self.order.iter().all(|order| match order {
            Order::Random | Order::RowId(_) => true,
            Order::By(term, _) => self.alone(term),
        })
    }

    fn alone(&self, term: &Term) -> bool {
        let own = |column: &Column| column.table == self.resolver.base.alias;
        match term {
            Term::Column(column) | Term::Json(column, _) | Term::Length(column) => own(column),
            Term::Lower(inner) => self.alone(inner),
            Term::GeoDistance(arguments) => arguments.iter().all(|term| self.alone(term)),
            Term::Strftime(arguments) => arguments.iter().all(|term| self.alone(term)),
            Term::Each(..) | Term::Matched(..) | Term::Changed(_) => false,
            Term::Null
            | Term::Integer(_)
            | Term::Truth(_)
            | Term::Value(_)
            | Term::Flag(_)
            | Term::Stored(..) => true,
        }
    }

    fn write_sorts(&self, sql: &mut Sql) {
        let single =
            |condition: &Condition| matches!(condition, Condition::Ids(ids, _) if ids.len() == 1);
        if self.resolver.base.keyed && self.conditions.iter().any(single) {
            return;
        }
        let mut sign = " ORDER BY ";
        for order in &self.order {
            match order {
                Order::Random => {
                    sql.push(sign).push("random()");
                    return;
                }
                Order::RowId(direction) => return self.write_tie(sql, sign, *direction),
                Order::By(term, direction) => {
                    let Some(nullable) = sort_nullable(term) else { continue };
                    sql.push(sign);
                    write_sort_key(sql, term);
                    sql.push(direction.postgres(nullable));
                    sign = ", ";
                    if self.unique(term) {
                        return;
                    }
                }
            }
        }
        let by_ids =
            self.conditions.iter().any(|condition| matches!(condition, Condition::Ids(..)));
        let distinct = self.order.is_empty() && !self.resolver.joins.is_empty();
        if self.resolver.base.keyed && (by_ids || distinct) {
            // SQLite goes along the index of ids then, to find rows or to make them distinct.
            sql.push(sign);
            self.resolver.base.alias.write(sql);
            sql.column("id");
        } else {
            self.write_tie(sql, sign, self.tie_direction());
        }
    }

    fn write_tie(&self, sql: &mut Sql, sign: &'static str, direction: Direction) {
        if self.resolver.base.keyed {
            sql.push(sign);
            self.resolver.base.alias.write(sql);
            sql.push(".\"_n\"").push(direction.postgres(false));
        }
    }

    /// Whether no two rows have the same value there.
    fn unique(&self, term: &Term) -> bool {
        let base = &self.resolver.base;
        matches!(term, Term::Column(column)
            if base.keyed && column.table == base.alias && column.name.as_str() == "id")
    }

    /// SQLite goes backward through an index that has the order the other way round, and with it
    /// through the rows that are equal there.
    fn tie_direction(&self) -> Direction {
        let Some(Order::By(Term::Column(first), direction)) = self.order.first() else {
            return Direction::Ascending;
        };
        let backward = |statement: &String| {
            let index = Index::parse(statement);
            let column = index.columns.first().filter(|_| index.condition.is_empty());
            column.is_some_and(|column| {
                let descending = column.sort == "DESC";
                let fits = column.collate.is_empty() && first.name.as_str() == column.name;
                fits && descending != (*direction == Direction::Descending)
            })
        };
        // With more to sort by, it rather sorts all rows, the first ones first.
        let own = first.table == self.resolver.base.alias && self.order.len() <= 2;
        if own && self.collection.indexes.iter().any(backward) {
            return Direction::Descending;
        }
        Direction::Ascending
    }

    /// Rows that are repeated by joins, where the order depends on those: of each record, the row
    /// that SQLite reads first.
    fn write_first_rows(&self, sql: &mut Sql, columns: Columns) {
        let keyed = self.resolver.base.keyed;
        let names = self.names(columns);
        sql.push("SELECT ");
        for index in 0..names.len() {
            sql.push(if index == 0 { "c" } else { ", c" }).integer(position(index));
        }
        sql.push(" FROM (SELECT DISTINCT ON (");
        let write_distinct = |sql: &mut Sql| {
            if keyed {
                return self.write_key(sql);
            }
            for (index, name) in names.iter().enumerate() {
                sql.push(if index == 0 { "" } else { ", " });
                self.resolver.base.alias.write(sql);
                sql.push(".").ident_or_null(name).push("::text");
            }
        };
        write_distinct(sql);
        sql.push(") ");
        for (index, name) in names.iter().enumerate() {
            self.resolver.base.alias.write(sql);
            sql.push(".").ident_or_null(name).push(" AS c").integer(position(index)).push(", ");
        }
        self.write_keys(sql);
        if keyed {
            self.resolver.base.alias.write(sql);
            sql.push(".\"_n\" AS n");
        } else {
            sql.push("0 AS n");
        }
        self.write_from(sql, false);
        sql.push(" ORDER BY ");
        write_distinct(sql);
        self.write_scan_order(sql);
        sql.push(") q ORDER BY ");
        self.write_outer_order(sql);
    }

    /// What the rows are sorted by, as further columns.
    fn write_keys(&self, sql: &mut Sql) {
        for (index, order) in self.order.iter().enumerate() {
            if let Order::By(term, _) = order
                && sort_nullable(term).is_some()
            {
                write_sort_key(sql, term);
                sql.push(" AS k").integer(position(index)).push(", ");
            }
        }
    }

    /// The order in which SQLite goes through what is joined to one record.
    fn write_scan_order(&self, sql: &mut Sql) {
        for joined in self.resolver.joins.iter().filter(|joined| !joined.unused) {
            let column = match &joined.clause.source {
                Source::Table { keyed: true, .. } => ".\"_n\"",
                Source::Table { keyed: false, .. } => continue,
                Source::Items(_) | Source::SentItems(_) => ".ord",
            };
            sql.push(", ");
            joined.clause.alias.write(sql);
            sql.push(column);
        }
    }

    fn write_outer_order(&self, sql: &mut Sql) {
        for (index, order) in self.order.iter().enumerate() {
            match order {
                Order::Random => {
                    sql.push("random(), ");
                }
                Order::RowId(direction) => {
                    sql.push("n").push(direction.postgres(false)).push(", ");
                }
                Order::By(term, direction) => {
                    let Some(nullable) = sort_nullable(term) else { continue };
                    sql.push("k").integer(position(index));
                    sql.push(direction.postgres(nullable)).push(", ");
                }
            }
        }
        sql.push("n");
    }
}

impl Direction {
    /// Nulls come first in SQLite. What is never null is left as indexes have it.
    fn postgres(self, nullable: bool) -> &'static str {
        match (self, nullable) {
            (Direction::Ascending, false) => " ASC",
            (Direction::Ascending, true) => " ASC NULLS FIRST",
            (Direction::Descending, false) => " DESC",
            (Direction::Descending, true) => " DESC NULLS LAST",
        }
    }
}

fn position(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
