//! Resolves a filter against a collection: which columns, joins and request values it means.
//!
//! Source: PocketBase `core/record_field_resolver.go`, `tools/search/filter.go`.

use pando_schema::{Collection, CollectionKind, Schema};
use time::OffsetDateTime;

use crate::compare::{Resolved, compare};
use crate::condition::Condition;
use crate::error::FilterError;
use crate::expr::{Comparison, Expr, Item, Join, Operand};
use crate::join::{BaseTable, JoinClause, On, Source};
use crate::request::RequestContext;
use crate::sql::Ident;
use crate::term::{Alias, Term};
use crate::{SqlValue, macros};

pub(crate) mod body;
mod function;
pub(crate) mod name;
pub(crate) mod path;
pub(crate) mod request;
mod unique;

/// Comparisons in one filter at most. Source: PocketBase `tools/search/provider.go`.
pub const EXPRESSIONS_MAX: usize = 200;

/// Turns the filters of one query into conditions and collects the joins that they need.
#[derive(Debug, Clone)]
pub(crate) struct Resolver<'a> {
    schema: &'a Schema,
    /// The collection whose records are filtered.
    collection: &'a Collection,
    pub(crate) base: BaseTable,
    /// The filtered record is not stored yet, so that nothing refers to it.
    unstored: bool,
    request: Option<&'a RequestContext>,
    now: OffsetDateTime,
    /// Hidden fields may be named, and joined collections do not apply their list rule.
    pub(crate) allow_hidden: bool,
    pub(crate) joins: Vec<Joined>,
    /// Joined tables whose list rule the query must still apply.
    rule_joins: Vec<RuleJoin<'a>>,
    /// How many of `rule_joins` are applied.
    rules_applied: usize,
    /// How many aliases are given out.
    aliases: u32,
}

/// A join of the query.
#[derive(Debug, Clone)]
pub(crate) struct Joined {
    /// The path that the join stands for: equal paths share one join.
    key: String,
    pub(crate) clause: JoinClause,
    /// A row of the query can have several rows in it.
    pub(crate) multiplies: bool,
    /// Nothing reads the join: PocketBase would have it, and with it another order of rows.
    pub(crate) unused: bool,
}

