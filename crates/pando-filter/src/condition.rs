//! A resolved filter: what must hold for a row, as a tree that can be written as SQL.

use crate::SqlValue;
use crate::compare::Form;
use crate::expr::Join;
use crate::join::{BaseTable, JoinClause};
use crate::postgres;
use crate::sql::{Dialect, Sql};
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
    /// The id of the row is one of the texts.
    Ids(Vec<String>, BaseTable),
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
                sql.column("emailVisibility").push(" = TRUE");
            }
            Condition::Ids(ids, table) => write_ids(sql, table, ids),
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

/// Appends that the id of a row of `table` is one of `ids`; nothing is one of none.
pub(crate) fn write_ids(sql: &mut Sql, table: &BaseTable, ids: &[String]) {
    let alias = &table.alias;
    match sql.dialect {
        Dialect::Sqlite => {
            alias.write(sql);
            sql.column("id");
            sql.is_one_of(ids);
        }
        Dialect::Postgres => write_keys(sql, table, ids),
    }
}

/// By the primary key, and with one text for any number of ids.
fn write_keys(sql: &mut Sql, table: &BaseTable, ids: &[String]) {
    let alias = &table.alias;
    if let [only] = ids {
        if table.keyed {
            alias.write(sql);
            sql.push(".\"_b\" = ").bind_bucket(only).push(" AND ");
        }
        alias.write(sql);
        sql.column("id").push(" = ").bind(SqlValue::Text(only.clone()));
        return;
    }
    if table.keyed {
        sql.push("(");
        alias.write(sql);
        sql.push(".\"_b\", ");
        alias.write(sql);
        sql.column("id").push(") IN (SELECT * FROM unnest(");
        sql.bind(SqlValue::Text(postgres::buckets_text(ids))).push("::int2[], ");
    } else {
        alias.write(sql);
        sql.column("id").push(" IN (SELECT * FROM unnest(");
    }
    sql.bind(SqlValue::Text(postgres::array_text(ids))).push("::text[]))");
}

/// Appends ` = ?` or ` IN (?, …)`; nothing is one of no values.
impl EveryMatch {
    fn write(&self, sql: &mut Sql) {
        sql.push("NOT EXISTS (SELECT 1 FROM ");
        self.first.write(sql);
        if let Some(second) = &self.second {
            sql.push(" LEFT JOIN ");
            second.write(sql);
            if sql.dialect == Dialect::Postgres {
                sql.push(" ON TRUE");
            }
        }
        sql.push(" WHERE NOT (");
        self.failure.write(sql);
        sql.push("))");
    }
}

impl Matches {
    fn write(&self, sql: &mut Sql) {
        sql.push("(SELECT ");
        match sql.dialect {
            Dialect::Sqlite => {
                self.value.write(sql);
                sql.push(" AS matched");
            }
            Dialect::Postgres => postgres::write_matched(sql, &self.value),
        }
        sql.push(" FROM ").ident(&self.from.name).push(" ");
        self.from.alias.write(sql);
        for join in &self.joins {
            sql.push(" ");
            join.write(sql);
        }
        sql.push(" WHERE ");
        if sql.dialect == Dialect::Postgres && self.from.keyed {
            self.from.alias.write(sql);
            sql.push(".\"_b\" = ");
            self.target.write(sql);
            sql.push(".\"_b\" AND ");
        }
        self.from.alias.write(sql);
        sql.column("id").push(" = ");
        self.target.write(sql);
        sql.column("id").push(") ");
        self.alias.write(sql);
    }
}
