//! Moments in time: reading the layouts that PocketBase accepts, writing the one it stores.
//!
//! Units: milliseconds when written; finer input is cut off. All in UTC, proleptic Gregorian.
//! Source: PocketBase `tools/types/datetime.go`, spf13/cast 1.10 `internal/time.go`, Go `time`.

mod layout;

use std::io::Write as _;

/// A moment, as seconds since 1970-01-01T00:00:00Z and the nanoseconds after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime {
    pub unix_seconds: i64,
    pub nanoseconds: u32,
}

/// Go's zero time, 0001-01-01T00:00:00Z, which PocketBase stores as the empty text.
const ZERO_SECONDS: i64 = -62_135_596_800;

/// The layouts of Go's `time` package that count as dates, in the order in which they are tried.
/// A time zone given only by its name (`MST`) is read and ignored.
const LAYOUTS: [&str; 25] = [
    "2006-01-02 15:04:05.000Z",
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05",
    "Mon, 02 Jan 2006 15:04:05 -0700",
    "Mon, 02 Jan 2006 15:04:05 MST",
    "02 Jan 06 15:04 -0700",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "2006-01-02 15:04:05.999999999 -0700 MST",
    "2006-01-02T15:04:05-0700",
    "2006-01-02 15:04:05Z0700",
    "2006-01-02 15:04:05",
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "2006-01-02 15:04:05Z07:00",
    "02 Jan 2006",
    "2006-01-02 15:04:05 -07:00",
    "2006-01-02 15:04:05 -0700",
    "3:04PM",
    "Jan _2 15:04:05",
    "Jan _2 15:04:05.000",
    "Jan _2 15:04:05.000000",
    "Jan _2 15:04:05.000000000",
];

/// No accepted date is longer (a fraction of seconds may have any number of digits).
const TEXT_BYTES_MAX: usize = 255;

impl DateTime {
    pub fn from_unix_ms(unix_ms: i64) -> DateTime {
        let nanoseconds = unix_ms.rem_euclid(1000) * 1_000_000;
        DateTime {
            unix_seconds: unix_ms.div_euclid(1000),
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        }
    }

    pub fn unix_ms(self) -> i64 {
        self.unix_seconds * 1000 + i64::from(self.nanoseconds / 1_000_000)
    }

    /// Reads any layout that PocketBase accepts. `None` if there is none that fits.
    pub fn parse(text: &str) -> Option<DateTime> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return None;
        }
        LAYOUTS.iter().find_map(|layout| layout::parse(layout, text))
    }

    /// Whether this is what PocketBase takes for "no date".
    pub fn unset(self) -> bool {
        self.unix_seconds == ZERO_SECONDS && self.nanoseconds == 0
    }

    /// `2006-01-02 15:04:05.000Z`, or empty for the zero time.
    pub fn stored(self) -> String {
        if self.unset() {
            return String::new();
        }
        self.format(' ', 3)
    }

    /// RFC 3339, with as many digits after the seconds as are needed.
    pub fn rfc3339(self) -> String {
        self.format('T', self.fraction_digits())
    }

    /// As Go prints a `time.Time` in UTC: `2006-01-02 15:04:05.5 +0000 UTC`.
    pub(crate) fn go_format(self) -> String {
        let mut text = self.format(' ', self.fraction_digits());
        text.pop();
        text + " +0000 UTC"
    }

    fn fraction_digits(self) -> usize {
        let digits = format!("{:09}", self.nanoseconds);
        digits.trim_end_matches('0').len()
    }

    fn format(self, separator: char, fraction_digits: usize) -> String {
        let (year, month, day) = civil_from_days(self.unix_seconds.div_euclid(86_400));
        let second = self.unix_seconds.rem_euclid(86_400);
        let (sign, year) = if year < 0 { ("-", -year) } else { ("", year) };
        let mut out = Vec::with_capacity(32);
        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            "{sign}{year:04}-{month:02}-{day:02}{separator}{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        if fraction_digits > 0 {
            let digits = format!("{:09}", self.nanoseconds);
            let _ = write!(out, ".{}", &digits[..fraction_digits]);
        }
        out.push(b'Z');
        String::from_utf8(out).unwrap_or_default()
    }
}

/// `text` in the stored form; empty if it is no date.
pub fn normalize_date(text: &str) -> String {
    match DateTime::parse(text) {
        Some(moment) => moment.stored(),
        None => String::new(),
    }
}

/// Whether `text` looks like the stored form already, so that it need not be parsed: for text
/// that the database holds.
pub(crate) fn stored_form(text: &str) -> bool {
    const SHAPE: &[u8; 24] = b"0000-00-00 00:00:00.000Z";
    let bytes = text.as_bytes();
    text.is_empty()
        || (bytes.len() == SHAPE.len()
            && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                fixed => byte == fixed,
            }))
}

/// Days since 1970-01-01 of a date. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date that lies `days` after 1970-01-01. Source: as above, `civil_from_days`.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests;
