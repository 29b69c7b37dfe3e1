//! Quotes text in error messages the way PocketBase's (Go's `%q`) does.

use std::fmt;

/// Shows its text in double quotes with escapes, as Go's `%q` prints a string.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            escape(f, character, '"')?;
        }
        f.write_str("\"")
    }
}

/// Shows its character in single quotes with escapes, as Go's `%q` prints a rune.
pub(crate) struct QuotedChar(pub(crate) char);

impl fmt::Display for QuotedChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        escape(f, self.0, '\'')?;
        f.write_str("'")
    }
}

fn escape(f: &mut fmt::Formatter<'_>, character: char, quote: char) -> fmt::Result {
    match character {
        '\\' => f.write_str("\\\\"),
        '\u{7}' => f.write_str("\\a"),
        '\u{8}' => f.write_str("\\b"),
        '\u{c}' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{b}' => f.write_str("\\v"),
        _ if character == quote => write!(f, "\\{quote}"),
        ' ' => f.write_str(" "),
        _ if character < ' ' || character == '\u{7f}' => write!(f, "\\x{:02x}", character as u32),
        _ if character.is_control() || character.is_whitespace() => {
            write!(f, "\\u{:04x}", character as u32)
        }
        _ => write!(f, "{character}"),
    }
}
