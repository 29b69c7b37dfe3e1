//! Numbers as the text that SQLite makes of them (`%!.17g`, shortened where that is exact).
//!
//! Source: SQLite `util.c` (`sqlite3FpDecode`), `printf.c` (`etGENERIC`).

/// Significant digits of a number's text at most.
const DIGITS_MAX: usize = 17;

/// A double as text. Outside 1e-9 to 1e27 the 17th digit may be one off: SQLite's multiplication is
/// not exact there. There is always a point or an exponent, so that it never looks whole.
pub(crate) fn real_text(number: f64) -> String {
    if number == 0.0 {
        return "0.0".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let (digits, exponent) = decode(number.abs());
    let sign = if number < 0.0 { "-" } else { "" };
    let length = i32::try_from(digits.len()).unwrap_or(0);
    let point = |at: usize| {
        let (whole, fraction) = digits.split_at(at);
        format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
    };
    let text = match exponent {
        0..=16 if exponent + 1 >= length => {
            let zeros = usize::try_from(exponent + 1 - length).unwrap_or(0);
            format!("{digits}{}.0", "0".repeat(zeros))
        }
        0..=16 => point(usize::try_from(exponent + 1).unwrap_or(1)),
        -4..=-1 => {
            format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)))
        }
        _ => {
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{}e{mark}{:02}", point(1), exponent.abs())
        }
    };
    format!("{sign}{text}")
}

/// The significant digits of a positive number, without zeros at the end, and the power of ten of
/// the first one.
fn decode(number: f64) -> (String, i32) {
    let (digits, mut power) = digits_of(number);
    let rounded = match shorter(&digits, power, number) {
        Some(short) => short,
        None => {
            let value = whole(&digits[..DIGITS_MAX]);
            (value + u64::from(digits[DIGITS_MAX] >= 5)).to_string()
        }
    };
    // Rounding up may have made a digit more.
    if rounded.len() > DIGITS_MAX || (rounded == "1" && digits[0] == 9) {
        power += 1;
    }
    (rounded.trim_end_matches('0').to_owned(), power)
}

/// The 18 or 19 digits that SQLite starts from, and the power of ten of the first one.
fn digits_of(number: f64) -> (Vec<u8>, i32) {
    let power_of = |text: &str| text.rsplit('e').next().and_then(|power| power.parse().ok());
    let power: i32 = power_of(&format!("{number:.30e}")).unwrap_or(0);
    let bits = number.to_bits();
    let exponent = match i32::try_from(bits >> 52).unwrap_or(0) & 0x7ff {
        0 => -1011 - i32::try_from(bits.leading_zeros()).unwrap_or(0),
        exponent => exponent - 1023,
    };
    // The decimal exponent of the power of two below the number, as SQLite estimates it.
    let below = (exponent * 78_913) >> 18;
    let decimals = usize::try_from(17 + power - below).unwrap_or(17);
    let text = format!("{number:.decimals$e}");
    let (mantissa, _) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    (digits, power_of(&text).unwrap_or(power))
}

/// Fewer digits that read back as the same number, where the digits look as if there were such.
fn shorter(digits: &[u8], power: i32, number: f64) -> Option<String> {
    let integer = power + 1 >= i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let (value, count) = if digits[14] == 9 && digits[15] == 9 {
        let kept = digits[..14].iter().rposition(|digit| *digit != 9).map_or(0, |last| last + 1);
        (whole(&digits[..kept]) + 1, kept)
    } else if integer || digits[13..16] == [0, 0, 0] {
        let kept = digits[..13].iter().rposition(|digit| *digit != 0).map_or(1, |last| last + 1);
        (whole(&digits[..kept]), kept)
    } else {
        return None;
    };
    let scale = power + 1 - i32::try_from(count).unwrap_or(0);
    let reads_back = format!("{value}e{scale}").parse() == Ok(number);
    reads_back.then(|| value.to_string())
}

fn whole(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(*digit))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::real_text;

    #[test]
    fn numbers_print_as_in_sqlite() {
        let db = Connection::open_in_memory().unwrap();
        let mut statement = db.prepare("SELECT CAST(? AS TEXT)").unwrap();
        let mut check = |number: f64| {
            let expected: String = statement.query_row([number], |row| row.get(0)).unwrap();
            assert_eq!(real_text(number), expected, "{number:e}");
        };
        let plain = [0.0, -0.0, 1.0, 5.5, -3.0, 0.1, 0.3, 1e15, 1e16, 1e17, 1e20, 123e18, 9.99e22];
        let edges = [1e-4, 1e-5, 1.5e-7, 49.47, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2];
        let long = [1.234_567_890_123_45, 9_007_199_254_740_993.0, 1.0 / 3.0, 2.0 / 3.0, 99.99];
        let more =
            [f64::INFINITY, f64::NEG_INFINITY, 0.999_999_999_999_999_9, 9.999_999_999_999_99];
        for number in plain.into_iter().chain(edges).chain(long).chain(more) {
            check(number);
        }
        let mut state = 7_u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            #[expect(clippy::cast_precision_loss, reason = "any number will do")]
            let number = (state >> 20) as f64 / 10_f64.powi(round % 18);
            check(number);
            // Few digits, as people write them.
            check((number * 100.0).round() / 1e4);
        }
    }
}
