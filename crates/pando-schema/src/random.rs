//! Random texts: ids, keys, and whatever a pattern describes.
//!
//! The caller owns the randomness and must pass a cryptographic source for secrets.
//! Source: PocketBase `tools/security/random.go`, `random_by_regex.go`.

use std::sync::Arc;

use rand::Rng;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::pattern::{Memo, Mistake, PatternError, translate};

/// Letters and digits.
pub const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Lower-case letters and digits: the alphabet of record ids and of suffixes of file names.
pub const LOWER_ALPHANUMERIC: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

/// Repetitions without an upper bound end here.
const REPEAT_MAX: u32 = 6;

/// No generated text gets longer, whatever the pattern's nested counts multiply to.
const GENERATED_CHARS_MAX: usize = 100_000;

/// Why a pattern cannot be generated from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// It has parts, such as `^`, that only say where a match may stand. The number is Go's.
    #[error("unsupported pattern operator {0}")]
    Operator(u8),
    #[error("no runes to choose from")]
    NoCharacters,
}

/// `length` letters and digits.
pub fn random_text(rng: &mut (impl Rng + ?Sized), length: usize) -> String {
    random_text_of(rng, length, ALPHANUMERIC)
}

/// `length` lower-case letters and digits, as ids have.
pub fn random_id(rng: &mut (impl Rng + ?Sized), length: usize) -> String {
    random_text_of(rng, length, LOWER_ALPHANUMERIC)
}

/// `length` characters of an ASCII alphabet.
pub fn random_text_of(rng: &mut (impl Rng + ?Sized), length: usize, alphabet: &str) -> String {
    let alphabet = alphabet.as_bytes();
    assert!(!alphabet.is_empty() && alphabet.is_ascii(), "the alphabet is ASCII and not empty");
    (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
}

static PARSED: Memo<Result<Arc<Hir>, GenerateError>> = Memo::new();

/// A text that matches `pattern` (Go's syntax).
pub fn random_by_pattern(
    pattern: &str,
    rng: &mut (impl Rng + ?Sized),
) -> Result<String, GenerateError> {
    let hir = PARSED.find_or(pattern, || {
        let translated = translate(pattern)?;
        let parsed = regex_syntax::parse(&translated).map_err(|_| PatternError {
            mistake: Mistake::TooLarge,
            expression: pattern.to_owned(),
        })?;
        Ok(Arc::new(parsed))
    })?;
    let mut text = String::new();
    append(&hir, &mut text, rng)?;
    Ok(text)
}

fn append(
    hir: &Hir,
    text: &mut String,
    rng: &mut (impl Rng + ?Sized),
) -> Result<(), GenerateError> {
    match hir.kind() {
        // An empty group inside a pattern is fine for us; alone it generates nothing.
        HirKind::Empty => return Err(GenerateError::Operator(2)),
        HirKind::Look(look) => return Err(GenerateError::Operator(operator_of(*look))),
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.push(random_character(class, rng)?),
        HirKind::Capture(capture) => append(&capture.sub, text, rng)?,
        HirKind::Concat(parts) => {
            for part in parts {
                append(part, text, rng)?;
            }
        }
        HirKind::Alternation(choices) => {
            append(&choices[rng.random_range(0..choices.len())], text, rng)?;
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max.unwrap_or(REPEAT_MAX).max(repetition.min);
            // Go draws below the difference, so that the upper bound itself never comes up.
            let spread = max - repetition.min;
            let extra = if spread > 0 { rng.random_range(0..spread) } else { 0 };
            for _ in 0..repetition.min + extra {
                if text.len() > GENERATED_CHARS_MAX {
                    break;
                }
                append(&repetition.sub, text, rng)?;
            }
        }
    }
    Ok(())
}

fn random_character(class: &Class, rng: &mut (impl Rng + ?Sized)) -> Result<char, GenerateError> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) if any_character(class) => {
            vec![(0x41, 0x5a), (0x61, 0x7a), (0x30, 0x39)]
        }
        Class::Unicode(class) => {
            class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect()
        }
    };
    let total: u32 = ranges.iter().map(|(low, high)| high - low + 1).sum();
    if total == 0 {
        return Err(GenerateError::NoCharacters);
    }
    let mut index = rng.random_range(0..total);
    for (low, high) in ranges {
        let size = high - low + 1;
        if index < size {
            // A range may span the surrogates, which are no characters.
            return Ok(char::from_u32(low + index).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        index -= size;
    }
    Err(GenerateError::NoCharacters)
}

/// Whether this is `.`, with or without the line feed.
fn any_character(class: &regex_syntax::hir::ClassUnicode) -> bool {
    let ranges: Vec<_> = class.ranges().iter().map(|r| (r.start(), r.end())).collect();
    ranges == [('\0', char::MAX)] || ranges == [('\0', '\t'), ('\x0b', char::MAX)]
}

/// Go's number for an operator that matches a place.
fn operator_of(look: regex_syntax::hir::Look) -> u8 {
    use regex_syntax::hir::Look;
    match look {
        Look::StartLF | Look::StartCRLF => 7,
        Look::EndLF | Look::EndCRLF => 8,
        Look::Start => 9,
        Look::End => 10,
        Look::WordAsciiNegate | Look::WordUnicodeNegate => 12,
        Look::WordAscii
        | Look::WordUnicode
        | Look::WordStartAscii
        | Look::WordEndAscii
        | Look::WordStartUnicode
        | Look::WordEndUnicode
        | Look::WordStartHalfAscii
        | Look::WordEndHalfAscii
        | Look::WordStartHalfUnicode
        | Look::WordEndHalfUnicode => 11,
    }
}

#[cfg(test)]
mod tests;
