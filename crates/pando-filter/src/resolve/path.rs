//! Follows a field path through relations to the column that it ends in.
//!
//! Every step goes into two places: into the query's joins, and into a subquery that lists all
//! values that the path leads to, for the multi-match check.
//!
//! Source: PocketBase `core/record_field_resolver_runner.go`.

use pando_schema::{Collection, CollectionKind, Field, FieldKind};

use super::name::{Modifier, allowed, split_modifier, split_via};
use super::unique::{Unique, unique_column};
use super::{Resolver, ident, source};
use crate::compare::{NullFallback, Resolved};
use crate::condition::Matches;
use crate::error::FilterError;
use crate::join::{BaseTable, JoinClause, On, Source};
use crate::term::{Alias, Column, Holds, Items, JsonStep, Term};

/// Relations in one path at most.
const RELATIONS_MAX: usize = 6;

/// How far a path has been followed.
pub(super) struct Walk<'a> {
    /// Where the path stands.
    pub(super) collection: &'a Collection,
    pub(super) table: Alias,
    /// The path so far: it names the joins.
    pub(super) key: String,
    /// A missing field is null rather than an error.
    pub(super) nullify: bool,
    /// The path can lead to several values.
    pub(super) multiple: bool,
    /// Where the path stands in the subquery of all values.
    pub(super) match_table: Alias,
    match_base: Alias,
    pub(super) match_joins: Vec<JoinClause>,
}

impl Walk<'_> {
    pub(super) fn match_join(&mut self, source: Source, alias: Alias, on: On) {
        self.match_joins.push(JoinClause { source, alias, on });
    }
}

impl<'a> Resolver<'a> {
    /// Resolves any name that is no macro.
    pub(crate) fn path(&mut self, name: &str) -> Result<Resolved, FilterError> {
        if !allowed(name) {
            return Err(FilterError::Unresolved(name.to_owned()));
        }
        if let Some(rest) = name.strip_prefix("@collection.") {
            return self.collection_path(name, rest);
        }
        if let Some(rest) = name.strip_prefix("@request.") {
            return self.request_path(rest);
        }
        let walk = self.start(false);
        self.follow(walk, name)
    }

