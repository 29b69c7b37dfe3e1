//! The JSON forms of the settings: the stored one, and the API's without secrets.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::files_move::{KEY, files_move_json, load_files_move};
use super::{Backups, Batch, Logs, Meta, RateLimits, S3, Settings, Smtp, TrustedProxy};
use crate::load::{KeyMatch, Loader, Malformed};

/// Whether passwords and secrets are in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Shown,
    Hidden,
}

/// Why a stored text is no settings. It may be encrypted.
#[derive(Debug, Error)]
pub enum StoredSettingsError {
    #[error("invalid JSON in the stored settings")]
    Json(#[from] serde_json::Error),
    #[error("unexpected JSON in the stored settings")]
    Malformed(#[from] Malformed),
}

impl Settings {
    /// What the API shows.
    pub fn to_json(&self) -> Value {
        self.json(Secrets::Hidden)
    }

    pub fn to_stored(&self) -> String {
        let mut json = self.json(Secrets::Shown);
        if let (Some(moving), Some(members)) = (&self.files_move, json.as_object_mut()) {
            members.insert(KEY.to_owned(), files_move_json(moving));
        }
        json.to_string()
    }

    /// Reads stored settings; what they lack is as in a new application.
    pub fn from_stored(text: &str) -> Result<Settings, StoredSettingsError> {
        let stored: Map<String, Value> = serde_json::from_str(text)?;
        let mut settings = Settings::initial();
        let stored = Loader::new(&stored, KeyMatch::Exact);
        settings.load(&stored)?;
        settings.files_move = load_files_move(&stored)?;
        Ok(settings)
    }

    /// Changes what a request sends.
    pub fn load_json(&mut self, input: &Map<String, Value>) -> Result<(), Malformed> {
        self.load(&Loader::new(input, KeyMatch::Loose))
    }

    fn json(&self, secrets: Secrets) -> Value {
        json!({
            "superuserIPs": self.superuser_ips,
            "smtp": smtp_json(&self.smtp, secrets),
            "backups": {
                "cron": self.backups.cron,
                "cronMaxKeep": self.backups.cron_max_keep,
                "s3": s3_json(&self.backups.s3, secrets),
            },
            "s3": s3_json(&self.s3, secrets),
            "meta": {
                "accentColor": self.meta.accent_color,
                "appName": self.meta.app_name,
                "appURL": self.meta.app_url,
                "senderName": self.meta.sender_name,
                "senderAddress": self.meta.sender_address,
                "hideControls": self.meta.hide_controls,
            },
            "rateLimits": rate_limits_json(&self.rate_limits),
            "trustedProxy": {
                "headers": self.trusted_proxy.headers,
                "useLeftmostIP": self.trusted_proxy.use_leftmost_ip,
            },
            "batch": {
                "enabled": self.batch.enabled,
                "maxRequests": self.batch.max_requests,
                "timeout": self.batch.timeout,
                "maxBodySize": self.batch.max_body_size,
            },
            "logs": {
                "maxDataSize": self.logs.max_data_size,
                "maxDays": self.logs.max_days,
                "minLevel": self.logs.min_level,
                "logIP": self.logs.log_ip,
                "logAuthId": self.logs.log_auth_id,
            },
        })
    }

    fn load(&mut self, json: &Loader<'_>) -> Result<(), Malformed> {
        json.texts("superuserIPs", &mut self.superuser_ips)?;
        json.object("smtp", "core.SMTPConfig", &mut self.smtp, load_smtp)?;
        json.object("backups", "core.BackupsConfig", &mut self.backups, load_backups)?;
        json.object("s3", "core.S3Config", &mut self.s3, load_s3)?;
        json.object("meta", "core.MetaConfig", &mut self.meta, load_meta)?;
        json.object(
            "rateLimits",
            "core.RateLimitsConfig",
            &mut self.rate_limits,
            load_rate_limits,
        )?;
        json.object(
            "trustedProxy",
            "core.TrustedProxyConfig",
            &mut self.trusted_proxy,
            load_trusted_proxy,
        )?;
        json.object("batch", "core.BatchConfig", &mut self.batch, load_batch)?;
        json.object("logs", "core.LogsConfig", &mut self.logs, load_logs)
    }
}

fn smtp_json(smtp: &Smtp, secrets: Secrets) -> Value {
    let mut json = json!({
        "enabled": smtp.enabled,
        "port": smtp.port,
        "host": smtp.host,
        "username": smtp.username,
        "password": smtp.password,
        "authMethod": smtp.auth_method,
        "tls": smtp.tls,
        "localName": smtp.local_name,
    });
    if let (Secrets::Hidden, Some(object)) = (secrets, json.as_object_mut()) {
        object.shift_remove("password");
    }
    json
}

pub(super) fn s3_json(s3: &S3, secrets: Secrets) -> Value {
    let mut json = json!({
        "enabled": s3.enabled,
        "bucket": s3.bucket,
        "region": s3.region,
        "endpoint": s3.endpoint,
        "accessKey": s3.access_key,
        "secret": s3.secret,
        "forcePathStyle": s3.force_path_style,
    });
    let hidden = secrets == Secrets::Hidden || s3.secret.is_empty();
    if let (true, Some(object)) = (hidden, json.as_object_mut()) {
        object.shift_remove("secret");
    }
    json
}

fn rate_limits_json(limits: &RateLimits) -> Value {
    let rules: Vec<Value> = limits
        .rules
        .iter()
        .map(|rule| {
            json!({
                "label": rule.label,
                "audience": rule.audience,
                "duration": rule.duration,
                "maxRequests": rule.max_requests,
            })
        })
        .collect();
    json!({ "rules": rules, "excludedIPs": limits.excluded_ips, "enabled": limits.enabled })
}

fn load_smtp(json: &Loader<'_>, smtp: &mut Smtp) -> Result<(), Malformed> {
    json.flag("enabled", &mut smtp.enabled)?;
    json.int("port", &mut smtp.port)?;
    json.text("host", &mut smtp.host)?;
    json.text("username", &mut smtp.username)?;
    json.text("password", &mut smtp.password)?;
    json.text("authMethod", &mut smtp.auth_method)?;
    json.flag("tls", &mut smtp.tls)?;
    json.text("localName", &mut smtp.local_name)
}

fn load_backups(json: &Loader<'_>, backups: &mut Backups) -> Result<(), Malformed> {
    json.text("cron", &mut backups.cron)?;
    json.int("cronMaxKeep", &mut backups.cron_max_keep)?;
    json.object("s3", "core.S3Config", &mut backups.s3, load_s3)
}

pub(super) fn load_s3(json: &Loader<'_>, s3: &mut S3) -> Result<(), Malformed> {
    json.flag("enabled", &mut s3.enabled)?;
    json.text("bucket", &mut s3.bucket)?;
    json.text("region", &mut s3.region)?;
    json.text("endpoint", &mut s3.endpoint)?;
    json.text("accessKey", &mut s3.access_key)?;
    json.text("secret", &mut s3.secret)?;
    json.flag("forcePathStyle", &mut s3.force_path_style)
}

fn load_meta(json: &Loader<'_>, meta: &mut Meta) -> Result<(), Malformed> {
    json.text("accentColor", &mut meta.accent_color)?;
    json.text("appName", &mut meta.app_name)?;
    json.text("appURL", &mut meta.app_url)?;
    json.text("senderName", &mut meta.sender_name)?;
    json.text("senderAddress", &mut meta.sender_address)?;
    json.flag("hideControls", &mut meta.hide_controls)
}

fn load_rate_limits(json: &Loader<'_>, limits: &mut RateLimits) -> Result<(), Malformed> {
    json.objects(
        "rules",
        "core.RateLimitRule",
        &mut limits.rules,
        |_| super::RateLimitRule::default(),
        |json, rule| {
            json.text("label", &mut rule.label)?;
            json.text("audience", &mut rule.audience)?;
            json.int("duration", &mut rule.duration)?;
            json.int("maxRequests", &mut rule.max_requests)
        },
    )?;
    json.texts("excludedIPs", &mut limits.excluded_ips)?;
    json.flag("enabled", &mut limits.enabled)
}

fn load_trusted_proxy(json: &Loader<'_>, proxy: &mut TrustedProxy) -> Result<(), Malformed> {
    json.texts("headers", &mut proxy.headers)?;
    json.flag("useLeftmostIP", &mut proxy.use_leftmost_ip)
}

fn load_batch(json: &Loader<'_>, batch: &mut Batch) -> Result<(), Malformed> {
    json.flag("enabled", &mut batch.enabled)?;
    json.int("maxRequests", &mut batch.max_requests)?;
    json.int("timeout", &mut batch.timeout)?;
    json.int("maxBodySize", &mut batch.max_body_size)
}

fn load_logs(json: &Loader<'_>, logs: &mut Logs) -> Result<(), Malformed> {
    json.int("maxDataSize", &mut logs.max_data_size)?;
    json.int("maxDays", &mut logs.max_days)?;
    json.int("minLevel", &mut logs.min_level)?;
    json.flag("logIP", &mut logs.log_ip)?;
    json.flag("logAuthId", &mut logs.log_auth_id)
}
