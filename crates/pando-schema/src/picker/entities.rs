//! HTML character references (`&amp;`, `&#8230;`) to text.
//!
//! Source: WHATWG HTML, "Named character references"; Go `golang.org/x/net/html` for what is
//! malformed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Name, with its semicolon where it needs one, a tab, and the code points it stands for.
const NAMED: &str = include_str!("entities.txt");

/// Longest name that works without semicolon.
const BARE_NAME_BYTES_MAX: usize = 6;

/// What code points 0x80 to 0x9f are taken for: windows-1252.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

static BY_NAME: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let rows = NAMED.lines().filter_map(|line| line.split_once('\t'));
    rows.map(|(name, codes)| {
        let characters = codes.split(' ').filter_map(|code| u32::from_str_radix(code, 16).ok());
        (name, characters.filter_map(char::from_u32).collect())
    })
    .collect()
});

/// Appends `text` with its character references resolved.
pub(super) fn push_unescaped(mut text: &str, out: &mut String) {
    while let Some(start) = text.find('&') {
        out.push_str(&text[..start]);
        text = &text[start..];
        let length = match text.as_bytes().get(1) {
            Some(b'#') => push_numeric(text, out),
            _ => push_named(text, out),
        };
        if length == 0 {
            out.push('&');
        }
        text = &text[length.max(1)..];
    }
    out.push_str(text);
}

/// Resolves a `&#…;` at the start; returns its length, 0 if it is none.
fn push_numeric(text: &str, out: &mut String) -> usize {
    let hexadecimal = text[2..].starts_with(['x', 'X']);
    let (start, radix) = if hexadecimal { (3, 16) } else { (2, 10) };
    let digits = text[start..].chars().take_while(|c| c.is_digit(radix)).count();
    if digits == 0 {
        return 0;
    }
    let end = start + digits;
    let code = u32::from_str_radix(&text[start..end], radix).unwrap_or(u32::MAX);
    out.push(match code {
        0x80..=0x9f => WINDOWS_1252[(code - 0x80) as usize],
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    });
    end + usize::from(text[end..].starts_with(';'))
}

/// Resolves a `&name;` at the start, or the longest bare name there; returns its length, or 0.
fn push_named(text: &str, out: &mut String) -> usize {
    let letters = text[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    let semicolon = usize::from(text[1 + letters..].starts_with(';'));
    let name = &text[1..1 + letters + semicolon];
    if let Some(characters) = BY_NAME.get(name) {
        out.push_str(characters);
        return 1 + name.len();
    }
    for length in (2..=name.len().saturating_sub(1).min(BARE_NAME_BYTES_MAX)).rev() {
        if let Some(characters) = BY_NAME.get(&name[..length]) {
            out.push_str(characters);
            return 1 + length;
        }
    }
    0
}
