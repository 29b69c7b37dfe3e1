//! Checks of comma- and tab-separated values.

use super::Head;
use super::scan::{Scan, find};

/// So many lines alike settle it.
const LINES_ENOUGH: usize = 10;

pub(super) fn commas(head: Head<'_>) -> bool {
    separated(head, b',')
}

pub(super) fn tabs(head: Head<'_>) -> bool {
    separated(head, b'\t')
}

/// Whether at least two lines have the same number of fields, two or more. The last line of a
/// head that was cut may have fewer.
fn separated(head: Head<'_>, separator: u8) -> bool {
    let mut records = Records { scan: Scan(head.bytes), line: b"", more: false, separator };
    let Some(header_fields) = records.field_count().filter(|count| *count >= 2) else {
        return false;
    };
    let mut lines = 1;
    while let Some(fields) = records.field_count() {
        if fields == header_fields {
            lines += 1;
        } else if head.cut && fields < header_fields && records.scan.0.is_empty() {
            break;
        } else {
            return false;
        }
        if lines >= LINES_ENOUGH {
            return true;
        }
    }
    lines >= 2
}

struct Records<'a> {
    scan: Scan<'a>,
    /// What is left of the current line.
    line: &'a [u8],
    /// Whether a CR LF was dropped at its end, so that a quoted field may go on after it.
    more: bool,
    separator: u8,
}

impl Records<'_> {
    /// The number of fields in the next record (several lines if quoted); `None` at the end.
    /// Empty lines and `#` comments do not count.
    fn field_count(&mut self) -> Option<usize> {
        loop {
            if self.scan.0.is_empty() {
                return None;
            }
            self.take_line();
            if !self.line.is_empty() && self.line != b"\n" && !self.line.starts_with(b"#") {
                break;
            }
        }
        let mut fields = 1;
        loop {
            if let Some(quoted) = self.line.strip_prefix(b"\"") {
                self.line = quoted;
                if !self.skip_quoted() {
                    return Some(fields);
                }
            } else {
                let end = self.line.iter().position(|byte| *byte == self.separator);
                let Some(end) = end else { return Some(fields) };
                self.line = &self.line[end + 1..];
            }
            fields += 1;
        }
    }

    /// Drops the rest of a quoted field, which may go on over the next lines, and the separator
    /// after it. Returns whether there was one.
    fn skip_quoted(&mut self) -> bool {
        loop {
            let Some(quote) = find(self.line, b"\"") else {
                if self.line.is_empty() && !self.more {
                    return false;
                }
                self.take_line();
                continue;
            };
            self.line = &self.line[quote + 1..];
            match self.line {
                [b'"', rest @ ..] => self.line = rest,
                [byte, rest @ ..] if *byte == self.separator => {
                    self.line = rest;
                    return true;
                }
                [] | [b'\n'] => return false,
                _ => {}
            }
        }
    }

    /// Goes to the next line, with its LF, or to the end. A CR at its end is dropped, with the LF.
    fn take_line(&mut self) {
        let end = find(self.scan.0, b"\n").map_or(self.scan.0.len(), |at| at + 1);
        let (line, rest) = self.scan.0.split_at(end);
        self.scan.0 = rest;
        self.more = line.ends_with(b"\r\n");
        self.line = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\r")).unwrap_or(line);
    }
}
