//! Text as part of a URL in a header.

use http::HeaderValue;

/// `text` with what must not stand in a header, or ends a path, percent-encoded.
pub(super) fn escaped(text: &str) -> HeaderValue {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'%' | b'?' | b'#' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                push_escape(&mut out, byte);
            }
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => push_escape(&mut out, byte),
        }
    }
    HeaderValue::try_from(out).unwrap_or(HeaderValue::from_static("/"))
}

fn push_escape(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.extend(['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}
