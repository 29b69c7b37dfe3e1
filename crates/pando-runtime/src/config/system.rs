//! `[log]` and `[drain]`: what concerns the process as a whole.

use tracing_subscriber::EnvFilter;

use super::{Problems, Seconds, Setting, Table, Value};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, else JSON.
    Auto,
    Pretty,
    Json,
}

impl Setting for LogFormat {
    const EXPECTS: &'static str = "\"auto\", \"pretty\" or \"json\"";

    fn from_text(text: &str) -> Option<LogFormat> {
        match text {
            "auto" => Some(LogFormat::Auto),
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            _ => None,
        }
    }

    fn to_toml(&self) -> Value {
        let name = match self {
            LogFormat::Auto => "auto",
            LogFormat::Pretty => "pretty",
            LogFormat::Json => "json",
        };
        Value::String(name.to_owned())
    }
}

crate::config_table! {
    /// What the process writes to standard error.
    pub struct LogConfig = "log" {
        /// `pretty` for people, `json` for log collectors, `auto` for pretty on a terminal and
        /// JSON elsewhere.
        pub format: LogFormat = LogFormat::Auto,
        /// The least severe level that is written: `error`, `warn`, `info`, `debug` or `trace`,
        /// and, parted by commas, others for parts of the program: `info,pando_store=debug`.
        pub level: String = "info".to_owned(),
        /// Whether each request is logged. It costs a few microseconds a request.
        pub access: bool = false,
    }
}

impl Table for LogConfig {
    fn check(&self, problems: &mut Problems) {
        if let Err(error) = EnvFilter::try_new(&self.level) {
            let problem = problems.add("log.level", format!("is not understood: {error}"));
            problem.hint("for example \"info\" or \"info,pando_store=debug\"");
        }
    }
}

crate::config_table! {
    /// What happens when the process is told to stop (SIGTERM or SIGINT; a second one ends it at
    /// once).
    pub struct DrainConfig = "drain" {
        /// How long requests that run may take to finish. Stay below the time after which your
        /// supervisor kills the process: 30 s in Kubernetes, 90 s in systemd.
        pub timeout: Seconds = Seconds::new(25),
    }
}

impl Table for DrainConfig {
    fn check(&self, problems: &mut Problems) {
        if self.timeout > Seconds::new(3_600) {
            problems.add("drain.timeout", "must not be longer than an hour");
        }
    }
}
