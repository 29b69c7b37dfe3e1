//! Rules in a form that is evaluated in memory, without a look at the database.
//!
//! Covers rules that need only the record's own plain fields, literals, macros and the request.
//! Those answer exactly what SQLite would answer to the statement of [`crate::Query`]: both
//! share the decisions in `compare.rs`, and a property test runs them against each other.

use pando_schema::{Collection, Record, Schema};
use time::OffsetDateTime;

use crate::compare::{NullFallback, Traits, pattern};
use crate::expr::{Comparator, Expr, Item, Join};
use crate::query::Origin;
use crate::request::RequestContext;
use crate::resolve::EXPRESSIONS_MAX;
use crate::{ParseError, SqlValue};

mod evaluate;
mod source;
#[cfg(test)]
mod tests;

use source::Source;
pub(crate) use source::changed_expr;

/// A rule or filter, prepared for one version of a collection.
#[derive(Debug, Clone)]
pub struct Compiled {
    expr: Expr,
    /// `None` if the rule always needs SQL.
    node: Option<Node>,
}

/// Who wrote a filter, and so what it may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The operator: a rule.
    Operator,
    /// A client. Hidden fields are out of its sight, and so are hidden e-mail addresses.
    Client,
}

#[derive(Debug, Clone)]
enum Node {
    Chain(Vec<(Join, Node)>),
    Compare(Comparison),
}

#[derive(Debug, Clone)]
struct Comparison {
    left: Source,
    kind: Comparator,
    right: Source,
    /// The LIKE pattern that a literal right side makes.
    pattern: Option<String>,
    /// Index of the field that says whether the compared e-mail address may be seen.
    email_visibility: Option<usize>,
}

/// Prepares a rule for `collection`. The result answers for records of this very collection only.
pub fn compile(
    rule: &str,
    collection: &Collection,
    schema: &Schema,
    author: Author,
) -> Result<Compiled, ParseError> {
    let expr = crate::parse::parse(rule)?;
    let compiler = Compiler { collection, schema, author };
    let node = compiler.chain(&expr, &mut { EXPRESSIONS_MAX });
    Ok(Compiled { expr, node })
}

impl Compiled {
    /// The rule as parsed, for [`crate::Query::filter`].
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Whether the rule always needs SQL.
    pub fn needs_sql(&self) -> bool {
        self.node.is_none()
    }

    /// Whether the rule holds for `record`, or `None` if only the database can tell (which is
    /// also the answer for rules that are wrong).
    pub fn eval(
        &self,
        record: &Record,
        origin: Origin,
        request: Option<&RequestContext>,
        now: OffsetDateTime,
    ) -> Option<bool> {
        let scene = evaluate::Scene { record, origin, request, now };
        // Null does not hold.
        Some(scene.node(self.node.as_ref()?)? == Some(true))
    }
}

struct Compiler<'c> {
    collection: &'c Collection,
    schema: &'c Schema,
    author: Author,
}

impl Compiler<'_> {
    fn chain(&self, expr: &Expr, left: &mut usize) -> Option<Node> {
        let mut parts = Vec::with_capacity(expr.items.len());
        for (join, item) in &expr.items {
            let node = match item {
                Item::Group(group) => self.chain(group, left)?,
                Item::Comparison(comparison) => {
                    *left = left.checked_sub(1)?;
                    Node::Compare(self.comparison(comparison)?)
                }
            };
            parts.push((*join, node));
        }
        match parts.len() {
            1 => parts.pop().map(|(_, only)| only),
            _ => Some(Node::Chain(parts)),
        }
    }

    fn comparison(&self, comparison: &crate::expr::Comparison) -> Option<Comparison> {
        let crate::expr::Comparison { left, operator, right } = comparison;
        let (left, right) = (self.source(left)?, self.source(right)?);
        let like = matches!(operator.kind, Comparator::Like | Comparator::NotLike);
        let pattern = match &right {
            Source::Literal(value) if like => Some(pattern(value)),
            _ => None,
        };
        let email_visibility = self.email_visibility(&left, &right)?;
        Some(Comparison { left, kind: operator.kind, right, pattern, email_visibility })
    }

    /// The field that guards a compared e-mail address, if it must be guarded.
    fn email_visibility(&self, left: &Source, right: &Source) -> Option<Option<usize>> {
        let email = self.collection.field_index("email");
        let compared = [left, right]
            .into_iter()
            .any(|side| matches!(side, Source::Field { index, .. } if Some(*index) == email));
        let auth = self.collection.kind == pando_schema::CollectionKind::Auth;
        if self.author == Author::Operator || !compared || !auth {
            return Some(None);
        }
        self.collection.field_index("emailVisibility").map(Some)
    }
}

/// The traits of a bound value.
fn value_traits(value: &SqlValue) -> Traits {
    let empty = match value {
        SqlValue::Null => true,
        SqlValue::Text(text) => text.is_empty(),
        SqlValue::Int(_) | SqlValue::Real(_) => false,
    };
    Traits { empty, known_non_empty: !empty, fallback: NullFallback::Auto }
}
