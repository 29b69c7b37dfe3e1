//! The media type of a file.
//!
//! Source: Go's `mime.TypeByExtension` with its own table; what it takes from the machine's
//! tables comes from `mime_guess` here, so that every machine answers alike.

use super::sniff::sniff;

/// The type that the extension of `name` tells, else the one that the first bytes tell.
pub(super) fn content_type(name: &str, start: &[u8]) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let lower = extension.to_ascii_lowercase();
    let guess = known(&lower).or_else(|| mime_guess::from_ext(&lower).first_raw());
    match guess {
        Some(text) if text.starts_with("text/") && !text.contains(';') => {
            format!("{text}; charset=utf-8")
        }
        Some(kind) => kind.to_owned(),
        None => sniff(start).to_owned(),
    }
}

/// Where Go and the tables of Debian differ from `mime_guess`, and the most frequent ones.
fn known(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "avif" => "image/avif",
        "css" => "text/css",
        "gif" => "image/gif",
        "gz" => "application/gzip",
        "htm" | "html" => "text/html",
        "ico" => "image/vnd.microsoft.icon",
        "jpeg" | "jpg" => "image/jpeg",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "webp" => "image/webp",
        "xml" => "text/xml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents() {
        let cases: [(&str, &[u8], &str); 16] = [
            ("index.html", b"", "text/html; charset=utf-8"),
            ("A.CSS", b"", "text/css; charset=utf-8"),
            ("m.mjs", b"", "text/javascript; charset=utf-8"),
            ("a.json", b"", "application/json"),
            ("a.svg", b"", "image/svg+xml"),
            ("a.xml", b"", "text/xml; charset=utf-8"),
            ("a.md", b"", "text/markdown; charset=utf-8"),
            ("a.csv", b"", "text/csv; charset=utf-8"),
            ("a.txt", b"", "text/plain; charset=utf-8"),
            ("favicon.ico", b"", "image/vnd.microsoft.icon"),
            ("a.woff2", b"", "font/woff2"),
            ("a.mp4", b"", "video/mp4"),
            ("noext", b"noext\n", "text/plain; charset=utf-8"),
            ("bin", b"\0\x01\x02", "application/octet-stream"),
            ("a.unheardof", b"<!DOCTYPE HTML>", "text/html; charset=utf-8"),
            ("ends.", b"", "text/plain; charset=utf-8"),
        ];
        for (name, start, expected) in cases {
            assert_eq!(content_type(name, start), expected, "{name}");
        }
    }
}
