//! A resolved filter: what must hold for a row, as a tree that can be written as SQL.

use crate::SqlValue;
use crate::compare::Form;
use crate::expr::Join;
use crate::join::{BaseTable, JoinClause};
use crate::sql::{Ident, Sql};
use crate::term::{Alias, Term};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// Conditions joined by AND and OR, where AND binds tighter; the first join says nothing.
    Chain(Vec<(Join, Condition)>),
    /// All of them; without any, true.
    All(Vec<Condition>),
    Compare(Box<Compare>),
    /// No row of the subqueries fails the condition.
    EveryMatch(Box<EveryMatch>),
    /// The auth record of that table shows its e-mail address to everyone.
    EmailVisible(Alias),
    /// The column holds one of the texts.
    OneOf {
        table: Alias,
        column: Ident,
        values: Vec<String>,
    },
}

/// Two terms and how they are compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compare {
    pub(crate) left: Term,
    pub(crate) form: Form,
    pub(crate) right: Term,
}

/// The multi-match check: of all values that a path leads to, none may fail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EveryMatch {
    pub(crate) first: Matches,
    pub(crate) second: Option<Matches>,
    /// What fails a row, in terms of the aliases of `first` and `second`.
    pub(crate) failure: Condition,
}

/// A subquery with all values that a path leads to from one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matches {
    /// The name of the subquery.
    pub(crate) alias: Alias,
    pub(crate) from: BaseTable,
    /// The table whose row the subquery starts from, in the query around it.
    pub(crate) target: Alias,
    pub(crate) joins: Vec<JoinClause>,
    pub(crate) value: Term,
}

impl Condition {
    pub(crate) fn write(&self, sql: &mut Sql) {
        match self {
            Condition::Chain(parts) => match parts.as_slice() {
                [(_, only)] => only.write(sql),
                _ => {
                    sql.push("(");
                    for (index, (join, part)) in parts.iter().enumerate() {
                        sql.push(match join {
                            _ if index == 0 => "",
                            Join::And => " AND ",
                            Join::Or => " OR ",
                        });
                        part.write(sql);
                    }
                    sql.push(")");
                }
            },
            Condition::All(parts) => write_all(sql, parts),
            Condition::Compare(compare) => compare.form.write(sql, &compare.left, &compare.right),
            Condition::EveryMatch(every) => every.write(sql),
            Condition::EmailVisible(table) => {
                table.write(sql);
                sql.push(".`emailVisibility` = TRUE");
            }
            Condition::OneOf { table, column, values } => {
                table.write(sql);
                sql.push(".").ident(column);
                write_one_of(sql, values);
            }
        }
    }
}

fn write_all(sql: &mut Sql, parts: &[Condition]) {
    if parts.is_empty() {
        sql.push("TRUE");
        return;
    }
    sql.push("(");
    for (index, part) in parts.iter().enumerate() {
        sql.push(if index == 0 { "" } else { " AND " });
        part.write(sql);
    }
    sql.push(")");
}

/// Appends ` = ?` or ` IN (?, …)`; nothing is one of no values.
pub(crate) fn write_one_of(sql: &mut Sql, values: &[String]) {
    if let [only] = values {
        sql.push(" = ").bind(SqlValue::Text(only.clone()));
        return;
    }
    sql.push(" IN (");
    for (index, value) in values.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).bind(SqlValue::Text(value.clone()));
    }
    sql.push(")");
}

impl EveryMatch {
    fn write(&self, sql: &mut Sql) {
        sql.push("NOT EXISTS (SELECT 1 FROM ");
        self.first.write(sql);
        if let Some(second) = &self.second {
            sql.push(" LEFT JOIN ");
            second.write(sql);
        }
        sql.push(" WHERE NOT (");
        self.failure.write(sql);
        sql.push("))");
    }
}

impl Matches {
    fn write(&self, sql: &mut Sql) {
        sql.push("(SELECT ");
        self.value.write(sql);
        sql.push(" AS matched FROM ").ident(&self.from.name).push(" ");
        self.from.alias.write(sql);
        for join in &self.joins {
            sql.push(" ");
            join.write(sql);
        }
        sql.push(" WHERE ");
        self.from.alias.write(sql);
        sql.push(".`id` = ");
        self.target.write(sql);
        sql.push(".`id`) ");
        self.alias.write(sql);
    }
}
