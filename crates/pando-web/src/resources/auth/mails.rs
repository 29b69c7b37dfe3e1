//! The mails about accounts, from the templates of their collections.
//!
//! Source: PocketBase `mails/record.go`.

use pando_schema::{AuthOptions, EmailTemplate, Record, Settings};

use crate::ApiError;
use crate::mail::{Mail, Placeholder, escaped, resolve};
use crate::tokens::{self, TokenKind};

/// Asks to prove that the address is one's own.
pub(super) fn verification(settings: &Settings, record: &Record) -> Result<Mail, ApiError> {
    let token = tokens::issue_for_mail(TokenKind::Verification, record)?;
    let template = &options(record)?.verification_template;
    Ok(about(settings, record, template, &[("TOKEN", &token)]))
}

/// Brings the token for a new password.
pub(super) fn password_reset(settings: &Settings, record: &Record) -> Result<Mail, ApiError> {
    let token = tokens::issue_for_mail(TokenKind::PasswordReset, record)?;
    let template = &options(record)?.reset_password_template;
    Ok(about(settings, record, template, &[("TOKEN", &token)]))
}

/// Asks, at the new address, to confirm it.
pub(super) fn email_change(
    settings: &Settings,
    record: &Record,
    new_email: &str,
) -> Result<Mail, ApiError> {
    let token = tokens::issue_email_change(record, new_email)?;
    let template = &options(record)?.confirm_email_change_template;
    let mail = about(settings, record, template, &[("TOKEN", &token)]);
    Ok(Mail { to: new_email.to_owned(), ..mail })
}

/// Brings a one-time password.
pub(super) fn otp(
    settings: &Settings,
    record: &Record,
    otp_id: &str,
    password: &str,
) -> Result<Mail, ApiError> {
    let template = &options(record)?.otp.email_template;
    Ok(about(settings, record, template, &[("OTP_ID", otp_id), ("OTP", password)]))
}

/// Tells of a login from a new place.
pub(super) fn auth_alert(
    settings: &Settings,
    record: &Record,
    info: &str,
) -> Result<Mail, ApiError> {
    let template = &options(record)?.auth_alert.email_template;
    Ok(about(settings, record, template, &[("ALERT_INFO", &escaped(info))]))
}

fn options(record: &Record) -> Result<&AuthOptions, ApiError> {
    let none = || ApiError::internal(anyhow::anyhow!("the record is no account"));
    record.collection.auth.as_ref().ok_or_else(none)
}

fn about(
    settings: &Settings,
    record: &Record,
    template: &EmailTemplate,
    own: &[Placeholder<'_>],
) -> Mail {
    let (subject, html) = resolve(template, &settings.meta, record, own);
    Mail { to: record.text("email").to_owned(), subject, html }
}
