//! The JSON forms of a collection: the API's, and the options as they are stored.
//!
//! Both have PocketBase's keys in its order. The API's form leaves out secrets.
//!
//! Source: PocketBase `core/collection_model.go` (`MarshalJSON`, `DBExport`).

use serde_json::{Map, Value, json};

use crate::collection::auth_options::{
    AuthOptions, EmailTemplate, OAuth2, OAuth2Provider, TokenOptions,
};
use crate::load::{Loader, Malformed, number_json};
use crate::{Collection, Field};

/// Whether token and provider secrets are in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Shown,
    Hidden,
}

impl Collection {
    /// What the API shows of the collection.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
        put("id", self.id.as_str().into());
        put("listRule", self.rules.list.clone().into());
        put("viewRule", self.rules.view.clone().into());
        put("createRule", self.rules.create.clone().into());
        put("updateRule", self.rules.update.clone().into());
        put("deleteRule", self.rules.delete.clone().into());
        put("name", self.name.as_str().into());
        put("type", self.kind.name().into());
        put("fields", self.fields.iter().map(Field::to_json).collect());
        put("indexes", self.indexes.clone().into());
        put("created", self.created.as_str().into());
        put("updated", self.updated.as_str().into());
        put("system", self.system.into());
        json.extend(self.options_json(Secrets::Hidden));
        Value::Object(json)
    }

    /// The options that only this kind of collection has.
    pub(super) fn options_json(&self, secrets: Secrets) -> Map<String, Value> {
        match self.kind {
            crate::CollectionKind::Base => Map::new(),
            crate::CollectionKind::View => {
                Map::from_iter([("viewQuery".to_owned(), self.view_query.as_str().into())])
            }
            crate::CollectionKind::Auth => {
                self.auth.as_ref().map(|auth| auth_json(auth, secrets)).unwrap_or_default()
            }
        }
    }
}

fn auth_json(auth: &AuthOptions, secrets: Secrets) -> Map<String, Value> {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
    put("authRule", auth.auth_rule.clone().into());
    put("manageRule", auth.manage_rule.clone().into());
    put(
        "authAlert",
        json!({
            "enabled": auth.auth_alert.enabled,
            "emailTemplate": template_json(&auth.auth_alert.email_template),
        }),
    );
    put("oauth2", oauth2_json(&auth.oauth2, secrets));
    put(
        "passwordAuth",
        json!({
            "enabled": auth.password_auth.enabled,
            "identityFields": auth.password_auth.identity_fields,
        }),
    );
    put(
        "mfa",
        json!({
            "enabled": auth.mfa.enabled,
            "duration": auth.mfa.duration,
            "rule": auth.mfa.rule,
        }),
    );
    put(
        "otp",
        json!({
            "enabled": auth.otp.enabled,
            "duration": auth.otp.duration,
            "length": auth.otp.length,
            "emailTemplate": template_json(&auth.otp.email_template),
        }),
    );
    put("authToken", token_json(&auth.auth_token, secrets));
    put("passwordResetToken", token_json(&auth.password_reset_token, secrets));
    put("emailChangeToken", token_json(&auth.email_change_token, secrets));
    put("verificationToken", token_json(&auth.verification_token, secrets));
    put("fileToken", token_json(&auth.file_token, secrets));
    put("verificationTemplate", template_json(&auth.verification_template));
    put("resetPasswordTemplate", template_json(&auth.reset_password_template));
    put("confirmEmailChangeTemplate", template_json(&auth.confirm_email_change_template));
    json
}

fn oauth2_json(oauth2: &OAuth2, secrets: Secrets) -> Value {
    let mapped = &oauth2.mapped_fields;
    let providers: Vec<Value> =
        oauth2.providers.iter().map(|provider| provider_json(provider, secrets)).collect();
    json!({
        "providers": providers,
        "mappedFields": {
            "id": mapped.id,
            "name": mapped.name,
            "username": mapped.username,
            "avatarURL": mapped.avatar_url,
        },
        "enabled": oauth2.enabled,
    })
}

fn provider_json(provider: &OAuth2Provider, secrets: Secrets) -> Value {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
    put("pkce", provider.pkce.into());
    put("name", provider.name.as_str().into());
    put("clientId", provider.client_id.as_str().into());
    if secrets == Secrets::Shown && !provider.client_secret.is_empty() {
        put("clientSecret", provider.client_secret.as_str().into());
    }
    put("authURL", provider.auth_url.as_str().into());
    put("tokenURL", provider.token_url.as_str().into());
    put("userInfoURL", provider.user_info_url.as_str().into());
    put("displayName", provider.display_name.as_str().into());
    put("extra", plain(&Value::Object(provider.extra.clone())));
    Value::Object(json)
}

fn token_json(token: &TokenOptions, secrets: Secrets) -> Value {
    let mut json = Map::new();
    if secrets == Secrets::Shown && !token.secret.is_empty() {
        json.insert("secret".to_owned(), token.secret.as_str().into());
    }
    json.insert("duration".to_owned(), token.duration.into());
    Value::Object(json)
}

