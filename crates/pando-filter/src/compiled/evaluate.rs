//! Evaluates a compiled rule for one record and request.
//!
//! `None` means "ask the database"; three-valued truth is `Option<bool>` inside that.

use std::borrow::Cow;
use std::cmp::Ordering;

use pando_schema::{Record, Value};
use time::OffsetDateTime;

use super::source::{AuthPath, FieldForm, RequestForm, Source};
use super::{Comparison, Node, value_traits};
use crate::compare::{Binary, Form, NullFallback, Traits, pattern};
use crate::expr::Join;
use crate::query::Origin;
use crate::request::RequestContext;
use crate::resolve::body::{items, sent_text};
use crate::resolve::request::{Found, lookup, own_field, plain_auth_field};
use crate::scalar::{Cell, like, lower, order};
use crate::stored::{number_value, stored};
use crate::term::{Affinity, Term};
use crate::{SqlValue, macros};

/// True, false or unknown.
type Truth = Option<bool>;

pub(super) struct Scene<'s> {
    pub(super) record: &'s Record,
    pub(super) origin: Origin,
    pub(super) request: Option<&'s RequestContext>,
    pub(super) now: OffsetDateTime,
}

/// One side of a comparison.
struct Side<'v> {
    cell: Cell<'v>,
    affinity: Affinity,
    traits: Traits,
    /// It is a value of the rule or the request, so that LIKE takes it for a pattern.
    value: bool,
    /// The word that a truth value is as a pattern.
    flag: Option<bool>,
    /// It is written as TRUE or FALSE, which IS treats in a way of its own.
    truth: bool,
}

impl<'s> Scene<'s> {
    pub(super) fn node(&self, node: &Node) -> Option<Truth> {
        match node {
            Node::Compare(comparison) => self.comparison(comparison),
            Node::Chain(parts) => self.chain(parts),
        }
    }

    /// Any of the runs of parts that OR separates must hold as a whole.
    fn chain(&self, parts: &[(Join, Node)]) -> Option<Truth> {
        let mut any = Some(false);
        let mut all = Some(true);
        for (index, (join, node)) in parts.iter().enumerate() {
            if index > 0 && *join == Join::Or {
                any = or(any, all);
                all = Some(true);
                if any == Some(true) {
                    return Some(any);
                }
            }
            if all != Some(false) {
                all = and(all, self.node(node)?);
            }
        }
        Some(or(any, all))
    }

    fn comparison(&self, comparison: &Comparison) -> Option<Truth> {
        let left = self.side(&comparison.left)?;
        let right = self.side(&comparison.right)?;
        let form = Form::choose(comparison.kind, left.traits, right.traits, right.value);
        let truth = compare(form, &left, &right, comparison.pattern.as_deref())?;
        match comparison.email_visibility {
            None => Some(truth),
            Some(index) => {
                let visible = matches!(self.record.values.get(index)?, Value::Bool(true));
                Some(and(truth, Some(visible)))
            }
        }
    }

