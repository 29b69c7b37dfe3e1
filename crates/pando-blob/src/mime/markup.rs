//! Checks of XML, HTML and what is built on them.

use super::Head;
use super::scan::{Scan, find, is_space, starts_with_any_case};

/// Only so much of an XML document is searched for its root element.
const ROOT_SEARCH_BYTES: usize = 512;
const XHTML_SEARCH_BYTES: usize = 1024;
const SVG_NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";
/// What the WHATWG MIME Sniffing standard takes for the beginning of HTML.
const HTML_STARTS: [&[u8]; 17] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];

/// An attribute of a tag.
pub(super) struct Attribute<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Whether the tag goes on.
    pub(super) more: bool,
}

/// Takes the next attribute of a tag (HTML standard, "get an attribute").
pub(super) fn attribute<'a>(scan: &mut Scan<'a>) -> Attribute<'a> {
    while is_space(scan.peek()) || scan.peek() == b'/' {
        scan.skip(1);
    }
    let none = Attribute { name: b"", value: b"", more: false };
    if scan.peek() == b'>' {
        return none;
    }
    let start = scan.0;
    let mut length = 0;
    loop {
        match scan.pop() {
            0 => return none,
            b'=' if length > 0 => break,
            byte if is_space(byte) => {
                scan.skip_space();
                if scan.peek() != b'=' {
                    return Attribute { name: &start[..length], value: b"", more: true };
                }
                scan.skip(1);
                break;
            }
            b'/' | b'>' => return Attribute { name: &start[..length], value: b"", more: false },
            _ => length += 1,
        }
    }
    let (value, more) = attribute_value(scan);
    Attribute { name: &start[..length], value, more }
}

fn attribute_value<'a>(scan: &mut Scan<'a>) -> (&'a [u8], bool) {
    scan.skip_space();
    let start = scan.0;
    match scan.pop() {
        0 | b'>' => return (b"", false),
        quote @ (b'"' | b'\'') => {
            let value = scan.until(|byte| byte == quote);
            if scan.pop() != quote {
                return (b"", false);
            }
            return (value, !matches!(scan.peek(), 0 | b'>'));
        }
        _ => {}
    }
    let mut length = 1;
    loop {
        match scan.pop() {
            0 => return (b"", false),
            b'>' => return (&start[..length], false),
            byte if is_space(byte) => return (&start[..length], true),
            _ => length += 1,
        }
    }
}

/// Drops a comment, if there is one here.
pub(super) fn skip_comment(scan: &mut Scan<'_>) -> bool {
    if !scan.0.starts_with(b"<!--") {
        return false;
    }
    // The dashes that open it may also close it.
    find(&scan.0[2..], b"-->").is_some_and(|end| scan.skip(end + 2 + 3))
}

pub(super) fn html(head: Head<'_>) -> bool {
    begins_as_html(unmarked(head.bytes), tag_ends)
}

pub(super) fn xml(head: Head<'_>) -> bool {
    begins_with_tag(unmarked(head.bytes), b"<?XML", tag_ends)
}

/// What follows a byte order mark and white space.
fn unmarked(bytes: &[u8]) -> &[u8] {
    let mut scan = Scan(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    scan.skip_space();
    scan.0
}

fn tag_ends(next: u8) -> bool {
    is_space(next) || next == b'>'
}

/// Whether `text` begins, in any letter case, with a tag that an HTML document may begin with.
/// What `ends` a tag differs between those who look.
pub fn begins_as_html(text: &[u8], ends: fn(u8) -> bool) -> bool {
    HTML_STARTS.iter().any(|tag| begins_with_tag(text, tag, ends))
}

fn begins_with_tag(text: &[u8], tag: &[u8], ends: fn(u8) -> bool) -> bool {
    starts_with_any_case(text, tag) && text.get(tag.len()).is_some_and(|next| ends(*next))
}

/// Whether an XML document's root element and one of its namespaces stand near the start, in this
/// order. An empty element or an empty list of namespaces is not looked for.
pub(super) fn has_root(head: Head<'_>, element: &[u8], namespaces: &[&[u8]]) -> bool {
    let mut scan = Scan(head.bytes);
    scan.skip_space();
    let bytes = &scan.0[..scan.0.len().min(ROOT_SEARCH_BYTES)];
    let found = |needle: &[u8]| find(bytes, needle);
    if namespaces.is_empty() {
        return found(element) > Some(0);
    }
    let after = if element.is_empty() { Some(0) } else { found(element) };
    after.is_some() && namespaces.iter().any(|namespace| found(namespace) > after)
}

pub(super) fn xhtml(head: Head<'_>) -> bool {
    let bytes = &head.bytes[..head.bytes.len().min(XHTML_SEARCH_BYTES)];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at);
    starts.into_iter().any(|at| {
        two_words(&bytes[at..], b"<!DOCTYPE", b"HTML")
            || two_words(&bytes[at..], b"<HTML", b"XMLNS=")
    })
}

/// Two words with white space between them, in any case.
fn two_words(bytes: &[u8], first: &[u8], second: &[u8]) -> bool {
    if !starts_with_any_case(bytes, first) {
        return false;
    }
    let mut scan = Scan(&bytes[first.len()..]);
    let spaced = is_space(scan.peek());
    scan.skip_space();
    spaced && starts_with_any_case(scan.0, second)
}

pub(super) fn svg(head: Head<'_>) -> bool {
    let mut scan = Scan(head.bytes);
    scan.skip_space();
    if scan.0.starts_with(b"<?xml") { declared_svg(scan) } else { bare_svg(scan) }
}

/// An `svg` element in its namespace, after comments.
fn bare_svg(mut scan: Scan<'_>) -> bool {
    while skip_comment(&mut scan) {}
    if !scan.0.starts_with(b"<svg") {
        return false;
    }
    loop {
        let attribute = attribute(&mut scan);
        if attribute.name == b"xmlns" && attribute.value == SVG_NAMESPACE {
            return true;
        }
        if !attribute.more {
            return false;
        }
    }
}

/// An XML declaration with a version, and an `svg` element anywhere after it.
fn declared_svg(mut scan: Scan<'_>) -> bool {
    loop {
        let attribute = attribute(&mut scan);
        if attribute.name == b"version" {
            return find(scan.0, b"<svg").is_some();
        }
        if !attribute.more {
            return false;
        }
    }
}
