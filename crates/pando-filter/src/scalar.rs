//! Compares values in memory the way SQLite does, to the letter.
//!
//! What SQLite might do differently from one release to the next, such as printing numbers of
//! more than 15 digits, is left to SQLite: the functions answer `None` then.
//!
//! Source: <https://sqlite.org/datatype3.html#comparison_expressions>, `vdbe.c` (`OP_Eq`),
//! `func.c` (`patternCompare`).

use std::borrow::Cow;
use std::cmp::Ordering;

use pando_schema::SqlValue;

use crate::term::Affinity;

/// Bytes of a LIKE pattern that SQLite accepts at most.
const PATTERN_BYTES_MAX: usize = 50_000;

/// Significant digits of the numbers that SQLite turns into text exactly.
const DIGITS_MAX: usize = 15;

/// One value in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'v> {
    Null,
    Int(i64),
    Real(f64),
    Text(Cow<'v, str>),
}

impl<'v> Cell<'v> {
    pub(crate) fn of(value: &'v SqlValue) -> Cell<'v> {
        match value {
            SqlValue::Null => Cell::Null,
            SqlValue::Int(number) => Cell::Int(*number),
            SqlValue::Real(number) => Cell::real(*number),
            SqlValue::Text(text) => Cell::text(text),
        }
    }

    pub(crate) fn text(text: &'v str) -> Cell<'v> {
        Cell::Text(Cow::Borrowed(text))
    }

    /// SQLite has no NaN: it is null.
    pub(crate) fn real(number: f64) -> Cell<'v> {
        if number.is_nan() { Cell::Null } else { Cell::Real(number) }
    }

    /// The value as text; `None` if it is a number that SQLite may print in several ways.
    pub(crate) fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Null => Some(Cow::Borrowed("")),
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Int(number) => Some(Cow::Owned(number.to_string())),
            Cell::Real(number) => real_text(*number).map(Cow::Owned),
        }
    }
}

/// How two values that are not null order, after the conversions that the affinities of their
/// sides bring.
pub(crate) fn order(
    left: &Cell<'_>,
    left_affinity: Affinity,
    right: &Cell<'_>,
    right_affinity: Affinity,
) -> Option<Ordering> {
    let affinity = match (left_affinity, right_affinity) {
        (Affinity::Numeric, _) | (_, Affinity::Numeric) => Affinity::Numeric,
        (Affinity::Text, Affinity::None) | (Affinity::None, Affinity::Text) => Affinity::Text,
        (Affinity::Text, Affinity::Text) | (Affinity::None, Affinity::None) => Affinity::None,
    };
    match (affinity, left, right) {
        (Affinity::Numeric, Cell::Text(text), _) if number(text).is_some() => {
            let left = number(text)?;
            let right = numeric(right);
            Some(plain_order(&left, right.as_ref().unwrap_or(&Cell::Null)))
        }
        (Affinity::Numeric, left, Cell::Text(text)) => match number(text) {
            Some(right) => Some(plain_order(left, &right)),
            None => Some(plain_order(left, &Cell::text(text))),
        },
        (Affinity::Text, Cell::Text(left), Cell::Int(_) | Cell::Real(_)) => {
            Some(left.as_bytes().cmp(right.to_text()?.as_bytes()))
        }
        (Affinity::Text, Cell::Int(_) | Cell::Real(_), Cell::Text(right)) => {
            Some(left.to_text()?.as_bytes().cmp(right.as_bytes()))
        }
        _ => Some(plain_order(left, right)),
    }
}

/// A value under numeric affinity.
fn numeric<'v>(cell: &'v Cell<'_>) -> Option<Cell<'v>> {
    match cell {
        Cell::Text(text) => Some(number(text).unwrap_or_else(|| Cell::text(text))),
        Cell::Int(number) => Some(Cell::Int(*number)),
        Cell::Real(number) => Some(Cell::Real(*number)),
        Cell::Null => None,
    }
}

/// Numbers before texts, and nulls before all.
fn plain_order(left: &Cell<'_>, right: &Cell<'_>) -> Ordering {
    match (left, right) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Text(left), Cell::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Cell::Text(_), _) => Ordering::Greater,
        (_, Cell::Text(_)) => Ordering::Less,
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Real(left), Cell::Real(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
        (Cell::Int(left), Cell::Real(right)) => order_mixed(*left, *right),
        (Cell::Real(left), Cell::Int(right)) => order_mixed(*right, *left).reverse(),
    }
}

