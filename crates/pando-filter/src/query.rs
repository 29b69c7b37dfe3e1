//! Builds the statements that read records: rules and filters in, finished SQL out.

use pando_schema::{Collection, CollectionKind, Record, Schema};
use time::OffsetDateTime;

use crate::condition::Condition;
use crate::error::FilterError;
use crate::expr::Expr;
use crate::join::BaseTable;
use crate::request::{Purpose, RequestContext};
use crate::resolve::Resolver;
use crate::sql::{Dialect, Ident, Sql};
use crate::stored::stored;
use crate::term::{Affinity, Alias, Term};
use crate::{SqlValue, postgres as pg};

mod postgres;
#[cfg(test)]
mod tests;

/// Terms in one sort at most. Source: PocketBase `tools/search/provider.go`.
const SORTS_MAX: usize = 8;

/// Bytes of one sort term at most. Source: as above.
const SORT_BYTES_MAX: usize = 255;

/// The table that stands for a record given with the query.
const RECORD_TABLE: &str = "__record";

/// Where a record that is given with a query comes from, which decides how SQLite compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is, or was, a row of its table.
    Stored,
    /// It is about to be created. Nothing can refer to it, and its values compare as they are,
    /// without the conversions that columns bring.
    Submitted,
}

/// What a query reads of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// All fields, in the collection's order.
    All,
    Id,
}

/// A query for records of one collection.
///
/// Add conditions and sorts, then ask for the statements; equal calls give equal statements.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    collection: &'a Collection,
    /// The record that is queried instead of the table.
    record: Option<(&'a Record, Origin)>,
    resolver: Resolver<'a>,
    conditions: Vec<Condition>,
    order: Vec<Order>,
    dialect: Dialect,
}

#[derive(Debug, Clone)]
enum Order {
    Random,
    RowId(Direction),
    By(Term, Direction),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl<'a> Query<'a> {
    /// A query for the records of `collection`, which rules and filters see as sent by `request`
    /// at `now`. Hidden fields may be named until [`Query::only_visible`].
    pub fn new(
        schema: &'a Schema,
        collection: &'a Collection,
        request: Option<&'a RequestContext>,
        now: OffsetDateTime,
    ) -> Result<Query<'a>, FilterError> {
        let name = Ident::parse(&collection.name)
            .ok_or_else(|| FilterError::UnsafeName(collection.name.clone()))?;
        let keyed = collection.kind != CollectionKind::View;
        let base = BaseTable { alias: Alias::Base(name.clone()), name, keyed };
        let resolver = Resolver::new(schema, collection, base, request, now);
        let (conditions, order, dialect) = (Vec::new(), Vec::new(), Dialect::default());
        Ok(Query { collection, record: None, resolver, conditions, order, dialect })
    }

