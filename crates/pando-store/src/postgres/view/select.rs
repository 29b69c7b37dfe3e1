//! SELECT, UNION and their relatives.

use std::fmt::Write as _;

use super::scope::{Column, Scope, refused, same};
use super::tree::{ColumnName, Compound, Core, Expr, Node, OrderTerm, Query, ResultColumn, Select};
use super::typed::{Collate, Kind, Typed, common};
use super::{SOURCES_MAX, Translator, ViewRefused};

/// Which rows of a query are needed, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// All, in any order.
    All,
    /// All, in an order that costs nothing.
    Listed,
    /// All, in the order in which SQLite reads them.
    Read,
    /// Only the first.
    First,
}

/// A translated query.
pub(super) struct Relation {
    pub(super) sql: String,
    /// Their `sql` and `whole` are names of columns.
    pub(super) columns: Vec<Column>,
}

/// A column of a result before it has a name.
struct Item {
    name: String,
    /// Where it is more than a column that `*` stands for.
    expr: Option<Expr>,
    typed: Typed,
}

impl Translator<'_> {
    pub(super) fn query(
        &self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        rows: Rows,
    ) -> Result<Relation, ViewRefused> {
        self.sources.set(self.sources.get() + 1);
        if self.sources.get() > SOURCES_MAX {
            return Err(refused(self.text, "it reads too many tables and queries"));
        }
        let known = self.named.borrow().len();
        self.named.borrow_mut().extend(query.with.iter().cloned());
        let relation = match (&query.first, query.rest.is_empty()) {
            (Core::Select(select), true) => self.select(select, query, outer, rows),
            _ => self.compound(query, outer, rows),
        };
        self.named.borrow_mut().truncate(known);
        relation
    }

    fn select(
        &self,
        select: &Select,
        query: &Query,
        outer: Option<&Scope<'_>>,
        rows: Rows,
    ) -> Result<Relation, ViewRefused> {
        let mut scope = Scope::inside(outer);
        let mut sql = String::new();
        if !select.from.is_empty() {
            let from = self.from(&select.from, &mut scope, rows)?;
            let _ = write!(sql, " FROM {from}");
        }
        scope.windows.clone_from(&select.windows);
        for column in &select.columns {
            if let ResultColumn::One { expr, alias: Some(alias) } = column {
                scope.aliases.push((alias.clone(), expr.clone()));
            }
        }
        if let Some(filter) = &select.filter {
            let _ = write!(sql, " WHERE {}", self.expr(&scope, filter)?.truth());
        }
        let grouped = self.group(select, query, &mut scope)?;
        sql.push_str(&grouped);
        if let Some(having) = &select.having {
            let _ = write!(sql, " HAVING {}", self.expr(&scope, having)?.truth());
        }
        let mut items = self.items(select, &scope)?;
        if select.distinct {
            return self.distinct(items, &sql, query, &scope, rows);
        }
        let order = self.order(&query.order, &items, Some(&scope))?;
        let tail = self.tail(&scope, order.is_empty(), query, rows);
        let order: Vec<String> = order.into_iter().chain(tail).collect();
        if !order.is_empty() {
            let _ = write!(sql, " ORDER BY {}", order.join(", "));
        }
        sql.push_str(&self.limit(query, rows)?);
        Ok(relation(&mut items, &sql))
    }

    /// What decides where the query does not: the order in which SQLite reads rows or groups.
    fn tail(&self, scope: &Scope<'_>, unordered: bool, query: &Query, rows: Rows) -> Vec<String> {
        let groups = scope.grouping.as_ref();
        let free = match rows {
            Rows::All => true,
            // Groups are sorted anyway, and no better plan is lost.
            Rows::Listed => groups.is_none(),
            Rows::Read | Rows::First => false,
        };
        if query.limit.is_none() && unordered && free {
            return Vec::new();
        }
        match groups {
            Some(groups) => groups.by.iter().map(|(_, key)| ascending(key)).collect(),
            None => scope.row_order(),
        }
    }

    fn items(&self, select: &Select, scope: &Scope<'_>) -> Result<Vec<Item>, ViewRefused> {
        let mut items = Vec::new();
        for column in &select.columns {
            let (of, expr, alias) = match column {
                ResultColumn::All => (None, None, None),
                ResultColumn::AllOf(table) => (Some(table), None, None),
                ResultColumn::One { expr, alias } => (None, Some(expr), alias.as_ref()),
            };
            if let Some(expr) = expr {
                let name = match (&alias, &*expr.node) {
                    (Some(alias), _) => (*alias).clone(),
                    (None, Node::Name(ColumnName { column, .. })) => column.clone(),
                    (None, _) => self.part(&expr.span),
                };
                items.push(Item { name, expr: Some(expr.clone()), typed: self.expr(scope, expr)? });
                continue;
            }
            for (index, table) in scope.tables.iter().enumerate() {
                let named = |of: &String| table.name.as_ref().is_some_and(|name| same(name, of));
                if of.is_some_and(|of| !named(of)) {
                    continue;
                }
                for column in &table.columns {
                    if of.is_some() || !column.merged {
                        let typed = self.grouped(scope, column.typed.clone(), index);
                        items.push(Item { name: column.name.clone(), expr: None, typed });
                    }
                }
            }
        }
        Ok(items)
    }

    fn distinct(
        &self,
        mut items: Vec<Item>,
        from: &str,
        query: &Query,
        scope: &Scope<'_>,
        rows: Rows,
    ) -> Result<Relation, ViewRefused> {
        for item in &mut items {
            if item.typed.collate.is_some_and(|collate| collate != Collate::Binary) {
                return Err(refused(&item.name, "DISTINCT with a collation has no translation"));
            }
            // Two is the same as 2.0.
            item.typed = Typed { whole: None, ..item.typed.comparable() };
        }
        let keys = scope.row_order();
        let ungrouped = scope.grouping.is_none() && !keys.is_empty();
        if query.order.is_empty() && ungrouped && (rows == Rows::Read || query.limit.is_some()) {
            // In the order in which the values are first read.
            let inner = relation(&mut items, from);
            let columns: Vec<String> =
                (1..=items.len()).map(|number| format!("c{number}")).collect();
            let (columns, alias) = (columns.join(", "), self.fresh());
            let numbered =
                format!("SELECT row_number() OVER (ORDER BY {}) AS n, ", keys.join(", "));
            let sql = format!(
                "SELECT {columns} FROM ({}) AS {alias} GROUP BY {columns} ORDER BY min({alias}.n){}",
                inner.sql.replacen("SELECT ", &numbered, 1),
                self.limit(query, rows)?
            );
            let columns = inner
                .columns
                .into_iter()
                .map(|column| Column { typed: Typed { whole: None, ..column.typed }, ..column });
            return Ok(Relation { sql, columns: columns.collect() });
        }
        let relation = relation(&mut items, from);
        let distinct = relation.sql.replacen("SELECT ", "SELECT DISTINCT ", 1);
        self.sorted(Relation { sql: distinct, ..relation }, query, &items, rows)
    }

    /// A relation of which only its columns are known, sorted and limited.
    fn sorted(
        &self,
        relation: Relation,
        query: &Query,
        items: &[Item],
        rows: Rows,
    ) -> Result<Relation, ViewRefused> {
        let alias = self.fresh();
        let outside: Vec<Item> = relation
            .columns
            .iter()
            .zip(items)
            .map(|(column, item)| Item {
                name: column.name.clone(),
                expr: item.expr.clone(),
                typed: column.typed.column(format!("{alias}.{}", column.typed.sql), None),
            })
            .collect();
        let mut order = self.order(&query.order, &outside, None)?;
        if rows != Rows::All || query.limit.is_some() {
            // As UNION and its relatives leave them in SQLite.
            order.extend(outside.iter().map(|item| ascending(&item.typed)));
        }
        let limit = self.limit(query, rows)?;
        if order.is_empty() && limit.is_empty() {
            return Ok(relation);
        }
        let sql = format!(
            "SELECT {alias}.* FROM ({}) AS {alias} ORDER BY {}{limit}",
            relation.sql,
            order.join(", ")
        );
        Ok(Relation { sql, ..relation })
    }

    /// The terms of ORDER BY. Without a scope only columns of the result can be sorted by.
    fn order(
        &self,
        terms: &[OrderTerm],
        items: &[Item],
        scope: Option<&Scope<'_>>,
    ) -> Result<Vec<String>, ViewRefused> {
        let mut order = Vec::with_capacity(terms.len());
        for term in terms {
            let (expr, collate) = match &*term.expr.node {
                Node::Collate(inner, name) => (inner, Collate::parse(name)),
                _ => (&term.expr, None),
            };
            let typed = match (item(expr, items)?, scope) {
                (Some(item), _) => {
                    Typed { collate: collate.or(item.typed.collate), ..item.typed.clone() }
                }
                (None, Some(scope)) => self.expr(scope, &term.expr)?,
                (None, None) => {
                    return self.refuse(expr, "only columns of the result can be sorted by here");
                }
            };
            order.push(sort_key(&typed, term));
        }
        Ok(order)
    }

    fn limit(&self, query: &Query, rows: Rows) -> Result<String, ViewRefused> {
        let mut sql = String::new();
        for (word, count) in [("LIMIT", &query.limit), ("OFFSET", &query.offset)] {
            let Some(count) = count else { continue };
            let typed = self.expr(&Scope::default(), count)?;
            match typed.literal.as_ref().and_then(|literal| literal.parse::<i64>().ok()) {
                // Less than nothing is no limit.
                Some(number) if number < 0 => {}
                Some(number) => {
                    let _ = write!(sql, " {word} {number}");
                }
                None => return self.refuse(count, "a whole number must stand here"),
            }
        }
        if rows == Rows::First && query.limit.is_none() {
            sql.push_str(" LIMIT 1");
        }
        Ok(sql)
    }

    fn compound(
        &self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        rows: Rows,
    ) -> Result<Relation, ViewRefused> {
        let plain = |core: &Core| Query {
            with: Vec::new(),
            first: core.clone(),
            rest: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
        };
        let mut relations = Vec::new();
        for core in std::iter::once(&query.first).chain(query.rest.iter().map(|(_, core)| core)) {
            relations.push(match core {
                Core::Select(select) => self.select(select, &plain(core), outer, Rows::All)?,
                Core::Values(rows) => self.values(rows, outer)?,
            });
        }
        let unions: Vec<Compound> = query.rest.iter().map(|(union, _)| *union).collect();
        let united = self.united(relations, &unions)?;
        let items: Vec<Item> = united
            .columns
            .iter()
            .map(|column| Item {
                name: column.name.clone(),
                expr: None,
                typed: column.typed.clone(),
            })
            .collect();
        let kept = unions.iter().all(|union| *union == Compound::All);
        // The order of UNION ALL is that of its parts.
        let rows = if kept && rows != Rows::First { Rows::All } else { rows };
        self.sorted(united, query, &items, rows)
    }

    /// Queries of the same columns, one after the other.
    fn united(
        &self,
        relations: Vec<Relation>,
        unions: &[Compound],
    ) -> Result<Relation, ViewRefused> {
        let all = unions.iter().all(|union| *union == Compound::All);
        let Some(first) = relations.first() else {
            return Err(refused(self.text, "it has no rows"));
        };
        let mut columns = first.columns.clone();
        for (index, column) in columns.iter_mut().enumerate() {
            let same = relations.iter().map(|one| one.columns.get(index).map(|it| &it.typed));
            let Some(parts) = same.collect::<Option<Vec<&Typed>>>() else {
                return Err(refused(self.text, "its parts have different numbers of columns"));
            };
            let mut kind = common(parts.iter().map(|part| part.kind));
            if !all {
                if parts.iter().any(|part| part.collate.is_some()) {
                    return Err(refused(&column.name, "UNION with a collation has no translation"));
                }
                kind = Typed::new(kind, "").comparable().kind;
            }
            let affinity = parts
                .iter()
                .map(|part| part.affinity)
                .reduce(|one, other| if one == other { one } else { super::typed::Affinity::None });
            column.typed.kind = kind;
            column.typed.affinity = affinity.unwrap_or(super::typed::Affinity::None);
            column.typed.whole = None;
        }
        let kinds: Vec<Kind> = columns.iter().map(|column| column.typed.kind).collect();
        let mut parts = relations.iter().map(|relation| self.converted(relation, &kinds));
        let mut sql = parts.next().unwrap_or_default();
        for (index, (union, part)) in unions.iter().zip(parts).enumerate() {
            let word = match union {
                Compound::Union => "UNION",
                Compound::All => "UNION ALL",
                Compound::Except => "EXCEPT",
                Compound::Intersect => "INTERSECT",
            };
            sql = if index > 0 {
                format!("({sql}) {word} {part}")
            } else {
                format!("{sql} {word} {part}")
            };
        }
        Ok(Relation { sql, columns })
    }

    fn converted(&self, relation: &Relation, kinds: &[Kind]) -> String {
        let alias = self.fresh();
        let columns: Vec<String> = relation
            .columns
            .iter()
            .zip(kinds)
            .enumerate()
            .map(|(index, (column, kind))| {
                let whole = column.typed.whole.as_ref().map(|whole| format!("{alias}.{whole}"));
                let typed = column.typed.column(format!("{alias}.{}", column.typed.sql), whole);
                format!("{} AS c{}", typed.as_kind(*kind), index + 1)
            })
            .collect();
        format!("SELECT {} FROM ({}) AS {alias}", columns.join(", "), relation.sql)
    }

    fn values(
        &self,
        rows: &[Vec<Expr>],
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, ViewRefused> {
        let scope = Scope::inside(outer);
        let mut relations = Vec::new();
        for row in rows {
            let mut items = Vec::new();
            for (index, expr) in row.iter().enumerate() {
                let (name, typed) = (format!("column{}", index + 1), self.expr(&scope, expr)?);
                items.push(Item { name, expr: None, typed });
            }
            relations.push(relation(&mut items, ""));
        }
        let unions = vec![Compound::All; relations.len().saturating_sub(1)];
        self.united(relations, &unions)
    }
}

