//! The words and signs of SQLite's language.
//!
//! Source: <https://sqlite.org/lang_keywords.html>, `tokenize.c` of SQLite.

use std::ops::Range;

use super::ViewRefused;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in brackets or backticks.
    Name(String),
    /// Something in double quotes: a name, or a text if there is no such name.
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) span: Range<usize>,
}

/// Longer ones first.
const SIGNS: [&str; 26] = [
    "->>", "->", "||", "<=", ">=", "<>", "!=", "==", "<<", ">>", "(", ")", ",", ".", "*", "/", "%",
    "+", "-", "<", ">", "=", "&", "|", "~", ";",
];

pub(super) fn scan(query: &str) -> Result<Vec<Lexeme>, ViewRefused> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(next) = query[at..].chars().next() {
        let rest = &query[at..];
        if let Some(length) = blank(rest, next) {
            at += length;
            continue;
        }
        let found = token(rest, next);
        let (token, length) = found.ok_or_else(|| ViewRefused {
            part: rest.chars().take(20).collect(),
            reason: format!("{next:?} has no translation"),
        })?;
        lexemes.push(Lexeme { token, span: at..at + length });
        at += length;
    }
    Ok(lexemes)
}

/// The length of white space or a comment.
fn blank(rest: &str, next: char) -> Option<usize> {
    if next.is_ascii_whitespace() || next == '\u{feff}' {
        return Some(next.len_utf8());
    }
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let comment = rest.strip_prefix("/*")?;
    Some(comment.find("*/").map_or(rest.len(), |end| end + 4))
}

fn token(rest: &str, next: char) -> Option<(Token, usize)> {
    match next {
        '\'' => quoted(rest, '\'').map(|(text, length)| (Token::Text(text), length)),
        '"' => quoted(rest, '"').map(|(text, length)| (Token::Quoted(text), length)),
        '`' => quoted(rest, '`').map(|(text, length)| (Token::Name(text), length)),
        '[' => rest.find(']').map(|end| (Token::Name(rest[1..end].to_owned()), end + 1)),
        '0'..='9' => Some(number(rest)),
        '.' if rest[1..].starts_with(|after: char| after.is_ascii_digit()) => Some(number(rest)),
        _ if word_starts(next) => {
            // Literals of bytes begin like words.
            let end = rest.find(|c: char| !word_goes_on(c)).unwrap_or(rest.len());
            let bytes = end == 1 && matches!(next, 'x' | 'X') && rest[1..].starts_with('\'');
            (!bytes).then(|| (Token::Word(rest[..end].to_owned()), end))
        }
        _ => {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            Some((Token::Sign(sign), sign.len()))
        }
    }
}

fn word_starts(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn word_goes_on(character: char) -> bool {
    word_starts(character) || character.is_ascii_digit() || character == '$'
}

/// What is between two quotes; a doubled quote stands for one.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Some((text, at + 1));
        }
        text.push(character);
    }
    None
}

/// A number, hexadecimal ones as decimal.
fn number(rest: &str) -> (Token, usize) {
    if let Some(hexadecimal) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let digits = hexadecimal.find(|c: char| !c.is_ascii_hexdigit());
        let digits = digits.unwrap_or(hexadecimal.len());
        if let Ok(number) = u64::from_str_radix(&hexadecimal[..digits], 16) {
            return (Token::Number(number.cast_signed().to_string()), digits + 2);
        }
    }
    let digits = |from: usize| {
        let rest = &rest[from..];
        from + rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len())
    };
    let mut end = digits(0);
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let power = digits(end + 1 + sign);
        end = if power > end + 1 + sign { power } else { end };
    }
    (Token::Number(rest[..end].replace('_', "")), end)
}
