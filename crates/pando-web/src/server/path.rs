//! The path of a request before it is taken apart.
//!
//! Source: Go's `net/http` `ServeMux` (`cleanPath`) and `net/url`.

use std::borrow::Cow;

/// How a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Clean,
    /// It has empty, `.` or `..` segments.
    Untidy,
    /// It has a `%` without two digits.
    Malformed,
}

/// Looks at each byte once.
pub(super) fn form(path: &str) -> Form {
    let bytes = path.as_bytes();
    let mut form = if bytes.first() == Some(&b'/') { Form::Clean } else { Form::Untidy };
    for (index, &byte) in bytes.iter().enumerate() {
        let rest = &bytes[index + 1..];
        match byte {
            b'/' if rest.first() == Some(&b'/') || dots(rest) => form = Form::Untidy,
            b'%' => match rest {
                [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
                _ => return Form::Malformed,
            },
            _ => {}
        }
    }
    form
}

/// Whether a segment `.` or `..` comes next.
fn dots(rest: &[u8]) -> bool {
    match rest {
        [b'.', b'.', after @ ..] => matches!(after.first(), None | Some(b'/')),
        [b'.', after @ ..] => matches!(after.first(), None | Some(b'/')),
        _ => false,
    }
}

/// The path without empty, `.` and `..` segments; a slash at its end stays.
pub(super) fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut clean = String::with_capacity(path.len());
    for part in &parts {
        clean.push('/');
        clean.push_str(part);
    }
    if clean.is_empty() || path.ends_with('/') {
        clean.push('/');
    }
    clean
}

/// The path percent-decoded; what is no escape stays as it is.
pub(crate) fn decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        rest = after;
        match after {
            [high, low, behind @ ..] if *byte == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = behind;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(*byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untidy_paths_are_found_and_cleaned() {
        for (path, clean) in [
            ("//", "/"),
            ("//api/health", "/api/health"),
            ("/api//health", "/api/health"),
            ("/api/./health", "/api/health"),
            ("/api/x/../health", "/api/health"),
            ("/a/..", "/"),
            ("/a/.", "/a"),
            ("/a/../", "/"),
            ("/..", "/"),
            ("/a//", "/a/"),
            ("/a/b/../../..//c/", "/c/"),
            ("", "/"),
        ] {
            assert_eq!(form(path), Form::Untidy, "{path}");
            assert_eq!(cleaned(path), clean);
            assert_eq!(form(clean), Form::Clean);
        }
    }

    #[test]
    fn tidy_paths_are_left_alone() {
        for path in ["/", "/a", "/a/", "/.well-known/x", "/a/..b", "/...", "/a./b", "/%2e%2e/x"] {
            assert_eq!(form(path), Form::Clean, "{path}");
            assert_eq!(cleaned(path), path);
        }
    }

    #[test]
    fn escapes_need_two_digits() {
        for path in ["/%", "/%4", "/%zz", "/a//%g0"] {
            assert_eq!(form(path), Form::Malformed, "{path}");
        }
    }

    #[test]
    fn paths_are_decoded() {
        for (path, plain) in [
            ("/plain", "/plain"),
            ("/%61pi/h%C3%A9", "/api/hé"),
            ("/a+b", "/a+b"),
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%zz%41", "/%zzA"),
        ] {
            assert_eq!(decoded(path), plain);
        }
    }
}
