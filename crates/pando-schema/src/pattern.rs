//! Regular expressions in Go's syntax, which is what collections store.
//!
//! Rust's engine is of the same family; the differences (what `\w` means, what stands for itself)
//! are translated. Compiled patterns are kept, since a save checks the same few again and again.
//! Source: Go `regexp/syntax`.

mod class;
mod translate;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use regex::{Regex, RegexBuilder};

pub(crate) use translate::translate;

/// Why a text is no pattern, worded as Go words it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("error parsing regexp: {mistake}: `{expression}`")]
pub struct PatternError {
    pub(crate) mistake: Mistake,
    /// The part of the pattern that is wrong.
    pub(crate) expression: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mistake {
    CharRange,
    Escape,
    NamedCapture,
    PerlOperator,
    RepeatOperator,
    RepeatCount,
    MissingBracket,
    MissingParenthesis,
    MissingRepeatArgument,
    TrailingBackslash,
    UnexpectedParenthesis,
    TooLarge,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Mistake::CharRange => "invalid character class range",
            Mistake::Escape => "invalid escape sequence",
            Mistake::NamedCapture => "invalid named capture",
            Mistake::PerlOperator => "invalid or unsupported Perl syntax",
            Mistake::RepeatOperator => "invalid nested repetition operator",
            Mistake::RepeatCount => "invalid repeat count",
            Mistake::MissingBracket => "missing closing ]",
            Mistake::MissingParenthesis => "missing closing )",
            Mistake::MissingRepeatArgument => "missing argument to repetition operator",
            Mistake::TrailingBackslash => "trailing backslash at end of expression",
            Mistake::UnexpectedParenthesis => "unexpected )",
            Mistake::TooLarge => "expression too large",
        })
    }
}

fn mistake(mistake: Mistake, expression: &str) -> PatternError {
    PatternError { mistake, expression: expression.to_owned() }
}

/// Largest compiled pattern: enough for what Go accepts, such as `\p{L}{1000}`.
const COMPILED_BYTES_MAX: usize = 64 << 20;

/// How many compiled patterns are kept; past it, all are dropped and the hot ones come back.
const KEPT_MAX: usize = 500;

/// What was derived from a pattern, by pattern. A memo: it changes nothing but speed.
pub(crate) struct Memo<T>(RwLock<BTreeMap<String, T>>);

impl<T: Clone> Memo<T> {
    pub(crate) const fn new() -> Memo<T> {
        Memo(RwLock::new(BTreeMap::new()))
    }

    pub(crate) fn find_or(&self, pattern: &str, derive: impl FnOnce() -> T) -> T {
        if let Some(found) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return found.clone();
        }
        let derived = derive();
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), derived.clone());
        derived
    }
}

static COMPILED: Memo<Result<Regex, PatternError>> = Memo::new();

/// The compiled form of a pattern in Go's syntax.
pub fn compile_pattern(pattern: &str) -> Result<Regex, PatternError> {
    COMPILED.find_or(pattern, || {
        let translated = translate(pattern)?;
        let built = RegexBuilder::new(&translated).size_limit(COMPILED_BYTES_MAX).build();
        built.map_err(|_| PatternError {
            mistake: Mistake::TooLarge,
            expression: pattern.to_owned(),
        })
    })
}

/// Whether `text` matches; a pattern that is none matches nothing.
pub(crate) fn pattern_matches(pattern: &str, text: &str) -> bool {
    compile_pattern(pattern).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests;
