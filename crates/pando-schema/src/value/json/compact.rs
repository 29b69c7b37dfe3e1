//! JSON text in its shortest form: no white space, no needless escapes.
//!
//! Numbers and the order of members stay as they were written.
//! Source: Go `encoding/json/jsontext` (`Encoder.WriteValue`), which PocketBase's answers pass.

use super::write_escaped;

/// Appends valid JSON `text` without white space and needless escapes. Text that is not valid
/// comes out somehow, but never fails.
pub fn compact_json(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let compact = !bytes.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\\'));
    if compact {
        out.extend_from_slice(if bytes.is_empty() { b"null" } else { bytes });
        return;
    }
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'"' => index = copy_string(bytes, index, out),
            b' ' | b'\t' | b'\n' | b'\r' => index += 1,
            other => {
                out.push(*other);
                index += 1;
            }
        }
    }
}

/// Copies the string that opens at `start`; returns the index behind it.
fn copy_string(bytes: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    out.push(b'"');
    let mut index = start + 1;
    loop {
        let rest = bytes.get(index..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        let plain = plain.unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        index += plain;
        match bytes.get(index) {
            Some(b'\\') => index = copy_escape(bytes, index, out),
            Some(_) | None => {
                out.push(b'"');
                return index + 1;
            }
        }
    }
}

/// Writes the character that the escape at `start` stands for; returns the index behind it.
fn copy_escape(bytes: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let Some(kind) = bytes.get(start + 1) else { return bytes.len() };
    let plain = match kind {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return copy_unicode_escape(bytes, start, out),
        other => *other,
    };
    write_escaped(&[plain], out);
    start + 2
}

fn copy_unicode_escape(bytes: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let Some(unit) = code_unit(bytes, start) else { return (start + 2).min(bytes.len()) };
    let mut next = start + 6;
    let mut code = unit;
    if (0xd800..0xdc00).contains(&unit)
        && let Some(low) = code_unit(bytes, next)
        && (0xdc00..0xe000).contains(&low)
    {
        code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        next += 6;
    }
    // Half a surrogate pair stands for no character.
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    write_escaped(character.encode_utf8(&mut [0; 4]).as_bytes(), out);
    next
}

/// The four hexadecimal digits of the `\u` escape at `start`.
fn code_unit(bytes: &[u8], start: usize) -> Option<u32> {
    let escape = bytes.get(start..start + 6)?;
    if !escape.starts_with(b"\\u") {
        return None;
    }
    let digits = std::str::from_utf8(&escape[2..]).ok()?;
    u32::from_str_radix(digits, 16).ok()
}
