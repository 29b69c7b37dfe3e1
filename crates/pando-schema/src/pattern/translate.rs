//! Rewrites a pattern in Go's syntax to one in Rust's that matches the same.
//!
//! Source: Go `regexp/syntax/parse.go` (flags `Perl`); documentation of the `regex` crate.

use super::{Mistake, PatternError};

/// Go's limit for counts in `x{n,m}`.
const REPEAT_COUNT_MAX: u32 = 1000;

/// The pattern in Rust's syntax; captures lose their names.
pub(crate) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        open_groups: 0,
        repeatable: false,
        last_repeat: None,
        pattern,
    };
    while !translator.rest.is_empty() {
        translator.step()?;
    }
    if translator.open_groups > 0 {
        return Err(mistake(Mistake::MissingParenthesis, pattern));
    }
    Ok(translator.out)
}

struct Translator<'a> {
    pattern: &'a str,
    rest: &'a str,
    out: String,
    open_groups: usize,
    /// Whether there is something before that a repetition can apply to.
    repeatable: bool,
    /// The rest of the pattern from the last repetition on, if nothing came after that.
    last_repeat: Option<&'a str>,
}

fn mistake(mistake: Mistake, expression: &str) -> PatternError {
    PatternError { mistake, expression: expression.to_owned() }
}

impl<'a> Translator<'a> {
    /// Translates the next element.
    fn step(&mut self) -> Result<(), PatternError> {
        let start = self.rest;
        let Some(first) = start.chars().next() else { return Ok(()) };
        match first {
            '*' | '+' | '?' => return self.repetition(1, None),
            '{' => {
                if let Some((length, counts)) = read_counts(start) {
                    return self.repetition(length, Some(counts));
                }
                self.literal('{');
            }
            '(' => return self.group(),
            ')' => {
                if self.open_groups == 0 {
                    return Err(mistake(Mistake::UnexpectedParenthesis, self.pattern));
                }
                self.open_groups -= 1;
                self.out.push(')');
            }
            '|' => {
                self.out.push('|');
                self.rest = &start[1..];
                self.repeatable = false;
                self.last_repeat = None;
                return Ok(());
            }
            '^' | '$' | '.' => self.out.push(first),
            '[' => {
                let length = translate_class(start, &mut self.out)?;
                self.advance(length);
                return Ok(());
            }
            '\\' => return self.escape(),
            other => self.literal(other),
        }
        self.advance(first.len_utf8());
        Ok(())
    }

    fn advance(&mut self, length: usize) {
        self.rest = &self.rest[length..];
        self.repeatable = true;
        self.last_repeat = None;
    }

    fn literal(&mut self, character: char) {
        push_literal(character, &mut self.out);
    }

    /// `*`, `+`, `?` or `{n,m}` of `length` bytes, and the `?` that makes it match less.
    fn repetition(
        &mut self,
        length: usize,
        counts: Option<(u32, Option<u32>)>,
    ) -> Result<(), PatternError> {
        let start = self.rest;
        if let Some((min, max)) = counts {
            let largest = max.unwrap_or(min);
            if min > REPEAT_COUNT_MAX || largest > REPEAT_COUNT_MAX || min > largest {
                return Err(mistake(Mistake::RepeatCount, &start[..length]));
            }
        }
        if !self.repeatable {
            return Err(mistake(Mistake::MissingRepeatArgument, &start[..length]));
        }
        let lazy = start[length..].starts_with('?');
        let length = length + usize::from(lazy);
        if let Some(previous) = self.last_repeat {
            // `a**` means something else in Perl, so Go refuses it.
            let expression = &previous[..previous.len() - start.len() + length];
            return Err(mistake(Mistake::RepeatOperator, expression));
        }
        self.out.push_str(&start[..length]);
        self.rest = &start[length..];
        self.last_repeat = Some(start);
        Ok(())
    }