    fn side<'v>(&self, source: &'v Source) -> Option<Side<'v>>
    where
        's: 'v,
    {
        Some(match source {
            Source::Null => Side::null(),
            Source::Integer(number) => Side::literal(*number),
            Source::Literal(value) => Side::value(Cell::of(value), value_traits(value)),
            Source::Macro(name) => Side::owned(macros::value(name, self.now)?),
            Source::Field { index, affinity, form } => {
                self.field(self.record.values.get(*index)?, *affinity, *form)?
            }
            Source::Auth(path) => self.auth(path)?,
            Source::Request { path, form } => {
                let Some(request) = self.request else { return Some(Side::null()) };
                found(lookup(request, &self.record.collection, path), *form)?
            }
            Source::BodyLength(name) => {
                let Some(request) = self.request else { return Some(Side::null()) };
                Side::literal(i64::try_from(items(request.body.get(name)).len()).ok()?)
            }
            Source::BodyLower(name) => {
                let Some(request) = self.request else { return Some(Side::null()) };
                let field = self.record.collection.field(name)?;
                found(Found::Text(sent_text(request, field)), RequestForm::Lower)?
            }
            Source::Changed(node) => {
                if self.request.is_none() {
                    return Some(Side::null());
                }
                let cell = self.node(node)?.map_or(Cell::Null, |truth| Cell::Int(truth.into()));
                let mut side = Side::column(cell, Affinity::None);
                side.traits.fallback = NullFallback::Disabled;
                side
            }
        })
    }

    fn field<'v>(&self, value: &'v Value, affinity: Affinity, form: FieldForm) -> Option<Side<'v>> {
        let affinity = match self.origin {
            Origin::Stored => affinity,
            Origin::Submitted => Affinity::None,
        };
        let cell = match (value, form) {
            (Value::List(list), FieldForm::Length) => Cell::Int(i64::try_from(list.len()).ok()?),
            (Value::Text(text), FieldForm::Length) if text.is_empty() => Cell::Int(0),
            // A single value that looks like a list.
            (Value::Text(text), FieldForm::Length) if text.trim_start().starts_with('[') => {
                return None;
            }
            (_, FieldForm::Length) => Cell::Int(1),
            (value, FieldForm::Plain) => self.cell(value)?,
            (value, FieldForm::Lower) => lower(self.cell(value)?)?,
        };
        Some(Side::column(cell, affinity))
    }

    /// A field's value as its column holds it.
    fn cell<'v>(&self, value: &'v Value) -> Option<Cell<'v>> {
        Some(match value {
            Value::Text(text) => Cell::text(text),
            Value::Bool(flag) => Cell::Int((*flag).into()),
            Value::Number(number) => match (self.origin, number_value(*number)) {
                (Origin::Stored, SqlValue::Int(whole)) => Cell::Int(whole),
                (Origin::Stored | Origin::Submitted, _) => Cell::real(*number),
            },
            Value::List(_) => match stored(value) {
                SqlValue::Text(text) => Cell::Text(Cow::Owned(text)),
                SqlValue::Null | SqlValue::Int(_) | SqlValue::Real(_) => return None,
            },
            Value::Json(_) | Value::GeoPoint { .. } => return None,
        })
    }

    fn auth<'v>(&self, path: &'v AuthPath) -> Option<Side<'v>>
    where
        's: 'v,
    {
        let Some(auth) = self.request.and_then(|request| request.auth.as_deref()) else {
            return Some(Side::null());
        };
        let (path, plain_only) = match path {
            AuthPath::Id => {
                let id = auth.id();
                let traits = Traits {
                    empty: id.is_empty(),
                    known_non_empty: !id.is_empty(),
                    fallback: NullFallback::Auto,
                };
                return Some(Side::value(Cell::text(id), traits));
            }
            AuthPath::Other { path, plain_only } => (path, *plain_only),
        };
        if let Some(plain) = plain_auth_field(auth, path) {
            return found(plain, RequestForm::Plain);
        }
        if plain_only {
            return None;
        }
        match own_field(auth, path).ok()?? {
            Term::Null => Some(Side::null()),
            Term::Stored(value, affinity) => Some(Side::column(owned(value), affinity)),
            Term::Lower(inner) => match *inner {
                Term::Stored(value, _) => Some(Side::column(lower(owned(value))?, Affinity::None)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<'v> Side<'v> {
    fn column(cell: Cell<'v>, affinity: Affinity) -> Side<'v> {
        let fallback = NullFallback::Auto;
        let traits = Traits { empty: false, known_non_empty: false, fallback };
        Side { cell, affinity, traits, value: false, flag: None, truth: false }
    }

    fn value(cell: Cell<'v>, traits: Traits) -> Side<'v> {
        Side { value: true, traits, ..Side::column(cell, Affinity::None) }
    }

    fn owned(value: SqlValue) -> Side<'v> {
        let traits = value_traits(&value);
        Side::value(owned(value), traits)
    }

    fn null() -> Side<'v> {
        let mut side = Side::column(Cell::Null, Affinity::None);
        side.traits.empty = true;
        side
    }

    /// A number in the text of the statement.
    fn literal(number: i64) -> Side<'v> {
        let mut side = Side::column(Cell::Int(number), Affinity::None);
        side.traits.known_non_empty = matches!(number, 0 | 1);
        side
    }

    /// Nothing converts the empty text of a statement.
    fn empty() -> Side<'v> {
        Side::column(Cell::text(""), Affinity::None)
    }
}

fn owned<'v>(value: SqlValue) -> Cell<'v> {
    match value {
        SqlValue::Null => Cell::Null,
        SqlValue::Int(number) => Cell::Int(number),
        SqlValue::Real(number) => Cell::real(number),
        SqlValue::Text(text) => Cell::Text(Cow::Owned(text)),
    }
}

fn found<'v>(found: Found, form: RequestForm) -> Option<Side<'v>> {
    if form == RequestForm::Isset {
        let mut side = Side::literal((found != Found::Missing).into());
        side.truth = true;
        return Some(side);
    }
    let mut side = match found {
        Found::Missing | Found::Null => return Some(Side::null()),
        Found::Flag(flag) => Side { flag: Some(flag), ..Side::owned(SqlValue::Int(flag.into())) },
        // As a pattern, a number is printed in another way than LOWER prints it.
        Found::Number(_) if form == RequestForm::Lower => return None,
        Found::Number(number) => Side::owned(SqlValue::Real(number)),
        Found::Text(text) => Side::owned(SqlValue::Text(text)),
    };
    if form == RequestForm::Lower {
        side.cell = lower(side.cell)?;
    }
    Some(side)
}

fn compare(
    form: Form,
    left: &Side<'_>,
    right: &Side<'_>,
    like_pattern: Option<&str>,
) -> Option<Truth> {
    match form {
        Form::Binary(binary) => apply(binary, left, right),
        Form::BothEmpty(binary) => apply(binary, &Side::empty(), &Side::empty()),
        Form::WithEmpty(binary) => apply(binary, left, &Side::empty()),
        Form::EmptyWith(binary) => apply(binary, &Side::empty(), right),
        Form::RightEmpty => is_empty(right).map(Some),
        Form::RightNotEmpty => is_empty(right).map(|empty| Some(!empty)),
        Form::LeftEmpty => is_empty(left).map(Some),
        Form::LeftNotEmpty => is_empty(left).map(|empty| Some(!empty)),
        Form::Coalesced(binary) => apply(binary, &coalesced(left), &coalesced(right)),
        Form::Like { negated } => {
            let owned;
            let wanted = match like_pattern {
                Some(known) => known,
                None => {
                    owned = side_pattern(right)?;
                    &owned
                }
            };
            like_truth(&left.cell, wanted, negated)
        }
        Form::Contains { negated } => {
            if right.cell == Cell::Null {
                return Some(None);
            }
            like_truth(&left.cell, &format!("%{}%", right.cell.to_text()?), negated)
        }
    }
}

fn apply(binary: Binary, left: &Side<'_>, right: &Side<'_>) -> Option<Truth> {
    let null = left.cell == Cell::Null || right.cell == Cell::Null;
    if matches!(binary, Binary::Is | Binary::IsNot) && right.truth {
        return None;
    }
    let ordering = || order(&left.cell, left.affinity, &right.cell, right.affinity);
    let both_null = left.cell == Cell::Null && right.cell == Cell::Null;
    Some(match binary {
        Binary::Is if null => Some(both_null),
        Binary::IsNot if null => Some(!both_null),
        _ if null => None,
        Binary::Is | Binary::Equal => Some(ordering()? == Ordering::Equal),
        Binary::IsNot => Some(ordering()? != Ordering::Equal),
        Binary::Less => Some(ordering()? == Ordering::Less),
        Binary::LessOrEqual => Some(ordering()? != Ordering::Greater),
        Binary::Greater => Some(ordering()? == Ordering::Greater),
        Binary::GreaterOrEqual => Some(ordering()? != Ordering::Less),
    })
}

/// Whether a side is the empty text or null.
fn is_empty(side: &Side<'_>) -> Option<bool> {
    Some(apply(Binary::Equal, side, &Side::empty())?.unwrap_or(true))
}

/// COALESCE with the empty text. As every function's, its result converts nothing.
fn coalesced<'v>(side: &'v Side<'_>) -> Side<'v> {
    let cell = match &side.cell {
        Cell::Null => Cell::text(""),
        Cell::Int(number) => Cell::Int(*number),
        Cell::Real(number) => Cell::Real(*number),
        Cell::Text(text) => Cell::text(text),
    };
    Side::column(cell, Affinity::None)
}

/// The pattern that a bound side makes.
fn side_pattern(side: &Side<'_>) -> Option<String> {
    if let Some(flag) = side.flag {
        return Some(pattern(&SqlValue::Text(flag.to_string())));
    }
    Some(match &side.cell {
        Cell::Null => pattern(&SqlValue::Null),
        Cell::Int(number) => pattern(&SqlValue::Int(*number)),
        Cell::Real(number) => pattern(&SqlValue::Real(*number)),
        Cell::Text(text) => pattern(&SqlValue::Text(text.clone().into_owned())),
    })
}

fn like_truth(text: &Cell<'_>, pattern: &str, negated: bool) -> Option<Truth> {
    if *text == Cell::Null {
        return Some(None);
    }
    Some(Some(like(&text.to_text()?, pattern)? != negated))
}

fn and(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn or(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}
