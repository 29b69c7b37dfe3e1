//! The options of an auth collection: ways to log in, tokens, mails.
//!
//! *Units*: durations are whole seconds.
//!
//! Source: PocketBase `core/collection_model_auth_options.go`; provider names from `tools/auth`.

use rand::RngCore;
use serde_json::{Map, Value};

use crate::collection::templates;
use crate::random::random_text;

/// The length of the secrets that sign tokens.
const SECRET_LENGTH: usize = 50;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuthOptions {
    /// A filter that a record must pass to log in; same `None`/empty meaning as the rules.
    pub auth_rule: Option<String>,
    /// A filter for who may change other records' e-mail, password and the like.
    pub manage_rule: Option<String>,
    pub auth_alert: AuthAlert,
    pub oauth2: OAuth2,
    pub password_auth: PasswordAuth,
    pub mfa: Mfa,
    pub otp: Otp,
    pub auth_token: TokenOptions,
    pub password_reset_token: TokenOptions,
    pub email_change_token: TokenOptions,
    pub verification_token: TokenOptions,
    pub file_token: TokenOptions,
    pub verification_template: EmailTemplate,
    pub reset_password_template: EmailTemplate,
    pub confirm_email_change_template: EmailTemplate,
}

/// The mail about a login from a new place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuthAlert {
    pub enabled: bool,
    pub email_template: EmailTemplate,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmailTemplate {
    pub subject: String,
    pub body: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct OAuth2 {
    pub providers: Vec<OAuth2Provider>,
    pub mapped_fields: MappedFields,
    pub enabled: bool,
}

/// The fields of a new record that a provider's answer fills; empty for none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappedFields {
    pub id: String,
    pub name: String,
    pub username: String,
    pub avatar_url: String,
}

/// A provider and what differs from its defaults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OAuth2Provider {
    pub pkce: Option<bool>,
    pub name: String,
    pub client_id: String,
    pub client_secret: String,
    pub auth_url: String,
    pub token_url: String,
    pub user_info_url: String,
    pub display_name: String,
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct PasswordAuth {
    pub enabled: bool,
    /// Fields with a unique index by which a record can be named at login.
    pub identity_fields: Vec<String>,
}

/// Multi-factor authentication.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mfa {
    pub enabled: bool,
    pub duration: i64,
    /// Which records need it; empty means all.
    pub rule: String,
}

/// One-time passwords.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Otp {
    pub enabled: bool,
    pub duration: i64,
    pub length: i64,
    pub email_template: EmailTemplate,
}

/// How one kind of token is signed and how long it is valid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenOptions {
    pub secret: String,
    pub duration: i64,
}

impl AuthOptions {
    /// The options that a new auth collection has.
    pub fn initial(rng: &mut dyn RngCore) -> AuthOptions {
        AuthOptions {
            auth_rule: Some(String::new()),
            manage_rule: None,
            auth_alert: AuthAlert { enabled: true, email_template: templates::auth_alert() },
            oauth2: OAuth2::default(),
            password_auth: PasswordAuth {
                enabled: true,
                identity_fields: vec!["email".to_owned()],
            },
            mfa: Mfa { enabled: false, duration: 600, rule: String::new() },
            otp: Otp { enabled: false, duration: 180, length: 8, email_template: templates::otp() },
            auth_token: TokenOptions::random(rng, 432_000),
            password_reset_token: TokenOptions::random(rng, 1_800),
            email_change_token: TokenOptions::random(rng, 1_800),
            verification_token: TokenOptions::random(rng, 86_400),
            file_token: TokenOptions::random(rng, 180),
            verification_template: templates::verification(),
            reset_password_template: templates::reset_password(),
            confirm_email_change_template: templates::confirm_email_change(),
        }
    }

    /// Makes all login tokens issued so far invalid.
    pub(crate) fn renew_auth_secret(&mut self, rng: &mut dyn RngCore) {
        self.auth_token.secret = random_text(rng, SECRET_LENGTH);
    }
}

impl TokenOptions {
    fn random(rng: &mut dyn RngCore, duration: i64) -> TokenOptions {
        TokenOptions { secret: random_text(rng, SECRET_LENGTH), duration }
    }
}

impl OAuth2 {
    pub fn provider(&self, name: &str) -> Option<&OAuth2Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

/// Whether there is an OAuth2 provider with that name.
pub fn oauth2_provider_known(name: &str) -> bool {
    const NAMES: [&str; 32] = [
        "apple",
        "bitbucket",
        "box",
        "discord",
        "facebook",
        "gitea",
        "gitee",
        "github",
        "gitlab",
        "google",
        "instagram2",
        "kakao",
        "lark",
        "linear",
        "livechat",
        "mailcow",
        "microsoft",
        "monday",
        "notion",
        "oidc",
        "oidc2",
        "oidc3",
        "patreon",
        "planningcenter",
        "spotify",
        "strava",
        "trakt",
        "twitch",
        "twitter",
        "vk",
        "wakatime",
        "yandex",
    ];
    NAMES.contains(&name)
}
