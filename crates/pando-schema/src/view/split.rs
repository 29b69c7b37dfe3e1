//! Splits a text at separators that stand outside of quotes and parentheses.
//!
//! A backslash takes the meaning from a quote or parenthesis after it. SQL does not know that, but
//! PocketBase does it.
//!
//! Source: PocketBase `tools/tokenizer`.

use super::ViewQueryError;

const SPACES: [char; 8] = ['\t', '\n', '\u{b}', '\u{c}', '\r', ' ', '\u{85}', '\u{a0}'];

/// What becomes of a separator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Drop,
    /// It stays at the end of the part before it.
    Keep,
}

/// The parts between `separators`, without spaces around them (but for those that separate) and
/// without empty ones. Fails if a quote or parenthesis is left open.
pub(super) fn split<'a>(
    text: &'a str,
    separators: &[char],
    separator: Separator,
) -> Result<Vec<&'a str>, ViewQueryError> {
    let outer = |c: char| SPACES.contains(&c) && !separators.contains(&c);
    let mut parts = Vec::new();
    let mut open = Open::default();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        open.pass(c);
        if open.none() && separators.contains(&c) {
            let next = at + c.len_utf8();
            let end = if separator == Separator::Keep { next } else { at };
            parts.push(text[start..end].trim_matches(outer));
            start = next;
            open = Open::default();
        }
    }
    if !open.none() {
        return Err(ViewQueryError::Unbalanced(text[start..].to_owned()));
    }
    parts.push(text[start..].trim_matches(outer));
    parts.retain(|part| !part.is_empty());
    Ok(parts)
}

/// The quote and the parentheses around a place in a text.
#[derive(Default)]
struct Open {
    parentheses: usize,
    quote: Option<char>,
    escaped: bool,
}

impl Open {
    fn pass(&mut self, c: char) {
        if !self.escaped {
            match (c, self.quote) {
                ('(', None) => self.parentheses += 1,
                (')', None) => self.parentheses = self.parentheses.saturating_sub(1),
                ('\'' | '"' | '`', None) => self.quote = Some(c),
                (_, Some(quote)) if quote == c => self.quote = None,
                _ => {}
            }
        }
        self.escaped = c == '\\';
    }

    fn none(&self) -> bool {
        self.parentheses == 0 && self.quote.is_none()
    }
}