fn template_json(template: &EmailTemplate) -> Value {
    json!({ "subject": template.subject, "body": template.body })
}

/// Free-form JSON as Go writes it: sorted keys, numbers as doubles.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut object: Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), plain(value))).collect();
            object.sort_keys();
            Value::Object(object)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, number_json),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// Loads the options of an auth collection on top of `auth`.
pub(super) fn load_auth(loader: &Loader<'_>, auth: &mut AuthOptions) -> Result<(), Malformed> {
    loader.optional_text("authRule", &mut auth.auth_rule)?;
    loader.optional_text("manageRule", &mut auth.manage_rule)?;
    loader.object("authAlert", "core.AuthAlertConfig", &mut auth.auth_alert, |json, alert| {
        json.flag("enabled", &mut alert.enabled)?;
        load_template(json, "emailTemplate", &mut alert.email_template)
    })?;
    loader.object("oauth2", "core.OAuth2Config", &mut auth.oauth2, load_oauth2)?;
    loader.object(
        "passwordAuth",
        "core.PasswordAuthConfig",
        &mut auth.password_auth,
        |json, password| {
            json.flag("enabled", &mut password.enabled)?;
            json.texts("identityFields", &mut password.identity_fields)
        },
    )?;
    loader.object("mfa", "core.MFAConfig", &mut auth.mfa, |json, mfa| {
        json.flag("enabled", &mut mfa.enabled)?;
        json.int("duration", &mut mfa.duration)?;
        json.text("rule", &mut mfa.rule)
    })?;
    loader.object("otp", "core.OTPConfig", &mut auth.otp, |json, otp| {
        json.flag("enabled", &mut otp.enabled)?;
        json.int("duration", &mut otp.duration)?;
        json.int("length", &mut otp.length)?;
        load_template(json, "emailTemplate", &mut otp.email_template)
    })?;
    load_token(loader, "authToken", &mut auth.auth_token)?;
    load_token(loader, "passwordResetToken", &mut auth.password_reset_token)?;
    load_token(loader, "emailChangeToken", &mut auth.email_change_token)?;
    load_token(loader, "verificationToken", &mut auth.verification_token)?;
    load_token(loader, "fileToken", &mut auth.file_token)?;
    load_template(loader, "verificationTemplate", &mut auth.verification_template)?;
    load_template(loader, "resetPasswordTemplate", &mut auth.reset_password_template)?;
    load_template(loader, "confirmEmailChangeTemplate", &mut auth.confirm_email_change_template)
}

fn load_oauth2(json: &Loader<'_>, oauth2: &mut OAuth2) -> Result<(), Malformed> {
    // A provider that is sent without its secret keeps the one it has, and so all other options.
    let known = oauth2.clone();
    let start = |json: &Loader<'_>| {
        let name = json.get("name").and_then(Value::as_str).unwrap_or_default();
        known.provider(name).cloned().unwrap_or_default()
    };
    json.objects(
        "providers",
        "[]core.OAuth2ProviderConfig",
        &mut oauth2.providers,
        start,
        load_provider,
    )?;
    json.object(
        "mappedFields",
        "core.OAuth2KnownFields",
        &mut oauth2.mapped_fields,
        |json, mapped| {
            json.text("id", &mut mapped.id)?;
            json.text("name", &mut mapped.name)?;
            json.text("username", &mut mapped.username)?;
            json.text("avatarURL", &mut mapped.avatar_url)
        },
    )?;
    json.flag("enabled", &mut oauth2.enabled)
}

fn load_provider(json: &Loader<'_>, provider: &mut OAuth2Provider) -> Result<(), Malformed> {
    json.optional_flag("pkce", &mut provider.pkce)?;
    json.text("name", &mut provider.name)?;
    json.text("clientId", &mut provider.client_id)?;
    json.text("clientSecret", &mut provider.client_secret)?;
    json.text("authURL", &mut provider.auth_url)?;
    json.text("tokenURL", &mut provider.token_url)?;
    json.text("userInfoURL", &mut provider.user_info_url)?;
    json.text("displayName", &mut provider.display_name)?;
    match json.get("extra") {
        None => {}
        Some(Value::Null) => provider.extra.clear(),
        Some(Value::Object(extra)) => provider.extra.extend(extra.clone()),
        Some(other) => {
            return Err(Malformed::new(other, "map[string]interface {}", &json.path_of("extra")));
        }
    }
    Ok(())
}

fn load_token(loader: &Loader<'_>, key: &str, token: &mut TokenOptions) -> Result<(), Malformed> {
    loader.object(key, "core.TokenConfig", token, |json, token| {
        json.text("secret", &mut token.secret)?;
        json.int("duration", &mut token.duration)
    })
}

fn load_template(
    loader: &Loader<'_>,
    key: &str,
    template: &mut EmailTemplate,
) -> Result<(), Malformed> {
    loader.object(key, "core.EmailTemplate", template, |json, template| {
        json.text("subject", &mut template.subject)?;
        json.text("body", &mut template.body)
    })
}

#[cfg(test)]
mod tests;
