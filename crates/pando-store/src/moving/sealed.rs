//! The URL of the database in `data.db`. There may be a password in it, so it is encrypted if the
//! settings are.

use crate::{StoreError, settings};

/// What an encrypted URL begins with; none of PostgreSQL's does.
const SEALED: &str = "sealed:";

/// The URL as it is stored.
pub(super) fn seal(url: &str, key: Option<&str>) -> Result<String, StoreError> {
    let Some(key) = key else { return Ok(url.to_owned()) };
    let sealed = settings::encrypt(url.as_bytes(), key);
    let sealed = sealed
        .ok_or_else(|| StoreError::BadSettings("the key must have 32 characters".to_owned()))?;
    Ok(format!("{SEALED}{sealed}"))
}

/// The URL that was stored.
pub(super) fn unseal(stored: &str, key: Option<&str>) -> Result<String, StoreError> {
    let Some(sealed) = stored.strip_prefix(SEALED) else { return Ok(stored.to_owned()) };
    let bad = |hint: &str| StoreError::BadSettings(hint.to_owned());
    let hint = "where the records are is encrypted\nhint: name the variable with the key by \
                --encryptionEnv";
    let plain = settings::decrypt(sealed, key.ok_or_else(|| bad(hint))?);
    let plain = plain.and_then(|plain| String::from_utf8(plain).ok());
    plain.ok_or_else(|| bad("the encryption key does not fit"))
}

#[cfg(test)]
mod tests {
    use super::{seal, unseal};

    #[test]
    fn a_url_is_read_only_with_the_key_that_it_was_stored_with() {
        let (url, key) = ("postgres://u:secret@h/d", "0123456789abcdef0123456789abcdef");
        assert_eq!(seal(url, None).unwrap(), url);
        assert_eq!(unseal(url, Some(key)).unwrap(), url);
        let sealed = seal(url, Some(key)).unwrap();
        assert!(!sealed.contains("secret"), "{sealed}");
        assert_eq!(unseal(&sealed, Some(key)).unwrap(), url);
        unseal(&sealed, None).unwrap_err();
        unseal(&sealed, Some("another-key-of-thirty-two-bytes!")).unwrap_err();
    }
}
