//! The `Range` header (RFC 9110, section 14.1.2), read as Go reads it.

use std::ops::Range;

/// More ranges than this are answered with the whole file, as overlapping ones are.
const RANGES_MAX: usize = 100;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ranges {
    All,
    One(Range<u64>),
    Many(Vec<Range<u64>>),
    /// Not understood.
    Invalid,
    /// Past the end of the file.
    Outside,
}

pub(super) fn parse(header: Option<&str>, size_bytes: u64) -> Ranges {
    let Some(header) = header.filter(|header| !header.is_empty()) else { return Ranges::All };
    let Some(list) = header.strip_prefix("bytes=") else { return Ranges::Invalid };
    let mut ranges = Vec::new();
    let mut outside = false;
    for item in list.split(',').map(trim).filter(|item| !item.is_empty()) {
        match parse_one(item, size_bytes) {
            None => return Ranges::Invalid,
            Some(None) => outside = true,
            Some(Some(range)) if ranges.len() <= RANGES_MAX => ranges.push(range),
            Some(Some(_)) => {}
        }
    }
    if ranges.is_empty() && outside {
        // Some clients ask for ranges of everything, empty files included.
        return if size_bytes == 0 { Ranges::All } else { Ranges::Outside };
    }
    let total = ranges.iter().map(|range| range.end - range.start).fold(0, u64::saturating_add);
    if total > size_bytes || ranges.len() > RANGES_MAX {
        return Ranges::All;
    }
    match ranges.len() {
        0 => Ranges::All,
        1 => Ranges::One(ranges.remove(0)),
        _ => Ranges::Many(ranges),
    }
}

/// `None`: invalid; `Some(None)`: past the end.
fn parse_one(item: &str, size_bytes: u64) -> Option<Option<Range<u64>>> {
    let (start, end) = item.split_once('-')?;
    let (start, end) = (trim(start), trim(end));
    if start.is_empty() {
        let suffix = number(end)?.min(size_bytes);
        return Some(Some(size_bytes - suffix..size_bytes));
    }
    let start = number(start)?;
    if start >= size_bytes {
        return Some(None);
    }
    let end = match end {
        "" => size_bytes,
        end => {
            let last = number(end)?;
            if start > last {
                return None;
            }
            last.saturating_add(1).min(size_bytes)
        }
    };
    Some(Some(start..end))
}

/// Go's numbers are signed, of 64 bits, and may have a plus sign.
fn number(text: &str) -> Option<u64> {
    text.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok())
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