    /// A query that looks at this one record, as it is given, instead of the table.
    pub fn of_record(
        schema: &'a Schema,
        record: &'a Record,
        origin: Origin,
        request: Option<&'a RequestContext>,
        now: OffsetDateTime,
    ) -> Result<Query<'a>, FilterError> {
        let name = Ident::parse(RECORD_TABLE)
            .ok_or_else(|| FilterError::UnsafeName(RECORD_TABLE.to_owned()))?;
        let base = BaseTable { alias: Alias::Base(name.clone()), name, keyed: false };
        let mut resolver = Resolver::new(schema, &record.collection, base, request, now);
        if origin == Origin::Submitted {
            resolver = resolver.unstored();
        }
        Ok(Query {
            collection: &record.collection,
            record: Some((record, origin)),
            resolver,
            conditions: Vec::new(),
            order: Vec::new(),
            dialect: Dialect::default(),
        })
    }

    /// From now on, the statements are for that database. Without this they are for SQLite.
    pub fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// From now on, hidden fields cannot be named, e-mail addresses match only where they are
    /// visible, and joined collections apply their list rules: for what a client sends.
    pub fn only_visible(&mut self) {
        self.resolver.allow_hidden = false;
    }

    /// Keeps the records for which the filter or rule holds.
    pub fn filter(&mut self, expr: &Expr) -> Result<(), FilterError> {
        let condition = self.resolver.filter(expr)?;
        self.conditions.push(condition);
        self.conditions.extend(self.resolver.joined_rules()?);
        Ok(())
    }

    /// Orders by a comma-separated list of paths, each with an optional `-` or `+`.
    pub fn sort(&mut self, text: &str) -> Result<(), FilterError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if self.order.len() + parts.len() > SORTS_MAX {
            return Err(FilterError::SortLimit);
        }
        for part in parts {
            let order = self.sort_term(part)?;
            self.order.push(order);
        }
        self.conditions.extend(self.resolver.joined_rules()?);
        Ok(())
    }

    fn sort_term(&mut self, text: &str) -> Result<Order, FilterError> {
        let (path, direction) = match text.strip_prefix('-') {
            Some(path) => (path, Direction::Descending),
            None => (text.strip_prefix('+').unwrap_or(text), Direction::Ascending),
        };
        if path.len() > SORT_BYTES_MAX {
            return Err(FilterError::SortLength);
        }
        let invalid = || FilterError::Sort(path.to_owned());
        match path {
            "@random" => return Ok(Order::Random),
            "@rowid" if self.collection.kind == CollectionKind::View => return Err(invalid()),
            "@rowid" => return Ok(Order::RowId(direction)),
            _ => {}
        }
        let term = self.resolver.path(path).map_err(|_| invalid())?.term;
        match term {
            // A number would be the position of a column, a change is no value to sort by.
            Term::Null | Term::Integer(_) | Term::Changed(_) => Err(invalid()),
            term if term.has_values() => Err(invalid()),
            term => Ok(Order::By(term, direction)),
        }
    }

    /// Keeps the record with that id.
    pub fn only_id(&mut self, id: &str) {
        self.only_ids(&[id.to_owned()]);
    }

    /// Keeps the records with one of those ids.
    pub fn only_ids(&mut self, ids: &[String]) {
        self.conditions.push(Condition::Ids(ids.to_vec(), self.resolver.base.clone()));
    }

    /// The statement that reads `columns` of at most `limit` records after the first `offset`.
    pub fn list(&self, columns: Columns, limit: i64, offset: i64) -> Sql {
        let mut sql = self.start();
        match self.dialect {
            Dialect::Sqlite => self.write_list(&mut sql, columns),
            Dialect::Postgres => {
                self.write_list_postgres(&mut sql, columns);
                postgres::write_page(&mut sql, limit, offset);
                return sql;
            }
        }
        sql.push(" LIMIT ").bind(SqlValue::Int(limit));
        if offset > 0 {
            sql.push(" OFFSET ").bind(SqlValue::Int(offset));
        }
        sql
    }

    fn write_list(&self, sql: &mut Sql, columns: Columns) {
        // PocketBase reads distinct rows wherever it joins anything, and SQLite then reads them
        // in another order. Where the order is asked for, only repeated rows need it.
        let unordered = self.order.is_empty();
        let distinct = self.multiplies() || (unordered && !self.resolver.joins.is_empty());
        sql.push(if distinct { "SELECT DISTINCT " } else { "SELECT " });
        self.write_columns(sql, columns);
        self.write_from(sql, unordered);
        self.write_order(sql);
    }

    /// The statement that counts the records, as one row of one integer.
    pub fn count(&self) -> Sql {
        let mut sql = self.start();
        if self.dialect == Dialect::Postgres {
            self.write_count_postgres(&mut sql);
            return sql;
        }
        if self.multiplies() {
            sql.push("SELECT COUNT(DISTINCT ");
            self.resolver.base.alias.write(&mut sql);
            let view = self.collection.kind == CollectionKind::View || self.record.is_some();
            sql.push(if view { ".`id`)" } else { "._rowid_)" });
        } else {
            sql.push("SELECT COUNT(*)");
        }
        self.write_from(&mut sql, false);
        sql
    }

    /// The statement that counts the records by what `expression` makes of each, which may name
    /// columns of the table. A row for each outcome, in its order: outcome and number.
    pub fn count_by(&self, expression: &'static str) -> Sql {
        let mut sql = self.start();
        sql.push("SELECT ").push(expression).push(", COUNT(*)");
        self.write_from(&mut sql, false);
        sql.push(" GROUP BY 1 ORDER BY 1");
        sql
    }

    /// The statement that gives one row if there is such a record, else none.
    pub fn exists(&self) -> Sql {
        let mut sql = self.start();
        sql.push("SELECT 1");
        self.write_from(&mut sql, false);
        sql.push(" LIMIT 1");
        sql
    }

    /// Whether a record can come several times, because of what is joined.
    fn multiplies(&self) -> bool {
        self.resolver.joins.iter().any(|joined| joined.multiplies)
    }

    fn start(&self) -> Sql {
        let mut sql = Sql::new(self.dialect);
        if let Some((record, origin)) = self.record {
            sql.push("WITH ").ident(&self.resolver.base.name).push(" AS (SELECT ");
            write_record(&mut sql, record, origin);
            sql.push(") ");
        }
        sql
    }

    /// The names of the columns to read.
    fn names(&self, columns: Columns) -> Vec<&str> {
        match columns {
            Columns::All => {
                self.collection.fields.iter().map(|field| field.name.as_str()).collect()
            }
            Columns::Id => vec!["id"],
        }
    }

    fn write_columns(&self, sql: &mut Sql, columns: Columns) {
        for (index, name) in self.names(columns).into_iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " });
            self.resolver.base.alias.write(sql);
            sql.push(".");
            sql.ident_or_null(name);
        }
    }

    fn write_from(&self, sql: &mut Sql, unused_joins: bool) {
        sql.push(" FROM ").ident(&self.resolver.base.name);
        for joined in &self.resolver.joins {
            if unused_joins || !joined.unused {
                sql.push(" ");
                joined.clause.write(sql);
            }
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            sql.push(if index == 0 { " WHERE " } else { " AND " });
            condition.write(sql);
        }
    }

    fn write_order(&self, sql: &mut Sql) {
        for (index, order) in self.order.iter().enumerate() {
            sql.push(if index == 0 { " ORDER BY " } else { ", " });
            match order {
                Order::Random => {
                    sql.push("RANDOM()");
                }
                Order::RowId(direction) => {
                    self.resolver.base.alias.write(sql);
                    sql.push("._rowid_").push(direction.sql());
                }
                Order::By(term, direction) => {
                    term.write(sql);
                    sql.push(direction.sql());
                }
            }
        }
    }
}