    /// A walk that stands at the filtered record.
    pub(super) fn start(&mut self, nullify: bool) -> Walk<'a> {
        let match_base = self.new_alias();
        Walk {
            collection: self.collection,
            table: self.base.alias.clone(),
            key: String::new(),
            nullify,
            multiple: false,
            match_table: match_base.clone(),
            match_base,
            match_joins: Vec::new(),
        }
    }

    /// `@collection.NAME[:ALIAS].FIELD…`: the records of any collection.
    fn collection_path(&mut self, path: &str, rest: &str) -> Result<Resolved, FilterError> {
        let invalid = || FilterError::CollectionPath(path.to_owned());
        let (target, fields) = rest.split_once('.').ok_or_else(invalid)?;
        let (name, alias) = target.split_once(':').unwrap_or((target, ""));
        let collection = self.load(name).ok_or_else(|| FilterError::NoCollection {
            name: target.to_owned(),
            path: path.to_owned(),
        })?;
        let mut walk = self.start(false);
        walk.key = format!("@collection.{}:{alias}", collection.name);
        walk.multiple = true;
        walk.table = self.join_table(walk.key.clone(), collection, On::All, true)?;
        walk.collection = collection;
        walk.match_table = self.new_alias();
        walk.match_join(source(collection)?, walk.match_table.clone(), On::All);
        self.follow(walk, fields)
    }

    /// Follows the rest of a path to its end.
    pub(super) fn follow(
        &mut self,
        mut walk: Walk<'a>,
        path: &str,
    ) -> Result<Resolved, FilterError> {
        let mut rest = path;
        let mut depth = 0;
        while let Some((part, next)) = rest.split_once('.') {
            let Some(field) = walk.collection.field(part) else {
                check_depth(depth, part)?;
                match self.back_relation(&mut walk, part) {
                    Ok(()) => {}
                    Err(FilterError::BackHidden(name)) => {
                        return Err(FilterError::BackHidden(name));
                    }
                    Err(FilterError::ClosedCollection(name)) => {
                        return Err(FilterError::ClosedCollection(name));
                    }
                    Err(_) if walk.nullify => return Ok(Term::Null.into()),
                    Err(error) => return Err(error),
                }
                (rest, depth) = (next, depth + 1);
                continue;
            };
            if field.hidden && !self.allow_hidden {
                return Err(FilterError::Hidden(part.to_owned()));
            }
            if matches!(field.kind, FieldKind::Json { .. } | FieldKind::GeoPoint { .. }) {
                return self.json_path(walk, field, next);
            }
            check_depth(depth, part)?;
            // The id of a single relation is what the relation holds.
            if next == "id" && matches!(field.kind, FieldKind::Relation { .. }) && !field.multiple()
            {
                self.related(field)?;
                return self.finish(walk, part);
            }
            self.relation(&mut walk, field)?;
            (rest, depth) = (next, depth + 1);
        }
        self.finish(walk, rest)
    }

    /// The collection that a field refers to.
    fn related(&self, field: &Field) -> Result<&'a Collection, FilterError> {
        let FieldKind::Relation { collection_id, .. } = &field.kind else {
            return Err(FilterError::NoRelation(field.name.clone()));
        };
        self.load(collection_id).ok_or_else(|| FilterError::RelationCollection(field.name.clone()))
    }

    fn relation(&mut self, walk: &mut Walk<'a>, field: &Field) -> Result<(), FilterError> {
        let related = self.related(field)?;
        let id = ident("id")?;
        let key = format!("{}.{}", walk.key, field.name);
        let [column, match_column] = self.columns(walk, field)?;
        let match_table = self.new_alias();
        let source = source(related)?;
        if field.multiple() {
            walk.multiple = true;
            let items = self.join(items_key(&key), Source::Items(column), On::All, true);
            let on = On::Equal(id.clone(), Term::Each(items, Items::Texts));
            walk.table = self.join_table(key.clone(), related, on, false)?;
            let match_items = self.new_alias();
            walk.match_join(Source::Items(match_column), match_items.clone(), On::All);
            let on = On::Equal(id, Term::Each(match_items, Items::Texts));
            walk.match_join(source, match_table.clone(), on);
        } else {
            let on = On::Equal(id.clone(), Term::Column(column));
            walk.table = self.join_table(key.clone(), related, on, false)?;
            let on = On::Equal(id, Term::Column(match_column));
            walk.match_join(source, match_table.clone(), on);
        }
        walk.collection = related;
        walk.key = key;
        walk.match_table = match_table;
        Ok(())
    }

    /// `COLLECTION_via_FIELD`: the records that refer to the one at hand.
    fn back_relation(&mut self, walk: &mut Walk<'a>, part: &str) -> Result<(), FilterError> {
        let (name, field_name) =
            split_via(part).ok_or_else(|| FilterError::Unresolved(part.to_owned()))?;
        let back = self.load(name).ok_or_else(|| FilterError::BackCollection(part.to_owned()))?;
        let field = back
            .field(field_name)
            .ok_or_else(|| FilterError::BackMissing(field_name.to_owned()))?;
        let FieldKind::Relation { collection_id, .. } = &field.kind else {
            return Err(FilterError::BackInvalid(field_name.to_owned()));
        };
        if field.hidden && !self.allow_hidden {
            return Err(FilterError::BackHidden(field.name.clone()));
        }
        // Nothing refers to a record that is not stored yet.
        let unstored = self.unstored && walk.table == self.base.alias;
        if unstored || *collection_id != walk.collection.id {
            return Err(FilterError::BackReference(field.name.clone()));
        }
        let key = format!("{}.{part}", walk.key);
        let unique = unique_column(back, &field.name);
        walk.multiple |= field.multiple() || unique.is_none();
        let (on, match_on) = if field.multiple() {
            (
                self.contains(walk.table.clone(), field)?,
                self.contains(walk.match_table.clone(), field)?,
            )
        } else {
            (refers(walk.table.clone(), field)?, refers(walk.match_table.clone(), field)?)
        };
        let multiplies = field.multiple() || unique != Some(Unique::Whole);
        walk.table = self.join_table(key.clone(), back, on, multiplies)?;
        walk.match_table = self.new_alias();
        walk.match_join(source(back)?, walk.match_table.clone(), match_on);
        walk.collection = back;
        walk.key = key;
        Ok(())
    }

    fn contains(&mut self, table: Alias, field: &Field) -> Result<On, FilterError> {
        Ok(On::Contains { table, column: ident(&field.name)?, items: self.new_alias() })
    }

    /// The rest of a path that leads into a JSON value.
    fn json_path(
        &mut self,
        walk: Walk<'a>,
        field: &Field,
        rest: &str,
    ) -> Result<Resolved, FilterError> {
        let mut steps = Vec::new();
        for part in rest.split('.') {
            let index = part.bytes().all(|byte| byte.is_ascii_digit());
            let key: String = part.chars().filter(|next| *next != ':').collect();
            steps.push(match part.parse() {
                Ok(number) if index => JsonStep::Index(number),
                _ if key.is_empty() => JsonStep::Empty,
                _ => JsonStep::Key(ident(&key)?),
            });
        }
        let [own, matched] = self.columns(&walk, field)?;
        let (term, matched) = (Term::Json(own, steps.clone()), Term::Json(matched, steps));
        Ok(self.resolved(walk, term, matched, NullFallback::Disabled))
    }

    /// The last part of a path.
    fn finish(&mut self, mut walk: Walk<'a>, part: &str) -> Result<Resolved, FilterError> {
        let (name, modifier) = split_modifier(part)?;
        let Some(field) = walk.collection.field(name) else {
            return match walk.nullify {
                true => Ok(Term::Null.into()),
                false => Err(FilterError::UnknownField(name.to_owned())),
            };
        };
        if field.hidden && !self.allow_hidden {
            return Err(FilterError::Hidden(name.to_owned()));
        }
        let [own, matched] = self.columns(&walk, field)?;
        match modifier {
            Some(Modifier::Length) if listable(field) => {
                let (term, matched) = (Term::Length(own), Term::Length(matched));
                return Ok(self.resolved(walk, term, matched, NullFallback::Auto));
            }
            Some(Modifier::Each) if listable(field) => {
                let key = items_key(&format!("{}.{}", walk.key, field.name));
                // A single text can be a JSON array as well.
                let items = self.join(key, Source::Items(own), On::All, true);
                walk.multiple |= field.multiple();
                let match_items = self.new_alias();
                walk.match_join(Source::Items(matched), match_items.clone(), On::All);
                let kind = if field.multiple() { Items::Texts } else { Items::One };
                let matched = Term::Each(match_items, kind.clone());
                let term = Term::Each(items, kind);
                return Ok(self.resolved(walk, term, matched, NullFallback::Auto));
            }
            _ => {}
        }
        let json = matches!(field.kind, FieldKind::Json { .. });
        let wrap = |column: Column| {
            let term = if json { Term::Json(column, Vec::new()) } else { Term::Column(column) };
            if modifier == Some(Modifier::Lower) { Term::Lower(Box::new(term)) } else { term }
        };
        let fallback = if json { NullFallback::Disabled } else { NullFallback::Auto };
        let guarded = field.name == "email"
            && !self.allow_hidden
            && walk.collection.kind == CollectionKind::Auth;
        let email_of = guarded.then(|| walk.table.clone());
        let resolved = self.resolved(walk, wrap(own), wrap(matched), fallback);
        Ok(Resolved { email_of, ..resolved })
    }

    /// The column of `field` where the walk stands: in the query, and in the subquery.
    fn columns(&self, walk: &Walk<'_>, field: &Field) -> Result<[Column; 2], FilterError> {
        let (name, holds) = (ident(&field.name)?, holds(field));
        let own = walk.table == self.base.alias;
        let unstored = self.unstored && own;
        // JSON can be null, and so can all that a view makes or that joins leave out.
        let always = own
            && matches!(walk.table, Alias::Base(_))
            && walk.collection.kind != CollectionKind::View
            && !matches!(field.kind, FieldKind::Json { .. });
        let column = |table: &Alias| Column {
            table: table.clone(),
            name: name.clone(),
            holds,
            always,
            unstored,
        };
        Ok([column(&walk.table), column(&walk.match_table)])
    }

    /// The operand at the end of a walk: `term` in the query, `matched` in the subquery.
    pub(super) fn resolved(
        &mut self,
        walk: Walk<'a>,
        term: Term,
        matched: Term,
        fallback: NullFallback,
    ) -> Resolved {
        let matches = walk.multiple.then(|| {
            Box::new(Matches {
                alias: self.new_alias(),
                from: BaseTable { alias: walk.match_base, ..self.base.clone() },
                target: self.base.alias.clone(),
                joins: walk.match_joins,
                value: matched,
            })
        });
        Resolved { term, fallback, matches, email_of: None }
    }
}

