//! Resolves `@request.…` paths: what the request says and who sent it.
//!
//! Source: PocketBase `core/record_field_resolver.go`, `record_field_resolver_runner.go`.

use pando_schema::{Collection, FieldKind, Record};
use serde_json::Value as Json;

use super::name::{Modifier, split_modifier};
use super::{Resolver, source};
use crate::SqlValue;
use crate::compare::Resolved;
use crate::error::FilterError;
use crate::go_json;
use crate::join::On;
use crate::request::RequestContext;
use crate::stored::{affinity, stored};
use crate::term::Term;

/// What a path into the request leads to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    Missing,
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Found {
    pub(crate) fn term(self) -> Term {
        match self {
            Found::Missing | Found::Null => Term::Null,
            Found::Flag(flag) => Term::Flag(flag),
            Found::Number(number) => Term::Value(SqlValue::Real(number)),
            Found::Text(text) => Term::Value(SqlValue::Text(text)),
        }
    }
}

impl<'a> Resolver<'a> {
    /// A path after `@request.`.
    pub(super) fn request_path(&mut self, path: &str) -> Result<Resolved, FilterError> {
        let Some(request) = self.request else { return Ok(Term::Null.into()) };
        if let Some(rest) = path.strip_prefix("auth.") {
            return self.auth_path(request, rest);
        }
        if let Some(rest) = path.strip_prefix("body.") {
            return self.body_path(request, rest);
        }
        self.plain_request_path(request, path)
    }

    /// A path to a value of the request itself.
    pub(super) fn plain_request_path(
        &self,
        request: &RequestContext,
        path: &str,
    ) -> Result<Resolved, FilterError> {
        let start = path.rfind('.').map_or(0, |dot| dot + 1);
        let (name, modifier) = split_modifier(&path[start..])?;
        let found = lookup(request, self.collection, &path[..start + name.len()]);
        match modifier {
            Some(Modifier::Isset) => Ok(Term::Truth(found != Found::Missing).into()),
            Some(modifier @ (Modifier::Each | Modifier::Length | Modifier::Changed)) => {
                let (name, modifier) = (name.to_owned(), modifier.name());
                Err(FilterError::ModifierSequence { name, modifier })
            }
            Some(Modifier::Lower) => Ok(lower(found.term()).into()),
            None => Ok(found.term().into()),
        }
    }

    /// A path after `@request.auth.`.
    fn auth_path(
        &mut self,
        request: &'a RequestContext,
        path: &str,
    ) -> Result<Resolved, FilterError> {
        let Some(auth) = request.auth.as_deref() else { return Ok(Term::Null.into()) };
        if let Some(found) = plain_auth_field(auth, path) {
            return Ok(found.term().into());
        }
        let collection: &'a Collection = &auth.collection;
        let key = format!("@request.auth.{}", collection.name);
        let on = On::Ids(vec![auth.id().to_owned()]);
        let source = source(collection)?;
        if self.allow_hidden
            && let Some(term) = own_field(auth, path)?
        {
            self.join_unused(key, source, on);
            return Ok(term.into());
        }
        let mut walk = self.start(true);
        walk.table = self.join_table(key.clone(), collection, on.clone(), false)?;
        walk.key = key;
        walk.collection = self.load(&collection.name).unwrap_or(collection);
        walk.match_table = self.new_alias();
        walk.match_join(source, walk.match_table.clone(), on);
        self.follow(walk, path)
    }
}

/// `LOWER` of a value; of null, null.
pub(super) fn lower(term: Term) -> Term {
    match term {
        Term::Null => Term::Null,
        term => Term::Lower(Box::new(term)),
    }
}

/// The fields of the auth record that PocketBase reads without a look at the database.
pub(crate) fn plain_auth_field(auth: &Record, path: &str) -> Option<Found> {
    match path {
        "collectionId" => return Some(Found::Text(auth.collection.id.clone())),
        "collectionName" => return Some(Found::Text(auth.collection.name.clone())),
        "id" | "email" | "emailVisibility" | "verified" => {}
        _ => return None,
    }
    Some(match auth.get(path) {
        Some(pando_schema::Value::Text(text)) => Found::Text(text.clone()),
        Some(pando_schema::Value::Bool(flag)) => Found::Flag(*flag),
        Some(_) | None => Found::Missing,
    })
}

/// A field of the auth record itself, whose value needs no join. Fields that are read through
/// SQL functions are left to the database.
pub(crate) fn own_field(auth: &Record, path: &str) -> Result<Option<Term>, FilterError> {
    let collection = &auth.collection;
    let part = match path.split_once('.') {
        None => path,
        // The id of a single relation is what the relation holds.
        Some((part, "id")) => match collection.field(part) {
            Some(field) if matches!(field.kind, FieldKind::Relation { .. }) => {
                match field.multiple() {
                    false => part,
                    true => return Ok(None),
                }
            }
            Some(_) | None => return Ok(None),
        },
        Some(_) => return Ok(None),
    };
    let (name, modifier) = split_modifier(part)?;
    let Some(index) = collection.field_index(name) else { return Ok(Some(Term::Null)) };
    let field = &collection.fields[index];
    if matches!(field.kind, FieldKind::Json { .. } | FieldKind::GeoPoint { .. }) {
        return Ok(None);
    }
    let listed =
        super::path::listable(field) && matches!(modifier, Some(Modifier::Each | Modifier::Length));
    let Some(value) = auth.values.get(index).filter(|_| !listed) else { return Ok(None) };
    let term = Term::Stored(stored(value), affinity(&field.kind, field.multiple()));
    Ok(Some(if modifier == Some(Modifier::Lower) { lower(term) } else { term }))
}

/// The value at a path after `@request.`, without modifier.
pub(crate) fn lookup(request: &RequestContext, base: &Collection, path: &str) -> Found {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let found = match root {
        "context" => Found::Text(request.context.as_str().to_owned()),
        "method" => Found::Text(request.method.clone()),
        "query" => request.query.get(rest).map_or(Found::Missing, |v| Found::Text(v.clone())),
        "headers" => request.headers.get(rest).map_or(Found::Missing, |v| Found::Text(v.clone())),
        "body" => body_value(request, base, rest),
        _ => Found::Missing,
    };
    // Forms send numbers as text.
    if let Found::Text(text) = &found {
        let last = path.rsplit('.').next().unwrap_or(path);
        let number = base.field(last).filter(|f| matches!(f.kind, FieldKind::Number { .. }));
        if let Some(number) = number.and_then(|_| text.parse().ok()) {
            return Found::Number(number);
        }
    }
    found
}

fn body_value(request: &RequestContext, base: &Collection, path: &str) -> Found {
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or("");
    let Some(mut value) = request.body.get(first) else { return Found::Missing };
    let mut deeper = false;
    for part in parts {
        deeper = true;
        let inner = match value {
            Json::Object(map) => map.get(part),
            Json::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get(index)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        };
        let Some(inner) = inner else { return Found::Missing };
        value = inner;
    }
    // The values of these are their JSON text, whatever they hold.
    let kind = base.field(first).map(|field| &field.kind);
    if !deeper && matches!(kind, Some(FieldKind::Json { .. } | FieldKind::GeoPoint { .. })) {
        return Found::Text(value.to_string());
    }
    match value {
        Json::Null => Found::Null,
        Json::Bool(flag) => Found::Flag(*flag),
        Json::Number(number) => Found::Number(number.as_f64().unwrap_or(0.0)),
        Json::String(text) => Found::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Found::Text(go_json::text(value)),
    }
}
