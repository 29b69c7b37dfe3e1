//! Tokens: who a request is from, proven by a signature.
//!
//! A token is a JWT (RFC 7519, HS256). Its key is made of a secret of the collection and the
//! record's own token key, so that changing either revokes all tokens.
//!
//! Source: PocketBase `core/record_tokens.go`, `core/record_query.go` (`FindAuthRecordByToken`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pando_schema::{Record, Schema, TokenOptions};
use pando_store::Conn;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::ApiError;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Logging in.
    Auth,
    /// Downloading protected files.
    File,
    /// Proving that one reads the mail of the record's address.
    Verification,
    /// Setting a new password.
    PasswordReset,
    /// Taking another address.
    EmailChange,
}

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    pub collection_id: String,
    /// The address of the record at that time. Only tokens sent by mail say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Seconds since 1970.
    pub exp: u64,
    pub id: String,
    /// The address to take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_email: Option<String>,
    /// Whether a refresh gives a new token. Only login tokens say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshable: Option<bool>,
    #[serde(rename = "type")]
    pub kind: String,
}

impl TokenKind {
    fn name(self) -> &'static str {
        match self {
            TokenKind::Auth => "auth",
            TokenKind::File => "file",
            TokenKind::Verification => "verification",
            TokenKind::PasswordReset => "passwordReset",
            TokenKind::EmailChange => "emailChange",
        }
    }

    fn options(self, record: &Record) -> Option<&TokenOptions> {
        let auth = record.collection.auth.as_ref()?;
        Some(match self {
            TokenKind::Auth => &auth.auth_token,
            TokenKind::File => &auth.file_token,
            TokenKind::Verification => &auth.verification_token,
            TokenKind::PasswordReset => &auth.password_reset_token,
            TokenKind::EmailChange => &auth.email_change_token,
        })
    }

    /// The key that signs this kind of token for `record`.
    fn key(self, record: &Record) -> Option<String> {
        let secret = &self.options(record)?.secret;
        let key = format!("{}{secret}", record.text("tokenKey"));
        (!key.is_empty()).then_some(key)
    }
}

/// A new token for `record`, valid for `duration` or else as long as its collection says.
pub(crate) fn issue(
    kind: TokenKind,
    record: &Record,
    refreshable: Option<bool>,
    duration: Option<Duration>,
) -> Result<String, ApiError> {
    sign(kind, record, Extra { refreshable, ..Extra::default() }, duration)
}

/// A new token to be sent to the address of `record`.
pub(crate) fn issue_for_mail(kind: TokenKind, record: &Record) -> Result<String, ApiError> {
    let email = Some(record.text("email").to_owned());
    sign(kind, record, Extra { email, ..Extra::default() }, None)
}

/// A new token to be sent to the address that `record` shall get.
pub(crate) fn issue_email_change(record: &Record, new_email: &str) -> Result<String, ApiError> {
    let email = Some(record.text("email").to_owned());
    let extra = Extra { email, new_email: Some(new_email.to_owned()), refreshable: None };
    sign(TokenKind::EmailChange, record, extra, None)
}

/// What only some kinds of tokens say.
#[derive(Debug, Default)]
struct Extra {
    email: Option<String>,
    new_email: Option<String>,
    refreshable: Option<bool>,
}

fn sign(
    kind: TokenKind,
    record: &Record,
    extra: Extra,
    duration: Option<Duration>,
) -> Result<String, ApiError> {
    let unsigned = || ApiError::internal(anyhow::anyhow!("the record cannot have tokens"));
    let options = kind.options(record).ok_or_else(unsigned)?;
    let key = kind.key(record).ok_or_else(unsigned)?;
    let seconds = duration.map_or(options.duration.unsigned_abs(), |duration| duration.as_secs());
    let claims = Claims {
        collection_id: record.collection.id.clone(),
        email: extra.email,
        exp: unix_seconds().saturating_add(seconds),
        id: record.id().to_owned(),
        new_email: extra.new_email,
        refreshable: extra.refreshable,
        kind: kind.name().to_owned(),
    };
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(ApiError::internal)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What a token claims, without proof.
pub(crate) fn unproven(token: &str) -> Option<Claims> {
    decode_unproven(token)
}

/// A text that a token of any form claims, without proof; empty if it does not.
pub(crate) fn unproven_text(token: &str, claim: &str) -> String {
    let claims: Option<Map<String, Json>> = decode_unproven(token);
    let text = claims.and_then(|claims| Some(claims.get(claim)?.as_str()?.to_owned()));
    text.unwrap_or_default()
}

fn decode_unproven<T: serde::de::DeserializeOwned>(token: &str) -> Option<T> {
    let mut anything = Validation::new(Algorithm::HS256);
    anything.insecure_disable_signature_validation();
    anything.validate_exp = false;
    anything.required_spec_claims.clear();
    let key = DecodingKey::from_secret(&[]);
    Some(jsonwebtoken::decode::<T>(token, &key, &anything).ok()?.claims)
}

/// The record that a valid token of `kind` stands for. Anything wrong with it is no record.
pub(crate) async fn owner(
    conn: &mut Conn,
    schema: &Schema,
    token: &str,
    kind: TokenKind,
) -> Result<Option<Record>, ApiError> {
    let Some(claims) = unproven(token).filter(|claims| claims.kind == kind.name()) else {
        return Ok(None);
    };
    let Some(collection) = schema.find(&claims.collection_id) else { return Ok(None) };
    if collection.auth.is_none() {
        return Ok(None);
    }
    let Some(record) = conn.find(collection, &claims.id).await? else { return Ok(None) };
    Ok(proves(token, kind, &record).then_some(record))
}

fn proves(token: &str, kind: TokenKind, record: &Record) -> bool {
    let Some(key) = kind.key(record) else { return false };
    let mut valid = Validation::new(Algorithm::HS256);
    valid.leeway = 0;
    jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(key.as_bytes()), &valid).is_ok()
}
