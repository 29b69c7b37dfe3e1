//! FROM: tables, views, queries and their joins.

use std::fmt::Write as _;

use pando_schema::{Collection, CollectionKind};

use super::super::ddl::quoted;
use super::compare::Compare;
use super::reading::Read;
use super::scope::{Column, Scope, Table, refused, same};
use super::select::Rows;
use super::tree::{Constraint, Expr, Join, Joined, Query, Source};
use super::typed::{Affinity, Kind, Typed, of_field};
use super::{Translator, ViewRefused};

/// The columns of `_collections`, in their order.
const COLLECTIONS: [(&str, Kind); 14] = [
    ("id", Kind::Text),
    ("system", Kind::Bool),
    ("type", Kind::Text),
    ("name", Kind::Text),
    ("fields", Kind::List),
    ("indexes", Kind::List),
    ("listRule", Kind::Text),
    ("viewRule", Kind::Text),
    ("createRule", Kind::Text),
    ("updateRule", Kind::Text),
    ("deleteRule", Kind::Text),
    ("options", Kind::List),
    ("created", Kind::Text),
    ("updated", Kind::Text),
];

impl Translator<'_> {
    /// Writes joins and adds their tables to the scope.
    pub(super) fn from(
        &self,
        joins: &[Joined],
        scope: &mut Scope<'_>,
        rows: Rows,
    ) -> Result<String, ViewRefused> {
        // The order of a query that is read alone stays.
        let rows = if rows == Rows::Read && joins.len() == 1 { Rows::Read } else { Rows::All };
        let mut sql = String::new();
        for joined in joins {
            let before = scope.tables.len();
            let source = self.source(joined, scope, rows)?;
            if sql.is_empty() {
                sql = source;
                continue;
            }
            let condition = self.condition(joined, scope, before)?;
            let word = match (joined.join, &condition) {
                (Join::Inner, None) => "CROSS JOIN",
                (Join::Inner, Some(_)) => "JOIN",
                (Join::Left, _) => "LEFT JOIN",
                (Join::Right, _) => "RIGHT JOIN",
                (Join::Full, _) => "FULL JOIN",
            };
            may_be_null(&mut scope.tables, before, joined.join);
            let _ = write!(sql, " {word} {source}");
            match condition {
                Some(condition) => {
                    let _ = write!(sql, " ON {condition}");
                }
                None if joined.join != Join::Inner => sql.push_str(" ON TRUE"),
                None => {}
            }
        }
        Ok(sql)
    }

    fn condition(
        &self,
        joined: &Joined,
        scope: &mut Scope<'_>,
        before: usize,
    ) -> Result<Option<String>, ViewRefused> {
        let names = match &joined.constraint {
            Constraint::On(expr) => return Ok(Some(self.expr(scope, expr)?.truth())),
            Constraint::Using(names) => names.clone(),
            Constraint::None if joined.natural => common_names(scope, before),
            Constraint::None => return Ok(None),
        };
        if !matches!(joined.join, Join::Inner | Join::Left) && !names.is_empty() {
            return Err(refused(self.part(&joined.span), "write ON instead of USING or NATURAL"));
        }
        let mut conditions = Vec::new();
        for name in names {
            let (left, right) = scope.tables.split_at_mut(before);
            let find = |column: &&mut Column| same(&column.name, &name) && !column.merged;
            let left = left.iter_mut().flat_map(|table| &mut table.columns).find(find);
            let right = right.iter_mut().flat_map(|table| &mut table.columns).find(find);
            let (Some(left), Some(right)) = (left, right) else {
                return Err(refused(name, "both sides of USING must have such a column"));
            };
            right.merged = true;
            let same = Compare::Equal.write(&left.typed, &right.typed);
            conditions.push(same.map_err(|reason| refused(name, reason))?.sql);
        }
        Ok((!conditions.is_empty()).then(|| conditions.join(" AND ")))
    }

    fn source(
        &self,
        joined: &Joined,
        scope: &mut Scope<'_>,
        rows: Rows,
    ) -> Result<String, ViewRefused> {
        let alias = self.fresh();
        let name = joined.alias.clone();
        match &joined.source {
            Source::Joins(joins) => {
                let mut inner = Scope { tables: Vec::new(), ..scope.clone() };
                let sql = self.from(joins, &mut inner, rows)?;
                scope.tables.extend(inner.tables);
                Ok(format!("({sql})"))
            }
            Source::Query(query) => {
                let (sql, table) = self.derived(query, alias, name, scope.outer, rows)?;
                scope.tables.push(table);
                Ok(sql)
            }
            Source::Function(function, arguments) => {
                let called = name.or_else(|| Some(function.clone()));
                let (sql, table) = self.function(joined, function, arguments, scope, alias)?;
                scope.tables.push(Table { name: called, ..table });
                Ok(sql)
            }
            Source::Table(table) => {
                let called = name.or_else(|| Some(table.clone()));
                let (sql, found) = self.table(joined, table, alias, scope, rows)?;
                scope.tables.push(Table { name: called, ..found });
                Ok(sql)
            }
        }
    }

    /// A query in the place of a table.
    fn derived(
        &self,
        query: &Query,
        alias: String,
        name: Option<String>,
        outer: Option<&Scope<'_>>,
        rows: Rows,
    ) -> Result<(String, Table), ViewRefused> {
        let relation = self.query(query, outer, rows)?;
        let qualified = |text: &String| format!("{alias}.{text}");
        let columns = relation.columns.iter().map(|column| Column {
            typed: column
                .typed
                .column(qualified(&column.typed.sql), column.typed.whole.as_ref().map(qualified)),
            ..column.clone()
        });
        let table = Table { name, columns: columns.collect(), ..Table::default() };
        Ok((format!("({}) AS {alias}", relation.sql), table))
    }

    fn table(
        &self,
        joined: &Joined,
        name: &str,
        alias: String,
        scope: &Scope<'_>,
        rows: Rows,
    ) -> Result<(String, Table), ViewRefused> {
        let position = self.named.borrow().iter().rposition(|named| same(&named.name, name));
        if let Some(position) = position {
            return self.named_query(position, alias, scope.outer, rows);
        }
        if let Some(collection) = self.schema.by_name(name) {
            let (sql, mut table) = collection_table(collection, &alias);
            if collection.kind != CollectionKind::View && scope.tables.is_empty() {
                let read = Read::of(collection, &alias);
                table.order = vec![read.mark()];
                self.reads.borrow_mut().push(read);
            }
            return Ok((sql, Table { alias, ..table }));
        }
        if same(name, "_collections") {
            let columns = COLLECTIONS.map(|(column, kind)| {
                let affinity = match kind {
                    Kind::Text => Affinity::Text,
                    _ => Affinity::Numeric,
                };
                column_of(&alias, column, kind, affinity)
            });
            let table = stored(&alias, columns.to_vec(), None);
            return Ok((format!("\"_collections\" AS {alias}"), table));
        }
        let reason = match name.to_ascii_lowercase().as_str() {
            "sqlite_master" | "sqlite_schema" => "PostgreSQL has no such table; read _collections",
            _ => "there is no such collection",
        };
        Err(refused(self.part(&joined.span), reason))
    }

    /// A query of WITH, which sees those before it.
    fn named_query(
        &self,
        position: usize,
        alias: String,
        outer: Option<&Scope<'_>>,
        rows: Rows,
    ) -> Result<(String, Table), ViewRefused> {
        let later = self.named.borrow_mut().split_off(position);
        let made = match later.first() {
            Some(named) => self.derived(&named.query, alias, None, outer, rows).map(|mut made| {
                for (column, name) in made.1.columns.iter_mut().zip(&named.columns) {
                    column.name.clone_from(name);
                }
                made
            }),
            None => Err(refused(self.text, "a query of WITH is missing")),
        };
        self.named.borrow_mut().extend(later);
        made
    }

    /// A function that gives rows.
    fn function(
        &self,
        joined: &Joined,
        function: &str,
        arguments: &[Expr],
        scope: &Scope<'_>,
        alias: String,
    ) -> Result<(String, Table), ViewRefused> {
        let (document, path) = match (function, arguments) {
            ("json_each", [document]) => (document, None),
            ("json_each", [document, path]) => (document, Some(path)),
            _ => {
                let reason = "only json_each is known as a function that gives rows";
                return Err(refused(self.part(&joined.span), reason));
            }
        };
        let mut argument = super::json::document(&self.expr(scope, document)?);
        let mut base = "$".to_owned();
        if let Some(path) = path {
            let steps = self.path(scope, path)?;
            base = self.expr(scope, path)?.literal.unwrap_or(base);
            argument = format!("pando.json_walk({argument}, {steps})");
        }
        let any = |name: &str| column_of(&alias, name, Kind::Any, Affinity::Blob);
        let text = |name: &str| column_of(&alias, name, Kind::Text, Affinity::Blob);
        let columns = ["key", "value"].map(any).into_iter();
        let columns = columns.chain([text("type"), any("atom"), text("fullkey"), text("path")]);
        let table = Table {
            columns: columns.collect(),
            order: vec![format!("{alias}.n")],
            ..Table::default()
        };
        let base = super::typed::literal_text(&base);
        Ok((format!("LATERAL pando.json_each({argument}, {base}) AS {alias}"), table))
    }
}

