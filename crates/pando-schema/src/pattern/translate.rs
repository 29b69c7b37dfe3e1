//! Rewrites a pattern in Go's syntax to one in Rust's that matches the same.
//!
//! Source: Go `regexp/syntax/parse.go` (flags `Perl`); documentation of the `regex` crate.

use super::class::{class_escape, escaped_character, push_literal, translate_class};
use super::{Mistake, PatternError, mistake};

/// Go's limit for counts in `x{n,m}`.
const REPEAT_COUNT_MAX: u32 = 1000;

/// The pattern in Rust's syntax; captures lose their names.
pub(crate) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        repeatable: false,
        last_repeat: None,
        count_last: 1,
        counts: vec![1],
        pattern,
    };
    while !translator.rest.is_empty() {
        translator.step()?;
    }
    if translator.counts.len() > 1 {
        return Err(mistake(Mistake::MissingParenthesis, pattern));
    }
    Ok(translator.out)
}

struct Translator<'a> {
    pattern: &'a str,
    rest: &'a str,
    out: String,
    /// Whether there is something before that a repetition can apply to.
    repeatable: bool,
    /// The rest of the pattern from the last repetition on, if nothing came after that.
    last_repeat: Option<&'a str>,
    /// How often the counts in the last element together can repeat something.
    count_last: u32,
    /// The same for the most repeated element of each open group, outermost first; the first
    /// entry is for the whole pattern.
    counts: Vec<u32>,
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
                let inner = self.counts.pop().unwrap_or(1);
                if self.counts.is_empty() {
                    return Err(mistake(Mistake::UnexpectedParenthesis, self.pattern));
                }
                self.out.push(')');
                self.advance(1);
                self.count(inner);
                return Ok(());
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
        self.count_last = 1;
    }

    fn count(&mut self, product: u32) {
        self.count_last = product;
        if let Some(most) = self.counts.last_mut() {
            *most = product.max(*most);
        }
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
        let count = length;
        let lazy = start[length..].starts_with('?');
        let length = length + usize::from(lazy);
        if let Some(previous) = self.last_repeat {
            // `a**` means something else in Perl, so Go refuses it.
            let expression = &previous[..previous.len() - start.len() + length];
            return Err(mistake(Mistake::RepeatOperator, expression));
        }
        if !self.repeatable {
            return Err(mistake(Mistake::MissingRepeatArgument, &start[..length]));
        }
        if let Some((min, max)) = counts {
            let product = self.count_last.saturating_mul(max.unwrap_or(min).max(1));
            if product > REPEAT_COUNT_MAX {
                return Err(mistake(Mistake::RepeatCount, &start[..count]));
            }
            self.count(product);
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
        if let Some(named) = named.filter(|named| !named.is_empty()) {
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
        let length = 2 + flags_length(inner)
            .map_err(|length| mistake(Mistake::PerlOperator, &start[..2 + length]))?;
        if start.as_bytes()[length - 1] == b':' {
            self.open(&start[..length], length);
        } else {
            // A bare `(?i)` is no element of its own: a repetition may look past it.
            if length > 3 {
                self.out.push_str(&start[..length]);
            }
            self.rest = &start[length..];
        }
        Ok(())
    }

    fn open(&mut self, text: &str, length: usize) {
        self.out.push_str(text);
        self.counts.push(1);
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

/// Length of flags such as `i-s` with the `:` or `)` that ends them. If they are none, the length
/// up to the first character that does not fit.
fn flags_length(text: &str) -> Result<usize, usize> {
    let (mut negated, mut flag_seen) = (false, false);
    for (index, character) in text.char_indices() {
        let length = index + character.len_utf8();
        match character {
            'i' | 'm' | 's' | 'U' => flag_seen = true,
            '-' if !negated => (negated, flag_seen) = (true, false),
            ':' | ')' if flag_seen || !negated => return Ok(length),
            _ => return Err(length),
        }
    }
    Err(text.len())
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
