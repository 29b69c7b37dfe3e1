//! Decides whether a collection may be saved.
//!
//! Source: PocketBase `core/collection_validate.go`.

mod auth;
mod fields;
mod indexes;

pub(super) use indexes::invalid_expression;

use rand::RngCore;

use crate::check::{self, Checked, ensure};
use crate::collection::draft::Draft;
use crate::collection::index::same_text;
use crate::{Collection, CollectionKind, Problem, ProblemTree, Problems, Schema};

/// The collection of those who may do everything.
const SUPERUSERS: &str = "_superusers";

/// What a check must know beyond the collection itself.
pub struct Surroundings<'a> {
    /// The collections as they are before the change.
    pub schema: &'a Schema,
    /// Parses a rule for a collection; fails with the sentence that says what is wrong.
    pub check_rule: &'a dyn Fn(&str, &Collection) -> Result<(), String>,
    /// What is wrong with the query of the view, if it is one and its query failed when tried.
    pub view_query_problem: Option<&'a str>,
    /// Whether the database has a table or view of that name, without regard to case.
    pub table_exists: &'a dyn Fn(&str) -> bool,
    /// The table with the index of that name (without regard to case), if there is one.
    pub index_table: &'a dyn Fn(&str) -> Option<String>,
}

/// One check of one collection.
struct Check<'a> {
    new: &'a Collection,
    /// What an update changes; `None` for a new collection.
    original: Option<&'a Collection>,
    /// What is saved under the id now. An import saves before it checks.
    stored: Option<&'a Collection>,
    around: &'a Surroundings<'a>,
}

impl Draft {
    /// The collection, if it may be saved. `original` is the one that an update changes.
    ///
    /// A changed auth rule makes the login tokens issued so far invalid; superusers always log in
    /// with a password and never by OAuth2.
    pub fn check(
        self,
        original: Option<&Collection>,
        around: &Surroundings<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Collection, Problems> {
        self.problems(original, original, around, rng).into_result()?;
        let mut collection = self.collection;
        collection.settle(original, rng);
        Ok(collection)
    }

    /// What is wrong with the draft as a change of `original`, while `stored` is saved.
    pub(super) fn problems(
        &self,
        original: Option<&Collection>,
        stored: Option<&Collection>,
        around: &Surroundings<'_>,
        rng: &mut dyn RngCore,
    ) -> Problems {
        let check = Check { new: &self.collection, original, stored, around };
        let mut problems = Problems::default();
        if !self.kind_known {
            problems.add("type", Problem::new("validation_in_invalid", "must be a valid value"));
        }
        check.basics(&mut problems);
        problems.add_result("fields", check.fields(rng));
        check.rules(&mut problems);
        problems.add_result("indexes", check.indexes());
        match self.collection.kind {
            CollectionKind::Base => {}
            CollectionKind::View => {
                problems.add_result("viewQuery", check.view_query().map_err(ProblemTree::One));
            }
            CollectionKind::Auth => problems.0.extend(check.auth_options().0),
        }
        problems
    }
}

impl Collection {
    /// What saving changes, whatever was asked for. `original` is what an update changes.
    pub(super) fn settle(&mut self, original: Option<&Collection>, rng: &mut dyn RngCore) {
        let superusers = self.name == SUPERUSERS;
        let rule_changed =
            original.is_some_and(|original| original.auth_rule() != self.auth_rule());
        let Some(auth) = &mut self.auth else { return };
        if rule_changed {
            auth.renew_auth_secret(rng);
        }
        if superusers {
            // Nobody becomes a superuser by a mere OAuth2 login, nor with a mailed code alone.
            auth.oauth2.enabled = false;
            auth.oauth2.providers.clear();
            auth.password_auth.enabled = true;
            auth.mfa.enabled |= auth.otp.enabled;
        }
    }

    /// The login rule; none and everyone alike are empty.
    fn auth_rule(&self) -> &str {
        self.auth.as_ref().and_then(|auth| auth.auth_rule.as_deref()).unwrap_or_default()
    }
}

impl Check<'_> {
    fn basics(&self, problems: &mut Problems) {
        let mut add = |key: &str, checked: Checked| {
            problems.add_result(key, checked.map_err(ProblemTree::One));
        };
        add("id", self.id());
        add("system", self.system());
        add("type", self.kind());
        add("name", self.name());
    }