fn column_of(alias: &str, name: &str, kind: Kind, affinity: Affinity) -> Column {
    let typed = Typed::new(kind, format!("{alias}.{}", quoted(name))).with_affinity(affinity);
    Column { name: name.to_owned(), typed, merged: false }
}

fn collection_table(collection: &Collection, alias: &str) -> (String, Table) {
    let view = collection.kind == CollectionKind::View;
    let mut fields: Vec<_> = collection.fields.iter().collect();
    if !view {
        // In the order of a table that was made at once.
        fields.sort_by(|one, other| one.name.cmp(&other.name));
    }
    let columns = fields.into_iter().map(|field| {
        let (kind, affinity) = of_field(field, collection.kind);
        let mut column = column_of(alias, &field.name, kind, affinity);
        column.typed.always = !view && kind != Kind::Document;
        column
    });
    let columns = columns.collect();
    let table = if view {
        Table { columns, ..Table::default() }
    } else {
        let key = [format!("{alias}.\"_b\""), format!("{alias}.\"id\"")];
        stored(alias, columns, Some(key))
    };
    (format!("{} AS {alias}", quoted(&collection.name)), table)
}

fn stored(alias: &str, columns: Vec<Column>, key: Option<[String; 2]>) -> Table {
    let row = format!("{alias}.\"_n\"");
    Table { columns, row: Some(row.clone()), key, order: vec![row], ..Table::default() }
}

/// Notes what an outer join of the tables from `joined` on may leave empty.
fn may_be_null(tables: &mut [Table], joined: usize, join: Join) {
    let (left, right) = tables.split_at_mut(joined);
    let empty = |tables: &mut [Table]| {
        let columns = tables.iter_mut().flat_map(|table| &mut table.columns);
        columns.for_each(|column| column.typed.always = false);
    };
    match join {
        Join::Inner => {}
        Join::Left => empty(right),
        Join::Right => empty(left),
        Join::Full => {
            empty(left);
            empty(right);
        }
    }
}

/// The names of columns that both sides of a NATURAL JOIN have.
fn common_names(scope: &Scope<'_>, before: usize) -> Vec<String> {
    let (left, right) = scope.tables.split_at(before);
    let known = |name: &str| {
        left.iter().flat_map(|table| &table.columns).any(|column| same(&column.name, name))
    };
    let names = right.iter().flat_map(|table| &table.columns);
    names.filter(|column| known(&column.name)).map(|column| column.name.clone()).collect()
}
