//! Reads a date by one of Go's layouts ("the reference time, as this layout would show it").
//!
//! Source: Go `time.Parse` (`time/format.go`), for the parts that our layouts use.

use super::{DateTime, days_from_civil};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A part of a layout that stands for a part of the date. Longer ones come before their prefixes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    LongWeekday,
    Weekday,
    Month,
    ZoneName,
    LongYear,
    ZeroMonth,
    ZeroDay,
    Minute,
    Second,
    Year,
    Hour,
    Hour12,
    PaddedDay,
    AmPm,
    IsoColonZone,
    IsoZone,
    ColonZone,
    Zone,
    Fraction(usize),
    AnyFraction,
}

const PARTS: [(&str, Part); 22] = [
    ("Monday", Part::LongWeekday),
    ("Mon", Part::Weekday),
    ("Jan", Part::Month),
    ("MST", Part::ZoneName),
    ("2006", Part::LongYear),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("04", Part::Minute),
    ("05", Part::Second),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("3", Part::Hour12),
    ("_2", Part::PaddedDay),
    ("PM", Part::AmPm),
    ("Z07:00", Part::IsoColonZone),
    ("Z0700", Part::IsoZone),
    ("-07:00", Part::ColonZone),
    ("-0700", Part::Zone),
    (".000000000", Part::Fraction(9)),
    (".000000", Part::Fraction(6)),
    (".000", Part::Fraction(3)),
    (".999999999", Part::AnyFraction),
];

/// What was read so far; what is absent counts as 1 January of the year 0, midnight, UTC.
#[derive(Default)]
struct Reading {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanoseconds: u32,
    afternoon: Option<bool>,
    /// What to subtract to come to UTC.
    zone_seconds: Option<i64>,
}

/// Reads `text` by `layout`; `None` if it does not fit or is no date.
pub(super) fn parse(mut layout: &str, mut text: &str) -> Option<DateTime> {
    let mut reading = Reading::default();
    loop {
        let (prefix, part, rest) = next_part(layout);
        text = skip(prefix, text)?;
        let Some(part) = part else {
            return if text.is_empty() { reading.finish() } else { None };
        };
        text = reading.read(part, text, rest)?;
        layout = rest;
    }
}

/// The text up to the next part, the part, and what follows it.
fn next_part(layout: &str) -> (&str, Option<Part>, &str) {
    for index in 0..layout.len() {
        let rest = &layout[index..];
        let found = PARTS.iter().find(|(name, _)| rest.starts_with(name));
        if let Some((name, part)) = found {
            return (&layout[..index], Some(*part), &rest[name.len()..]);
        }
    }
    (layout, None, "")
}

/// Removes `prefix` from `text`; any run of spaces matches any other.
fn skip<'a>(mut prefix: &str, mut text: &'a str) -> Option<&'a str> {
    while let Some(first) = prefix.chars().next() {
        if first == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
        } else {
            text = text.strip_prefix(first)?;
            prefix = &prefix[first.len_utf8()..];
        }
    }
    Some(text)
}

