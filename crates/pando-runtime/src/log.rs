//! Log lines: pretty for people, JSON for collectors.
//!
//! Fields of the enclosing spans appear on every line inside them, `request.id` first of all.
//! Access lines have their own target, [`ACCESS`], so that they can be switched by themselves.
//! Warnings and errors are kept for a while, whatever is written ([`noted()`]).

mod noted;

use std::io::{IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt::MakeWriter, layer::SubscriberExt};

pub use noted::{Noted, Value, noted};

use crate::config::{LogConfig, LogFormat};

/// The target of the one line per request.
pub const ACCESS: &str = "pando::access";

/// The target of what is said of one request that failed.
pub const REQUEST: &str = "pando::request";

/// The target of what keeping logs in the database has to say (`pando_store::logs`).
const LOGS: &str = "pando::logs";

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("failed to parse log.level")]
    Level(#[from] ParseError),
    #[error("logging was already started")]
    Started(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Sends all log lines to standard error from now on.
pub fn start(config: &LogConfig) -> Result<(), LogError> {
    let pretty = match config.format {
        LogFormat::Pretty => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let subscriber = subscriber(config, pretty, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(())
}

fn subscriber<W>(
    config: &LogConfig,
    pretty: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut filter = EnvFilter::try_new(&config.level)?;
    if !config.level.contains(ACCESS) {
        let level = if config.access { "info" } else { "off" };
        filter = filter.add_directive(format!("{ACCESS}={level}").parse()?);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match pretty {
        true => Box::new(lines.with_ansi(std::io::stderr().is_terminal())),
        false => {
            Box::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(true))
        }
    };
    let notes = noted::Notes.with_filter(filter_fn(noted::wanted));
    Ok(Registry::default().with(lines.with_filter(filter)).with(notes))
}

/// Writes a text for people to standard output. A closed pipe (`pando … | head`) is no error.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