impl Direction {
    fn sql(self) -> &'static str {
        match self {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        }
    }
}

/// A record as the columns of a SELECT without a table.
fn write_record(sql: &mut Sql, record: &Record, origin: Origin) {
    let fields = record.collection.fields.iter();
    for (index, (field, value)) in fields.zip(&record.values).enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        match origin {
            _ if sql.dialect == Dialect::Postgres => pg::bind_given(sql, field, value),
            Origin::Stored => {
                let affinity = crate::stored::affinity(&field.kind, field.multiple());
                Term::Stored(stored(value), affinity).write(sql);
            }
            Origin::Submitted => {
                Term::Stored(value.to_sql(), Affinity::None).write(sql);
            }
        }
        sql.push(" AS ");
        sql.ident_or_null(&field.name);
    }
}

/// Whether `rule` can be used on `collection`. The error is PocketBase's "raw error".
pub fn check_rule(rule: &str, collection: &Collection, schema: &Schema) -> Result<(), String> {
    if rule.is_empty() {
        return Ok(());
    }
    let expr = crate::parse::parse(rule).map_err(|error| error.to_string())?;
    let request = RequestContext::new(Purpose::Default, "", None);
    let now = OffsetDateTime::UNIX_EPOCH;
    let mut query =
        Query::new(schema, collection, Some(&request), now).map_err(|error| error.to_string())?;
    query.filter(&expr).map_err(|error| error.to_string())
}