#[derive(Debug, Clone)]
struct RuleJoin<'a> {
    collection: &'a Collection,
    alias: Alias,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        collection: &'a Collection,
        base: BaseTable,
        request: Option<&'a RequestContext>,
        now: OffsetDateTime,
    ) -> Resolver<'a> {
        Resolver {
            schema,
            collection,
            base,
            unstored: false,
            request,
            now,
            allow_hidden: true,
            joins: Vec::new(),
            rule_joins: Vec::new(),
            rules_applied: 0,
            aliases: 0,
        }
    }

    /// Declares that the filtered record is not stored yet.
    pub(crate) fn unstored(mut self) -> Resolver<'a> {
        self.unstored = true;
        self
    }

    pub(crate) fn filter(&mut self, expr: &Expr) -> Result<Condition, FilterError> {
        self.filter_within(expr, &mut { EXPRESSIONS_MAX })
    }

    fn filter_within(&mut self, expr: &Expr, left: &mut usize) -> Result<Condition, FilterError> {
        let mut parts = Vec::with_capacity(expr.items.len());
        for (join, item) in &expr.items {
            let condition = match item {
                Item::Group(group) => self.filter_within(group, left)?,
                Item::Comparison(comparison) => {
                    *left = left.checked_sub(1).ok_or(FilterError::ExpressionLimit)?;
                    self.comparison(comparison)?
                }
            };
            parts.push((*join, condition));
        }
        Ok(Condition::Chain(parts))
    }

    fn comparison(&mut self, comparison: &Comparison) -> Result<Condition, FilterError> {
        let Comparison { left, operator, right } = comparison;
        let l = self.operand(left).map_err(|cause| FilterError::Left {
            literal: literal(left),
            cause: Box::new(cause),
        })?;
        let r = self.operand(right).map_err(|cause| FilterError::Right {
            literal: literal(right),
            cause: Box::new(cause),
        })?;
        Ok(compare(l, *operator, r))
    }

    fn operand(&mut self, operand: &Operand) -> Result<Resolved, FilterError> {
        match operand {
            Operand::Identifier(name) => self.identifier(name),
            Operand::Text(text) => Ok(Term::Value(SqlValue::Text(text.clone())).into()),
            Operand::Number(literal) => Ok(Term::Value(SqlValue::Real(number(literal))).into()),
            Operand::Call { function, arguments } => self.call(function, arguments),
        }
    }

    fn identifier(&mut self, name: &str) -> Result<Resolved, FilterError> {
        if let Some(value) = macros::value(name, self.now) {
            return Ok(Term::Value(value).into());
        }
        match self.path(name) {
            Ok(resolved) => Ok(resolved),
            Err(error) => keyword(name).map(Resolved::from).ok_or(error),
        }
    }

    /// The collection with that name or id.
    fn load(&self, name_or_id: &str) -> Option<&'a Collection> {
        // The collection at hand may differ from the stored one of that id, when it is being
        // changed; but an unstored record belongs to no table.
        let own = name_or_id == self.collection.name || name_or_id == self.collection.id;
        if own && !self.unstored {
            return Some(self.collection);
        }
        self.schema.find(name_or_id).map(|found| &**found)
    }

    /// Joins a table of records, unless the query has that join.
    fn join_table(
        &mut self,
        key: String,
        collection: &'a Collection,
        on: On,
        multiplies: bool,
    ) -> Result<Alias, FilterError> {
        if !self.allow_hidden && collection.rules.list.is_none() {
            return Err(FilterError::ClosedCollection(collection.name.clone()));
        }
        let source = source(collection)?;
        let alias = self.join(key, source, on, multiplies);
        let known = self.rule_joins.iter().any(|rule| rule.alias == alias);
        if !self.allow_hidden && !known {
            self.rule_joins.push(RuleJoin { collection, alias: alias.clone() });
        }
        Ok(alias)
    }

    /// Joins anything, unless the query has that join.
    fn join(&mut self, key: String, source: Source, on: On, multiplies: bool) -> Alias {
        if let Some(known) = self.joins.iter_mut().find(|joined| joined.key == key) {
            known.unused = false;
            return known.clause.alias.clone();
        }
        let alias = self.new_alias();
        let clause = JoinClause { source, alias: alias.clone(), on };
        self.joins.push(Joined { key, clause, multiplies, unused: false });
        alias
    }

    /// Notes a join that nothing reads, unless the query has that join.
    fn join_unused(&mut self, key: String, source: Source, on: On) {
        if self.joins.iter().all(|joined| joined.key != key) {
            let clause = JoinClause { source, alias: self.new_alias(), on };
            self.joins.push(Joined { key, clause, multiplies: false, unused: true });
        }
    }

    fn new_alias(&mut self) -> Alias {
        self.aliases += 1;
        Alias::Joined(self.aliases)
    }

    /// The list rules of the collections that were joined since the last call.
    pub(crate) fn joined_rules(&mut self) -> Result<Vec<Condition>, FilterError> {
        let mut conditions = Vec::new();
        while let Some(RuleJoin { collection, alias }) = self.rule_joins.get(self.rules_applied) {
            let (collection, alias) = (*collection, alias.clone());
            self.rules_applied += 1;
            if let Some(rule) = collection.rules.list.as_deref().filter(|rule| !rule.is_empty()) {
                let condition = self.joined_rule(collection, alias, rule).map_err(|cause| {
                    let collection = collection.name.clone();
                    FilterError::JoinedRule { collection, cause: Box::new(cause) }
                })?;
                conditions.push(condition);
            }
        }
        Ok(conditions)
    }

    /// Holds where the joined row is missing or its collection's list rule lets it be seen.
    fn joined_rule(
        &mut self,
        collection: &'a Collection,
        alias: Alias,
        rule: &str,
    ) -> Result<Condition, FilterError> {
        let rule = crate::parse::parse(rule)?;
        let keyed = collection.kind != CollectionKind::View;
        let table = BaseTable { name: ident(&collection.name)?, alias, keyed };
        let mut inner = Resolver::new(self.schema, collection, table, self.request, self.now);
        inner.aliases = self.aliases;
        let missing = Comparison {
            left: Operand::Identifier("id".to_owned()),
            operator: crate::expr::Operator::every(crate::expr::Comparator::Equal),
            right: Operand::Text(String::new()),
        };
        let whole = Expr {
            items: vec![(Join::And, Item::Comparison(missing)), (Join::Or, Item::Group(rule))],
        };
        let condition = inner.filter(&whole)?;
        self.aliases = inner.aliases;
        self.joins.extend(inner.joins.into_iter().map(|joined| {
            // The joined table's own joins are never shared with those of the query.
            let key = format!("{:?} {}", inner.base.alias, joined.key);
            Joined { key, ..joined }
        }));
        Ok(condition)
    }
}

/// The number that a literal stands for. Digits only, so that all it can be is too large.
pub(crate) fn number(literal: &str) -> f64 {
    literal.parse().ok().filter(|number: &f64| number.is_finite()).unwrap_or(0.0)
}

/// What an operand is called in messages.
fn literal(operand: &Operand) -> String {
    match operand {
        Operand::Identifier(text) | Operand::Text(text) | Operand::Number(text) => text.clone(),
        Operand::Call { function, .. } => function.clone(),
    }
}

/// What `null`, `true` and `false` mean where no field has that name.
pub(crate) fn keyword(name: &str) -> Option<Term> {
    if name.eq_ignore_ascii_case("null") {
        return Some(Term::Null);
    }
    if name.eq_ignore_ascii_case("true") {
        return Some(Term::Integer(1));
    }
    name.eq_ignore_ascii_case("false").then_some(Term::Integer(0))
}

/// The records of a collection, to join.
fn source(collection: &Collection) -> Result<Source, FilterError> {
    let keyed = collection.kind != CollectionKind::View;
    Ok(Source::Table { name: ident(&collection.name)?, keyed })
}

fn ident(name: &str) -> Result<Ident, FilterError> {
    Ident::parse(name).ok_or_else(|| FilterError::UnsafeName(name.to_owned()))
}