    fn id(&self) -> Checked {
        let id = &self.new.id;
        check::required(id)?;
        if let Some(original) = self.original {
            return check::unchanged(id, &original.id);
        }
        check::length(id, 1, 100)?;
        check::word(id)?;
        ensure(self.around.schema.by_id(id).is_none(), || {
            Problem::new(
                "validation_invalid_or_existing_id",
                "The model id is invalid or already exists.",
            )
        })
    }

    fn system(&self) -> Checked {
        ensure(self.original.is_none_or(|original| original.system == self.new.system), || {
            Problem::new(
                "validation_collection_system_flag_change",
                "System collection state cannot be changed.",
            )
        })
    }

    fn kind(&self) -> Checked {
        ensure(self.original.is_none_or(|original| original.kind == self.new.kind), || {
            Problem::new("validation_collection_type_change", "Collection type cannot be changed.")
        })
    }

    fn name(&self) -> Checked {
        let name = &self.new.name;
        check::required(name)?;
        check::length(name, 1, 255)?;
        check::no_via(name)?;
        check::word(name)?;
        let kept = self.original.is_none_or(|original| !original.system || original.name == *name);
        ensure(kept, || {
            Problem::new(
                "validation_collection_system_name_change",
                "System collection name cannot be changed.",
            )
        })?;
        self.unique_name()
    }

    fn unique_name(&self) -> Checked {
        let name = &self.new.name;
        let original_id = self.original.map_or("", |original| original.id.as_str());
        let namesake = self.around.schema.by_name(name);
        ensure(namesake.is_none_or(|other| other.id == original_id), || {
            Problem::new(
                "validation_collection_name_exists",
                "Collection name must be unique (case insensitive).",
            )
        })?;
        ensure(self.around.schema.by_id(name).is_none(), || {
            Problem::new(
                "validation_collection_name_id_duplicate",
                "The name must not match an existing collection id.",
            )
        })?;
        let changed = self.original.is_none_or(|original| original.name != *name);
        ensure(!(changed && namesake.is_none() && (self.around.table_exists)(name)), || {
            Problem::new(
                "validation_collection_name_invalid",
                "The name shouldn't match with an existing internal table.",
            )
        })
    }

    fn rules(&self, problems: &mut Problems) {
        let (new, old) = (&self.new.rules, self.original.map(|original| &original.rules));
        let view = self.new.kind == CollectionKind::View;
        let mut add = |key: &str, rule: &Option<String>, before: Option<&Option<String>>| {
            let checked = if view && rule.is_some() && !matches!(key, "listRule" | "viewRule") {
                Err(Problem::new("validation_nil", "must be blank"))
            } else {
                self.rule(rule.as_deref(), before.map(Option::as_deref))
            };
            problems.add_result(key, checked.map_err(ProblemTree::One));
        };
        add("listRule", &new.list, old.map(|rules| &rules.list));
        add("viewRule", &new.view, old.map(|rules| &rules.view));
        add("createRule", &new.create, old.map(|rules| &rules.create));
        add("updateRule", &new.update, old.map(|rules| &rules.update));
        add("deleteRule", &new.delete, old.map(|rules| &rules.delete));
    }

    /// A rule must be a filter, and a system collection keeps the one it has.
    fn rule(&self, rule: Option<&str>, before: Option<Option<&str>>) -> Checked {
        if let Some(text) = rule
            && !text.is_empty()
        {
            (self.around.check_rule)(text, self.new).map_err(|error| {
                Problem::new("validation_invalid_rule", format!("Invalid rule. Raw error: {error}"))
            })?;
        }
        let fixed = self.original.is_some_and(|original| original.system);
        ensure(!fixed || before.is_none_or(|before| before == rule), || {
            Problem::new(
                "validation_collection_system_rule_change",
                "System collection API rule cannot be changed.",
            )
        })
    }

    fn view_query(&self) -> Checked {
        const MESSAGE_BYTES_MAX: usize = 500;
        check::required(&self.new.view_query)?;
        let Some(error) = self.around.view_query_problem else { return Ok(()) };
        let error = &error[..error.floor_char_boundary(MESSAGE_BYTES_MAX)];
        Err(Problem::new("validation_invalid_view_query", format!("Invalid query - {error}")))
    }

    /// Whether a table is this collection's, under its old or its new name.
    fn own_table(&self, table: &str) -> bool {
        same_text(table, &self.new.name)
            || self.original.is_some_and(|original| same_text(table, &original.name))
    }
}

#[cfg(test)]
mod tests;
