//! The words of an expression.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A word without quotes: a keyword, a function or a column.
    Name(String),
    /// A name in back quotes or brackets.
    Column(String),
    /// In double quotes: a column or, if there is none of that name, a text.
    Quoted(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 12] = ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "-"];

impl Token {
    /// Whether it is that keyword or sign.
    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Token::Name(name) => name.eq_ignore_ascii_case(word),
            Token::Sign(sign) => *sign == word,
            Token::Column(_) | Token::Quoted(_) | Token::Text(_) | Token::Number(_) => false,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Name(text) | Token::Column(text) | Token::Quoted(text) => f.write_str(text),
            Token::Text(text) => write!(f, "'{text}'"),
            Token::Number(text) => f.write_str(text),
            Token::Sign(sign) => f.write_str(sign),
        }
    }
}

/// Takes an expression apart.
pub(super) fn scan(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' => quoted(rest, '\'').map(|(text, after)| (Token::Text(text), after)),
            '"' => quoted(rest, '"').map(|(text, after)| (Token::Quoted(text), after)),
            '`' => quoted(rest, '`').map(|(text, after)| (Token::Column(text), after)),
            '[' => rest[1..]
                .split_once(']')
                .map(|(name, after)| (Token::Column(name.to_owned()), after)),
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
                let fits = number.split('.').count() <= 2 && !number.ends_with('.');
                fits.then(|| (Token::Number(number.to_owned()), after))
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
                Some((Token::Name(name.to_owned()), after))
            }
            _ => SIGNS
                .iter()
                .find_map(|sign| rest.strip_prefix(sign).map(|after| (Token::Sign(sign), after))),
        }
        .ok_or_else(|| format!("{rest} is not understood"))?;
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// The text up to the next quote, where two quotes stand for one, and what comes after.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut characters = text[1..].char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Some((content, &text[index + 2..]));
        }
        content.push(character);
    }
    None
}
