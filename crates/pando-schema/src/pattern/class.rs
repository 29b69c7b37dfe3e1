//! Character classes and escapes of patterns.
//!
//! Source: as for `translate`.

use super::{Mistake, PatternError, mistake};

/// What can stand in `[[:…:]]`, the same in both syntaxes.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// `\d`, `\pL`, `\P{Greek}` …: its length and what to write between brackets instead.
pub(super) fn class_escape(text: &str) -> Result<Option<(usize, String)>, PatternError> {
    let Some(kind) = text[1..].chars().next() else { return Ok(None) };
    let fixed = match kind {
        'd' => "0-9",
        'D' => "^0-9",
        's' => "\\t\\n\\f\\r\\x20",
        'S' => "^\\t\\n\\f\\r\\x20",
        'w' => "0-9A-Za-z_",
        'W' => "^0-9A-Za-z_",
        'p' | 'P' => return unicode_class(text, kind == 'P'),
        _ => return Ok(None),
    };
    Ok(Some((2, fixed.to_owned())))
}

fn unicode_class(text: &str, mut negated: bool) -> Result<Option<(usize, String)>, PatternError> {
    let inner = &text[2..];
    let (length, mut name) = if let Some(braced) = inner.strip_prefix('{') {
        let Some(end) = braced.find('}') else {
            return Err(mistake(Mistake::CharRange, text));
        };
        (end + 4, &braced[..end])
    } else {
        let Some(letter) = inner.chars().next() else {
            return Err(mistake(Mistake::CharRange, text));
        };
        (2 + letter.len_utf8(), &inner[..letter.len_utf8()])
    };
    if let Some(positive) = name.strip_prefix('^') {
        negated = !negated;
        name = positive;
    }
    let class = go_class(name, negated);
    class.map(|class| Some((length, class))).ok_or(mistake(Mistake::CharRange, &text[..length]))
}

/// Writes a class that Go knows: general categories and the names of scripts. Rust's engine knows
/// many more.
fn go_class(name: &str, negated: bool) -> Option<String> {
    /// Scripts whose name has four letters, as all codes of scripts have, which Go does not know.
    const NAMES_OF_FOUR: [&str; 9] =
        ["ahom", "cham", "kawi", "lisu", "miao", "modi", "newa", "thai", "toto"];
    let letters = name.chars().filter(char::is_ascii_alphabetic);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    if name.contains(['=', ':']) || plain.starts_with("is") {
        return None;
    }
    if ["cs", "surrogate"].contains(&plain.as_str()) {
        // No text has surrogates.
        return Some((if negated { r"\s\S" } else { r"^\s\S" }).to_owned());
    }
    let known = |key: &str| regex::Regex::new(&format!(r"\p{{{key}={name}}}")).is_ok();
    let named = plain.len() != 4 || NAMES_OF_FOUR.contains(&plain.as_str());
    let key = if known("gc") {
        "gc"
    } else if named && known("sc") {
        "sc"
    } else {
        return None;
    };
    Some(format!(r"\{}{{{key}={name}}}", if negated { 'P' } else { 'p' }))
}

/// An escape that stands for one character: its length and the character.
pub(super) fn escaped_character(text: &str) -> Result<(usize, char), PatternError> {
    let invalid = |length: usize| Err(mistake(Mistake::Escape, &text[..length.min(text.len())]));
    let Some(kind) = text[1..].chars().next() else {
        return Err(mistake(Mistake::TrailingBackslash, ""));
    };
    let length = 1 + kind.len_utf8();
    let simple = match kind {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '0'..='7' => {
            let digits = text[1..].bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
            // A single digit but 0 would be a back-reference.
            if kind != '0' && digits < 2 {
                return invalid(2);
            }
            let code = u32::from_str_radix(&text[1..=digits], 8).ok().and_then(char::from_u32);
            return code.map_or_else(|| invalid(1 + digits), |code| Ok((1 + digits, code)));
        }
        'x' => return hexadecimal_character(text),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
        _ => return invalid(length),
    };
    Ok((length, simple))
}

/// `\x41` or `\x{1f600}`.
fn hexadecimal_character(text: &str) -> Result<(usize, char), PatternError> {
    let braced = text[2..].starts_with('{');
    let start = if braced { 3 } else { 2 };
    let mut code = 0;
    for (index, character) in text[start..].char_indices() {
        let end = start + index + character.len_utf8();
        if braced && character == '}' && index > 0 {
            return match char::from_u32(code) {
                Some(character) => Ok((end, character)),
                None => Err(mistake(Mistake::Escape, &text[..end])),
            };
        }
        code = match character.to_digit(16) {
            Some(digit) if code * 16 + digit <= u32::from(char::MAX) => code * 16 + digit,
            Some(_) | None => return Err(mistake(Mistake::Escape, &text[..end])),
        };
        if !braced && index == 1 {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Ok((end, character));
        }
    }
    Err(mistake(Mistake::Escape, text))
}

/// Translates the class that `text` starts with; returns its length.
pub(super) fn translate_class(text: &str, out: &mut String) -> Result<usize, PatternError> {
    let mut rest = &text[1..];
    out.push('[');
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    let mut first = true;
    loop {
        let Some(next) = rest.chars().next() else {
            return Err(mistake(Mistake::MissingBracket, text));
        };
        if next == ']' && !first {
            out.push(']');
            return Ok(text.len() - rest.len() + 1);
        }
        first = false;
        if rest.starts_with("[:")
            && let Some(end) = rest.find(":]")
        {
            let name = &rest[..end + 2];
            if !POSIX_CLASSES.contains(&name[2..end].trim_start_matches('^')) {
                return Err(mistake(Mistake::CharRange, name));
            }
            out.push_str(name);
            rest = &rest[end + 2..];
            continue;
        }
        if next == '\\'
            && let Some((length, class)) = class_escape(rest)?
        {
            // Negated ones need brackets of their own; for the others they do no harm.
            out.push_str(&format!("[{class}]"));
            rest = &rest[length..];
            continue;
        }
        rest = translate_range(rest, text, out)?;
    }
}

/// Translates a character or range of a class; returns the rest behind it.
fn translate_range<'a>(
    text: &'a str,
    class: &str,
    out: &mut String,
) -> Result<&'a str, PatternError> {
    let (low, mut rest) = class_character(text, class)?;
    push_literal(low, out);
    if let Some(behind) = rest.strip_prefix('-')
        && !behind.is_empty()
        && !behind.starts_with(']')
    {
        let (high, behind) = class_character(behind, class)?;
        if high < low {
            let length = text.len() - behind.len();
            return Err(mistake(Mistake::CharRange, &text[..length]));
        }
        out.push('-');
        push_literal(high, out);
        rest = behind;
    }
    Ok(rest)
}

fn class_character<'a>(text: &'a str, class: &str) -> Result<(char, &'a str), PatternError> {
    match text.chars().next() {
        None => Err(mistake(Mistake::MissingBracket, class)),
        Some('\\') => {
            let (length, character) = escaped_character(text)?;
            Ok((character, &text[length..]))
        }
        Some(character) => Ok((character, &text[character.len_utf8()..])),
    }
}

/// Writes a character so that it stands for itself, in a class or outside.
pub(super) fn push_literal(character: char, out: &mut String) {
    if character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii() {
        out.push(character);
    } else {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
    }
}
