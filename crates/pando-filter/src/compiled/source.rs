//! Where an operand of a compiled rule takes its value from.

use pando_schema::{CollectionKind, FieldKind};

use super::{Author, Compiler, Node};
use crate::SqlValue;
use crate::expr::{Comparator, Comparison, Expr, Item, Join, Operand, Operator};
use crate::macros;
use crate::resolve::name::{Modifier, allowed, split_modifier};
use crate::resolve::path::listable;
use crate::resolve::{keyword, number};
use crate::stored::affinity;
use crate::term::{Affinity, Term};

#[derive(Debug, Clone)]
pub(super) enum Source {
    Null,
    /// `true` or `false`.
    Integer(i64),
    Literal(SqlValue),
    Macro(&'static str),
    /// A field of the record.
    Field {
        index: usize,
        affinity: Affinity,
        form: FieldForm,
    },
    /// A path after `@request.auth.`.
    Auth(AuthPath),
    /// A path after `@request.`, without its modifier.
    Request {
        path: String,
        form: RequestForm,
    },
    /// `@request.body.FIELD:length`.
    BodyLength(String),
    /// `@request.body.FIELD:lower`.
    BodyLower(String),
    Changed(Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldForm {
    Plain,
    Lower,
    Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestForm {
    Plain,
    Lower,
    Isset,
}

#[derive(Debug, Clone)]
pub(super) enum AuthPath {
    Id,
    /// Any other path, and whether only the fields that are always readable may be looked at.
    Other {
        path: String,
        plain_only: bool,
    },
}

impl Compiler<'_> {
    /// `None` if the operand needs SQL.
    pub(super) fn source(&self, operand: &Operand) -> Option<Source> {
        match operand {
            Operand::Text(text) => Some(Source::Literal(SqlValue::Text(text.clone()))),
            Operand::Number(literal) => Some(Source::Literal(SqlValue::Real(number(literal)))),
            Operand::Call { .. } => None,
            Operand::Identifier(name) => self.identifier(name),
        }
    }

    fn identifier(&self, name: &str) -> Option<Source> {
        // A view's columns are expressions, which may compare in other ways.
        if self.collection.kind == CollectionKind::View {
            return None;
        }
        if let Some(known) = macros::find(name) {
            return Some(Source::Macro(known));
        }
        if !allowed(name) || name.starts_with("@collection.") {
            return None;
        }
        if let Some(path) = name.strip_prefix("@request.") {
            return self.request(path);
        }
        match name.split_once('.') {
            None => self.field(name),
            Some((relation, "id")) => self.single_relation(relation),
            Some(_) => None,
        }
    }

    fn field(&self, part: &str) -> Option<Source> {
        let (name, modifier) = split_modifier(part).ok()?;
        let Some(index) = self.collection.field_index(name) else {
            return match keyword(part)? {
                Term::Null => Some(Source::Null),
                Term::Integer(truth) => Some(Source::Integer(truth)),
                _ => None,
            };
        };
        let field = &self.collection.fields[index];
        let unreadable = matches!(field.kind, FieldKind::Json { .. } | FieldKind::GeoPoint { .. });
        if unreadable || (field.hidden && self.author == Author::Client) {
            return None;
        }
        let form = match modifier {
            Some(Modifier::Each) if listable(field) => return None,
            Some(Modifier::Length) if listable(field) => FieldForm::Length,
            Some(Modifier::Lower) => FieldForm::Lower,
            Some(Modifier::Each | Modifier::Length | Modifier::Isset | Modifier::Changed)
            | None => FieldForm::Plain,
        };
        let affinity = match form {
            FieldForm::Plain => affinity(&field.kind, field.multiple()),
            FieldForm::Lower | FieldForm::Length => Affinity::None,
        };
        Some(Source::Field { index, affinity, form })
    }

    /// The id behind a single relation is what the relation holds.
    fn single_relation(&self, name: &str) -> Option<Source> {
        let field = self.collection.field(name)?;
        let FieldKind::Relation { collection_id, .. } = &field.kind else { return None };
        let known =
            *collection_id == self.collection.id || self.schema.find(collection_id).is_some();
        if field.multiple() || !known {
            return None;
        }
        self.field(name)
    }

    fn request(&self, path: &str) -> Option<Source> {
        if let Some(rest) = path.strip_prefix("auth.") {
            return Some(Source::Auth(match rest {
                "id" => AuthPath::Id,
                _ => AuthPath::Other {
                    path: rest.to_owned(),
                    plain_only: self.author == Author::Client,
                },
            }));
        }
        if let Some(rest) = path.strip_prefix("body.") {
            return self.body(path, rest);
        }
        plain_request(path)
    }

    fn body(&self, path: &str, rest: &str) -> Option<Source> {
        let (part, deeper) = rest.split_once('.').map_or((rest, None), |(p, r)| (p, Some(r)));
        let (name, modifier) = split_modifier(part).ok()?;
        let Some(field) = self.collection.field(name) else { return plain_request(path) };
        match (deeper, modifier) {
            (Some(_), _) if matches!(field.kind, FieldKind::Relation { .. }) => None,
            (None, Some(Modifier::Each)) => None,
            (None, Some(Modifier::Length)) => {
                listable(field).then(|| Source::BodyLength(name.to_owned()))
            }
            (None, Some(Modifier::Lower)) => Some(Source::BodyLower(name.to_owned())),
            (None, Some(Modifier::Changed)) => self.changed(name),
            (_, None | Some(_)) => plain_request(path),
        }
    }

    fn changed(&self, name: &str) -> Option<Source> {
        let node = self.chain(&changed_expr(name), &mut 2)?;
        Some(Source::Changed(Box::new(node)))
    }
}

fn plain_request(path: &str) -> Option<Source> {
    let start = path.rfind('.').map_or(0, |dot| dot + 1);
    let (name, modifier) = split_modifier(&path[start..]).ok()?;
    let form = match modifier {
        None => RequestForm::Plain,
        Some(Modifier::Lower) => RequestForm::Lower,
        Some(Modifier::Isset) => RequestForm::Isset,
        Some(Modifier::Each | Modifier::Length | Modifier::Changed) => return None,
    };
    Some(Source::Request { path: path[..start + name.len()].to_owned(), form })
}

/// What `@request.body.NAME:changed` stands for: sent, and another than what is stored.
pub(crate) fn changed_expr(name: &str) -> Expr {
    let sent = Comparison {
        left: Operand::Identifier(format!("@request.body.{name}:isset")),
        operator: Operator::every(Comparator::Equal),
        right: Operand::Identifier("true".to_owned()),
    };
    let other = Comparison {
        left: Operand::Identifier(format!("@request.body.{name}")),
        operator: Operator::every(Comparator::NotEqual),
        right: Operand::Identifier(name.to_owned()),
    };
    Expr { items: [sent, other].map(|part| (Join::And, Item::Comparison(part))).into() }
}