    /// `(`, `(?:`, `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn group(&mut self) -> Result<(), PatternError> {
        let start = self.rest;
        let Some(inner) = start.strip_prefix("(?") else {
            self.open("(", 1);
            return Ok(());
        };
        let named = inner.strip_prefix("P<").or_else(|| inner.strip_prefix('<'));
        if let Some(named) = named {
            let Some(end) = named.find('>') else {
                return Err(mistake(Mistake::NamedCapture, start));
            };
            let length = start.len() - named.len() + end + 1;
            let name = &named[..end];
            let valid = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(valid) {
                return Err(mistake(Mistake::NamedCapture, &start[..length]));
            }
            self.open("(", length);
            return Ok(());
        }
        let end = inner.find([':', ')']);
        let flags = &inner[..end.unwrap_or(inner.len())];
        let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
        let known = |part: &str| part.chars().all(|c| "imsU".contains(c));
        let length = 2 + flags.len() + 1;
        match end {
            Some(_) if known(on) && known(off) && (!flags.ends_with('-')) => {}
            Some(_) => return Err(mistake(Mistake::PerlOperator, &start[..length])),
            None => return Err(mistake(Mistake::MissingParenthesis, self.pattern)),
        }
        if start.as_bytes()[length - 1] == b':' {
            self.open(&start[..length], length);
        } else {
            // A bare `(?i)` is no element of its own: a repetition may look past it.
            if !flags.is_empty() {
                self.out.push_str(&start[..length]);
            }
            self.rest = &start[length..];
        }
        Ok(())
    }

    fn open(&mut self, text: &str, length: usize) {
        self.out.push_str(text);
        self.open_groups += 1;
        self.advance(length);
        self.repeatable = false;
    }

    /// An escape outside of a class.
    fn escape(&mut self) -> Result<(), PatternError> {
        let start = self.rest;
        let Some(kind) = start[1..].chars().next() else {
            return Err(mistake(Mistake::TrailingBackslash, ""));
        };
        let plain = match kind {
            'A' => "\\A",
            'z' => "\\z",
            'b' => "(?-u:\\b)",
            // Rust has no ASCII form of this that is safe for text; they differ beyond ASCII.
            'B' => "\\B",
            'Q' => {
                let quoted = &start[2..];
                let end = quoted.find("\\E");
                quoted[..end.unwrap_or(quoted.len())].chars().for_each(|c| self.literal(c));
                self.advance(end.map_or(start.len(), |end| end + 4));
                return Ok(());
            }
            'C' => return Err(mistake(Mistake::Escape, "\\C")),
            _ => "",
        };
        if !plain.is_empty() {
            self.out.push_str(plain);
            self.advance(2);
            return Ok(());
        }
        if let Some((length, class)) = class_escape(start)? {
            self.out.push_str(&format!("[{class}]"));
            self.advance(length);
            return Ok(());
        }
        let (length, character) = escaped_character(start)?;
        self.literal(character);
        self.advance(length);
        Ok(())
    }
}

/// `{n}`, `{n,}` or `{n,m}`: its length and counts; anything else stands for itself.
fn read_counts(text: &str) -> Option<(usize, (u32, Option<u32>))> {
    let inner = &text[1..text.find('}')?];
    let count = |digits: &str| -> Option<u32> {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let zero_led = digits.len() > 1 && digits.starts_with('0');
        // A count that is too large for a number is too large for Go in any case.
        (plain && !zero_led).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let counts = match inner.split_once(',') {
        None => {
            let exact = count(inner)?;
            (exact, Some(exact))
        }
        Some((min, "")) => (count(min)?, None),
        Some((min, max)) => (count(min)?, Some(count(max)?)),
    };
    Some((inner.len() + 2, counts))
}

/// `\d`, `\pL`, `\P{Greek}` …: its length and what to write between brackets instead.
fn class_escape(text: &str) -> Result<Option<(usize, String)>, PatternError> {
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
    let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
    if name.is_empty() || regex::Regex::new(&class).is_err() {
        return Err(mistake(Mistake::CharRange, &text[..length]));
    }
    Ok(Some((length, class)))
}

/// An escape that stands for one character: its length and the character.
fn escaped_character(text: &str) -> Result<(usize, char), PatternError> {
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

fn hexadecimal_character(text: &str) -> Result<(usize, char), PatternError> {
    let inner = &text[2..];
    let (length, digits) = match inner.strip_prefix('{') {
        Some(braced) => match braced.find('}') {
            Some(end) => (end + 4, &braced[..end]),
            None => return Err(mistake(Mistake::Escape, text)),
        },
        None => match inner.get(..2) {
            Some(digits) => (4, digits),
            None => return Err(mistake(Mistake::Escape, text)),
        },
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| plain).and_then(char::from_u32);
    match code {
        Some(code) => Ok((length, code)),
        None => Err(mistake(Mistake::Escape, &text[..length])),
    }
}

/// Translates the class that `text` starts with; returns its length.
fn translate_class(text: &str, out: &mut String) -> Result<usize, PatternError> {
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
            if regex::Regex::new(&format!("[{name}]")).is_err() {
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
fn push_literal(character: char, out: &mut String) {
    if character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii() {
        out.push(character);
    } else {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
    }
}
