//! Checks the fields of a collection together; each by itself: `field/validate.rs`.

use rand::RngCore;

use super::Check;
use crate::check::{ensure, naming};
use crate::field::validate::FieldCheck;
use crate::{CollectionKind, Field, FieldKind, Problem, ProblemTree, Problems};

type Found = Result<(), ProblemTree>;

/// Names that requests use for something else.
const RESERVED_AUTH_NAMES: [&str; 2] = ["passwordConfirm", "oldPassword"];

impl Check<'_> {
    pub(super) fn fields(&self, rng: &mut dyn RngCore) -> Found {
        self.no_duplicates()?;
        self.needed_fields()?;
        if self.new.kind != CollectionKind::View {
            self.kept_system_fields()?;
            self.kept_kinds()?;
        }
        if self.new.kind == CollectionKind::Auth {
            self.no_reserved_names()?;
        }
        self.each_field(rng)
    }

    fn no_duplicates(&self) -> Found {
        let fields = &self.new.fields;
        for (index, field) in fields.iter().enumerate() {
            let before = &fields[..index];
            if before.iter().any(|other| other.id == field.id) {
                let message = format!("Duplicated or invalid field id {:?}", field.id);
                let problem = Problem::new("validation_duplicated_field_id", message);
                return Err(nested(index, "id", problem));
            }
            let name = field.name.to_lowercase();
            if before.iter().any(|other| other.name.to_lowercase() == name) {
                let problem = naming(
                    "validation_duplicated_field_name",
                    format!("Duplicated or invalid field name {}", field.name),
                    "fieldName",
                    field.name.as_str(),
                );
                return Err(nested(index, "name", problem));
            }
        }
        Ok(())
    }

    fn needed_fields(&self) -> Found {
        if self.new.fields.is_empty() {
            return Err(Problem::required().into());
        }
        let id = self.new.field("id").map(|field| &field.kind);
        if !matches!(id, Some(FieldKind::Text { primary_key: true, .. })) {
            return Err(Problem::new(
                "validation_missing_primary_key",
                r#"Missing or invalid "id" PK field."#,
            )
            .into());
        }
        if self.new.kind == CollectionKind::Auth {
            self.needed_auth_fields()?;
        }
        Ok(())
    }

    fn needed_auth_fields(&self) -> Found {
        let needed = [
            ("password", "password", "validation_missing_password_field", true),
            ("tokenKey", "text", "validation_missing_tokenKey_field", true),
            ("email", "email", "validation_missing_email_field", false),
            ("emailVisibility", "bool", "validation_missing_emailVisibility_field", false),
            ("verified", "bool", "validation_missing_verified_field", false),
        ];
        for (name, kind, code, hidden) in needed {
            let field = self.new.field(name).filter(|field| field.kind.type_name() == kind);
            let Some(field) = field else {
                let message = format!(r#"System "{name}" field is required."#);
                return Err(Problem::new(code, message).into());
            };
            let problem = match (field.system, hidden, field.hidden) {
                (true, false, _) | (true, true, true) => continue,
                (_, true, _) => Problem::new(
                    "validation_must_be_system_and_hidden",
                    r#"The field must be marked as "System" and "Hidden"."#,
                ),
                (_, false, _) => Problem::new(
                    "validation_must_be_system",
                    r#"The field must be marked as "System"."#,
                ),
            };
            let mut parts = Problems::default();
            parts.add(name, problem);
            return Err(parts.into());
        }
        Ok(())
    }

    fn kept_system_fields(&self) -> Found {
        let Some(original) = self.original else { return Ok(()) };
        let kept =
            |old: &Field| self.new.field_by_id(&old.id).is_some_and(|field| field.name == old.name);
        ensure(original.fields.iter().filter(|field| field.system).all(kept), || {
            Problem::new(
                "validation_system_field_change",
                "System fields cannot be deleted or renamed.",
            )
        })?;
        Ok(())
    }

    fn kept_kinds(&self) -> Found {
        let Some(original) = self.original else { return Ok(()) };
        let mut parts = Problems::default();
        for (index, field) in self.new.fields.iter().enumerate() {
            let old = original.field_by_id(&field.id);
            if old.is_some_and(|old| old.kind.type_name() != field.kind.type_name()) {
                let problem =
                    Problem::new("validation_field_type_change", "Field type cannot be changed.");
                parts.add(index.to_string(), problem);
            }
        }
        Ok(parts.into_result()?)
    }

    fn no_reserved_names(&self) -> Found {
        let mut parts = Problems::default();
        for (index, field) in self.new.fields.iter().enumerate() {
            if RESERVED_AUTH_NAMES.contains(&field.name.as_str()) {
                let mut inner = Problems::default();
                inner.add(
                    "name",
                    Problem::new(
                        "validation_reserved_field_name",
                        "The field name is reserved and cannot be used.",
                    ),
                );
                parts.add_parts(index.to_string(), inner);
            }
        }
        Ok(parts.into_result()?)
    }

    fn each_field(&self, rng: &mut dyn RngCore) -> Found {
        let mut parts = Problems::default();
        for (index, field) in self.new.fields.iter().enumerate() {
            let check = FieldCheck {
                field,
                collection: self.new,
                stored: self.stored,
                schema: self.around.schema,
            };
            parts.add_parts(index.to_string(), check.problems(rng));
        }
        Ok(parts.into_result()?)
    }
}

fn nested(index: usize, key: &str, problem: Problem) -> ProblemTree {
    let mut inner = Problems::default();
    inner.add(key, problem);
    let mut parts = Problems::default();
    parts.add_parts(index.to_string(), inner);
    parts.into()
}
