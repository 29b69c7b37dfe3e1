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
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    SqlValue::Text(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
    ))
}
