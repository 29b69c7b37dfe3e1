//! Resolves `@request.body.…` paths that name a field of the collection.
//!
//! Source: PocketBase `core/record_field_resolver_runner.go`.

use pando_schema::{Field, FieldKind};
use serde_json::Value as Json;

use super::name::{Modifier, split_modifier};
use super::path::listable;
use super::request::lower;
use super::{Resolver, source};
use crate::SqlValue;
use crate::compare::{NullFallback, Resolved, plain_text};
use crate::compiled::changed_expr;
use crate::error::FilterError;
use crate::go_json;
use crate::join::{On, Source};
use crate::request::RequestContext;
use crate::term::{Items, Term};

impl<'a> Resolver<'a> {
    /// A path after `@request.body.`.
    pub(super) fn body_path(
        &mut self,
        request: &'a RequestContext,
        path: &str,
    ) -> Result<Resolved, FilterError> {
        let (part, rest) = path.split_once('.').map_or((path, None), |(p, r)| (p, Some(r)));
        let (name, modifier) = split_modifier(part)?;
        let Some(field) = self.collection.field(name) else {
            return self.plain_request_path(request, &format!("body.{path}"));
        };
        match (rest, modifier) {
            (Some(rest), _) if matches!(field.kind, FieldKind::Relation { .. }) => {
                self.body_relation(request, field, rest)
            }
            (None, Some(Modifier::Each)) => self.body_each(request, field),
            (None, Some(Modifier::Length)) => {
                check_listable(field)?;
                let count = items(request.body.get(name)).len();
                Ok(Term::Integer(i64::try_from(count).unwrap_or(i64::MAX)).into())
            }
            (None, Some(Modifier::Lower)) => {
                let text = sent_text(request, field);
                Ok(lower(Term::Value(SqlValue::Text(text))).into())
            }
            (None, Some(Modifier::Changed)) => self.body_changed(name),
            (_, None | Some(_)) => self.plain_request_path(request, &format!("body.{path}")),
        }
    }

    /// `:changed`: sent, and another than what is stored.
    fn body_changed(&mut self, name: &str) -> Result<Resolved, FilterError> {
        let condition = self.filter(&changed_expr(name))?;
        let mut changed = Resolved::from(Term::Changed(Box::new(condition)));
        changed.fallback = NullFallback::Disabled;
        Ok(changed)
    }

    /// `:each`: the items that were sent.
    fn body_each(
        &mut self,
        request: &RequestContext,
        field: &Field,
    ) -> Result<Resolved, FilterError> {
        check_listable(field)?;
        let list = Json::Array(items(request.body.get(&field.name)).into_iter().cloned().collect());
        let list = SqlValue::Text(go_json::text(&list));
        let key = format!("@request.body.{}[]", field.name);
        let source = Source::SentItems(list.clone());
        let alias = self.join(key, source.clone(), On::All, true);
        let mut walk = self.start(true);
        walk.multiple = field.multiple();
        let match_alias = self.new_alias();
        walk.match_join(source, match_alias.clone(), On::All);
        let term = Term::Each(alias, Items::Sent(list));
        let matched = Term::Each(match_alias, Items::Matched);
        Ok(self.resolved(walk, term, matched, NullFallback::Auto))
    }

    /// A path through a relation that was sent.
    fn body_relation(
        &mut self,
        request: &RequestContext,
        field: &Field,
        rest: &str,
    ) -> Result<Resolved, FilterError> {
        let FieldKind::Relation { collection_id, .. } = &field.kind else {
            return Err(FilterError::NoRelation(field.name.clone()));
        };
        let related = self.load(collection_id).ok_or_else(|| FilterError::NoBodyCollection {
            id: collection_id.clone(),
            field: field.name.clone(),
        })?;
        let ids = sent_ids(request.body.get(&field.name));
        if ids.is_empty() {
            return Ok(Term::Null.into());
        }
        let mut walk = self.start(true);
        walk.key = format!("@request.body.{}.{}", related.name, field.name);
        let (multiplies, on) = (ids.len() > 1, On::Ids(ids));
        walk.table = self.join_table(walk.key.clone(), related, on.clone(), multiplies)?;
        walk.collection = related;
        walk.multiple = field.multiple();
        walk.match_table = self.new_alias();
        walk.match_join(source(related)?, walk.match_table.clone(), on);
        self.follow(walk, rest)
    }
}

fn check_listable(field: &Field) -> Result<(), FilterError> {
    if listable(field) {
        return Ok(());
    }
    Err(FilterError::NotMultiple(field.name.clone()))
}

/// A sent value as a list; null is an empty one.
pub(crate) fn items(value: Option<&Json>) -> Vec<&Json> {
    match value {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    }
}

/// What was sent for a field, as text. JSON fields are their JSON text.
pub(crate) fn sent_text(request: &RequestContext, field: &Field) -> String {
    let Some(value) = request.body.get(&field.name) else { return String::new() };
    match &field.kind {
        FieldKind::Json { .. } | FieldKind::GeoPoint { .. } => value.to_string(),
        _ => body_text(value),
    }
}

/// A sent value as text; lists and objects have none.
fn body_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => plain_text(&SqlValue::Real(number.as_f64().unwrap_or(0.0))),
        Json::Null | Json::Array(_) | Json::Object(_) => String::new(),
    }
}

/// The distinct ids in a sent relation: an id, a list of ids or a text that holds such a list.
fn sent_ids(value: Option<&Json>) -> Vec<String> {
    let mut ids: Vec<String> = match value {
        Some(Json::String(text)) if text.contains('[') => {
            serde_json::from_str(text).unwrap_or_else(|_| vec![text.clone()])
        }
        value => items(value).into_iter().map(body_text).collect(),
    };
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| !id.is_empty() && seen.insert(id.clone()));
    ids
}
