//! GROUP BY, and columns beside aggregates.
//!
//! SQLite shows any column of a group: of the row that has the minimum or maximum if that is the
//! only aggregate of its kind, else of the first row that it reads. PostgreSQL shows only what is
//! the same in all rows of a group.
//!
//! Source: <https://sqlite.org/lang_select.html#bareagg>; `select.c` (`updateAccumulator`).

use super::aggregate::is_aggregate;
use super::scope::{Grouping, Scope};
use super::tree::{Call, Expr, Node, Query, ResultColumn, Select};
use super::typed::{Collate, Kind, Typed};
use super::{Translator, ViewRefused};

impl Translator<'_> {
    /// Writes GROUP BY, and lets the scope know.
    pub(super) fn group(
        &self,
        select: &Select,
        query: &Query,
        scope: &mut Scope<'_>,
    ) -> Result<String, ViewRefused> {
        let results = select.columns.iter().filter_map(|column| match column {
            ResultColumn::One { expr, .. } => Some(expr),
            ResultColumn::All | ResultColumn::AllOf(_) => None,
        });
        let sorts = query.order.iter().map(|term| &term.expr);
        let mut calls = Vec::new();
        for expr in results.clone().chain(&select.having).chain(sorts) {
            aggregates(expr, &mut calls);
        }
        if select.group.is_empty() && calls.is_empty() && select.having.is_none() {
            return Ok(String::new());
        }
        let results: Vec<&Expr> = results.collect();
        let mut by = Vec::new();
        for expr in &select.group {
            let expr = numbered(expr, &results);
            by.push((expr.clone(), self.expr(scope, expr)?));
        }
        let mut keys: Vec<String> = by.iter().map(|(_, key)| group_key(key)).collect();
        let mut whole_tables = Vec::new();
        for (index, table) in scope.tables.iter().enumerate() {
            let Some([bucket, id]) = &table.key else { continue };
            if keys.contains(id) {
                // With its primary key, a group has all columns of the table.
                keys.push(bucket.clone());
                whole_tables.push(index);
            }
        }
        let order = self.order_of_rows(&calls, scope, &by)?;
        scope.grouping = Some(Grouping { by, whole_tables, order });
        Ok(if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) })
    }

    /// The order in which the row comes first that stands for its group.
    fn order_of_rows(
        &self,
        calls: &[&Call],
        scope: &Scope<'_>,
        by: &[(Expr, Typed)],
    ) -> Result<Vec<String>, ViewRefused> {
        let mut order = self.reading_order(scope, by);
        // With several of them SQLite takes any of their rows.
        let extreme = calls.iter().rfind(|call| matches!(call.name.as_str(), "min" | "max"));
        if let Some([argument]) = extreme.map(|call| call.arguments.as_slice())
            && let Some(call) = extreme
        {
            let direction = if call.name == "min" { "ASC" } else { "DESC" };
            let key = self.expr(scope, argument)?.key();
            order.insert(0, format!("{key} {direction} NULLS LAST"));
        }
        Ok(order)
    }

    /// The order in which SQLite reads the rows of groups: along an index that has the groups next
    /// to each other, if there is one.
    pub(super) fn reading_order(&self, scope: &Scope<'_>, by: &[(Expr, Typed)]) -> Vec<String> {
        let order = scope.row_order();
        let Some(table) = scope.tables.first() else { return order };
        let keys: Vec<&String> = by.iter().map(|(_, key)| &key.sql).collect();
        let reads = self.reads.borrow();
        let read = reads.iter().find(|read| read.alias == table.alias);
        match read.and_then(|read| read.index_of(&keys)) {
            Some(index) => {
                let row = table.row.iter().cloned();
                index.iter().cloned().chain(row).chain(order.into_iter().skip(1)).collect()
            }
            None => order,
        }
    }

    /// A whole expression that groups are made by, as the result may show it.
    pub(super) fn group_expression(&self, scope: &Scope<'_>, expr: &Expr) -> Option<Typed> {
        let grouping = scope.grouping.as_ref()?;
        // Names are looked up, since they can mean a column further out.
        if matches!(&*expr.node, Node::Name(_) | Node::Number(_) | Node::Text(_) | Node::Null) {
            return None;
        }
        let (_, typed) = grouping.by.iter().find(|(by, _)| by == expr)?;
        Some(if group_key(typed) == typed.sql { of_group(typed) } else { first(grouping, typed) })
    }

    /// A column of the table at `index`, as a result of groups may show it.
    pub(super) fn grouped(&self, scope: &Scope<'_>, typed: Typed, index: usize) -> Typed {
        let Some(grouping) = &scope.grouping else { return typed };
        let same = |(_, by): &(Expr, Typed)| by.sql == typed.sql && group_key(by) == typed.sql;
        if grouping.whole_tables.contains(&index) || grouping.by.iter().any(same) {
            return of_group(&typed);
        }
        first(grouping, &typed)
    }
}

/// The column that a number in GROUP BY means.
fn numbered<'e>(expr: &'e Expr, results: &[&'e Expr]) -> &'e Expr {
    let Node::Number(number) = &*expr.node else { return expr };
    let position = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    position.and_then(|position| results.get(position)).copied().unwrap_or(expr)
}

/// What the rows of a group have in common.
fn group_key(typed: &Typed) -> String {
    let comparable = typed.comparable();
    match (comparable.kind, typed.collate) {
        (Kind::Text, Some(collate)) if collate != Collate::Binary => typed.key(),
        _ => comparable.sql,
    }
}

/// A value that is the same in all rows of a group. What tells whether it is whole is so, too, but
/// PostgreSQL does not know that.
fn of_group(typed: &Typed) -> Typed {
    Typed { whole: typed.whole.as_ref().map(|whole| format!("bool_and({whole})")), ..typed.clone() }
}

/// The value of the first row of a group.
fn first(grouping: &Grouping, typed: &Typed) -> Typed {
    let order = match grouping.order.as_slice() {
        [] => String::new(),
        order => format!(" ORDER BY {}", order.join(", ")),
    };
    let pick = |sql: &String| format!("(array_agg({sql}{order}))[1]");
    Typed { json: typed.json, ..typed.column(pick(&typed.sql), typed.whole.as_ref().map(pick)) }
}

/// The aggregates in an expression.
fn aggregates<'e>(expr: &'e Expr, found: &mut Vec<&'e Call>) {
    if let Node::Call(call) = &*expr.node
        && call.over.is_none()
        && is_aggregate(call)
    {
        found.push(call);
        return;
    }
    for part in expr.parts() {
        aggregates(part, found);
    }
}
