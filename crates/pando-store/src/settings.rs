//! The settings, a row of `_params`, encrypted when the operator gives a key.
//!
//! Source: PocketBase `core/settings_query.go`, `tools/security/encrypt.go` (AES-256-GCM, the
//! nonce first, base64).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pando_schema::Settings;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{Conn, StoreError, Tx};

/// Reads the settings; the defaults if none are stored.
pub(crate) async fn load(conn: &mut Conn, key: Option<&str>) -> Result<Settings, StoreError> {
    let mut sql = conn.sql();
    sql.push("SELECT ").quoted("value").push(" FROM ").quoted("_params");
    sql.push(" WHERE ").quoted("id").push(" = 'settings'");
    let stored = conn.texts(&sql).await?;
    let Some(text) = stored.into_iter().next() else { return Ok(Settings::initial()) };
    if let Ok(settings) = Settings::from_stored(&text) {
        return Ok(settings);
    }
    let Some(key) = key else {
        let hint = "they are encrypted\nhint: name the variable with the key by --encryptionEnv";
        return Err(StoreError::BadSettings(hint.to_owned()));
    };
    let plain = decrypt(&text, key).and_then(|plain| String::from_utf8(plain).ok());
    let plain = plain
        .ok_or_else(|| StoreError::BadSettings("the encryption key does not fit".to_owned()))?;
    Settings::from_stored(&plain).map_err(|error| StoreError::BadSettings(error.to_string()))
}

/// Writes the settings row.
pub(crate) async fn store(
    conn: &mut Conn,
    settings: &Settings,
    key: Option<&str>,
) -> Result<(), StoreError> {
    let plain = settings.to_stored();
    let value = match key {
        Some(key) => encrypt(plain.as_bytes(), key)
            .ok_or_else(|| StoreError::BadSettings("the key must have 32 characters".to_owned()))?,
        None => plain,
    };
    let now = crate::now();
    let mut sql = conn.sql();
    sql.push("INSERT INTO ").quoted("_params").push(" (");
    for (index, column) in ["id", "value", "created", "updated"].iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).quoted(column);
    }
    sql.push(") VALUES ('settings', ").bind(value).push(", ").bind(now.as_str());
    sql.push(", ").bind(now).push(") ON CONFLICT (").quoted("id").push(") DO UPDATE SET ");
    sql.quoted("value").push(" = excluded.").quoted("value").push(", ");
    sql.quoted("updated").push(" = excluded.").quoted("updated");
    conn.execute(&sql).await?;
    Ok(())
}

impl Tx {
    /// Replaces the settings.
    pub async fn save_settings(
        &mut self,
        settings: Settings,
        key: Option<&str>,
    ) -> Result<Arc<Settings>, StoreError> {
        self.alter().await?;
        store(self, &settings, key).await?;
        self.settings = Arc::new(settings);
        Ok(Arc::clone(&self.settings))
    }
}

fn cipher(key: &str) -> Option<LessSafeKey> {
    Some(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).ok()?))
}

pub(crate) fn encrypt(plain: &[u8], key: &str) -> Option<String> {
    let nonce: [u8; NONCE_LEN] = rand::random();
    let mut sealed = plain.to_vec();
    let unique = Nonce::assume_unique_for_key(nonce);
    cipher(key)?.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed).ok()?;
    Some(BASE64.encode([nonce.as_slice(), &sealed].concat()))
}

pub(crate) fn decrypt(text: &str, key: &str) -> Option<Vec<u8>> {
    let mut bytes = BASE64.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    Some(cipher(key)?.open_in_place(nonce, Aad::empty(), sealed).ok()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_can_be_read_only_with_the_key() {
        let key = "0123456789abcdef0123456789abcdef";
        let sealed = encrypt(b"{\"a\":1}", key).unwrap();
        assert_eq!(decrypt(&sealed, key).unwrap(), b"{\"a\":1}");
        assert_eq!(decrypt(&sealed, "another-key-of-thirty-two-bytes!"), None);
        assert_eq!(encrypt(b"", "short"), None);
    }
}
