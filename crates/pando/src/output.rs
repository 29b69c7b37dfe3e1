//! What people see: colours on a terminal, plain text elsewhere.

use std::io::Write;

use console::{Style, strip_ansi_codes};

/// Writes to standard output; see [`pando_runtime::log::print`].
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    match console::colors_enabled() {
        true => pando_runtime::log::print(text),
        false => pando_runtime::log::print(&strip_ansi_codes(text)),
    }
}

/// Writes to standard error. If even that fails, nobody can be told.
pub(crate) fn failure(text: &str) {
    let text = match console::colors_enabled_stderr() {
        true => text.into(),
        false => strip_ansi_codes(text),
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

pub(crate) fn green(text: &str) -> String {
    paint(Style::new().green(), text)
}

pub(crate) fn bold_green(text: &str) -> String {
    paint(Style::new().green().bold(), text)
}

pub(crate) fn cyan(text: &str) -> String {
    paint(Style::new().cyan(), text)
}

pub(crate) fn magenta(text: &str) -> String {
    paint(Style::new().magenta(), text)
}

pub(crate) fn red(text: &str) -> String {
    paint(Style::new().red().bold(), text)
}

pub(crate) fn yellow(text: &str) -> String {
    paint(Style::new().yellow(), text)
}

/// Always coloured: the writers above take colours out where they do not belong.
fn paint(style: Style, text: &str) -> String {
    style.force_styling(true).apply_to(text).to_string()
}