/// The column of the result that a term of ORDER BY or GROUP BY means.
fn item<'i>(expr: &Expr, items: &'i [Item]) -> Result<Option<&'i Item>, ViewRefused> {
    if let Node::Number(number) = &*expr.node {
        let position = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let found = position.and_then(|position| items.get(position));
        return found.map(Some).ok_or_else(|| refused(number, "there is no column of that number"));
    }
    if let Node::Name(ColumnName { table: None, column, .. }) = &*expr.node {
        let named = items.iter().find(|item| same(&item.name, column));
        if named.is_some() {
            return Ok(named);
        }
    }
    Ok(items.iter().find(|item| item.expr.as_ref() == Some(expr)))
}

/// An expression to sort by, nulls first.
fn ascending(typed: &Typed) -> String {
    // Indexes have nulls last.
    format!("{}{}", typed.key(), if typed.always { "" } else { " NULLS FIRST" })
}

/// An expression to sort by. Nulls come first in SQLite.
pub(super) fn sort_key(typed: &Typed, term: &OrderTerm) -> String {
    let direction = if term.descending { "DESC" } else { "ASC" };
    if typed.always {
        return format!("{} {direction}", typed.key());
    }
    let first = term.nulls_first.unwrap_or(!term.descending);
    format!("{} {direction} NULLS {}", typed.key(), if first { "FIRST" } else { "LAST" })
}

/// Selects the items, `rest` being all that comes after them.
fn relation(items: &mut [Item], rest: &str) -> Relation {
    let mut list = Vec::new();
    let mut columns = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let name = format!("c{}", index + 1);
        list.push(format!("{} AS {name}", item.typed.sql));
        let whole = item.typed.whole.as_ref().map(|whole| {
            let name = format!("w{}", index + 1);
            list.push(format!("{whole} AS {name}"));
            name
        });
        let typed = item.typed.column(name, whole);
        columns.push(Column { name: item.name.clone(), typed, merged: false });
    }
    Relation { sql: format!("SELECT {}{rest}", list.join(", ")), columns }
}
