//! Checks of plain text and of small text formats.

use super::scan::{Scan, is_space, starts_with_any_case};
use super::{Head, charset};

/// Mail headers that libmagic takes as hints; here capital letters stand for either case.
const MAIL_HEADERS_ANY_CASE: [&[u8]; 4] =
    [b"Message-ID: ", b"CC: ", b"DELIVERED-TO: ", b"RETURN-PATH: "];
const MAIL_HEADERS: [&[u8]; 12] = [
    b"From: ",
    b"To: ",
    b"Date: ",
    b"Subject: ",
    b"Received: ",
    b"Relay-Version: ",
    b"#! rnews",
    b"N#! rnews",
    b"Forward to",
    b"Pipe to",
    b"Content-Type: ",
    b"Content-Transfer-Encoding: ",
];
/// So many lines after the first may bring the second mail header.
const MAIL_LINES: usize = 20;
/// So many lines may stand before the size of a Netpbm image.
const NETPBM_LINES: usize = 128;
const GEDCOM_LINES: usize = 10;
const SRT_TIMES_BYTES: usize = 29;

/// No byte that only binary files have, or a byte order mark.
pub(super) fn plain(head: Head<'_>) -> bool {
    let binary = |byte: &u8| matches!(byte, 0..=0x08 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    charset::of_mark(head.bytes).is_some() || !head.bytes.iter().any(binary)
}

pub(super) fn vcard(head: Head<'_>) -> bool {
    first_line_any_case(head, b"BEGIN:VCARD")
}

pub(super) fn calendar(head: Head<'_>) -> bool {
    first_line_any_case(head, b"BEGIN:VCALENDAR")
}

/// Whether the first line is this, and something follows it.
fn first_line_any_case(head: Head<'_>, line: &[u8]) -> bool {
    starts_with_any_case(head.bytes, line)
        && match &head.bytes[line.len()..] {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => !rest.is_empty(),
            _ => false,
        }
}

/// SubRip: number 1, a span of time, and a line of text.
pub(super) fn srt(head: Head<'_>) -> bool {
    if !head.bytes.starts_with(b"1") {
        return false;
    }
    let mut scan = Scan(head.bytes);
    let (number, times, text) = (scan.line(), scan.line(), scan.line());
    if number != b"1" || times.len() != SRT_TIMES_BYTES || text.is_empty() {
        return false;
    }
    let (from, to) = (&times[..12], &times[17..]);
    times[12..17] == *b" --> " && srt_time(from) && srt_time(to) && from <= to
}

/// `15:04:05,000`.
fn srt_time(text: &[u8]) -> bool {
    let digits = |at: &[usize]| at.iter().all(|at| text[*at].is_ascii_digit());
    digits(&[0, 1, 3, 4, 6, 7, 9, 10, 11])
        && (text[2], text[5], text[8]) == (b':', b':', b',')
        && text[..2] < b"24"[..]
        && text[3] < b'6'
        && text[6] < b'6'
}

pub(super) fn vtt(head: Head<'_>) -> bool {
    let bytes = head.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head.bytes);
    bytes
        .strip_prefix(b"WEBVTT")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'\n' | b'\r' | b' ' | b'\t')))
}

/// A mail: a header in the first line and one soon after.
pub(super) fn mail(head: Head<'_>) -> bool {
    if !mail_header(head.bytes) {
        return false;
    }
    let mut scan = Scan(head.bytes);
    scan.line();
    (0..MAIL_LINES).any(|_| mail_header(scan.line()))
}

fn mail_header(line: &[u8]) -> bool {
    MAIL_HEADERS.iter().any(|header| line.starts_with(header))
        || MAIL_HEADERS_ANY_CASE.iter().any(|header| starts_with_any_case(line, header))
}

pub(super) fn gedcom(head: Head<'_>) -> bool {
    let mut scan = Scan(head.bytes);
    let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFE\xFF", b"\xFF\xFE"];
    if let Some(mark) = marks.iter().find(|mark| scan.0.starts_with(mark)) {
        scan.skip(mark.len());
    }
    scan.skip_space();
    scan.line() == b"0 HEAD" && (0..GEDCOM_LINES).any(|_| scan.line() == b"1 GEDC")
}

/// Netpbm images of the given numbers, `P1` to `P6`: a width and a height after comments.
pub(super) fn netpbm(head: Head<'_>, numbers: &[u8]) -> bool {
    let [b'P', number, b'\n', rest @ ..] = head.bytes else { return false };
    if !numbers.contains(number) {
        return false;
    }
    let mut scan = Scan(rest);
    let mut line = Scan(b"");
    for _ in 0..NETPBM_LINES {
        line = Scan(scan.line());
        if line.peek() == b'#' {
            continue;
        }
        line.skip_space();
        if scan.0.is_empty() || !line.0.is_empty() {
            break;
        }
    }
    let width = line.until(is_space);
    line.skip_space();
    positive(width) && positive(line.until(is_space))
}

fn positive(number: &[u8]) -> bool {
    let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<i64>().ok());
    number.is_some_and(|number| number > 0)
}

/// Netpbm's `P7`: named properties up to `ENDHDR`.
pub(super) fn netpam(head: Head<'_>) -> bool {
    const NEEDED: [&[u8]; 4] = [b"WIDTH ", b"HEIGHT ", b"DEPTH ", b"MAXVAL "];
    let Some(rest) = head.bytes.strip_prefix(b"P7\n") else { return false };
    let mut scan = Scan(rest);
    let mut seen = [false; NEEDED.len()];
    for _ in 0..NETPBM_LINES {
        let line = scan.line();
        if line.starts_with(b"ENDHDR") {
            return seen == [true; NEEDED.len()];
        }
        if let Some(index) = NEEDED.iter().position(|name| line.starts_with(name)) {
            seen[index] = true;
        }
    }
    false
}
