//! The checks of text, editor, email, url and password fields.
//!
//! Source: PocketBase `core/field_text.go`, `core/field_editor.go`, `core/field_email.go`,
//! `core/field_url.go`, `core/field_password.go`.

use super::StoreCheck;
use super::format::{email_valid, url_host};
use crate::pattern::pattern_matches;
use crate::record::PASSWORD_BYTES_MAX;
use crate::{Field, FieldKind, Problem, Value};

const TEXT_CHARS_DEFAULT: i64 = 5000;
const EDITOR_BYTES_DEFAULT: i64 = 5 << 20;

/// Longest password in characters unless the field says otherwise: bcrypt reads 72 bytes.
const PASSWORD_CHARS_DEFAULT: i64 = 71;

/// The pattern of record ids that rules out by itself what the id checks are about.
const ID_PATTERN_DEFAULT: &str = "^[a-z0-9]+$";

/// Characters that are trouble in names of files and folders, which ids become.
const ID_CHARACTERS_FORBIDDEN: [char; 19] = [
    '.', '/', '\\', '|', '"', '\'', '`', '<', '>', ':', '?', '*', '%', '$', '\0', '\t', '\n', '\r',
    ' ',
];

/// Names of devices on Windows.
const IDS_RESERVED: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

pub(super) fn text_problem(
    field: &Field,
    text: &str,
    old: Option<&Value>,
    checks: &mut Vec<StoreCheck>,
) -> Option<Problem> {
    if let FieldKind::Text { primary_key: true, pattern, .. } = &field.kind {
        match old {
            Some(Value::Text(old)) if old != text => {
                let message = "The record primary key cannot be changed.";
                return Some(Problem::new("validation_pk_change", message));
            }
            // Ids that came from elsewhere need not fit the pattern.
            Some(_) => return None,
            None if pattern != ID_PATTERN_DEFAULT => {
                checks.push(StoreCheck::IdFree { id: text.to_owned() });
            }
            None => {}
        }
    }
    check_text(&field.kind, text).err()
}

/// Judges a text for a text field, regardless of other records.
pub fn check_text(kind: &FieldKind, text: &str) -> Result<(), Problem> {
    plain_text_problem(kind, text).map_or(Ok(()), Err)
}

fn plain_text_problem(kind: &FieldKind, text: &str) -> Option<Problem> {
    let FieldKind::Text { min, max, pattern, primary_key, required: wanted, .. } = kind else {
        return None;
    };
    if text.is_empty() {
        return (*wanted || *primary_key).then(Problem::required);
    }
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if *min > 0 && length < *min {
        let message = format!("Must be at least {min} character(s).");
        return Some(
            Problem::new("validation_min_text_constraint", message).with_param("min", *min),
        );
    }
    let max = if *max == 0 { TEXT_CHARS_DEFAULT } else { *max };
    if max > 0 && length > max {
        let message = format!("Must be no more than {max} character(s).");
        return Some(
            Problem::new("validation_max_text_constraint", message).with_param("max", max),
        );
    }
    if pattern == ID_PATTERN_DEFAULT {
        let fits = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        return (!fits).then(invalid_format);
    }
    if !pattern.is_empty() && !pattern_matches(pattern, text) {
        return Some(invalid_format());
    }
    if *primary_key { id_problem(text) } else { None }
}

fn id_problem(id: &str) -> Option<Problem> {
    let forbidden = ID_CHARACTERS_FORBIDDEN.iter().find(|character| id.contains(**character));
    if let Some(character) = forbidden {
        let message = format!("'{character}' is not a valid primary key character.");
        let shown = character.to_string();
        return Some(
            Problem::new("validation_forbidden_pk_character", message).with_param("ch", shown),
        );
    }
    let reserved = IDS_RESERVED.iter().find(|reserved| id.eq_ignore_ascii_case(reserved))?;
    let message = format!("The primary key '{reserved}' is reserved and cannot be used.");
    Some(Problem::new("validation_reserved_pk", message).with_param("reserved", *reserved))
}

fn invalid_format() -> Problem {
    Problem::new("validation_invalid_format", "Invalid value format.")
}

pub(super) fn editor_problem(text: &str, max_size: i64, wanted: bool) -> Option<Problem> {
    if text.is_empty() {
        return wanted.then(Problem::required);
    }
    let size_max = if max_size <= 0 { EDITOR_BYTES_DEFAULT } else { max_size };
    if i64::try_from(text.len()).unwrap_or(i64::MAX) <= size_max {
        return None;
    }
    let message = format!("The maximum allowed content size is {size_max} bytes.");
    Some(Problem::new("validation_content_size_limit", message).with_param("maxSize", size_max))
}

pub(super) fn email_problem(
    text: &str,
    only_domains: &[String],
    except_domains: &[String],
    wanted: bool,
) -> Option<Problem> {
    if text.is_empty() {
        return wanted.then(Problem::required);
    }
    if !email_valid(text) {
        return Some(Problem::new("validation_is_email", "Must be a valid email address."));
    }
    let domain = text.rsplit('@').next().unwrap_or("");
    (!domain_allowed(domain, only_domains, except_domains)).then(|| {
        Problem::new("validation_email_domain_not_allowed", "Email domain is not allowed.")
    })
}

pub(super) fn url_problem(
    text: &str,
    only_domains: &[String],
    except_domains: &[String],
    wanted: bool,
) -> Option<Problem> {
    if text.is_empty() {
        return wanted.then(Problem::required);
    }
    let Some(host) = url_host(text) else {
        return Some(Problem::new("validation_invalid_url", "Must be a valid url."));
    };
    (!domain_allowed(host, only_domains, except_domains))
        .then(|| Problem::new("validation_url_domain_not_allowed", "Url domain is not allowed."))
}

fn domain_allowed(domain: &str, only: &[String], except: &[String]) -> bool {
    let listed = |list: &[String]| list.iter().any(|entry| entry == domain);
    (only.is_empty() || listed(only)) && !listed(except)
}

/// `hash` is what is stored already, `plain` what is about to be hashed.
pub(super) fn password_problem(field: &Field, hash: &str, plain: &str) -> Option<Problem> {
    let FieldKind::Password { pattern, min, max, required: wanted, .. } = &field.kind else {
        return None;
    };
    if plain.len() > PASSWORD_BYTES_MAX {
        // PocketBase's hash function fails, and it words every such failure like this.
        return Some(Problem::new("validation_invalid_value", "Invalid value."));
    }
    if plain.is_empty() {
        return (*wanted && hash.is_empty()).then(Problem::required);
    }
    let length = i64::try_from(plain.chars().count()).unwrap_or(i64::MAX);
    if length < *min {
        let message = format!("Must be at least {min} character(s).");
        return Some(Problem::new("validation_min_text_constraint", message));
    }
    let max = if *max <= 0 { PASSWORD_CHARS_DEFAULT } else { *max };
    if length > max {
        let message = format!("Must be less than {max} character(s).");
        return Some(Problem::new("validation_max_text_constraint", message));
    }
    (!pattern.is_empty() && !pattern_matches(pattern, plain)).then(invalid_format)
}
