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

use crate::ApiError;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Logging in.
    Auth,
    /// Downloading protected files.
    File,
}

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    pub collection_id: String,
    /// Seconds since 1970.
    pub exp: u64,
    pub id: String,
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
        }
    }

    fn options(self, record: &Record) -> Option<&TokenOptions> {
        let auth = record.collection.auth.as_ref()?;
        Some(match self {
            TokenKind::Auth => &auth.auth_token,
            TokenKind::File => &auth.file_token,
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
pub fn issue(
    kind: TokenKind,
    record: &Record,
    refreshable: Option<bool>,
    duration: Option<Duration>,
) -> Result<String, ApiError> {
    let unsigned = || ApiError::internal(anyhow::anyhow!("the record cannot have tokens"));
    let options = kind.options(record).ok_or_else(unsigned)?;
    let key = kind.key(record).ok_or_else(unsigned)?;
    let seconds = duration.map_or(options.duration.unsigned_abs(), |duration| duration.as_secs());
    let claims = Claims {
        collection_id: record.collection.id.clone(),
        exp: unix_seconds().saturating_add(seconds),
        id: record.id().to_owned(),
        refreshable,
        kind: kind.name().to_owned(),
    };
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(ApiError::internal)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What a token claims, without proof.
pub fn unproven(token: &str) -> Option<Claims> {
    let mut anything = Validation::new(Algorithm::HS256);
    anything.insecure_disable_signature_validation();
    anything.validate_exp = false;
    anything.required_spec_claims.clear();
    let key = DecodingKey::from_secret(&[]);
    Some(jsonwebtoken::decode::<Claims>(token, &key, &anything).ok()?.claims)
}

/// The record that a valid token of `kind` stands for. Anything wrong with it is no record.
pub async fn owner(
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
