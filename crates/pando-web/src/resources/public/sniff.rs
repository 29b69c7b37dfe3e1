//! The media type that the first bytes of a file tell.
//!
//! Source: the WHATWG MIME Sniffing standard as Go's `net/http` `DetectContentType` has it,
//! without its rarest formats.

use pando_blob::mime;

const PREFIXES: [(&[u8], &str); 25] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xFE\xFF", "text/plain; charset=utf-16be"),
    (b"\xFF\xFE", "text/plain; charset=utf-16le"),
    (b"\xEF\xBB\xBF", "text/plain; charset=utf-8"),
    (b"\0\0\x01\0", "image/x-icon"),
    (b"\0\0\x02\0", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\0", "application/ogg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"\x1A\x45\xDF\xA3", "video/webm"),
    (b"\0\x01\0\0", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1F\x8B\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1A\x07", "application/x-rar-compressed"),
    (b"\0asm", "application/wasm"),
];

/// The type after `RIFF` and four bytes of length.
const RIFF: [(&[u8], &str); 3] =
    [(b"WEBPVP", "image/webp"), (b"AVI ", "video/avi"), (b"WAVE", "audio/wave")];

pub(super) fn sniff(start: &[u8]) -> &'static str {
    let blank = start.iter().take_while(|byte| b"\t\n\x0C\r ".contains(byte)).count();
    let text = &start[blank..];
    if mime::begins_as_html(text, |next| matches!(next, b' ' | b'>')) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = PREFIXES.iter().find(|(prefix, _)| start.starts_with(prefix)) {
        return kind;
    }
    if start.starts_with(b"RIFF") && start.len() > 8 {
        let kind = RIFF.iter().find(|(kind, _)| start[8..].starts_with(kind));
        if let Some((_, kind)) = kind {
            return kind;
        }
    }
    if is_mp4(start) {
        return "video/mp4";
    }
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F);
    if text.iter().any(binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

/// An `ftyp` box at the start with a brand that begins with `mp4`.
fn is_mp4(start: &[u8]) -> bool {
    let [a, b, c, d, b'f', b't', b'y', b'p', ..] = *start else { return false };
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    if start.len() < size || !size.is_multiple_of(4) {
        return false;
    }
    let brands = start.get(8..size).unwrap_or_default().chunks_exact(4).enumerate();
    // The second one is a version number.
    brands.filter(|&(index, _)| index != 1).any(|(_, brand)| brand.starts_with(b"mp4"))
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn contents_are_recognised() {
        let cases: [(&[u8], &str); 15] = [
            (b"", "text/plain; charset=utf-8"),
            (b"plain\n", "text/plain; charset=utf-8"),
            (b" \n<html>", "text/html; charset=utf-8"),
            (b"<bold>", "text/plain; charset=utf-8"),
            (b"<!-- x", "text/html; charset=utf-8"),
            (b"<!--x", "text/plain; charset=utf-8"),
            (b"<?xml version='1.0'?>", "text/xml; charset=utf-8"),
            (b"\x89PNG\r\n\x1A\n\0", "image/png"),
            (b"RIFF\0\0\0\0WAVEfmt", "audio/wave"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x14ftypmp42\0\0\0\0isom", "video/mp4"),
            (b"\0\0\0\x14ftypheic\0\0\0\0mif1", "application/octet-stream"),
            (b"\0asm\x01\0\0\0", "application/wasm"),
            (b"a\0b", "application/octet-stream"),
            ("über".as_bytes(), "text/plain; charset=utf-8"),
        ];
        for (start, expected) in cases {
            assert_eq!(sniff(start), expected, "{start:?}");
        }
    }
}