fn check_depth(depth: usize, part: &str) -> Result<(), FilterError> {
    if depth < RELATIONS_MAX {
        return Ok(());
    }
    Err(FilterError::RelationDepth(part.to_owned()))
}

fn refers(table: Alias, field: &Field) -> Result<On, FilterError> {
    let (name, holds) = (ident("id")?, Holds::Text);
    let id = Column { table, name, holds, always: false, unstored: false };
    Ok(On::Equal(ident(&field.name)?, Term::Column(id)))
}

/// What the column of a field holds.
fn holds(field: &Field) -> Holds {
    match &field.kind {
        FieldKind::Number { .. } => Holds::Number,
        FieldKind::Bool { .. } => Holds::Bool,
        FieldKind::Json { .. } | FieldKind::GeoPoint { .. } => Holds::Json,
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. } => {
            if field.multiple() { Holds::Json } else { Holds::Text }
        }
        FieldKind::Text { .. }
        | FieldKind::Editor { .. }
        | FieldKind::Email { .. }
        | FieldKind::Url { .. }
        | FieldKind::Date { .. }
        | FieldKind::Autodate { .. }
        | FieldKind::Password { .. } => Holds::Text,
    }
}

/// The join of a column's items, shared by a relation through them and `:each`.
fn items_key(key: &str) -> String {
    format!("{key}[]")
}

/// Whether the kind of field can hold a list, whatever it is set to hold.
pub(crate) fn listable(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Select { .. } | FieldKind::File { .. } | FieldKind::Relation { .. }
    )
}