impl Reading {
    /// Reads `part` from the start of `text`; returns what follows.
    fn read<'a>(&mut self, part: Part, text: &'a str, layout_rest: &str) -> Option<&'a str> {
        match part {
            Part::LongWeekday => Some(lookup(&DAYS, text, usize::MAX)?.1),
            Part::Weekday => Some(lookup(&DAYS, text, 3)?.1),
            Part::Month => {
                let (index, rest) = lookup(&MONTHS, text, 3)?;
                self.month = u32::try_from(index + 1).ok();
                Some(rest)
            }
            Part::LongYear => {
                let (digits, rest) = split(text, 4)?;
                digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
                self.year = digits.parse().ok()?;
                Some(rest)
            }
            Part::Year => {
                let (number, rest) = number(text, true)?;
                self.year = i64::from(number) + if number >= 69 { 1900 } else { 2000 };
                Some(rest)
            }
            Part::ZeroMonth => {
                let (month, rest) = number(text, true)?;
                (1..=12).contains(&month).then_some(())?;
                self.month = Some(month);
                Some(rest)
            }
            Part::ZeroDay | Part::PaddedDay => {
                let padded = part == Part::PaddedDay;
                let text = if padded { text.strip_prefix(' ').unwrap_or(text) } else { text };
                let (day, rest) = number(text, !padded)?;
                self.day = Some(day);
                Some(rest)
            }
            Part::Hour | Part::Hour12 => {
                let (hour, rest) = number(text, false)?;
                (hour <= if part == Part::Hour { 23 } else { 12 }).then_some(())?;
                self.hour = hour;
                Some(rest)
            }
            Part::Minute => {
                let (minute, rest) = number(text, true)?;
                self.minute = minute;
                (minute < 60).then_some(rest)
            }
            Part::Second => self.read_second(text, layout_rest),
            Part::AmPm => {
                let (half, rest) = split(text, 2)?;
                self.afternoon = Some(match half {
                    "PM" => true,
                    "AM" => false,
                    _ => return None,
                });
                Some(rest)
            }
            Part::ZoneName => self.read_zone_name(text),
            Part::IsoColonZone | Part::IsoZone | Part::ColonZone | Part::Zone => {
                self.read_zone(part, text)
            }
            Part::Fraction(digits) => self.read_fraction(text, digits),
            Part::AnyFraction => match fraction_length(text) {
                Some(digits) => self.read_fraction(text, digits),
                None => Some(text),
            },
        }
    }

    /// Seconds may carry a fraction even if the layout shows none.
    fn read_second<'a>(&mut self, text: &'a str, layout_rest: &str) -> Option<&'a str> {
        let (second, rest) = number(text, true)?;
        (second < 60).then_some(())?;
        self.second = second;
        let fraction_follows =
            matches!(next_part(layout_rest).1, Some(Part::Fraction(_) | Part::AnyFraction));
        match fraction_length(rest) {
            Some(digits) if !fraction_follows => self.read_fraction(rest, digits),
            Some(_) | None => Some(rest),
        }
    }

    /// A point or comma and exactly `digits` digits; those after the ninth are dropped.
    fn read_fraction<'a>(&mut self, text: &'a str, digits: usize) -> Option<&'a str> {
        let rest = text.strip_prefix(['.', ','])?;
        let (fraction, rest) = split(rest, digits)?;
        fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
        let padded = format!("{fraction:0<9}");
        self.nanoseconds = padded.get(..9)?.parse().ok()?;
        Some(rest)
    }

    fn read_zone<'a>(&mut self, part: Part, text: &'a str) -> Option<&'a str> {
        if matches!(part, Part::IsoColonZone | Part::IsoZone)
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.zone_seconds = Some(0);
            return Some(rest);
        }
        let sign = match text.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = number(text.get(1..)?, true)?;
        if matches!(part, Part::IsoColonZone | Part::ColonZone) {
            rest = rest.strip_prefix(':')?;
        }
        let (minutes, rest) = number(rest, true)?;
        (hours <= 24 && minutes <= 60).then_some(())?;
        self.zone_seconds = Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60));
        Some(rest)
    }

    /// The name of a time zone, which counts for nothing; but `GMT+3` adds (!) three hours, since
    /// cast takes the clock of that zone for UTC's.
    fn read_zone_name<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (name, rest) = split(text, zone_name_length(text)?)?;
        let hours = name.strip_prefix("GMT").and_then(|offset| offset.parse::<i64>().ok());
        self.zone_seconds = self.zone_seconds.or(hours.map(|hours| -hours * 3600));
        Some(rest)
    }

    fn finish(self) -> Option<DateTime> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            Some(_) | None => self.hour,
        };
        let month = self.month.unwrap_or(1);
        let day = self.day.unwrap_or(1);
        (1..=days_in(self.year, month)).contains(&day).then_some(())?;
        let seconds = i64::from(hour * 3600 + self.minute * 60 + self.second);
        Some(DateTime {
            unix_seconds: days_from_civil(self.year, month, day) * 86_400 + seconds
                - self.zone_seconds.unwrap_or(0),
            nanoseconds: self.nanoseconds,
        })
    }
}

/// The name that `text` starts with, without regard to case, cut to `length` letters.
fn lookup<'a>(names: &[&str], text: &'a str, length: usize) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = &name[..length.min(name.len())];
        let start = text.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then(|| (index, &text[name.len()..]))
    })
}

/// One or two digits; both are needed if `fixed`.
fn number(text: &str, fixed: bool) -> Option<(u32, &str)> {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).filter(|byte| byte.is_ascii_digit());
    let first = u32::from(*digit(0)? - b'0');
    match digit(1) {
        Some(second) => Some((first * 10 + u32::from(second - b'0'), &text[2..])),
        None if fixed => None,
        None => Some((first, &text[1..])),
    }
}

fn split(text: &str, length: usize) -> Option<(&str, &str)> {
    text.split_at_checked(length)
}

/// How many digits follow the point or comma that `text` starts with, if it does.
fn fraction_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(['.', ','])?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(digits)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Length of the time zone abbreviation that `text` starts with; its meaning is not looked up.
fn zone_name_length(text: &str) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix("GMT") {
        return Some(3 + signed_offset_length(rest));
    }
    if text.starts_with(['+', '-']) {
        let length = signed_offset_length(text);
        return (length > 0).then_some(length);
    }
    let letters = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
    match letters {
        5 if text.as_bytes()[4] == b'T' => Some(5),
        4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// Length of a sign and hours up to 23, or 0.
fn signed_offset_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['+', '-']) else { return 0 };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    match rest[..digits].parse::<u32>() {
        Ok(hours) if hours <= 23 => 1 + digits,
        Ok(_) | Err(_) => 0,
    }
}
