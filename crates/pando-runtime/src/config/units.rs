//! Sizes and durations as operators write them: `"64 MiB"`, `"30s"`.
//!
//! Units: `B KiB MiB GiB TiB` are powers of 1024, `KB MB GB TB` of 1000; `ms s min h d`.

use std::{fmt, str::FromStr, time::Duration};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

impl ByteSize {
    pub const fn kib(count: u64) -> ByteSize {
        ByteSize(count << 10)
    }

    pub const fn mib(count: u64) -> ByteSize {
        ByteSize(count << 20)
    }

    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// For limits on things in memory; saturates where `usize` is smaller.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A span of time, kept to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(Duration);

impl Seconds {
    pub const fn new(seconds: u64) -> Seconds {
        Seconds(Duration::from_secs(seconds))
    }

    pub const fn millis(milliseconds: u64) -> Seconds {
        Seconds(Duration::from_millis(milliseconds))
    }

    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Duration {
        seconds.0
    }
}

/// Why a text is no size or duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("a whole number is missing")]
    NoNumber,
    #[error("unknown unit {0:?}")]
    UnknownUnit(String),
    #[error("too large")]
    TooLarge,
}

/// Name and factor, larger units first; the first one that divides a value prints it.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Name and milliseconds, as [`SIZES`].
const TIMES: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<ByteSize, UnitError> {
        let (number, unit) = split(text)?;
        let factor = match unit {
            "" => 1,
            _ => factor(&SIZES, unit)?,
        };
        number.checked_mul(factor).map(ByteSize).ok_or(UnitError::TooLarge)
    }
}

impl FromStr for Seconds {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Seconds, UnitError> {
        let (number, unit) = split(text)?;
        let factor = match unit {
            "" => 1_000,
            "m" => 60_000,
            _ => factor(&TIMES, unit)?,
        };
        number.checked_mul(factor).map(Seconds::millis).ok_or(UnitError::TooLarge)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = largest(&SIZES, self.0);
        write!(f, "{} {unit}", self.0 / factor)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        match milliseconds {
            0 => write!(f, "0s"),
            _ => {
                let (unit, factor) = largest(&TIMES, milliseconds);
                write!(f, "{}{unit}", milliseconds / factor)
            }
        }
    }
}

fn split(text: &str) -> Result<(u64, &str), UnitError> {
    let text = text.trim();
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    if digits.is_empty() {
        return Err(UnitError::NoNumber);
    }
    let number = digits.parse().map_err(|_| UnitError::TooLarge)?;
    Ok((number, unit.trim_start()))
}

fn factor(units: &[(&str, u64)], unit: &str) -> Result<u64, UnitError> {
    units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .map(|&(_, factor)| factor)
        .ok_or_else(|| UnitError::UnknownUnit(unit.to_owned()))
}

fn largest(units: &'static [(&'static str, u64)], value: u64) -> (&'static str, u64) {
    let smallest = units[units.len() - 1];
    units
        .iter()
        .copied()
        .find(|&(_, factor)| value >= factor && value.is_multiple_of(factor))
        .unwrap_or(smallest)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{ByteSize, Seconds};

    #[track_caller]
    fn check_size(text: &str, expect: Expect) {
        let outcome = match text.parse::<ByteSize>() {
            Ok(size) => format!("{} = {size}", size.bytes()),
            Err(error) => format!("error: {error}"),
        };
        expect.assert_eq(&outcome);
    }

    #[track_caller]
    fn check_time(text: &str, expect: Expect) {
        let outcome = match text.parse::<Seconds>() {
            Ok(time) => format!("{:?} = {time}", time.duration()),
            Err(error) => format!("error: {error}"),
        };
        expect.assert_eq(&outcome);
    }

    #[test]
    fn sizes() {
        check_size("64 MiB", expect!["67108864 = 64 MiB"]);
        check_size("64mib", expect!["67108864 = 64 MiB"]);
        check_size("5 MB", expect!["5000000 = 5 MB"]);
        check_size("1536", expect!["1536 = 1536 B"]);
        check_size("0", expect!["0 = 0 B"]);
        check_size("1 parsec", expect![[r#"error: unknown unit "parsec""#]]);
        check_size("", expect!["error: a whole number is missing"]);
        check_size("-1", expect!["error: a whole number is missing"]);
        check_size("1.5 MiB", expect![[r#"error: unknown unit ".5 MiB""#]]);
        check_size("99999999 TiB", expect!["error: too large"]);
        check_size("99999999999999999999", expect!["error: too large"]);
    }

    #[test]
    fn times() {
        check_time("30s", expect!["30s = 30s"]);
        check_time("30", expect!["30s = 30s"]);
        check_time("5m", expect!["300s = 5min"]);
        check_time("90 s", expect!["90s = 90s"]);
        check_time("1500ms", expect!["1.5s = 1500ms"]);
        check_time("2 h", expect!["7200s = 2h"]);
        check_time("0", expect!["0ns = 0s"]);
        check_time("5 weeks", expect![[r#"error: unknown unit "weeks""#]]);
        check_time("99999999999999999d", expect!["error: too large"]);
    }

    #[test]
    fn what_is_printed_reads_back() {
        for milliseconds in [0, 1, 999, 1_000, 59_000, 60_000, 3_600_000, 86_400_000, 90_061_001] {
            let time = Seconds::millis(milliseconds);
            assert_eq!(time.to_string().parse(), Ok(time));
            let size = ByteSize(milliseconds);
            assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