fn order_mixed(whole: i64, real: f64) -> Ordering {
    /// 2^63, the first double above all integers.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BOUND {
        return Ordering::Less;
    }
    if real < -BOUND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range; the fraction is compared next")]
    let truncated = real as i64;
    #[expect(clippy::cast_precision_loss, reason = "equal whole parts: the fraction decides")]
    whole
        .cmp(&truncated)
        .then_with(|| (truncated as f64).partial_cmp(&real).unwrap_or(Ordering::Equal))
}

/// The number that a text is, if all of it is one but for space around it.
pub(crate) fn number(text: &str) -> Option<Cell<'static>> {
    let space: &[char] = &[' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
    let text = text.trim_matches(space);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits == unsigned.len() && digits > 0;
    if let (true, Ok(number)) = (whole, text.parse()) {
        return Some(Cell::Int(number));
    }
    let mut rest = &unsigned[digits..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = after.bytes().take_while(u8::is_ascii_digit).count();
        rest = &after[fraction..];
    }
    if digits + fraction == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    text.parse().ok().map(Cell::real)
}

/// A double as SQLite prints it (`%!.15g`), where 15 digits are enough to be exact.
fn real_text(number: f64) -> Option<String> {
    let magnitude = number.abs();
    let plain = (1e-4..1e15).contains(&magnitude) || (number == 0.0 && number.is_sign_positive());
    if !plain {
        return None;
    }
    let mut text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !text.contains('.') {
        text.push_str(".0");
    } else if digits > DIGITS_MAX {
        return None;
    }
    Some(text)
}

/// `LOWER`: ASCII letters only.
pub(crate) fn lower<'v>(cell: Cell<'v>) -> Option<Cell<'v>> {
    match cell {
        Cell::Null => Some(Cell::Null),
        Cell::Text(text) if text.bytes().all(|byte| !byte.is_ascii_uppercase()) => {
            Some(Cell::Text(text))
        }
        other => Some(Cell::Text(Cow::Owned(other.to_text()?.to_ascii_lowercase()))),
    }
}

/// `text LIKE pattern ESCAPE '\'`; `None` if SQLite would refuse the pattern or cut a text short.
pub(crate) fn like(text: &str, pattern: &str) -> Option<bool> {
    if pattern.len() > PATTERN_BYTES_MAX || text.contains('\0') || pattern.contains('\0') {
        return None;
    }
    Some(matches(text, pattern))
}

/// One step of a LIKE pattern.
enum Step {
    Any,
    One,
    This(char),
}

/// The step at the start of a pattern, and the pattern after it.
fn step(pattern: &str) -> Option<(Option<Step>, &str)> {
    let mut rest = pattern.chars();
    let step = match rest.next()? {
        '%' => Some(Step::Any),
        '_' => Some(Step::One),
        // Without anything after it, an escape matches nothing.
        '\\' => rest.next().map(Step::This),
        other => Some(Step::This(other)),
    };
    Some((step, rest.as_str()))
}

/// Matches with at most one level of backtracking: an earlier `%` never has to give back more
/// once a later one was reached.
fn matches(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text, pattern);
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let failed = match step(pattern) {
            None if text.is_empty() => return true,
            None => true,
            Some((None, _)) => true,
            Some((Some(Step::Any), rest)) => {
                pattern = rest;
                retry = Some((text, rest));
                continue;
            }
            Some((Some(wanted), rest)) => match text.chars().next() {
                Some(next) if fits(&wanted, next) => {
                    text = &text[next.len_utf8()..];
                    pattern = rest;
                    false
                }
                Some(_) | None => true,
            },
        };
        if failed {
            // Let the last `%` take one character more.
            let Some((from, after)) = retry else { return false };
            let Some(skipped) = from.chars().next() else { return false };
            text = &from[skipped.len_utf8()..];
            pattern = after;
            retry = Some((text, after));
        }
    }
}

fn fits(wanted: &Step, next: char) -> bool {
    match wanted {
        Step::Any | Step::One => true,
        Step::This(this) => next.eq_ignore_ascii_case(this),
    }
}
