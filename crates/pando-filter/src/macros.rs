//! The values of `@now` and its relatives, in UTC.
//!
//! Source: PocketBase `tools/search/identifier_macros.go`.

use crate::SqlValue;
use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

/// Names of all macros.
const NAMES: [&str; 16] = [
    "@now",
    "@yesterday",
    "@tomorrow",
    "@second",
    "@minute",
    "@hour",
    "@day",
    "@month",
    "@weekday",
    "@year",
    "@todayStart",
    "@todayEnd",
    "@monthStart",
    "@monthEnd",
    "@yearStart",
    "@yearEnd",
];

const DAY_END: Time = match Time::from_hms_milli(23, 59, 59, 999) {
    Ok(time) => time,
    Err(_) => Time::MIDNIGHT,
};

/// The macro called `name`, if there is one.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// The value of a macro at `now`; `None` if there is no such macro.
pub(crate) fn value(name: &str, now: OffsetDateTime) -> Option<SqlValue> {
    let now = now.to_offset(UtcOffset::UTC);
    let (date, year) = (now.date(), now.year());
    let day = |date: Date, time: Time| Some(text(date, time));
    match name {
        "@now" => day(date, now.time()),
        "@yesterday" => day(date.saturating_sub(Duration::DAY), now.time()),
        "@tomorrow" => day(date.saturating_add(Duration::DAY), now.time()),
        "@second" => Some(SqlValue::Int(now.second().into())),
        "@minute" => Some(SqlValue::Int(now.minute().into())),
        "@hour" => Some(SqlValue::Int(now.hour().into())),
        "@day" => Some(SqlValue::Int(now.day().into())),
        "@month" => Some(SqlValue::Int(u8::from(now.month()).into())),
        "@weekday" => Some(SqlValue::Int(now.weekday().number_days_from_sunday().into())),
        "@year" => Some(SqlValue::Int(year.into())),
        "@todayStart" => day(date, Time::MIDNIGHT),
        "@todayEnd" => day(date, DAY_END),
        "@monthStart" => day(date.replace_day(1).ok()?, Time::MIDNIGHT),
        "@monthEnd" => day(date.replace_day(now.month().length(year)).ok()?, DAY_END),
        "@yearStart" => {
            day(Date::from_calendar_date(year, Month::January, 1).ok()?, Time::MIDNIGHT)
        }
        "@yearEnd" => day(Date::from_calendar_date(year, Month::December, 31).ok()?, DAY_END),
        _ => None,
    }
}

/// PocketBase's fixed-width form: `2022-01-02 03:04:05.678Z`.
fn text(date: Date, time: Time) -> SqlValue {
    let (hour, minute, second, millisecond) = time.as_hms_milli();
    // Years are four digits wide in the range of dates that PocketBase reads back.
    let year = u16::try_from(date.year().clamp(0, 9999)).unwrap_or(0);
    let mut text = String::with_capacity(24);
    digits(&mut text, year, 4, '-');
    digits(&mut text, u8::from(date.month()).into(), 2, '-');
    digits(&mut text, date.day().into(), 2, ' ');
    digits(&mut text, hour.into(), 2, ':');
    digits(&mut text, minute.into(), 2, ':');
    digits(&mut text, second.into(), 2, '.');
    digits(&mut text, millisecond, 3, 'Z');
    SqlValue::Text(text)
}

/// Appends a number at a fixed width, and what follows it. By hand: rules ask for `@now` often.
fn digits(text: &mut String, number: u16, width: u32, end: char) {
    for place in (0..width).rev() {
        let digit = number / 10_u16.pow(place) % 10;
        text.push(char::from_digit(digit.into(), 10).unwrap_or('0'));
    }
    text.push(end);
}

#[cfg(test)]
mod tests {
    use super::{NAMES, value};
    use crate::SqlValue;
    use crate::fixture::NOW;

    #[track_caller]
    fn check(name: &str, expected: SqlValue) {
        assert_eq!(value(name, NOW), Some(expected), "{name}");
    }

    #[test]
    fn every_macro_has_its_value() {
        let text = |text: &str| SqlValue::Text(text.to_owned());
        check("@now", text("2024-02-10 11:12:13.456Z"));
        check("@yesterday", text("2024-02-09 11:12:13.456Z"));
        check("@tomorrow", text("2024-02-11 11:12:13.456Z"));
        check("@todayStart", text("2024-02-10 00:00:00.000Z"));
        check("@todayEnd", text("2024-02-10 23:59:59.999Z"));
        check("@monthStart", text("2024-02-01 00:00:00.000Z"));
        check("@monthEnd", text("2024-02-29 23:59:59.999Z"));
        check("@yearStart", text("2024-01-01 00:00:00.000Z"));
        check("@yearEnd", text("2024-12-31 23:59:59.999Z"));
        let numbers = [("@second", 13), ("@minute", 12), ("@hour", 11), ("@day", 10)];
        let more = [("@month", 2), ("@weekday", 6), ("@year", 2024)];
        for (name, number) in numbers.into_iter().chain(more) {
            check(name, SqlValue::Int(number));
        }
        assert!(NAMES.iter().all(|name| value(name, NOW).is_some()));
        assert_eq!(value("@NOW", NOW), None);
    }
}
