//! Checks the options of an auth collection.
//!
//! Source: PocketBase `core/collection_model_auth_options.go`.

use super::Check;
use crate::check::{self, Checked, naming};
use crate::collection::auth_options::{
    AuthOptions, EmailTemplate, OAuth2, OAuth2Provider, TokenOptions, oauth2_provider_known,
};
use crate::collection::index::single_column_unique_index;
use crate::{Problem, ProblemTree, Problems};

const DAY_SECONDS: i64 = 86_400;
/// About three years.
const TOKEN_SECONDS_MAX: i64 = 94_670_856;

impl Check<'_> {
    pub(super) fn auth_options(&self) -> Problems {
        let Some(auth) = &self.new.auth else { return Problems::default() };
        let problems = self.single_options(auth);
        if !problems.is_empty() {
            return problems;
        }
        // How options fit together is looked at only when each is right by itself.
        if let Some((group, key, problem)) = self.combined_options(auth) {
            let mut inner = Problems::default();
            inner.add(key, problem);
            let mut problems = Problems::default();
            problems.add_parts(group, inner);
            return problems;
        }
        Problems::default()
    }

    fn single_options(&self, auth: &AuthOptions) -> Problems {
        let mut problems = Problems::default();
        let before = self.original.and_then(|original| original.auth.as_ref());
        let auth_rule =
            self.rule(auth.auth_rule.as_deref(), before.map(|old| old.auth_rule.as_deref()));
        problems.add_result("authRule", auth_rule.map_err(ProblemTree::One));
        let manage_rule = if auth.manage_rule.as_deref() == Some("") {
            Err(Problem::new("validation_nil_or_not_empty_required", "cannot be blank"))
        } else {
            self.rule(auth.manage_rule.as_deref(), before.map(|old| old.manage_rule.as_deref()))
        };
        problems.add_result("manageRule", manage_rule.map_err(ProblemTree::One));

        let mut alert = Problems::default();
        alert.add_parts("emailTemplate", template_problems(&auth.auth_alert.email_template));
        problems.add_parts("authAlert", alert);
        if auth.password_auth.enabled && auth.password_auth.identity_fields.is_empty() {
            let mut password = Problems::default();
            password.add("identityFields", Problem::required());
            problems.add_parts("passwordAuth", password);
        }
        if auth.oauth2.enabled {
            let mut oauth2 = Problems::default();
            oauth2.add_parts("providers", provider_list_problems(&auth.oauth2));
            problems.add_parts("oauth2", oauth2);
        }
        problems.add_parts("otp", otp_problems(auth));
        problems.add_parts("mfa", mfa_problems(auth));
        problems.add_parts("authToken", token_problems(&auth.auth_token));
        problems.add_parts("passwordResetToken", token_problems(&auth.password_reset_token));
        problems.add_parts("emailChangeToken", token_problems(&auth.email_change_token));
        problems.add_parts("verificationToken", token_problems(&auth.verification_token));
        problems.add_parts("fileToken", token_problems(&auth.file_token));
        let templates = [
            ("verificationTemplate", &auth.verification_template),
            ("resetPasswordTemplate", &auth.reset_password_template),
            ("confirmEmailChangeTemplate", &auth.confirm_email_change_template),
        ];
        for (key, template) in templates {
            problems.add_parts(key, template_problems(template));
        }
        problems
    }

    /// The option group, the option and what is wrong with it.
    fn combined_options(
        &self,
        auth: &AuthOptions,
    ) -> Option<(&'static str, &'static str, Problem)> {
        if auth.mfa.enabled {
            let ways = [auth.password_auth.enabled, auth.oauth2.enabled, auth.otp.enabled];
            if ways.into_iter().filter(|enabled| *enabled).count() < 2 {
                let problem = Problem::new(
                    "validation_mfa_not_enough_auths",
                    "MFA requires at least 2 auth methods to be enabled.",
                );
                return Some(("mfa", "enabled", problem));
            }
            if let Err(problem) = self.mfa_rule(&auth.mfa.rule) {
                return Some(("mfa", "rule", problem));
            }
        }
        if auth.password_auth.enabled {
            for name in &auth.password_auth.identity_fields {
                if let Err(problem) = self.identity_field(name) {
                    return Some(("passwordAuth", "identityFields", problem));
                }
            }
        }
        None
    }

    fn mfa_rule(&self, rule: &str) -> Checked {
        if rule.is_empty() {
            return Ok(());
        }
        let before = self.original.and_then(|original| original.auth.as_ref());
        self.rule(Some(rule), before.map(|auth| Some(auth.mfa.rule.as_str())))
    }

    fn identity_field(&self, name: &str) -> Checked {
        if self.new.field(name).is_none() {
            let message = format!("Invalid or missing field {name}");
            return Err(naming("validation_missing_field", message, "fieldName", name));
        }
        if single_column_unique_index(&self.new.indexes, name).is_none() {
            let message = format!("The field {name} doesn't have a UNIQUE constraint.");
            return Err(naming("validation_missing_unique_constraint", message, "fieldName", name));
        }
        Ok(())
    }
}

