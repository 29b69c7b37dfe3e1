//! Numbers to text and back, as Go and JavaScript do it.
//!
//! Source: Go `strconv.ParseFloat`, `strconv.FormatFloat`; ECMA-262 `Number::toString`, which
//! RFC 8785 prescribes for JSON and Go's `encoding/json/v2` follows.

use std::io::Write as _;

use serde_json::Value as Json;

/// Whole numbers below this need no exponent and no rounding.
const WHOLE_EXACT_MAX: f64 = 1e15;

/// Appends a finite number as JSON: shortest form that reads back the same, with an exponent
/// below 1e-6 and from 1e21 on. NaN and infinities, which `validate` rejects, become `null`.
pub fn write_number(number: f64, out: &mut Vec<u8>) {
    if let Some(whole) = exact_whole(number) {
        if whole == 0 && number.is_sign_negative() {
            out.push(b'-');
        }
        write_whole(whole, out);
        return;
    }
    if !number.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    if write_short_decimal(number, out) {
        return;
    }
    let magnitude = number.abs();
    if (1e-6..1e21).contains(&magnitude) {
        // Writing into a Vec cannot fail.
        let _ = write!(out, "{number}");
        return;
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            out.extend_from_slice(digits.as_bytes());
            out.push(b'e');
            if !exponent.starts_with('-') {
                out.push(b'+');
            }
            out.extend_from_slice(exponent.as_bytes());
        }
        None => out.extend_from_slice(text.as_bytes()),
    }
}

/// The number as an integer, if it is one below 1e15.
fn exact_whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked right after")]
    let whole = number as i64;
    #[expect(clippy::cast_precision_loss, reason = "a loss makes the comparison fail")]
    let exact = whole as f64 == number && number.abs() < WHOLE_EXACT_MAX;
    exact.then_some(whole)
}

/// Writes a number of up to six decimals and fifteen digits, as most are; false for others.
///
/// `n / 10^k` is rounded only once if both are exact, as is reading the digits back, so equality
/// proves that these digits mean this number; with fifteen digits none shorter do.
fn write_short_decimal(number: f64, out: &mut Vec<u8>) -> bool {
    let mut power = 1.0;
    for decimals in 1..=6 {
        power *= 10.0;
        let scaled = (number * power).round();
        if scaled.abs() >= WHOLE_EXACT_MAX {
            return false;
        }
        if scaled / power == number {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
            write_fixed_point(scaled as i64, decimals, out);
            return true;
        }
    }
    false
}

/// Writes `scaled / 10^decimals`.
fn write_fixed_point(scaled: i64, decimals: usize, out: &mut Vec<u8>) {
    if scaled < 0 {
        out.push(b'-');
    }
    let unit = 10_i64.pow(u32::try_from(decimals).unwrap_or(0));
    write_whole((scaled / unit).abs(), out);
    out.push(b'.');
    let start = out.len();
    out.resize(start + decimals, b'0');
    let mut rest = (scaled % unit).unsigned_abs();
    for digit in out[start..].iter_mut().rev() {
        // The remainder of a division by ten fits a byte.
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn write_whole(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        // The remainder of a division by ten fits a byte.
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

/// A JSON number; whole ones without fraction.
pub(crate) fn json_number(number: f64) -> Json {
    match exact_whole(number) {
        // JSON knows a negative zero, integers do not.
        Some(whole) if whole != 0 || number.is_sign_positive() => Json::from(whole),
        Some(_) | None => Json::from(number),
    }
}

/// Go's `FormatFloat(number, 'f', -1, 64)`: never an exponent.
pub(crate) fn plain_format(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    number.to_string()
}

/// Go's `FormatFloat(number, 'g', -1, 64)`, which its `%v` also uses: an exponent of at least
/// two digits below 1e-4 and from 1e6 on.
pub(crate) fn general_format(number: f64) -> String {
    let text = format!("{number:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return plain_format(number) };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain_format(number);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A number in Go's syntax: decimal or hexadecimal, `inf`, `nan`, underscores between digits.
/// `None` if it is malformed or too large.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let number = parse_magnitude(magnitude)?;
    Some(if negative { -number } else { number })
}

fn parse_magnitude(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("infinity") {
        return Some(f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let digits = without_underscores(text)?;
    let number = match digits.get(..2) {
        Some("0x" | "0X") => parse_hexadecimal(&digits[2..])?,
        _ => {
            let first = *digits.as_bytes().first()?;
            // Rust's own words for infinity and NaN are dealt with above.
            if !(first.is_ascii_digit() || first == b'.') {
                return None;
            }
            digits.parse::<f64>().ok()?
        }
    };
    number.is_finite().then_some(number)
}

/// The text without underscores, unless one stands elsewhere than between digits (of which the
/// prefix `0x` counts as one).
fn without_underscores(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    if !text.contains('_') {
        return Some(text.into());
    }
    let bytes = text.as_bytes();
    let hexadecimal = text.len() >= 2 && text[..2].eq_ignore_ascii_case("0x");
    let digit = |byte: u8| byte.is_ascii_digit() || (hexadecimal && byte.is_ascii_hexdigit());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'_' {
            continue;
        }
        let before = index > 0 && (digit(bytes[index - 1]) || (hexadecimal && index == 2));
        let after = bytes.get(index + 1).is_some_and(|next| digit(*next));
        if !before || !after {
            return None;
        }
    }
    Some(text.replace('_', "").into())
}

/// `1.8p-3`: hexadecimal digits and a binary exponent, which Go requires.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0_f64;
    let mut scale: i64 = 0;
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = digit.to_digit(16)?;
        // Sixteen digits fill the mantissa; further ones only move the point.
        if number < 9.0e15 {
            number = number * 16.0 + f64::from(digit);
            scale -= if index >= whole.len() { 4 } else { 0 };
        } else if index < whole.len() {
            scale += 4;
        }
    }
    let power = exponent.checked_add(scale)?.clamp(-2000, 2000);
    // Two steps, so that subnormal results do not underflow on the way.
    let half = i32::try_from(power / 2).ok()?;
    let rest = i32::try_from(power).ok()? - half;
    Some(number * 2.0_f64.powi(half) * 2.0_f64.powi(rest))
}
