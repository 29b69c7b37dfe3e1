//! The character set of text, as the parameter of its content type.
//!
//! Source: the HTML standard's prescan of the first 1,024 bytes for HTML; the declaration for
//! XML; a byte order mark or the bytes themselves for everything.

use std::borrow::Cow;

use super::markup;
use super::scan::{Scan, find, is_space, starts_with_any_case};

/// How much of a text decides its character set.
const LOOKED_AT_BYTES: usize = 1024;

type Charset = Option<Cow<'static, str>>;

const MARKS: [(&[u8], &str); 5] = [
    (b"\xEF\xBB\xBF", "utf-8"),
    (b"\x00\x00\xFE\xFF", "utf-32be"),
    (b"\xFF\xFE\x00\x00", "utf-32le"),
    (b"\xFE\xFF", "utf-16be"),
    (b"\xFF\xFE", "utf-16le"),
];

/// The encoding that a byte order mark tells.
pub(super) fn of_mark(bytes: &[u8]) -> Option<&'static str> {
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, charset)| *charset)
}

pub(super) fn of_plain(bytes: &[u8]) -> Charset {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
    if bytes.is_empty() {
        return None;
    }
    of_mark(bytes)
        .or_else(|| utf8(bytes).then_some("utf-8"))
        .or_else(|| latin(bytes))
        .map(Cow::from)
}

pub(super) fn of_html(bytes: &[u8]) -> Charset {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
    match of_mark(bytes) {
        Some(charset) => Some(charset.into()),
        None => declared_in_meta(Scan(bytes)).or_else(|| of_plain(bytes)),
    }
}

pub(super) fn of_xml(bytes: &[u8]) -> Charset {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
    declared_in_xml(Scan(bytes)).or_else(|| of_plain(bytes))
}

/// Whether the bytes are UTF-8, but for a character cut at the end. The last character is not
/// looked at if it takes more than one byte.
fn utf8(bytes: &[u8]) -> bool {
    let tail_start = bytes.len().saturating_sub(3);
    let mut end = bytes.len();
    for (index, byte) in bytes.iter().enumerate().skip(tail_start).rev() {
        if byte.is_ascii() {
            break;
        }
        if byte & 0xC0 != 0x80 {
            end = index;
            break;
        }
    }
    std::str::from_utf8(&bytes[..end]).is_ok()
}

/// One of the two single-byte encodings of Western Europe, if no byte speaks against them.
fn latin(bytes: &[u8]) -> Option<&'static str> {
    let text = |byte: &u8| matches!(byte, 0x07..=0x0D | 0x1B | 0x20..=0x7E | 0x85 | 0xA0..);
    if !bytes.iter().all(text) {
        return None;
    }
    Some(if bytes.contains(&0x85) { "windows-1252" } else { "iso-8859-1" })
}

fn text(bytes: &[u8]) -> Charset {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned().into())
}

fn declared_in_xml(mut scan: Scan<'_>) -> Charset {
    const DECLARATION: &[u8] = b"<?xml";
    loop {
        scan.skip_space();
        let start = find(scan.0, DECLARATION).filter(|_| scan.0.len() > DECLARATION.len())?;
        scan.skip(start + DECLARATION.len());
        let mut more = true;
        while more {
            let attribute = markup::attribute(&mut scan);
            if attribute.name.starts_with(b"encoding") && !attribute.value.is_empty() {
                return text(attribute.value);
            }
            more = attribute.more;
        }
    }
}

fn declared_in_meta(mut scan: Scan<'_>) -> Charset {
    const META: &[u8] = b"<META";
    loop {
        if markup::skip_comment(&mut scan) {
            continue;
        }
        if scan.0.len() <= META.len() || starts_with_any_case(scan.0, b"<BODY") {
            return None;
        }
        if !starts_with_any_case(scan.0, META) {
            scan.skip(1);
            continue;
        }
        scan.skip(META.len());
        let next = scan.pop();
        if !is_space(next) && next != b'/' {
            return None;
        }
        if let Some(found) = meta_charset(&mut scan) {
            return found;
        }
    }
}

/// What one `meta` element says; `None` if it is about something else.
fn meta_charset(scan: &mut Scan<'_>) -> Option<Charset> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut charset: &[u8] = b"";
    let (mut pragma, mut pragma_needed) = (false, None);
    let mut more = true;
    while more {
        let attribute = markup::attribute(scan);
        more = attribute.more;
        let name = attribute.name.to_ascii_lowercase();
        if seen.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => pragma |= starts_with_any_case(attribute.value, b"CONTENT-TYPE"),
            b"content" => {
                charset = charset_in_content(Scan(attribute.value));
                if !charset.is_empty() {
                    pragma_needed = Some(true);
                }
            }
            b"charset" => {
                charset = attribute.value;
                pragma_needed = Some(false);
            }
            _ => {}
        }
        seen.push(name);
    }
    match pragma_needed {
        Some(needed) if pragma || !needed => Some(text(charset)),
        _ => None,
    }
}

/// The charset in a text like `text/html; charset=utf-8`.
fn charset_in_content(mut scan: Scan<'_>) -> &[u8] {
    while let Some(start) = find(scan.0, b"charset") {
        scan.skip(start + b"charset".len());
        scan.skip_space();
        if scan.pop() != b'=' {
            continue;
        }
        scan.skip_space();
        return match scan.peek() {
            quote @ (b'"' | b'\'') => {
                scan.skip(1);
                scan.until(|byte| byte == quote).trim_ascii()
            }
            _ => scan.until(|byte| byte == b';' || is_space(byte)).trim_ascii(),
        };
    }
    b""
}