fn template_problems(template: &EmailTemplate) -> Problems {
    let mut problems = Problems::default();
    add(&mut problems, "subject", check::required(&template.subject));
    add(&mut problems, "body", check::required(&template.body));
    problems
}

fn token_problems(token: &TokenOptions) -> Problems {
    let mut problems = Problems::default();
    let secret =
        check::required(&token.secret).and_then(|()| check::length(&token.secret, 30, 255));
    add(&mut problems, "secret", secret);
    add(&mut problems, "duration", duration(token.duration, TOKEN_SECONDS_MAX));
    problems
}

fn duration(seconds: i64, max: i64) -> Checked {
    check::nonzero(seconds)?;
    check::within(seconds, 10, max)
}

fn otp_problems(auth: &AuthOptions) -> Problems {
    let mut problems = Problems::default();
    if auth.otp.enabled {
        add(&mut problems, "duration", duration(auth.otp.duration, DAY_SECONDS));
        let length =
            check::nonzero(auth.otp.length).and_then(|()| check::at_least(auth.otp.length, 4));
        add(&mut problems, "length", length);
    }
    problems.add_parts("emailTemplate", template_problems(&auth.otp.email_template));
    problems
}

fn mfa_problems(auth: &AuthOptions) -> Problems {
    let mut problems = Problems::default();
    if auth.mfa.enabled {
        add(&mut problems, "duration", duration(auth.mfa.duration, DAY_SECONDS));
    }
    problems
}

fn provider_list_problems(oauth2: &OAuth2) -> Problems {
    let mut problems = Problems::default();
    for (index, provider) in oauth2.providers.iter().enumerate() {
        let name = &provider.name;
        if !name.is_empty() && oauth2.providers[..index].iter().any(|other| other.name == *name) {
            let message = format!("The provider {name} is already registered.");
            let problem = naming("validation_duplicated_provider", message, "name", name.as_str());
            let mut inner = Problems::default();
            inner.add("name", problem);
            problems.add_parts(index.to_string(), inner);
            return problems;
        }
    }
    for (index, provider) in oauth2.providers.iter().enumerate() {
        problems.add_parts(index.to_string(), provider_problems(provider));
    }
    problems
}

fn provider_problems(provider: &OAuth2Provider) -> Problems {
    let mut problems = Problems::default();
    let name = check::required(&provider.name).and_then(|()| {
        check::ensure(oauth2_provider_known(&provider.name), || {
            let name = provider.name.as_str();
            let message = format!("Invalid or missing provider with name {name}.");
            naming("validation_missing_provider", message, "name", name)
        })
    });
    add(&mut problems, "name", name);
    add(&mut problems, "clientId", check::required(&provider.client_id));
    add(&mut problems, "clientSecret", check::required(&provider.client_secret));
    add(&mut problems, "authURL", check::url(&provider.auth_url));
    add(&mut problems, "tokenURL", check::url(&provider.token_url));
    add(&mut problems, "userInfoURL", check::url(&provider.user_info_url));
    problems
}

fn add(problems: &mut Problems, key: &str, checked: Checked) {
    problems.add_result(key, checked.map_err(ProblemTree::One));
}
