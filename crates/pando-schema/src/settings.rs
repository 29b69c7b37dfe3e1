//! The settings of the whole application.
//!
//! They are one row of the `_params` table: id `settings`, value [`Settings::to_stored`]. With an
//! encryption key (32 bytes, from the variable that `--encryptionEnv` names) the value is instead
//! standard Base64 of a 12-byte nonce followed by what AES-256-GCM makes of the JSON. What
//! [`Settings::from_stored`] cannot read is to be decrypted first and then read again.
//!
//! Source: PocketBase `core/settings_model.go`, `core/settings_query.go`,
//! `tools/security/encrypt.go`.

mod check;
mod cron;
mod files_move;
mod json;

pub use cron::{CronError, CronMoment, CronSchedule};
pub use files_move::{FilesMove, FilesMoveRefusal, FilesPhase};
pub use json::StoredSettingsError;

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Addresses and networks from which superusers may log in; empty for all.
    pub superuser_ips: Vec<String>,
    pub smtp: Smtp,
    pub backups: Backups,
    pub s3: S3,
    pub meta: Meta,
    pub rate_limits: RateLimits,
    pub trusted_proxy: TrustedProxy,
    pub batch: Batch,
    pub logs: Logs,
    /// For Pando alone: a move of files that is under way.
    pub files_move: Option<FilesMove>,
}

/// The server that sends our mails.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Smtp {
    pub enabled: bool,
    pub port: i64,
    pub host: String,
    pub username: String,
    pub password: String,
    /// `PLAIN` (also when empty) or `LOGIN`.
    pub auth_method: String,
    /// TLS from the first byte, instead of when the server offers it.
    pub tls: bool,
    /// How we call ourselves; empty for `localhost`.
    pub local_name: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Backups {
    /// When to make a backup; empty for never.
    pub cron: String,
    /// How many of the backups made by schedule are kept.
    pub cron_max_keep: i64,
    pub s3: S3,
}

/// An object store with Amazon's S3 protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct S3 {
    pub enabled: bool,
    pub bucket: String,
    pub region: String,
    pub endpoint: String,
    pub access_key: String,
    pub secret: String,
    pub force_path_style: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meta {
    /// `#` and six hexadecimal digits, or empty.
    pub accent_color: String,
    pub app_name: String,
    pub app_url: String,
    pub sender_name: String,
    pub sender_address: String,
    /// Whether the dashboard hides what changes collections.
    pub hide_controls: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateLimits {
    pub rules: Vec<RateLimitRule>,
    /// Addresses and networks without limits.
    pub excluded_ips: Vec<String>,
    pub enabled: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateLimitRule {
    /// A tag (`users:create`, `*:auth`), or a path or path prefix (ending in `/`), the path with
    /// or without a method before it.
    pub label: String,
    /// Empty for everyone, `@guest` or `@auth`.
    pub audience: String,
    /// Seconds after which counting starts again.
    pub duration: i64,
    pub max_requests: i64,
}

/// Headers in which a proxy says who the client is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrustedProxy {
    pub headers: Vec<String>,
    pub use_leftmost_ip: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    pub enabled: bool,
    pub max_requests: i64,
    /// Seconds.
    pub timeout: i64,
    /// Bytes; zero for the default of 128 MiB.
    pub max_body_size: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logs {
    /// Bytes of data in one entry; zero for the default of 16 KiB.
    pub max_data_size: i64,
    /// Days that entries are kept; zero for no logs.
    pub max_days: i64,
    pub min_level: i64,
    pub log_ip: bool,
    pub log_auth_id: bool,
}

impl Settings {
    /// The settings of a new application.
    pub fn initial() -> Settings {
        let rule = |label: &str, max_requests, duration| RateLimitRule {
            label: label.to_owned(),
            audience: String::new(),
            duration,
            max_requests,
        };
        Settings {
            superuser_ips: Vec::new(),
            smtp: Smtp { host: "smtp.example.com".to_owned(), port: 587, ..Smtp::default() },
            backups: Backups { cron_max_keep: 3, ..Backups::default() },
            s3: S3::default(),
            meta: Meta {
                accent_color: "#1055c9".to_owned(),
                app_name: "Acme".to_owned(),
                app_url: "http://localhost:8090".to_owned(),
                sender_name: "Support".to_owned(),
                sender_address: "support@example.com".to_owned(),
                hide_controls: false,
            },
            rate_limits: RateLimits {
                rules: vec![
                    rule("*:auth", 2, 3),
                    rule("*:create", 20, 5),
                    rule("/api/batch", 3, 1),
                    rule("/api/", 300, 10),
                ],
                excluded_ips: Vec::new(),
                enabled: false,
            },
            trusted_proxy: TrustedProxy::default(),
            batch: Batch { max_requests: 50, timeout: 3, ..Batch::default() },
            logs: Logs { max_days: 5, log_ip: true, ..Logs::default() },
            files_move: None,
        }
    }

    /// Makes rate limits follow a collection's new name. Returns whether there were any.
    pub fn rename_collection(&mut self, old: &str, new: &str) -> bool {
        let prefix = format!("{old}:");
        let mut changed = false;
        for rule in &mut self.rate_limits.rules {
            if let Some(action) = rule.label.strip_prefix(&prefix) {
                rule.label = format!("{new}:{action}");
                changed = true;
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests;
