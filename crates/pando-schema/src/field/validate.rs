//! Checks the options of one field.
//!
//! Source: the `ValidateSettings` functions in PocketBase `core/field_*.go`.

use std::sync::LazyLock;

use rand::RngCore;
use regex::Regex;

use crate::check::{self, Checked, SAFE_INTEGER_MAX, ensure, naming};
use crate::load::number_json;
use crate::random::random_by_pattern;
use crate::{
    Collection, CollectionKind, Field, FieldKind, Problem, ProblemTree, Problems, Schema,
    check_text,
};

/// Names that filters, responses or the database use for something else.
const EXCLUDED_NAMES: [&str; 7] =
    ["null", "true", "false", "_rowid_", "collectionId", "collectionName", "expand"];
const HELP_LENGTH_MAX: usize = 300;
/// bcrypt reads no more than 72 bytes, one of them a terminator.
const PASSWORD_LENGTH_MAX: i64 = 71;
const BCRYPT_COST_MIN: i64 = 4;
const BCRYPT_COST_MAX: i64 = 31;
/// How often an autogenerate pattern is tried.
const GENERATE_TRIES: usize = 10;

static THUMB_SIZE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[0-9]+x[0-9]+(t|b|f)?$").expect("the expression is constant"));
static DOMAIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+(?:[a-zA-Z]{1,63}| xn--[a-z0-9]{1,59})$",
    )
    .expect("the expression is constant")
});

/// One check of one field.
pub(crate) struct FieldCheck<'a> {
    pub(crate) field: &'a Field,
    pub(crate) collection: &'a Collection,
    /// The collection as it is saved now, if it is.
    pub(crate) stored: Option<&'a Collection>,
    pub(crate) schema: &'a Schema,
}

/// The mistakes of a field by option.
struct Found(Problems);

impl Found {
    fn add(&mut self, option: &str, checked: Checked) {
        self.0.add_result(option, checked.map_err(ProblemTree::One));
    }

    /// Adds the mistakes in the entries of a list.
    fn add_each(&mut self, option: &str, entries: &[String], check: impl Fn(&str) -> Checked) {
        let mut parts = Problems::default();
        for (index, entry) in entries.iter().enumerate() {
            parts.add_result(&index.to_string(), check(entry).map_err(ProblemTree::One));
        }
        self.0.add_parts(option, parts);
    }
}

