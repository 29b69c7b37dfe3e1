//! What a file contains, found by looking at its first 4 KiB.
//!
//! The answers, extensions, aliases and the order of the checks equal those of PocketBase 0.40.6,
//! which asks the Go library `mimetype` 1.4: field options name these types, and stored files
//! keep them.

use std::borrow::Cow;
use std::fmt;

mod audio;
mod binary;
mod charset;
mod csv;
mod json;
mod markup;
mod ole;
mod scan;
mod script;
mod table;
mod text;
mod zip;

pub use markup::begins_as_html;

use table::Kind;

/// How much of a file is looked at.
pub const HEAD_BYTES: usize = 4096;

/// A type that content was found to have.
#[derive(Debug, Clone)]
pub struct Mime {
    kind: &'static Kind,
    charset: Option<Cow<'static, str>>,
}

/// The beginning of a file, at most [`HEAD_BYTES`].
#[derive(Debug, Clone, Copy)]
struct Head<'a> {
    bytes: &'a [u8],
    /// Whether there may be more that we do not see.
    cut: bool,
}

impl Mime {
    /// Looks at content, of which the first 4 KiB suffice.
    pub fn detect(content: &[u8]) -> Mime {
        let bytes = &content[..content.len().min(HEAD_BYTES)];
        let kind = table::find(Head { bytes, cut: bytes.len() == HEAD_BYTES });
        let charset = match kind.mime {
            "text/plain" => charset::of_plain(bytes),
            "text/html" => charset::of_html(bytes),
            "text/xml" => charset::of_xml(bytes),
            _ => None,
        };
        // A charset that is no HTTP token would make an invalid content type.
        Mime { kind, charset: charset.filter(|charset| is_token(charset)) }
    }

    /// Type and subtype, without parameters.
    pub fn essence(&self) -> &'static str {
        self.kind.mime
    }

    /// The usual extension with its dot, or nothing.
    pub fn extension(&self) -> &'static str {
        self.kind.extension
    }
}

/// The content type, such as `text/plain; charset=utf-8`.
impl fmt::Display for Mime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.mime)?;
        match &self.charset {
            Some(charset) => write!(formatter, "; charset={charset}"),
            None => Ok(()),
        }
    }
}

impl PartialEq for Mime {
    fn eq(&self, other: &Mime) -> bool {
        std::ptr::eq(self.kind, other.kind) && self.charset == other.charset
    }
}

/// Whether a detected type is the expected one, by its name or one of its other names.
/// Parameters, case and surrounding space do not count; there are no wildcards.
pub fn matches(detected: &str, expected: &str) -> bool {
    let (detected, expected) = (essence(detected), essence(expected));
    detected.eq_ignore_ascii_case(expected)
        || table::aliases(&detected.to_ascii_lowercase())
            .any(|alias| alias.eq_ignore_ascii_case(expected))
}

fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or("").trim()
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
