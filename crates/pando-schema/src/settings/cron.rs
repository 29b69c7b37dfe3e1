//! Cron expressions: minute, hour, day of month, month, day of week.
//!
//! Source: PocketBase `tools/cron/schedule.go`.

use thiserror::Error;

/// The minutes at which something is due, as five sets of allowed numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CronSchedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
}

/// A minute of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CronMoment {
    pub minute: u8,
    pub hour: u8,
    pub day: u8,
    pub month: u8,
    /// Sunday is 0.
    pub weekday: u8,
}

/// Why a text is no schedule, in PocketBase's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CronError {
    #[error(
        "invalid cron expression - must be a valid macro or to have exactly 5 space separated segments"
    )]
    Segments,
    #[error("strconv.Atoi: parsing {0:?}: {1}")]
    Number(String, &'static str),
    #[error("invalid segment step boundary - the step must be between 1 and the {0}")]
    StepBoundary(i64),
    #[error("invalid segment step format - must be in the format */n or 1-30/n")]
    StepFormat,
    #[error("invalid segment step - step > 1 could be used only with the wildcard or range format")]
    StepWithoutRange,
    #[error("invalid segment value - must be between the min and max of the segment")]
    Value,
    #[error("invalid segment range minimum - must be between {0} and {1}")]
    RangeMin(i64, i64),
    #[error("invalid segment range maximum - must be between {0} and {1}")]
    RangeMax(i64, i64),
    #[error("invalid segment range format - the range must have 1 or 2 parts")]
    RangeFormat,
}

impl CronSchedule {
    /// Reads five segments separated by single spaces, or a name such as `@daily`.
    pub fn parse(expression: &str) -> Result<CronSchedule, CronError> {
        let expression = match expression {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let segments: Vec<&str> = expression.split(' ').collect();
        let [minutes, hours, days, months, weekdays] = segments[..] else {
            return Err(CronError::Segments);
        };
        Ok(CronSchedule {
            minutes: parse_segment(minutes, 0, 59)?,
            hours: parse_segment(hours, 0, 23)?,
            days: parse_segment(days, 1, 31)?,
            months: parse_segment(months, 1, 12)?,
            weekdays: parse_segment(weekdays, 0, 6)?,
        })
    }

    pub fn due(&self, moment: CronMoment) -> bool {
        let has = |set: u64, number: u8| number < 64 && set & (1 << number) != 0;
        has(self.minutes, moment.minute)
            && has(self.hours, moment.hour)
            && has(self.days, moment.day)
            && has(self.weekdays, moment.weekday)
            && has(self.months, moment.month)
    }
}

/// A list of numbers, ranges and steps, as a set of bits.
fn parse_segment(segment: &str, min: i64, max: i64) -> Result<u64, CronError> {
    let mut set = 0;
    for part in segment.split(',') {
        let pieces: Vec<&str> = part.split('/').collect();
        let (range, step) = match pieces[..] {
            [range] => (range, 1),
            [range, step] => {
                let step = parse_number(step)?;
                if !(1..=max).contains(&step) {
                    return Err(CronError::StepBoundary(max));
                }
                (range, step)
            }
            _ => return Err(CronError::StepFormat),
        };
        let (first, last) = parse_range(range, step, min, max)?;
        let mut number = first;
        while number <= last {
            set |= 1_u64 << number;
            number += step;
        }
    }
    Ok(set)
}

fn parse_range(range: &str, step: i64, min: i64, max: i64) -> Result<(i64, i64), CronError> {
    if range == "*" {
        return Ok((min, max));
    }
    let ends: Vec<&str> = range.split('-').collect();
    match ends[..] {
        [number] => {
            if step != 1 {
                return Err(CronError::StepWithoutRange);
            }
            let number = parse_number(number)?;
            if !(min..=max).contains(&number) {
                return Err(CronError::Value);
            }
            Ok((number, number))
        }
        [first, last] => {
            let first = parse_number(first)?;
            if !(min..=max).contains(&first) {
                return Err(CronError::RangeMin(min, max));
            }
            let last = parse_number(last)?;
            if !(first..=max).contains(&last) {
                return Err(CronError::RangeMax(first, max));
            }
            Ok((first, last))
        }
        _ => Err(CronError::RangeFormat),
    }
}

fn parse_number(text: &str) -> Result<i64, CronError> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let reason = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        CronError::Number(text.to_owned(), reason)
    })
}

#[cfg(test)]
mod tests;