impl FieldCheck<'_> {
    pub(crate) fn problems(&self, rng: &mut dyn RngCore) -> Problems {
        let mut found = Found(Problems::default());
        found.add("id", id(&self.field.id));
        found.add("name", name(&self.field.name));
        found.add("help", check::length(&self.field.help, 1, HELP_LENGTH_MAX));
        self.options(&mut found, rng);
        found.0
    }

    fn options(&self, found: &mut Found, rng: &mut dyn RngCore) {
        match &self.field.kind {
            FieldKind::Text { .. } => self.text(found, rng),
            FieldKind::Editor { max_size, .. } | FieldKind::Json { max_size, .. } => {
                found.add("maxSize", check::within(*max_size, 0, SAFE_INTEGER_MAX));
            }
            FieldKind::Number { min, max, only_int, .. } => {
                found.add("min", whole(*min, *only_int));
                found.add("max", whole(*max, *only_int).and_then(|()| ordered(*min, *max)));
            }
            FieldKind::Bool { .. } | FieldKind::Date { .. } | FieldKind::GeoPoint { .. } => {}
            FieldKind::Email { except_domains, only_domains, .. }
            | FieldKind::Url { except_domains, only_domains, .. } => {
                domains(found, "exceptDomains", except_domains, only_domains);
                domains(found, "onlyDomains", only_domains, except_domains);
            }
            FieldKind::Autodate { .. } => self.autodate(found),
            FieldKind::Select { values, max_select, .. } => {
                found.add("values", ensure(!values.is_empty(), Problem::required));
                let max = i64::try_from(values.len().max(1)).unwrap_or(i64::MAX);
                found.add("maxSelect", check::within(*max_select, 0, max));
            }
            FieldKind::File { max_size, max_select, thumbs, .. } => {
                found.add("maxSelect", check::within(*max_select, 0, SAFE_INTEGER_MAX));
                found.add("maxSize", check::within(*max_size, 0, SAFE_INTEGER_MAX));
                found.add_each("thumbs", thumbs, thumb);
            }
            FieldKind::Relation { collection_id, min_select, max_select, .. } => {
                found.add("collectionId", self.relation(collection_id));
                found.add("minSelect", check::at_least(*min_select, 0));
                let needed = if *min_select > 0 { check::nonzero(*max_select) } else { Ok(()) };
                let max = needed.and_then(|()| check::at_least(*max_select, *min_select));
                found.add("maxSelect", max);
            }
            FieldKind::Password { pattern, min, max, cost, .. } => {
                found.add("min", check::within(*min, 1, PASSWORD_LENGTH_MAX));
                found.add("max", check::within(*max, *min, PASSWORD_LENGTH_MAX));
                found.add("cost", check::within(*cost, BCRYPT_COST_MIN, BCRYPT_COST_MAX));
                found.add("pattern", check::pattern(pattern));
            }
        }
    }

    fn text(&self, found: &mut Found, rng: &mut dyn RngCore) {
        let FieldKind::Text { min, max, pattern, autogenerate_pattern, primary_key, required } =
            &self.field.kind
        else {
            return;
        };
        if *primary_key {
            let named = ensure(["", "id"].contains(&self.field.name.as_str()), || {
                Problem::new("validation_in_invalid", r#"The primary key must be named "id"."#)
            });
            found.add("name", named);
            found.add("primaryKey", self.only_primary_key());
            found.add("pattern", check::required(pattern));
            found.add("hidden", check::must_be_empty(!self.field.hidden));
            found.add("required", ensure(*required, Problem::required));
        }
        found.add("min", check::within(*min, 0, SAFE_INTEGER_MAX));
        found.add("max", check::within(*max, *min, SAFE_INTEGER_MAX));
        found.add("pattern", check::pattern(pattern));
        let autogenerate = check::pattern(autogenerate_pattern)
            .and_then(|()| self.autogenerate(autogenerate_pattern, rng));
        found.add("autogeneratePattern", autogenerate);
    }

    fn only_primary_key(&self) -> Checked {
        let key = |field: &&Field| matches!(field.kind, FieldKind::Text { primary_key: true, .. });
        ensure(self.collection.fields.iter().filter(key).count() <= 1, || {
            Problem::new(
                "validation_unsupported_composite_pk",
                "Composite PKs are not supported and the collection must have only 1 PK.",
            )
        })
    }

    /// What a pattern generates must be a valid value of the field.
    fn autogenerate(&self, pattern: &str, rng: &mut dyn RngCore) -> Checked {
        if pattern.is_empty() {
            return Ok(());
        }
        for _ in 0..GENERATE_TRIES {
            let generated = random_by_pattern(pattern, rng).map_err(|error| {
                Problem::new("validation_invalid_autogenerate_pattern", error.to_string())
            })?;
            ensure(check_text(&self.field.kind, &generated).is_ok(), || {
                Problem::new(
                    "validation_invalid_autogenerate_pattern_value",
                    format!(
                        "The provided autogenerate pattern could produce invalid field values, \
                         ex.: {generated:?}"
                    ),
                )
            })?;
        }
        Ok(())
    }

    fn autodate(&self, found: &mut Found) {
        let FieldKind::Autodate { on_create, on_update } = self.field.kind else { return };
        let old = self.stored.and_then(|stored| stored.field_by_id(&self.field.id));
        if self.field.system
            && let Some(FieldKind::Autodate { on_create: old_create, on_update: old_update }) =
                old.map(|old| &old.kind)
        {
            found.add("onCreate", check::unchanged(on_create, *old_create));
            found.add("onUpdate", check::unchanged(on_update, *old_update));
        }
        if !on_create && !on_update {
            let problem = || {
                Problem::new("validation_required", "either onCreate or onUpdate must be enabled")
            };
            found.add("onCreate", Err(problem()));
            found.add("onUpdate", Err(problem()));
        }
    }

    fn relation(&self, collection_id: &str) -> Checked {
        check::required(collection_id)?;
        let old = self.stored.and_then(|stored| stored.field_by_id(&self.field.id));
        if let Some(FieldKind::Relation { collection_id: old_id, .. }) = old.map(|old| &old.kind) {
            ensure(old_id == collection_id, || {
                Problem::new(
                    "validation_field_relation_change",
                    "The relation collection cannot be changed.",
                )
            })?;
        }
        let Some(related) = self.schema.by_id(collection_id) else {
            return Err(Problem::new(
                "validation_field_relation_missing_collection",
                "The relation collection doesn't exist.",
            ));
        };
        let view = |collection: &Collection| collection.kind == CollectionKind::View;
        ensure(view(self.collection) || !view(related), || {
            Problem::new(
                "validation_relation_field_non_view_base_collection",
                "Only view collections are allowed to have relations to other views.",
            )
        })
    }
}

fn id(id: &str) -> Checked {
    check::required(id)?;
    check::length(id, 1, 100)
}

fn name(name: &str) -> Checked {
    check::required(name)?;
    check::length(name, 1, 100)?;
    check::word(name)?;
    check::none_of(name, &EXCLUDED_NAMES)?;
    check::no_via(name)
}

fn whole(number: Option<f64>, only_int: bool) -> Checked {
    ensure(!only_int || number.is_none_or(|number| number.fract() == 0.0), || {
        Problem::new("validation_only_int_constraint", "Decimal numbers are not allowed")
    })
}

fn ordered(min: Option<f64>, max: Option<f64>) -> Checked {
    match (min, max) {
        (Some(min), Some(max)) if max < min => Err(naming(
            "validation_min_number_constraint",
            format!("Must be greater or equal than {}", crate::value::general_format(min)),
            "min",
            number_json(min),
        )),
        _ => Ok(()),
    }
}

/// Domains may be allowed or excluded, not both.
fn domains(found: &mut Found, option: &str, domains: &[String], others: &[String]) {
    const LENGTH_MAX: usize = 255;
    if !others.is_empty() {
        found.add(option, check::must_be_empty(domains.is_empty()));
        return;
    }
    found.add_each(option, domains, |domain| {
        let valid = domain.len() <= LENGTH_MAX && DOMAIN.is_match(domain);
        ensure(domain.is_empty() || valid, || {
            Problem::new("validation_is_domain", "must be a valid domain")
        })
    });
}

fn thumb(size: &str) -> Checked {
    check::none_of(size, &["0x0", "0x0t", "0x0b", "0x0f"])?;
    ensure(size.is_empty() || THUMB_SIZE.is_match(size), check::bad_format)
}
